#include "engine/bench/profile.h"

#include <algorithm>
#include <map>
#include <optional>

#include "engine/bench/gpu_clock.h"
#include "engine/bench/gpu_watch.h"
#include "engine/bench/hardware_counters.h"
#include "engine/bench/kernel_timeline.h"
#include "engine/bench/layer_work.h"
#include "engine/bench/load_watch.h"
#include "engine/bench/pass_progress.h"
#include "engine/bench/phase_recorder.h"
#include "engine/runtime/device.h"
#include "engine/runtime/ops.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

namespace {

using Kind = StepShape::Kind;

HardwareCounts plus(const HardwareCounts& a, const HardwareCounts& b, double factor) {
    const auto sum = [&](const std::optional<double>& x, const std::optional<double>& y) {
        return y ? std::optional(x.value_or(0.0) + factor * *y) : std::nullopt;
    };
    return {sum(a.cycles, b.cycles), sum(a.instructions, b.instructions),
            sum(a.cacheMisses, b.cacheMisses)};
}

HardwareCounts divided(const HardwareCounts& counts, double by) {
    return plus({}, counts, 1.0 / by);
}

/// Everything seen of the steps of one kind.
struct Steps {
    PhaseSamples samples;
    std::vector<double> ms;
    HardwareCounts counts;
};

struct RecordedStep {
    Kind kind = Kind::Pass;
    double beginMs = 0.0;
    double endMs = 0.0;
    std::vector<PhaseEvent> events;
};

/// Cuts what a recorder hears into steps.
class StepWatch {
public:
    /// `counts`: the processor's counters are read.
    StepWatch(PhaseRecorder& recorder, bool generates, bool counts)
        : m_recorder(recorder), m_generates(generates) {
        if (counts) {
            m_counters.emplace();
        }
    }

    void beginPass() {
        m_recorded.clear();
        m_step = 0;
        beginStep();
    }
    void endStep() {
        const auto end = m_recorder.mark();
        const auto counted = read();
        const Kind kind = !m_generates ? Kind::Pass : m_step == 0 ? Kind::Prefill : Kind::Decode;
        auto recorded = m_recorder.take();
        const double beginMs = recorded.moments[m_begin];
        const double endMs = recorded.moments[end];
        auto& steps = m_steps[kind];
        steps.samples.add(recorded.events);
        steps.ms.push_back(endMs - beginMs);
        steps.counts = plus(steps.counts, plus(counted, m_countedBefore, -1.0), 1.0);
        if (m_step <= kTimelineTokens) {
            m_recorded.push_back({kind, beginMs, endMs, std::move(recorded.events)});
        }
        ++m_step;
        beginStep();
    }

    const std::map<Kind, Steps>& steps() const { return m_steps; }
    const std::vector<RecordedStep>& lastPass() const { return m_recorded; }
    std::string noCounters() const {
        return m_counters ? m_counters->whyNot()
                          : "the processor's counters do not see a GPU's work";
    }

private:
    HardwareCounts read() const { return m_counters ? m_counters->read() : HardwareCounts(); }
    void beginStep() {
        m_countedBefore = read();
        m_begin = m_recorder.mark();
    }

