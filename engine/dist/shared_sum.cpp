#include "engine/dist/shared_sum.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <ctime>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/core/process.h"

namespace pareto::dist {
namespace {

constexpr std::size_t kMostRanks = 64;
/// Of all slots of a bank: they stay in the cache of a larger processor.
constexpr std::size_t kBankValues = std::size_t{1} << 20;
constexpr std::size_t kBanks = 2;
/// Before the values: what ranks know of each other.
constexpr std::size_t kPage = 4096;
constexpr int kSpins = 4000;
constexpr long kWaitNanoseconds = 100'000'000;

/// Until the value is another one, or for a while.
void waitWhile(std::atomic<std::uint32_t>& word, std::uint32_t value) {
    const timespec most{0, kWaitNanoseconds};
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, value, &most, nullptr, 0);
}

void wakeAll(std::atomic<std::uint32_t>& word) {
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::size_t bytesFor(int size) {
    const std::size_t piece = kBankValues / static_cast<std::size_t>(size);
    return kPage + kBanks * piece * static_cast<std::size_t>(size) * sizeof(float);
}

}  // namespace

struct SharedSum::Memory {
    struct Process {
        std::atomic<std::int64_t> id;
        std::atomic<std::int64_t> start;
    };
    std::atomic<std::uint64_t> nonce;
    alignas(64) std::atomic<std::uint32_t> arrived;
    alignas(64) std::atomic<std::uint32_t> turn;
    Process processes[kMostRanks];
};

std::unique_ptr<SharedSum> SharedSum::make(const std::string& name, int size, std::uint64_t nonce) {
    if (static_cast<std::size_t>(size) > kMostRanks) {
        return nullptr;
    }
    const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return nullptr;
    }
    // Taken at once: a full /dev/shm must be said here, not when a page is touched.
    const bool has = ::posix_fallocate(file, 0, static_cast<off_t>(bytesFor(size))) == 0;
    ::close(file);
    auto out = has ? open(name, 0, size, 0) : nullptr;
    if (out == nullptr) {
        ::shm_unlink(name.c_str());
        return nullptr;
    }
    out->m_memory->nonce.store(nonce);
    return out;
}

std::unique_ptr<SharedSum> SharedSum::open(const std::string& name, int rank, int size, std::uint64_t nonce) {
    const int file = ::shm_open(name.c_str(), O_RDWR | O_CLOEXEC, 0);
    if (file < 0) {
        return nullptr;
    }
    struct stat info {};
    const std::size_t bytes = bytesFor(size);
    const bool fits = ::fstat(file, &info) == 0 && info.st_uid == ::geteuid() && info.st_size == static_cast<off_t>(bytes);
    void* memory = fits ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    ::close(file);
    if (memory == MAP_FAILED) {
        return nullptr;
    }
    std::unique_ptr<SharedSum> out(new SharedSum());
    out->m_memory = static_cast<Memory*>(memory);
    out->m_bytes = bytes;
    out->m_piece = kBankValues / static_cast<std::size_t>(size);
    out->m_name = name;
    out->m_rank = rank;
    out->m_size = size;
    if (out->m_memory->nonce.load() != nonce) {
        return nullptr;
    }
    auto& own = out->m_memory->processes[rank];
    own.id.store(::getpid());
    own.start.store(processStart("self"));
    return out;
}

SharedSum::~SharedSum() { ::munmap(m_memory, m_bytes); }

void SharedSum::unlink() { ::shm_unlink(m_name.c_str()); }

bool SharedSum::seesAll() const { return !dead(); }

std::optional<int> SharedSum::dead() const {
    for (int rank = 0; rank < m_size; ++rank) {
        const auto& process = m_memory->processes[rank];
        if (process.start.load() == 0 || processStart(std::to_string(process.id.load())) != process.start.load()) {
            return rank;
        }
    }
    return std::nullopt;
}

std::span<float> SharedSum::slot(std::size_t bank, int rank) const {
    static_assert(sizeof(Memory) <= kPage);
    auto* values = reinterpret_cast<float*>(reinterpret_cast<std::byte*>(m_memory) + kPage);
    return {values + (bank * static_cast<std::size_t>(m_size) + static_cast<std::size_t>(rank)) * m_piece, m_piece};
}

bool SharedSum::meet(const std::function<bool()>& mayWait) {
    auto& turn = m_memory->turn;
    const auto now = turn.load();
    if (m_memory->arrived.fetch_add(1) + 1 == static_cast<std::uint32_t>(m_size)) {
        m_memory->arrived.store(0);
        turn.fetch_add(1);
        wakeAll(turn);
        return true;
    }
    for (int i = 0; i < kSpins; ++i) {
        if (turn.load(std::memory_order_acquire) != now) {
            return true;
        }
        __builtin_ia32_pause();
    }
    while (turn.load() == now) {
        waitWhile(turn, now);
        if (turn.load() == now && !mayWait()) {
            return false;
        }
    }
    return true;
}

bool SharedSum::sum(std::span<float> values, const std::function<bool()>& mayWait) {
    for (std::size_t begin = 0; begin < values.size(); begin += m_piece) {
        const auto piece = values.subspan(begin, std::min(m_piece, values.size() - begin));
        const std::size_t bank = m_bank;
        // The other bank next: who still takes this one's sums has not come to the next meeting.
        m_bank = (m_bank + 1) % kBanks;
        std::copy(piece.begin(), piece.end(), slot(bank, m_rank).begin());
        if (!meet(mayWait)) {
            return false;
        }
        const auto size = static_cast<std::size_t>(m_size);
        const auto rank = static_cast<std::size_t>(m_rank);
        const std::size_t from = piece.size() * rank / size;
        const std::size_t to = piece.size() * (rank + 1) / size;
        float* sums = slot(bank, 0).data();
        for (int other = 1; other < m_size; ++other) {
            const float* theirs = slot(bank, other).data();
            for (std::size_t i = from; i < to; ++i) {
                sums[i] += theirs[i];
            }
        }
        if (!meet(mayWait)) {
            return false;
        }
        std::copy_n(sums, piece.size(), piece.begin());
    }
    return true;
}

}  // namespace pareto::dist
