#include "engine/dist/shared_memory.h"

#include <algorithm>
#include <atomic>
#include <chrono>
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
constexpr std::size_t kBanks = 2;
/// Before the values: what ranks know of each other.
constexpr std::size_t kPage = 4096;
/// As many values that a rank adds up everything itself, rather than its part of it behind a second meeting.
constexpr std::size_t kDirect = 16384;
/// About half a millisecond where each rank has a core, and nothing to speak of where they share one.
constexpr int kSpinsAlone = 20000;
constexpr int kSpinsShared = 200;
constexpr long kWaitNanoseconds = 100'000'000;

/// Until the value is another one, or for a while.
void waitWhile(std::atomic<std::uint32_t>& word, std::uint32_t value) {
    const timespec most{0, kWaitNanoseconds};
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, value, &most, nullptr, 0);
}

void wakeAll(std::atomic<std::uint32_t>& word) {
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::size_t bytesFor(int size, std::size_t values) {
    const std::size_t piece = values / static_cast<std::size_t>(size);
    return kPage + kBanks * piece * static_cast<std::size_t>(size) * sizeof(float);
}

}  // namespace

struct SharedMemory::Memory {
    struct Process {
        std::atomic<std::int64_t> id;
        std::atomic<std::int64_t> start;
    };
    std::atomic<std::uint64_t> nonce;
    alignas(64) std::atomic<std::uint32_t> arrived;
    alignas(64) std::atomic<std::uint32_t> turn;
    Process processes[kMostRanks];
};

std::unique_ptr<SharedMemory> SharedMemory::make(const std::string& name, int size, std::uint64_t nonce, std::size_t values) {
    if (static_cast<std::size_t>(size) > kMostRanks) {
        return nullptr;
    }
    const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return nullptr;
    }
    // Taken at once: a full /dev/shm must be said here, not when a page is touched.
    const bool has = ::posix_fallocate(file, 0, static_cast<off_t>(bytesFor(size, values))) == 0;
    ::close(file);
    auto out = has ? open(name, 0, size, 0, values) : nullptr;
    if (out == nullptr) {
        ::shm_unlink(name.c_str());
        return nullptr;
    }
    out->m_memory->nonce.store(nonce);
    return out;
}

