#include "engine/bench/trace.h"

#include "engine/bench/pass_progress.h"
#include "engine/bench/phase_recorder.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

Result<std::vector<LayerMeasurement>> traceLayers(models::RunnableModel& model,
                                                  const TraceOptions& options, Progress& progress,
                                                  std::stop_token stop) {
    PARETO_TRY(const auto workload, makeWorkload(model, options.target, options.seed));
    PhaseRecorder recorder(clockOf(model.model().device()));
    PhaseSamples samples;
    std::vector<double> passMs;
    {
        const Watching watching(model.model(), recorder);
        const PassGoal goal{options.minSeconds * 1000.0, options.minPasses, options.maxPasses, 1};
        // How long a traced pass takes is known after the first: until then the least is shown.
        PassProgress shown(progress, goal, goal.minMs);
        double spentMs = 0.0;
        int passes = 0;
        while (passes < options.maxPasses && (passes < options.minPasses || spentMs < goal.minMs)) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            PARETO_TRY(const auto timing, workload->pass(stop));
            samples.add(recorder.take().events);
            passMs.push_back(timing.ms);
            spentMs += timing.ms;
            ++passes;
            shown.update(passes, spentMs);
        }
    }
    std::vector<LayerMeasurement> layers;
    const double pass = stats::median(passMs);
    for (const auto& phase : samples.summary()) {
        LayerMeasurement measured;
        measured.name = recorder.phases()[static_cast<std::size_t>(phase.phase)];
        measured.ms = phase.ms;
        measured.share = pass > 0.0 ? phase.ms / pass : 0.0;
        if (const auto* layer = model.model().layout().findLayer(measured.name)) {
            measured.rows = layer->rows;
            measured.cols = layer->cols;
            measured.kernel = model.model().kernelOf(layer->name);
        }
        layers.push_back(std::move(measured));
    }
    return layers;
}

}  // namespace pareto::bench
