#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/dist/nccl_circle.h"
#include "engine/models/partners.h"
#include "engine/records/step_timeline.h"

namespace pareto::jobs {

/// What processes with parts of a model exchange from GPU to GPU, over NCCL.
class GpuExchange final : public models::Exchange {
public:
    /// Those that a process is in, null where it is in none. They stay.
    struct Circles {
        dist::Circle* stage = nullptr;
        dist::Circle* previous = nullptr;
        dist::Circle* next = nullptr;
    };
    /// Calls it, and notes how long that took.
    using Timed = std::function<Status(PartDoing, const std::function<Status()>&)>;

    struct Options {
        Circles circles;
        dist::NcclOffer offer;                  ///< what this process has
        std::unique_ptr<dist::GpuQueue> queue;  ///< of its GPU
        Timed timed;
    };

    /// All ranks of the group. Null, everywhere, with the reason where one has no NCCL (or another one). RankLost: NCCL fails.
    static Result<std::unique_ptr<GpuExchange>> open(dist::Group& group, Options options, std::string& whyNot,
                                                     std::stop_token stop);

    Status sum(std::span<float> values) override;
    Status gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) override;
    Status giveNext(std::span<float> values) override;
    Status takePrevious(std::span<float> values) override;

private:
    GpuExchange(std::unique_ptr<dist::GpuQueue> queue, Timed timed) : m_queue(std::move(queue)), m_timed(std::move(timed)) {}
    Status run(PartDoing doing, dist::NcclCircle& circle, const std::function<Status()>& call);

    std::unique_ptr<dist::GpuQueue> m_queue;
    Timed m_timed;
    std::unique_ptr<dist::NcclCircle> m_stage;
    std::unique_ptr<dist::NcclCircle> m_previous;
    std::unique_ptr<dist::NcclCircle> m_next;
};

}  // namespace pareto::jobs
