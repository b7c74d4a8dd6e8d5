// A libnccl.so.2 of processes of one machine, over a file that all map: tests of who calls what, in which order, and of what
// becomes of a call when a rank is gone; no GPU and no NCCL is tested. "Device memory" is the process's own, streams are
// FakeStreams. Every call returns at once, as communicators that do not block have it. The environment:
//   FAKE_NCCL_FAIL=init:5   the first call of that name answers this code (init, sum, broadcast)
//   FAKE_NCCL_FAIL=later:6  sums are never done, and the communicator says this code
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/fake_nccl/fake_stream.h"

namespace {

constexpr int kSuccess = 0;
constexpr int kSystemError = 2;
constexpr int kInvalidArgument = 4;
constexpr int kInProgress = 7;
constexpr int kFloat = 7;
constexpr int kSum = 0;
constexpr std::size_t kMostRanks = 4;
constexpr std::size_t kRoom = 1024;  ///< values that go at once

struct Shared {
    std::atomic<int> joined;
    std::atomic<int> arrived;
    std::atomic<int> round;
    std::array<std::array<float, kRoom>, kMostRanks> values;
};

struct Communicator {
    Shared* shared = nullptr;
    int rank = 0;
    int ranks = 1;
    std::atomic<int> code{kInProgress};
    std::atomic<bool> aborted{false};
    std::thread worker;

    /// False: it was aborted.
    bool until(const std::function<bool()>& done) const {
        while (!done()) {
            if (aborted) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        return true;
    }
    bool meet() const {
        const int now = shared->round;
        if (++shared->arrived == ranks) {
            shared->arrived = 0;
            ++shared->round;
            return true;
        }
        return until([&] { return shared->round != now; });
    }
    /// `make(other ranks' values, i)` for each of `count` values, `from` being this rank's.
    bool together(const float* from, float* to, std::size_t count,
                  const std::function<float(const Shared&, std::size_t)>& make) const {
        for (std::size_t begin = 0; begin < count; begin += kRoom) {
            const std::size_t length = std::min(kRoom, count - begin);
            std::copy_n(from + begin, length, shared->values[static_cast<std::size_t>(rank)].begin());
            if (!meet()) {
                return false;
            }
            for (std::size_t i = 0; i < length; ++i) {
                to[begin + i] = make(*shared, i);
            }
            if (!meet()) {
                return false;
            }
        }
        return true;
    }
};

struct Id {
    std::array<char, 128> bytes;
};
struct Config {
    std::size_t size;
    unsigned magic;
    unsigned version;
    int blocking;
};

std::atomic<int> aborts{0};
thread_local int groups = 0;
/// Of the group that is open, or of one call.
thread_local std::vector<std::function<bool()>> waiting;

/// The code that the call of this name is told to answer; 0: none.
int toldFor(const std::string& call) {
    const char* told = std::getenv("FAKE_NCCL_FAIL");
    const std::string text = told == nullptr ? "" : told;
    return text.rfind(call + ":", 0) == 0 ? std::atoi(text.c_str() + call.size() + 1) : 0;
}

Shared* mapped(const std::string& name) {
    const auto path = std::filesystem::temp_directory_path() / name;
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(Shared)) != 0) {
        return nullptr;
    }
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<Shared*>(memory);
}

int start(Communicator* communicator, void* stream) {
    if (groups > 0) {
        return kSuccess;
    }
    if (communicator->worker.joinable()) {
        communicator->worker.join();
    }
    auto& queued = static_cast<pareto::test::FakeStream*>(stream)->queued;
    ++queued;
    communicator->worker = std::thread([calls = std::move(waiting), &queued] {
        for (const auto& call : calls) {
            if (!call()) {
                break;
            }
        }
        --queued;
    });
    waiting.clear();
    return kInProgress;
}

thread_local Communicator* ofGroup = nullptr;
thread_local void* streamOfGroup = nullptr;

int queue(Communicator* communicator, void* stream, std::function<bool()> call) {
    waiting.push_back(std::move(call));
    ofGroup = communicator;
    streamOfGroup = stream;
    return start(communicator, stream);
}

}  // namespace

