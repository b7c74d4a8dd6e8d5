#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "engine/core/result.h"
#include "engine/dist/gpu_queue.h"
#include "engine/dist/group.h"
#include "engine/dist/nccl.h"

namespace pareto::dist {

/// The ranks of a circle that exchange what lies on their GPUs. Spans are of the GPU's memory: the host does not look into them.
/// Calls are as Circle's: made by all, in the same order, each returning when this rank has its result. What the queue holds is
/// done before. A rank that is lost, or a stop, ends the call that waits for it (ncclCommAbort); the circle is of no use then.
class NcclCircle {
public:
    /// All of `circle` at once; its rank 0 makes the id, which travels through it, so behind the token of the group. The group,
    /// the circle, the library and the queue stay. RankLost: what NCCL says, of which rank.
    static Result<std::unique_ptr<NcclCircle>> open(const Nccl& nccl, Group& group, Circle& circle, GpuQueue& queue,
                                                    std::stop_token stop);
    ~NcclCircle();
    NcclCircle(const NcclCircle&) = delete;
    NcclCircle& operator=(const NcclCircle&) = delete;

    Status allReduceSum(std::span<float> values, std::stop_token stop);
    Status broadcast(std::span<float> values, int root, std::stop_token stop);
    Status allGather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all, std::stop_token stop);
    /// Until the queue is empty: what comes before a call, where its time is measured apart.
    Status settle(std::stop_token stop);

private:
    NcclCircle(const Nccl& nccl, Group& group, Circle& circle, GpuQueue& queue)
        : m_nccl(nccl), m_group(group), m_circle(circle), m_queue(queue) {}
    Status run(const std::function<int(void* stream)>& call, const std::stop_token& stop);
    Status wait(const std::function<Result<bool>()>& done, const std::stop_token& stop);
    Result<bool> said();
    Error failed(int code);
    void giveUp();

    const Nccl& m_nccl;
    Group& m_group;
    Circle& m_circle;
    GpuQueue& m_queue;
    void* m_communicator = nullptr;
};

}  // namespace pareto::dist
