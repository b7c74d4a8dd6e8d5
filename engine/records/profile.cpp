#include "engine/records/profile.h"

#include <algorithm>
#include <set>

#include "engine/records/trace_events.h"

namespace pareto {

std::string_view nameOf(Arithmetic arithmetic) {
    switch (arithmetic) {
    case Arithmetic::Int8:
        return "int8";
    case Arithmetic::Fp16:
        return "fp16";
    case Arithmetic::Fp32:
        break;
    }
    return "fp32";
}

std::optional<double> ProfiledLayer::intensity() const {
    if (!operations || !bytes || *operations <= 0 || *bytes == 0) {
        return std::nullopt;
    }
    return static_cast<double>(*operations) / static_cast<double>(*bytes);
}

std::optional<double> ProfiledLayer::gops() const {
    if (!operations || *operations <= 0 || ms <= 0.0) {
        return std::nullopt;
    }
    return static_cast<double>(*operations) / (ms * 1e6);
}

std::optional<double> ProfiledLayer::gigabytes() const {
    if (!bytes || ms <= 0.0) {
        return std::nullopt;
    }
    return static_cast<double>(*bytes) / (ms * 1e6);
}

double computeRoof(const Roofs& roofs, Arithmetic arithmetic) {
    switch (arithmetic) {
    case Arithmetic::Int8:
        return roofs.int8.best;
    case Arithmetic::Fp16:
        return roofs.fp16.best;
    case Arithmetic::Fp32:
        break;
    }
    return roofs.fp32.best;
}

double roofAt(const Roofs& roofs, Arithmetic arithmetic, double intensity) {
    return std::min(computeRoof(roofs, arithmetic), intensity * roofs.weights.best);
}

std::optional<double> roofShare(const ProfiledLayer& layer, const Roofs& roofs) {
    const auto intensity = layer.intensity();
    const auto attained = intensity ? layer.gops() : layer.gigabytes();
    const double roof =
        intensity ? roofAt(roofs, layer.arithmetic, *intensity) : roofs.weights.best;
    const bool onlyMoves = layer.operations && *layer.operations == 0;
    if (!attained || roof <= 0.0 || (!intensity && !onlyMoves)) {
        return std::nullopt;
    }
    return *attained / roof;
}

const ProfiledStep* Profile::find(std::string_view step) const {
    const auto found =
        std::find_if(steps.begin(), steps.end(), [&](const auto& one) { return one.name == step; });
    return found == steps.end() ? nullptr : &*found;
}

namespace {

/// All events stand on one line: the thread that calls the model. The pool's threads work inside them.
constexpr int kProcess = 1;
constexpr int kThread = 1;
/// A GPU's kernels: a row a stream.
constexpr int kGpuProcess = 2;

Json named(const char* what, const std::string& name, int process = kProcess,
           std::int64_t thread = kThread) {
    return trace::named(what, name, process, thread);
}

Json argsOf(const ProfiledLayer& layer) {
    Json args = Json::object();
    if (!layer.kernel.empty()) {
        args["kernel"] = layer.kernel;
    }
    if (layer.bytes) {
        args["bytes"] = *layer.bytes / static_cast<std::uint64_t>(std::max(layer.calls, 1));
    }
    if (layer.operations) {
        args["operations"] = *layer.operations / std::max(layer.calls, 1);
    }
    return args;
}

void addKernels(Json& events, const Profile& profile) {
    std::set<std::int64_t> streams;
    for (const auto& kernel : profile.kernels) {
        if (streams.empty()) {
            events.push_back(named("process_name", profile.roofs.device, kGpuProcess));
        }
        if (streams.insert(kernel.stream).second) {
            events.push_back(named("thread_name", "stream " + std::to_string(kernel.stream),
                                   kGpuProcess, kernel.stream));
        }
        Json one = trace::complete(kGpuProcess, kernel.stream, kernel.startUs, kernel.durationUs);
        one["name"] = kernel.name;
        one["cat"] = "kernel";
        events.push_back(std::move(one));
    }
}

}  // namespace

Json chromeTrace(const Profile& profile) {
    Json events = Json::array();
    events.push_back(named("process_name", profile.modelName + " · " + profile.recipeSummary));
    events.push_back(named("thread_name", profile.targetText));
    for (const auto& event : profile.timeline) {
        const auto& kind = profile.timelineSteps[static_cast<std::size_t>(event.step)];
        const auto* step = profile.find(kind);
        Json one = trace::complete(kProcess, kThread, event.startUs, event.durationUs);
        if (event.layer < 0 || step == nullptr) {
            one["name"] = kind;
            one["cat"] = "step";
            one["args"]["step"] = event.step;
        } else {
            const auto& layer = step->layers[static_cast<std::size_t>(event.layer)];
            one["name"] = layer.name;
            one["cat"] = layer.kernel.empty() ? "between layers" : layer.kernel;
            one["args"] = argsOf(layer);
        }
        events.push_back(std::move(one));
    }
    addKernels(events, profile);
    return {{"traceEvents", std::move(events)},
            {"displayTimeUnit", "ms"},
            {"otherData",
             {{"model", profile.modelPath},
              {"target", profile.targetText},
              {"machine", profile.machine.cpu},
              {"versions", profile.versions}}}};
}

}  // namespace pareto
