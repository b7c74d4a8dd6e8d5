#include "engine/jobs/run/gpu_exchange.h"

namespace pareto::jobs {

/// In the order in which circles are made (ShardTeam): neighbours wait for each other from the first stage on.
Result<std::unique_ptr<GpuExchange>> GpuExchange::open(dist::Group& group, Options options, std::string& whyNot,
                                                       std::stop_token stop) {
    PARETO_TRY(const auto offers, dist::offersOfAll(group, options.offer, stop));
    whyNot = dist::ncclProblem(offers);
    if (!whyNot.empty()) {
        return std::unique_ptr<GpuExchange>();
    }
    std::unique_ptr<GpuExchange> out(new GpuExchange(std::move(options.queue), std::move(options.timed)));
    const auto open = [&](dist::Circle* circle, std::unique_ptr<dist::NcclCircle>& made) -> Status {
        if (circle != nullptr) {
            PARETO_TRY(made, dist::NcclCircle::open(*options.offer.library, group, *circle, *out->m_queue, stop));
        }
        return Done{};
    };
    PARETO_CHECK(open(options.circles.stage, out->m_stage));
    PARETO_CHECK(open(options.circles.previous, out->m_previous));
    PARETO_CHECK(open(options.circles.next, out->m_next));
    return out;
}

/// What the GPU still computes is no part of the exchange.
Status GpuExchange::run(PartDoing doing, dist::NcclCircle& circle, const std::function<Status()>& call) {
    PARETO_CHECK(circle.settle({}));
    return m_timed(doing, call);
}

Status GpuExchange::sum(std::span<float> values) {
    return run(PartDoing::Sum, *m_stage, [&] { return m_stage->allReduceSum(values, {}); });
}

Status GpuExchange::gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) {
    return run(PartDoing::Sum, *m_stage, [&] { return m_stage->allGather(own, counts, all, {}); });
}

Status GpuExchange::giveNext(std::span<float> values) {
    return run(PartDoing::Hand, *m_next, [&] { return m_next->broadcast(values, 0, {}); });
}

Status GpuExchange::takePrevious(std::span<float> values) {
    return run(PartDoing::Hand, *m_previous, [&] { return m_previous->broadcast(values, 0, {}); });
}

}  // namespace pareto::jobs
