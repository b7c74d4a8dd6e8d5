#include "engine/dist/nccl_circle.h"

#include <chrono>
#include <thread>

namespace pareto::dist {
namespace {

using Clock = std::chrono::steady_clock;

/// Sums of a step take microseconds: only what takes longer than this is waited for asleep.
constexpr std::chrono::microseconds kAwake{500};
constexpr std::chrono::microseconds kNap{50};
/// How often it is looked whether all live.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

Result<std::unique_ptr<NcclCircle>> NcclCircle::open(const Nccl& nccl, Group& group, Circle& circle, GpuQueue& queue,
                                                     std::stop_token stop) {
    std::unique_ptr<NcclCircle> out(new NcclCircle(nccl, group, circle, queue));
    NcclId id;
    if (circle.rank() == 0) {
        PARETO_TRY(const int code, queue.call([&](void*) { return nccl.uniqueId(&id); }));
        if (code != Nccl::kSuccess) {
            return out->failed(code);
        }
    }
    PARETO_CHECK(circle.broadcast(std::as_writable_bytes(std::span(id.bytes)), 0, stop));
    NcclConfig config;
    PARETO_TRY(const int code, queue.call([&](void*) {
        return nccl.initRank(&out->m_communicator, circle.size(), id, circle.rank(), &config);
    }));
    if (code != Nccl::kSuccess && code != Nccl::kInProgress) {
        return out->failed(code);
    }
    PARETO_CHECK(out->wait([&] { return out->said(); }, stop));
    return out;
}

NcclCircle::~NcclCircle() { giveUp(); }

/// Local and at once; ncclCommDestroy would wait for ranks that may be gone. Nothing of a circle that ends well is under way.
void NcclCircle::giveUp() {
    if (m_communicator != nullptr) {
        void* held = m_communicator;
        m_communicator = nullptr;
        (void)m_queue.call([&](void*) { return m_nccl.commAbort(held); });
    }
}

/// Where a connection broke another rank may be the reason: the group says which.
Error NcclCircle::failed(int code) {
    giveUp();
    const auto reason = "NCCL: " + m_nccl.text(code);
    if (code == Nccl::kRemoteError || code == Nccl::kSystemError) {
        return m_group.broke(reason);
    }
    if (!m_group.lost()) {
        m_group.fail("could not exchange values between GPUs (" + reason + "); PARETO_NCCL=never has them go through memory");
    }
    return *m_group.lost();
}

/// Whether NCCL is through with what it was told last.
Result<bool> NcclCircle::said() {
    int code = Nccl::kSuccess;
    const int asked = m_nccl.asyncError(m_communicator, &code);
    if (asked != Nccl::kSuccess) {
        return failed(asked);
    }
    if (code != Nccl::kSuccess && code != Nccl::kInProgress) {
        return failed(code);
    }
    return code == Nccl::kSuccess;
}

Status NcclCircle::wait(const std::function<Result<bool>()>& done, const std::stop_token& stop) {
    const auto begin = Clock::now();
    auto looked = begin;
    while (true) {
        PARETO_TRY(const bool over, done());
        if (over) {
            return Done{};
        }
        const auto now = Clock::now();
        if (now - looked > kLook) {
            looked = now;
            if (auto living = m_circle.look(stop); !living.ok()) {
                giveUp();
                return living;
            }
        }
        if (now - begin > kAwake) {
            std::this_thread::sleep_for(kNap);
        } else {
            std::this_thread::yield();
        }
    }
}

/// `call` returns at once; what it queued may still wait for connections that are made when they are first used.
Status NcclCircle::run(const std::function<int(void* stream)>& call, const std::stop_token& stop) {
    if (auto error = m_group.lost()) {
        return *error;
    }
    if (m_communicator == nullptr) {
        return makeError(ErrorCode::EngineFailure, {{"where", "exchanging values between GPUs"}, {"reason", "an earlier call was given up"}});
    }
    PARETO_TRY(const int code, m_queue.call(call));
    if (code != Nccl::kSuccess && code != Nccl::kInProgress) {
        return failed(code);
    }
    return wait(
        [&]() -> Result<bool> {
            PARETO_TRY(const bool queued, said());
            return queued ? m_queue.idle() : Result<bool>(false);
        },
        stop);
}

Status NcclCircle::settle(std::stop_token stop) {
    return wait([&] { return m_queue.idle(); }, stop);
}

Status NcclCircle::allReduceSum(std::span<float> values, std::stop_token stop) {
    return run(
        [&](void* stream) {
            return m_nccl.allReduce(values.data(), values.data(), values.size(), Nccl::kFloat, Nccl::kSum, m_communicator, stream);
        },
        stop);
}

Status NcclCircle::broadcast(std::span<float> values, int root, std::stop_token stop) {
    return run(
        [&](void* stream) {
            return m_nccl.broadcast(values.data(), values.data(), values.size(), Nccl::kFloat, root, m_communicator, stream);
        },
        stop);
}

/// Parts differ in length, which NCCL's own gathering does not know: a broadcast each, at once.
Status NcclCircle::allGather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all,
                             std::stop_token stop) {
    return run(
        [&](void* stream) {
            if (const int code = m_nccl.groupStart(); code != Nccl::kSuccess) {
                return code;
            }
            int first = Nccl::kSuccess;
            std::size_t at = 0;
            for (std::size_t root = 0; root < counts.size(); ++root) {
                float* to = all.data() + at;
                const float* from = static_cast<int>(root) == m_circle.rank() ? own.data() : to;
                const int code = m_nccl.broadcast(from, to, counts[root], Nccl::kFloat, static_cast<int>(root), m_communicator, stream);
                first = first == Nccl::kSuccess && code != Nccl::kInProgress ? code : first;
                at += counts[root];
            }
            const int ended = m_nccl.groupEnd();
            return first != Nccl::kSuccess ? first : ended;
        },
        stop);
}

}  // namespace pareto::dist
