#include "engine/records/profile.h"

#include <algorithm>

namespace pareto {

std::string_view nameOf(Arithmetic arithmetic) {
    return arithmetic == Arithmetic::Int8 ? "int8" : "fp32";
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
    return arithmetic == Arithmetic::Int8 ? roofs.int8.best : roofs.fp32.best;
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

Json named(const char* what, const std::string& name) {
    return {{"name", what},
            {"ph", "M"},
            {"pid", kProcess},
            {"tid", kThread},
            {"args", {{"name", name}}}};
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

}  // namespace

Json chromeTrace(const Profile& profile) {
    Json events = Json::array();
    events.push_back(named("process_name", profile.modelName + " · " + profile.recipeSummary));
    events.push_back(named("thread_name", profile.targetText));
    for (const auto& event : profile.timeline) {
        const auto& kind = profile.timelineSteps[static_cast<std::size_t>(event.step)];
        const auto* step = profile.find(kind);
        Json one{{"ph", "X"},           {"pid", kProcess},         {"tid", kThread},
                 {"ts", event.startUs}, {"dur", event.durationUs}, {"args", Json::object()}};
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
    return {{"traceEvents", std::move(events)},
            {"displayTimeUnit", "ms"},
            {"otherData",
             {{"model", profile.modelPath},
              {"target", profile.targetText},
              {"machine", profile.machine.cpu},
              {"versions", profile.versions}}}};
}

}  // namespace pareto
