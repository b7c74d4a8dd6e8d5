#include "engine/dist/group.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <numeric>
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
#include "engine/dist/shared_memory.h"
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

/// Of shared memory: of all ranks, whose gradients travel, so that all places stay in the cache of a larger processor; of
/// a smaller circle.
constexpr std::size_t kValuesOfAll = std::size_t{1} << 20;
constexpr std::size_t kValuesOfCircle = std::size_t{1} << 18;

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

/// Of a group that has ended. Its destructor joins threads, and one may wait for ever for what it sent: closing a connection
/// does not always wake a send that is just being made. They hold nothing of others and end with the process.
void leaveToItself(c10::intrusive_ptr<Gloo> gloo) {
    if (gloo) {
        std::thread([held = std::move(gloo)]() mutable { held.reset(); }).detach();
    }
}

}  // namespace

struct Group::State {
    GroupOptions options;
    std::unique_ptr<KeyStore> store;
    Roll roll;
    std::uint16_t storePort = 0;
    std::unique_ptr<Watch> watch;
    std::unique_ptr<Circle> all;
    bool left = false;

    Status open(std::stop_token stop) {
        const bool serves = options.rank == 0 && !options.storeStands;
        storePort = options.port;
        if (serves) {
            PARETO_TRY(const auto listening, socketOf(options));
            storePort = listening.port;
            PARETO_TRY(store, KeyStore::serve(options.address, storePort, listening.socket, options.timeout));
        } else {
            PARETO_CHECK(waitForListener(options.address, storePort, options.timeout, stop));
            PARETO_TRY(store, KeyStore::connect(options.address, storePort, options.timeout));
        }
        PARETO_TRY(roll, callRoll(*store, options, stop));
        PARETO_TRY(std::shared_ptr<KeyStore> connection, KeyStore::connect(options.address, storePort, options.timeout));
        watch = std::make_unique<Watch>(connection, WatchOptions{options.rank, roll.session, roll.hosts, options.timeout},
                                        [this] { close(); });
        return Done{};
    }

    /// Connections among the ranks that know each other by `name`. One that breaks here is another rank's doing, as later
    /// ones are: the watch says whose.
    Result<c10::intrusive_ptr<Gloo>> connect(const std::string& name, int rank, int size) {
        PARETO_TRY(const auto address, ownAddress(options));
        try {
            auto backend = Gloo::Options::create(options.timeout);
            backend->threads = 1;
            backend->devices.push_back(Gloo::createDeviceForHostname(address));
            const auto whole = c10::intrusive_ptr<c10d::Store>::reclaim_copy(store->store());
            const auto own = c10::make_intrusive<c10d::PrefixStore>(roll.session + "/" + name, whole);
            const auto before = connectedSockets(storePort);
            auto made = c10::make_intrusive<Gloo>(own, rank, size, backend);
            made->setTimeout(kForever);
            const std::lock_guard lock(closing);
            for (const auto& socket : connectedSockets(storePort)) {
                if (!before.contains(socket)) {
                    sockets.insert(socket);
                }
            }
            return made;
        } catch (const std::exception& problem) {
            return watch->broke(runtime::firstLine(problem.what()));
        }
    }

    /// Calls under way fail at once. Gloo itself wakes nobody when it closes a connection (Context::closeConnections); it
    /// does when the system says that one has ended.
    void close() {
        const std::lock_guard lock(closing);
        endConnections(sockets);
        sockets.clear();
    }

    /// `name`: of no other circle, for they find each other by it.
    Result<std::unique_ptr<Circle>> circle(const std::string& name, const std::vector<int>& ranks, std::size_t values,
                                           const std::stop_token& stop);

    std::mutex closing;
    std::set<ConnectedSocket> sockets;  ///< Gloo's, to other ranks
};

struct Circle::State {
    Group::State& group;
    std::vector<int> ranks;  ///< in the group
    int rank = 0;
    c10::intrusive_ptr<Gloo> gloo;
    std::unique_ptr<SharedMemory> shared;  ///< where all ranks are on one machine
    std::optional<std::chrono::steady_clock::time_point> missed;  ///< since when a process of theirs is gone

    int size() const { return static_cast<int>(ranks.size()); }