    PhaseRecorder& m_recorder;
    const bool m_generates;
    std::optional<HardwareCounters> m_counters;
    HardwareCounts m_countedBefore;
    std::map<Kind, Steps> m_steps;
    std::vector<RecordedStep> m_recorded;
    std::size_t m_begin = 0;
    int m_step = 0;
};

StepShape shapeOf(const ModelLayout& layout, const Target& target, Kind kind) {
    StepShape shape;
    shape.kind = kind;
    shape.batch = target.batch;
    shape.tokens = kind == Kind::Pass ? target.sequence : kind == Kind::Prefill ? target.prompt : 1;
    if (layout.isSeq2Seq()) {
        shape.source = target.prompt;
    }
    if (kind == Kind::Decode) {
        const std::int64_t first = layout.isSeq2Seq() ? 1 : target.prompt;
        shape.past = first + (target.generate - 2) / 2;
    }
    return shape;
}

ProfiledStep summaryOf(const models::Model& model, const PhaseRecorder& recorder,
                       const Steps& steps, const StepShape& shape) {
    ProfiledStep out;
    out.name = nameOf(shape.kind);
    out.ms = stats::median(steps.ms);
    out.steps = static_cast<std::int64_t>(steps.ms.size());
    out.tokens = shape.batch * shape.tokens;
    out.counts = divided(steps.counts, static_cast<double>(steps.ms.size()));
    for (const auto& phase : steps.samples.summary()) {
        ProfiledLayer layer;
        layer.name = recorder.phases()[static_cast<std::size_t>(phase.phase)];
        layer.ms = phase.ms;
        layer.share = out.ms > 0.0 ? phase.ms / out.ms : 0.0;
        layer.calls = phase.calls;
        // Behind a source comes one token of the text.
        const bool oneToken = shape.source > 0 && layer.name.starts_with("decoder.");
        const bool pairs = !oneToken && shape.tokens >= runtime::kPairTokens;
        if (pairs || model.layout().findLayer(layer.name) != nullptr) {
            layer.kernel = model.kernelOf(layer.name);
        }
        const auto work = workOf(model, layer.name, shape);
        if (layer.kernel.empty() && work.operations) {
            layer.kernel = "attention (" + model.device().kernelTable + ")";
        }
        layer.arithmetic = arithmeticOf(layer.kernel);
        layer.operations = work.operations;
        layer.bytes = work.bytes;
        out.layers.push_back(std::move(layer));
    }
    return out;
}

void addTimeline(Profile& profile, const PhaseRecorder& recorder,
                 const std::vector<RecordedStep>& pass) {
    const double start = pass.empty() ? 0.0 : pass.front().beginMs;
    const auto us = [&](double ms) { return (ms - start) * 1000.0; };
    for (const auto& recorded : pass) {
        const auto step = static_cast<std::int32_t>(profile.timelineSteps.size());
        profile.timelineSteps.push_back(nameOf(recorded.kind));
        const auto* kind = profile.find(profile.timelineSteps.back());
        std::map<std::string, std::int32_t> places;
        for (std::size_t i = 0; kind != nullptr && i < kind->layers.size(); ++i) {
            places[kind->layers[i].name] = static_cast<std::int32_t>(i);
        }
        profile.timeline.push_back(
            {step, -1, us(recorded.beginMs), us(recorded.endMs) - us(recorded.beginMs)});
        for (const auto& event : recorded.events) {
            const auto& name = recorder.phases()[static_cast<std::size_t>(event.phase)];
            profile.timeline.push_back(
                {step, places.at(name), us(event.beginMs), us(event.endMs) - us(event.beginMs)});
        }
    }
}

/// One more pass for the timeline, with the GPU's kernels in it. What it takes is not counted.
Status recordGpuPass(Profile& profile, PhaseRecorder& recorder, Workload& workload, bool generates,
                     const std::stop_token& stop) {
    StepWatch watch(recorder, generates, false);
    workload.setStepEnd([&] { watch.endStep(); });
    KernelTimeline kernels(KernelTimeline::Of::Gpu);
    recorder.take();
    kernels.setStart();
    watch.beginPass();
    const auto pass = workload.pass(stop);
    auto recorded = kernels.finish();
    workload.setStepEnd({});
    PARETO_CHECK(pass);
    addTimeline(profile, recorder, watch.lastPass());
    // A long generation's timeline ends before its pass does.
    double end = 0.0;
    for (const auto& event : profile.timeline) {
        end = std::max(end, event.startUs + event.durationUs);
    }
    std::erase_if(recorded.kernels,
                  [&](const KernelEvent& kernel) { return kernel.startUs > end; });
    profile.timelineClock = "GPU events";
    profile.kernels = std::move(recorded.kernels);
    profile.noKernels = std::move(recorded.whyNone);
    return Done{};
}

}  // namespace

Result<Profile> profileModel(models::RunnableModel& model, const ProfileOptions& options,
                             Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto workload, makeWorkload(model, options.target, options.seed));
    const auto& layout = model.model().layout();
    const int gpu = runtime::cudaIndex(model.model().device().device);
    PhaseRecorder recorder(clockOf(model.model().device()));
    const Watching watching(model.model(), recorder);
    progress.begin(Stage::WarmingUp);
    PARETO_CHECK(workload->pass(stop));
    recorder.take();
    // The pool's threads are there by now: they are counted, too.
    StepWatch watch(recorder, layout.generates(), gpu < 0);
    workload->setStepEnd([&] { watch.endStep(); });
    const PassGoal goal{options.minSeconds * 1000.0, options.minPasses, options.maxPasses, 1};
    PassProgress shown(progress, goal, goal.minMs);
    resetPeakGpuMemory(gpu);
    const auto gpuWatch = watchGpu(gpu);
    const LoadWatch load;
    double spentMs = 0.0;
    for (int passes = 0;
         passes < options.maxPasses && (passes < options.minPasses || spentMs < goal.minMs);) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        watch.beginPass();
        PARETO_TRY(const auto timing, workload->pass(stop));
        spentMs += timing.ms;
        shown.update(++passes, spentMs);
    }
    Profile profile;
    for (const auto& [kind, steps] : watch.steps()) {
        profile.steps.push_back(
            summaryOf(model.model(), recorder, steps, shapeOf(layout, options.target, kind)));
    }
    profile.noCounters = watch.noCounters();
    profile.disturbance = disturbanceOf(load.report());
    profile.disturbed = !profile.disturbance.empty();
    addWatch(gpuWatch.get(), profile);
    if (const auto memory = gpuMemory(gpu)) {
        profile.gpu["memory"] = toJson(*memory);
    }
    if (gpu < 0) {
        addTimeline(profile, recorder, watch.lastPass());
    } else {
        PARETO_CHECK(recordGpuPass(profile, recorder, *workload, layout.generates(), stop));
    }
    return profile;
}

}  // namespace pareto::bench
