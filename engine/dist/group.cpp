#include "engine/dist/group.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include <unistd.h>

#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "engine/core/hash.h"
#include "engine/dist/key_store.h"
#include "engine/dist/roll_call.h"
#include "engine/dist/shared_sum.h"
#include "engine/dist/sockets.h"
#include "engine/dist/watch.h"
#include "engine/runtime/failures.h"

namespace pareto::dist {
namespace {

/// What travels at once. It is copied: where a call ends early, Gloo's threads still hold their own memory, not the
/// caller's.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
/// Until a rank that is gone is known to have said nothing: more than the watch takes for it.
constexpr std::chrono::milliseconds kLastWords{1500};
/// Gloo's own patience, which the watch is there instead of.
constexpr std::chrono::hours kForever{24 * 365};

using Gloo = c10d::ProcessGroupGloo;

Error problemOf(const GroupOptions& options, const std::exception& problem) {
    return makeError(ErrorCode::EngineFailure,
                     {{"where", "rank " + std::to_string(options.rank) + " on " + hostName()},
                      {"reason", runtime::firstLine(problem.what())}});
}

Status check(const GroupOptions& options) {
    const auto wrong = [&](const char* field, const std::string& reason) -> Status {
        return makeError(ErrorCode::ConfigInvalid, {{"file", "rank " + std::to_string(options.rank) + " on " + hostName()},
                                                    {"field", field},
                                                    {"reason", reason}});
    };
    if (options.size < 1 || options.rank < 0 || options.rank >= options.size) {
        return wrong("RANK", "is none of 0 to " + std::to_string(options.size - 1));
    }
    if (options.token.empty()) {
        return wrong("PARETO_RANKS_TOKEN", "is not set; give all ranks the same random text");
    }
    return Done{};
}

Result<std::string> ownAddress(const GroupOptions& options) {
    if (!options.listen.empty()) {
        return options.listen;
    }
    return isLoopback(options.address) ? Result<std::string>(options.address)
                                       : addressTowards(options.address, options.port);
}

/// The socket of rank 0's store: as given, or made.
Result<Listening> socketOf(const GroupOptions& options) {
    return options.socket >= 0 ? Result<Listening>(Listening{options.socket, options.port})
                               : listenAt(options.address, options.port);
}

}  // namespace

struct Group::State {
    GroupOptions options;
    std::unique_ptr<KeyStore> store;
    c10::intrusive_ptr<Gloo> gloo;
    std::unique_ptr<Watch> watch;
    bool left = false;

    Status open(std::stop_token stop) {
        const bool serves = options.rank == 0 && !options.storeStands;
        std::uint16_t port = options.port;
        if (serves) {
            PARETO_TRY(const auto listening, socketOf(options));
            port = listening.port;
            PARETO_TRY(store, KeyStore::serve(options.address, port, listening.socket, options.timeout));
        } else {
            PARETO_CHECK(waitForListener(options.address, port, options.timeout, stop));
            PARETO_TRY(store, KeyStore::connect(options.address, port, options.timeout));
        }
        PARETO_TRY(const auto roll, callRoll(*store, options, stop));
        PARETO_TRY(std::shared_ptr<KeyStore> connection, KeyStore::connect(options.address, port, options.timeout));
        session = roll.session;
        watch = std::make_unique<Watch>(connection, WatchOptions{options.rank, roll.session, roll.hosts, options.timeout},
                                        [this] { close(); });
        return connectAll(roll, port);
    }

    /// A connection that breaks here is another rank's doing, as later ones are: the watch says whose.
    Status connectAll(const Roll& roll, std::uint16_t storePort) {
        try {
            return connect(roll, storePort);
        } catch (const std::exception& problem) {
            return watch->broke(runtime::firstLine(problem.what()));
        }
    }