    template <typename Start>
    Status run(const Start& start, std::stop_token stop) {
        auto& watch = *group.watch;
        if (auto error = watch.lost()) {
            return *error;
        }
        if (group.left) {
            return makeError(ErrorCode::EngineFailure, {{"where", "the group of ranks"}, {"reason", "it was left already"}});
        }
        try {
            const auto done = std::make_shared<std::atomic<bool>>(false);
            const auto future = start()->getFuture();
            future->addCallback([done, wake = watch.waker()](c10::ivalue::Future&) {
                done->store(true);
                wake();
            });
            PARETO_CHECK(watch.waitUntil([&] { return done->load(); }, std::move(stop)));
            if (future->hasError()) {
                return watch.broke(runtime::firstLine(future->tryRetrieveErrorMessage()));
            }
            return Done{};
        } catch (const std::exception& problem) {
            return watch.broke(runtime::firstLine(problem.what()));
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

    Status reduce(std::span<float> values, c10d::ReduceOp::RedOpType by, std::stop_token stop) {
        c10d::AllreduceOptions options;
        options.reduceOp = by;
        return inPieces(std::as_writable_bytes(values), at::kFloat,
                        [&](auto& tensors) { return gloo->allreduce(tensors, options); }, std::move(stop));
    }

    Status broadcast(std::span<std::byte> bytes, int root, std::stop_token stop) {
        c10d::BroadcastOptions options;
        options.rootRank = root;
        return inPieces(bytes, at::kByte, [&](auto& tensors) { return gloo->broadcast(tensors, options); },
                        std::move(stop));
    }

    bool usesMemory() const { return shared != nullptr && !group.left; }

    /// `call`: something of `shared`.
    template <typename Call>
    Status throughMemory(const std::stop_token& stop, const Call& call) {
        PARETO_CHECK(group.watch->look(stop));
        Status found = Done{};
        missed.reset();
        const auto mayWait = [&] {
            found = look(stop);
            return found.ok();
        };
        return call(mayWait) ? Status(Done{}) : found;
    }

    Status look(const std::stop_token& stop) {
        using Clock = std::chrono::steady_clock;
        if (const auto dead = usesMemory() ? shared->dead() : std::nullopt) {
            // What it said itself before it ended is on its way.
            missed = missed.value_or(Clock::now());
            if (Clock::now() - *missed > kLastWords) {
                group.watch->blame(ranks[static_cast<std::size_t>(*dead)], "is gone (it was killed, or it ended)");
            }
        }
        return group.watch->look(stop);
    }

    /// All agree on whether they can: each step is known to all by a sum through Gloo.
    Status shareMemory(const std::string& name, std::size_t values, const std::stop_token& stop) {
        const auto hostOf = [&](int i) { return group.watch->options().hosts[static_cast<std::size_t>(i)]; };
        const bool here = std::all_of(ranks.begin(), ranks.end(), [&](int i) { return hostOf(i) == hostOf(ranks.front()); });
        if (!here || size() < 2 || !group.options.sharedMemory) {
            return Done{};
        }
        const auto agreed = [&](bool own, int wanted) -> Result<bool> {
            float sum = own ? 1.0F : 0.0F;
            PARETO_CHECK(reduce({&sum, 1}, c10d::ReduceOp::SUM, stop));
            return sum == static_cast<float>(wanted);
        };
        const auto secret = sha256Hex(group.roll.session + "/" + name + "/memory");
        const auto file = "/pareto-" + secret.substr(0, 16);
        const auto nonce = static_cast<std::uint64_t>(std::stoull(secret.substr(16, 16), nullptr, 16)) | 1U;
        auto memory = rank == 0 ? SharedMemory::make(file, size(), nonce, values) : nullptr;
        PARETO_TRY(const bool made, agreed(memory != nullptr, 1));
        if (!made) {
            return Done{};
        }
        if (rank > 0) {
            memory = SharedMemory::open(file, rank, size(), nonce, values);
        }
        const auto opened = agreed(memory != nullptr, size());
        if (rank == 0) {
            memory->unlink();
        }
        PARETO_CHECK(opened);
        // Behind the meeting everybody's process is written there.
        PARETO_TRY(const bool seen, agreed(opened.value() && memory->seesAll(), size()));
        if (seen) {
            shared = std::move(memory);
        }
        return Done{};
    }
};

Result<std::unique_ptr<Circle>> Group::State::circle(const std::string& name, const std::vector<int>& ranks,
                                                     std::size_t values, const std::stop_token& stop) {
    std::unique_ptr<Circle> out(new Circle(std::make_unique<Circle::State>(*this, ranks)));
    auto& state = *out->m_state;
    state.rank = static_cast<int>(std::find(ranks.begin(), ranks.end(), options.rank) - ranks.begin());
    PARETO_TRY(state.gloo, connect(name, state.rank, state.size()));
    PARETO_CHECK(state.shareMemory(name, values, stop));
    return out;
}

Group::Group(std::unique_ptr<State> state) : m_state(std::move(state)) {}

Result<std::unique_ptr<Group>> Group::join(const GroupOptions& options, std::stop_token stop) {
    if (auto checked = check(options); !checked.ok()) {
        if (options.socket >= 0) {
            ::close(options.socket);
        }
        return checked.failure<std::unique_ptr<Group>>();
    }
    std::unique_ptr<Group> out(new Group(std::make_unique<State>()));
    auto& state = *out->m_state;
    state.options = options;
    std::vector<int> ranks(static_cast<std::size_t>(options.size));
    std::iota(ranks.begin(), ranks.end(), 0);
    try {
        PARETO_CHECK(state.open(stop));
        PARETO_TRY(state.all, state.circle("all", ranks, kValuesOfAll, stop));
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
    auto gloo = state.all ? std::move(state.all->m_state->gloo) : c10::intrusive_ptr<Gloo>();
    const bool ended = state.watch && state.watch->lost();
    state.all.reset();
    state.watch.reset();
    if (ended) {
        leaveToItself(std::move(gloo));
    }
}

Result<std::unique_ptr<Circle>> Group::circle(const std::vector<int>& ranks, std::stop_token stop) {
    try {
        std::string name = "circle";
        for (const int rank : ranks) {
            name += "." + std::to_string(rank);
        }
        return m_state->circle(name, ranks, kValuesOfCircle, stop);
    } catch (const std::exception& problem) {
        return problemOf(m_state->options, problem);
    }
}

Circle& Group::all() const { return *m_state->all; }
int Group::rank() const { return m_state->options.rank; }
int Group::size() const { return m_state->options.size; }
const std::string& Group::hostOf(int rank) const { return m_state->watch->options().hosts[static_cast<std::size_t>(rank)]; }

Error Group::broke(const std::string& reason) { return m_state->watch->broke(reason); }

std::optional<Error> Group::lost() const { return m_state->watch->lost(); }

void Group::blame(int rank, const std::string& reason) { m_state->watch->blame(rank, reason); }

Status Group::leave(std::stop_token stop) {
    PARETO_CHECK(barrier(stop));
    PARETO_CHECK(m_state->watch->leave(std::move(stop)));
    m_state->left = true;
    return Done{};
}

Circle::Circle(std::unique_ptr<State> state) : m_state(std::move(state)) {}

Circle::~Circle() {
    auto& state = *m_state;
    if (state.gloo && state.group.watch->lost()) {
        leaveToItself(std::move(state.gloo));
    }
}

int Circle::rank() const { return m_state->rank; }
int Circle::size() const { return m_state->size(); }
bool Circle::sharesMemory() const { return m_state->shared != nullptr; }

Status Circle::allReduceSum(std::span<float> values, std::stop_token stop) {
    auto& state = *m_state;
    return state.usesMemory()
               ? state.throughMemory(stop, [&](const auto& mayWait) { return state.shared->sum(values, mayWait); })
               : state.reduce(values, c10d::ReduceOp::SUM, std::move(stop));
}

Status Circle::allReduceMax(std::span<float> values, std::stop_token stop) {
    auto& state = *m_state;
    return state.usesMemory()
               ? state.throughMemory(stop, [&](const auto& mayWait) { return state.shared->max(values, mayWait); })
               : state.reduce(values, c10d::ReduceOp::MAX, std::move(stop));
}

Status Circle::broadcast(std::span<std::byte> bytes, int root, std::stop_token stop) {
    auto& state = *m_state;
    return state.usesMemory()
               ? state.throughMemory(stop, [&](const auto& mayWait) { return state.shared->broadcast(bytes, root, mayWait); })
               : state.broadcast(bytes, root, std::move(stop));
}

Status Circle::allGather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all,
                         std::stop_token stop) {
    auto& state = *m_state;
    if (state.usesMemory()) {
        return state.throughMemory(stop, [&](const auto& mayWait) { return state.shared->gather(own, counts, all, mayWait); });
    }
    std::size_t at = 0;
    for (int root = 0; root < size(); ++root) {
        const auto part = all.subspan(at, counts[static_cast<std::size_t>(root)]);
        if (root == rank()) {
            std::copy(own.begin(), own.end(), part.begin());
        }
        PARETO_CHECK(state.broadcast(std::as_writable_bytes(part), root, stop));
        at += part.size();
    }
    return Done{};
}

Status Circle::look(const std::stop_token& stop) { return m_state->look(stop); }

double Circle::waited() const { return m_state->shared ? m_state->shared->waited() : 0.0; }

Status Circle::barrier(std::stop_token stop) {
    return m_state->run([this] { return m_state->gloo->barrier(); }, std::move(stop));
}

}  // namespace pareto::dist