extern "C" {

int fakeNcclAborts() { return aborts; }

int ncclGetVersion(int* version) {
    *version = 22809;
    return kSuccess;
}

const char* ncclGetErrorString(int code) {
    switch (code) {
        case 1: return "unhandled cuda error";
        case 2: return "unhandled system error";
        case 5: return "invalid usage";
        case 6: return "remote process exited or there was a network error";
        default: return "some error";
    }
}

int ncclGetUniqueId(Id* id) {
    std::random_device random;
    const auto name = "pareto-fake-nccl-" + std::to_string(random()) + std::to_string(random());
    std::strncpy(id->bytes.data(), name.c_str(), id->bytes.size() - 1);
    return kSuccess;
}

int ncclCommInitRankConfig(void** out, int ranks, Id id, int rank, Config* config) {
    if (const int code = toldFor("init"); code != 0) {
        return code;
    }
    if (config->size != sizeof(Config) || config->magic != 0xcafebeefU || config->blocking != 0 ||
        ranks > static_cast<int>(kMostRanks)) {
        return kInvalidArgument;
    }
    const std::string name = id.bytes.data();
    auto* made = new Communicator;
    *out = made;
    made->shared = mapped(name);
    if (made->shared == nullptr) {
        return kSystemError;
    }
    made->rank = rank;
    made->ranks = ranks;
    ++made->shared->joined;
    made->worker = std::thread([made, name] {
        if (made->until([made] { return made->shared->joined == made->ranks; })) {
            made->code = kSuccess;
        }
        if (made->rank == 0) {
            std::error_code ignored;
            std::filesystem::remove(std::filesystem::temp_directory_path() / name, ignored);
        }
    });
    return kInProgress;
}

int ncclCommAbort(void* held) {
    auto* communicator = static_cast<Communicator*>(held);
    ++aborts;
    communicator->aborted = true;
    communicator->worker.join();
    ::munmap(communicator->shared, sizeof(Shared));
    delete communicator;
    return kSuccess;
}

int ncclCommGetAsyncError(void* held, int* code) {
    *code = static_cast<Communicator*>(held)->code;
    return kSuccess;
}

int ncclAllReduce(const void* from, void* to, std::size_t count, int type, int by, void* held, void* stream) {
    if (const int code = toldFor("sum"); code != 0) {
        return code;
    }
    if (type != kFloat || by != kSum) {
        return kInvalidArgument;
    }
    auto* communicator = static_cast<Communicator*>(held);
    if (const int code = toldFor("later"); code != 0) {
        communicator->code = code;
        return queue(communicator, stream, [communicator] { return communicator->until([] { return false; }); });
    }
    return queue(communicator, stream, [communicator, from, to, count] {
        return communicator->together(static_cast<const float*>(from), static_cast<float*>(to), count,
                                      [ranks = communicator->ranks](const Shared& shared, std::size_t i) {
                                          float sum = 0.0F;
                                          for (int rank = 0; rank < ranks; ++rank) {
                                              sum += shared.values[static_cast<std::size_t>(rank)][i];
                                          }
                                          return sum;
                                      });
    });
}

int ncclBroadcast(const void* from, void* to, std::size_t count, int type, int root, void* held, void* stream) {
    if (const int code = toldFor("broadcast"); code != 0) {
        return code;
    }
    if (type != kFloat) {
        return kInvalidArgument;
    }
    auto* communicator = static_cast<Communicator*>(held);
    return queue(communicator, stream, [communicator, from, to, count, root] {
        return communicator->together(static_cast<const float*>(from), static_cast<float*>(to), count,
                                      [root](const Shared& shared, std::size_t i) {
                                          return shared.values[static_cast<std::size_t>(root)][i];
                                      });
    });
}

int ncclGroupStart() {
    ++groups;
    return kSuccess;
}

int ncclGroupEnd() {
    --groups;
    return groups == 0 && !waiting.empty() ? start(ofGroup, streamOfGroup) : kSuccess;
}

}  // extern "C"