    Status connect(const Roll& roll, std::uint16_t storePort) {
        PARETO_TRY(const auto address, ownAddress(options));
        auto backend = Gloo::Options::create(options.timeout);
        backend->threads = 1;
        backend->devices.push_back(Gloo::createDeviceForHostname(address));
        const auto whole = c10::intrusive_ptr<c10d::Store>::reclaim_copy(store->store());
        const auto own = c10::make_intrusive<c10d::PrefixStore>(roll.session + "/gloo", whole);
        const auto before = connectedSockets(storePort);
        auto made = c10::make_intrusive<Gloo>(own, options.rank, options.size, backend);
        made->setTimeout(kForever);
        const std::lock_guard lock(closing);
        gloo = std::move(made);
        for (const auto& socket : connectedSockets(storePort)) {
            if (!before.contains(socket)) {
                sockets.insert(socket);
            }
        }
        return Done{};
    }

    /// Calls under way fail at once. Gloo itself wakes nobody when it closes a connection (Context::closeConnections); it
    /// does when the system says that one has ended.
    void close() {
        const std::lock_guard lock(closing);
        endConnections(sockets);
        sockets.clear();
    }

    template <typename Start>
    Status run(const Start& start, std::stop_token stop) {
        if (auto error = watch->lost()) {
            return *error;
        }
        if (left) {
            return makeError(ErrorCode::EngineFailure, {{"where", "the group of ranks"}, {"reason", "it was left already"}});
        }
        try {
            const auto done = std::make_shared<std::atomic<bool>>(false);
            const auto future = start()->getFuture();
            future->addCallback([done, wake = watch->waker()](c10::ivalue::Future&) {
                done->store(true);
                wake();
            });
            PARETO_CHECK(watch->waitUntil([&] { return done->load(); }, std::move(stop)));
            if (future->hasError()) {
                return watch->broke(runtime::firstLine(future->tryRetrieveErrorMessage()));
            }
            return Done{};
        } catch (const std::exception& problem) {
            return watch->broke(runtime::firstLine(problem.what()));
        }
    }

    /// Copies pieces of `bytes` into a tensor, lets `start` do something with it, and copies them back.
    template <typename Start>
    Status inPieces(std::span<std::byte> bytes, at::ScalarType type, const Start& start, std::stop_token stop) {
        const auto width = static_cast<std::size_t>(c10::elementSize(type));
        for (std::size_t begin = 0; begin < bytes.size(); begin += kPieceBytes) {
            const auto piece = bytes.subspan(begin, std::min(kPieceBytes, bytes.size() - begin));
            const at::Tensor held = at::empty({static_cast<std::int64_t>(piece.size() / width)},
                                              at::TensorOptions().dtype(type));
            std::memcpy(held.mutable_data_ptr(), piece.data(), piece.size());
            std::vector<at::Tensor> tensors{held};
            PARETO_CHECK(run([&] { return start(tensors); }, stop));
            std::memcpy(piece.data(), held.const_data_ptr(), piece.size());
        }
        return Done{};
    }

    Status sumThroughMemory(std::span<float> values, const std::stop_token& stop) {
        PARETO_CHECK(watch->look(stop));
        using Clock = std::chrono::steady_clock;
        Status found = Done{};
        std::optional<Clock::time_point> missed;
        const auto mayWait = [&] {
            if (const auto dead = shared->dead()) {
                // What it said itself before it ended is on its way.
                missed = missed.value_or(Clock::now());
                if (Clock::now() - *missed > kLastWords) {
                    watch->blame(*dead, "is gone (it was killed, or it ended)");
                }
            }
            found = watch->look(stop);
            return found.ok();
        };
        return shared->sum(values, mayWait) ? Status(Done{}) : found;
    }