std::unique_ptr<SharedMemory> SharedMemory::open(const std::string& name, int rank, int size, std::uint64_t nonce,
                                                 std::size_t values) {
    const int file = ::shm_open(name.c_str(), O_RDWR | O_CLOEXEC, 0);
    if (file < 0) {
        return nullptr;
    }
    struct stat info {};
    const std::size_t bytes = bytesFor(size, values);
    const bool fits = ::fstat(file, &info) == 0 && info.st_uid == ::geteuid() && info.st_size == static_cast<off_t>(bytes);
    void* memory = fits ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    ::close(file);
    if (memory == MAP_FAILED) {
        return nullptr;
    }
    std::unique_ptr<SharedMemory> out(new SharedMemory());
    out->m_memory = static_cast<Memory*>(memory);
    out->m_bytes = bytes;
    out->m_piece = values / static_cast<std::size_t>(size);
    out->m_spins = size <= ::sysconf(_SC_NPROCESSORS_ONLN) ? kSpinsAlone : kSpinsShared;
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

SharedMemory::~SharedMemory() { ::munmap(m_memory, m_bytes); }

void SharedMemory::unlink() { ::shm_unlink(m_name.c_str()); }

bool SharedMemory::seesAll() const { return !dead(); }

std::optional<int> SharedMemory::dead() const {
    for (int rank = 0; rank < m_size; ++rank) {
        const auto& process = m_memory->processes[rank];
        if (process.start.load() == 0 || processStart(std::to_string(process.id.load())) != process.start.load()) {
            return rank;
        }
    }
    return std::nullopt;
}

std::span<float> SharedMemory::slot(std::size_t bank, int rank) const {
    static_assert(sizeof(Memory) <= kPage);
    auto* values = reinterpret_cast<float*>(reinterpret_cast<std::byte*>(m_memory) + kPage);
    return {values + (bank * static_cast<std::size_t>(m_size) + static_cast<std::size_t>(rank)) * m_piece, m_piece};
}

bool SharedMemory::meet(const MayWait& mayWait) {
    const auto begin = std::chrono::steady_clock::now();
    const bool met = waitForAll(mayWait);
    m_waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return met;
}

bool SharedMemory::waitForAll(const MayWait& mayWait) {
    auto& turn = m_memory->turn;
    const auto now = turn.load();
    if (m_memory->arrived.fetch_add(1) + 1 == static_cast<std::uint32_t>(m_size)) {
        m_memory->arrived.store(0);
        turn.fetch_add(1);
        wakeAll(turn);
        return true;
    }
    for (int i = 0; i < m_spins; ++i) {
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

/// Another one each time: who still reads this one has not come to the next meeting, so nobody writes to it.
std::size_t SharedMemory::nextBank() {
    const std::size_t bank = m_bank;
    m_bank = (m_bank + 1) % kBanks;
    return bank;
}

template <typename Combine>
bool SharedMemory::reduce(std::span<float> values, const MayWait& mayWait, const Combine& combine) {
    const auto size = static_cast<std::size_t>(m_size);
    const auto rank = static_cast<std::size_t>(m_rank);
    for (std::size_t begin = 0; begin < values.size(); begin += m_piece) {
        const auto piece = values.subspan(begin, std::min(m_piece, values.size() - begin));
        const std::size_t bank = nextBank();
        std::copy(piece.begin(), piece.end(), slot(bank, m_rank).begin());
        if (!meet(mayWait)) {
            return false;
        }
        if (size == 2 || piece.size() <= kDirect) {
            std::copy_n(slot(bank, 0).data(), piece.size(), piece.data());
            for (int other = 1; other < m_size; ++other) {
                combine(piece.data(), slot(bank, other).data(), piece.size());
            }
            continue;
        }
        const std::size_t from = piece.size() * rank / size;
        const std::size_t to = piece.size() * (rank + 1) / size;
        float* whole = slot(bank, 0).data();
        for (int other = 1; other < m_size; ++other) {
            combine(whole + from, slot(bank, other).data() + from, to - from);
        }
        if (!meet(mayWait)) {
            return false;
        }
        std::copy_n(whole, piece.size(), piece.begin());
    }
    return true;
}

bool SharedMemory::sum(std::span<float> values, const MayWait& mayWait) {
    return reduce(values, mayWait, [](float* __restrict into, const float* __restrict from, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            into[i] += from[i];
        }
    });
}

bool SharedMemory::max(std::span<float> values, const MayWait& mayWait) {
    return reduce(values, mayWait, [](float* __restrict into, const float* __restrict from, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            into[i] = std::max(into[i], from[i]);
        }
    });
}

bool SharedMemory::broadcast(std::span<std::byte> bytes, int root, const MayWait& mayWait) {
    const std::size_t most = m_piece * sizeof(float);
    for (std::size_t begin = 0; begin < bytes.size(); begin += most) {
        const auto piece = bytes.subspan(begin, std::min(most, bytes.size() - begin));
        const auto held = std::as_writable_bytes(slot(nextBank(), root));
        if (m_rank == root) {
            std::copy(piece.begin(), piece.end(), held.begin());
        }
        if (!meet(mayWait)) {
            return false;
        }
        if (m_rank != root) {
            std::copy_n(held.begin(), piece.size(), piece.begin());
        }
    }
    return true;
}

bool SharedMemory::gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all,
                          const MayWait& mayWait) {
    const std::size_t longest = *std::max_element(counts.begin(), counts.end());
    for (std::size_t begin = 0; begin < longest; begin += m_piece) {
        const std::size_t bank = nextBank();
        const auto pieceOf = [&](std::size_t count) { return count > begin ? std::min(m_piece, count - begin) : 0; };
        std::copy_n(own.data() + std::min(begin, own.size()), pieceOf(own.size()), slot(bank, m_rank).data());
        if (!meet(mayWait)) {
            return false;
        }
        std::size_t at = 0;
        for (int rank = 0; rank < m_size; ++rank) {
            const std::size_t count = counts[static_cast<std::size_t>(rank)];
            std::copy_n(slot(bank, rank).data(), pieceOf(count), all.data() + at + std::min(begin, count));
            at += count;
        }
    }
    return true;
}

}  // namespace pareto::dist