    std::mutex closing;
    std::set<ConnectedSocket> sockets;  ///< Gloo's, to other ranks
    std::string session;
    std::unique_ptr<SharedSum> shared;  ///< where all ranks are on one machine
};

Group::Group(std::unique_ptr<State> state) : m_state(std::move(state)) {}

Result<std::unique_ptr<Group>> Group::join(const GroupOptions& options, std::stop_token stop) {
    if (auto checked = check(options); !checked.ok()) {
        if (options.socket >= 0) {
            ::close(options.socket);
        }
        return checked.failure<std::unique_ptr<Group>>();
    }
    std::unique_ptr<Group> out(new Group(std::make_unique<State>()));
    out->m_state->options = options;
    try {
        PARETO_CHECK(out->m_state->open(stop));
        PARETO_CHECK(out->shareMemory(std::move(stop)));
    } catch (const std::exception& problem) {
        return problemOf(options, problem);
    }
    return out;
}

Group::~Group() {
    auto& state = *m_state;
    if (state.watch && !state.left && !state.watch->lost()) {
        state.watch->blame(state.options.rank, "ended early");
    }
    state.close();
    const bool ended = state.watch && state.watch->lost();
    state.watch.reset();
    if (ended && state.gloo) {
        // Its destructor joins threads, and one may wait for ever for what it sent: closing a connection does not always wake
        // a send that is just being made. They hold nothing of others and end with the process.
        std::thread([gloo = std::move(state.gloo)]() mutable { gloo.reset(); }).detach();
    }
}

/// All agree on whether they can: each step is known to all by a sum through Gloo.
Status Group::shareMemory(std::stop_token stop) {
    auto& state = *m_state;
    const auto& hosts = state.watch->options().hosts;
    const bool here = std::all_of(hosts.begin(), hosts.end(), [&](const std::string& host) { return host == hosts.front(); });
    if (!here || size() < 2 || !state.options.sharedMemory) {
        return Done{};
    }
    const auto agreed = [&](bool own, int wanted) -> Result<bool> {
        float sum = own ? 1.0F : 0.0F;
        PARETO_CHECK(allReduceSum({&sum, 1}, stop));
        return sum == static_cast<float>(wanted);
    };
    const auto secret = sha256Hex(state.session + "/memory");
    const auto name = "/pareto-" + secret.substr(0, 16);
    const auto nonce = static_cast<std::uint64_t>(std::stoull(secret.substr(16, 16), nullptr, 16)) | 1U;
    auto shared = rank() == 0 ? SharedSum::make(name, size(), nonce) : nullptr;
    PARETO_TRY(const bool made, agreed(shared != nullptr, 1));
    if (!made) {
        return Done{};
    }
    if (rank() > 0) {
        shared = SharedSum::open(name, rank(), size(), nonce);
    }
    const auto opened = agreed(shared != nullptr, size());
    if (rank() == 0) {
        shared->unlink();
    }
    PARETO_CHECK(opened);
    // Behind the meeting everybody's process is written there.
    PARETO_TRY(const bool seen, agreed(opened.value() && shared->seesAll(), size()));
    if (seen) {
        state.shared = std::move(shared);
    }
    return Done{};
}

bool Group::sharesMemory() const { return m_state->shared != nullptr; }

int Group::rank() const { return m_state->options.rank; }
int Group::size() const { return m_state->options.size; }
const std::string& Group::hostOf(int rank) const { return m_state->watch->options().hosts[static_cast<std::size_t>(rank)]; }

Status Group::allReduceSum(std::span<float> values, std::stop_token stop) {
    if (m_state->shared && !m_state->left) {
        return m_state->sumThroughMemory(values, stop);
    }
    return m_state->inPieces(std::as_writable_bytes(values), at::kFloat,
                             [this](auto& tensors) { return m_state->gloo->allreduce(tensors); }, std::move(stop));
}

Status Group::broadcast(std::span<std::byte> bytes, int root, std::stop_token stop) {
    c10d::BroadcastOptions options;
    options.rootRank = root;
    return m_state->inPieces(bytes, at::kByte,
                             [&](auto& tensors) { return m_state->gloo->broadcast(tensors, options); }, std::move(stop));
}

Status Group::barrier(std::stop_token stop) {
    return m_state->run([this] { return m_state->gloo->barrier(); }, std::move(stop));
}

std::optional<Error> Group::lost() const { return m_state->watch->lost(); }

void Group::blame(int rank, const std::string& reason) { m_state->watch->blame(rank, reason); }

Status Group::leave(std::stop_token stop) {
    PARETO_CHECK(barrier(stop));
    PARETO_CHECK(m_state->watch->leave(std::move(stop)));
    m_state->left = true;
    return Done{};
}

}  // namespace pareto::dist
