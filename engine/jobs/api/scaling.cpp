#include "engine/jobs/api/scaling.h"

#include <charconv>
#include <cmath>

#include "engine/jobs/api/params_json.h"
#include "engine/records/numbers.h"

namespace pareto::jobs {
namespace {

constexpr double kMostNumber = 1e15;
constexpr int kMostProcesses = 65536;

Error wrongLink(const std::string& text) {
    return makeError(ErrorCode::ConfigInvalid,
                     {{"file", "pareto"}, {"field", "link"}, {"reason", "is \"" + text + "\", not as \"25us,12.5GB/s\""}});
}

std::optional<double> numberBefore(const std::string& text, const std::string& unit) {
    double value = 0.0;
    const auto* end = text.data() + text.size();
    const auto [next, problem] = std::from_chars(text.data(), end, value);
    const bool good = problem == std::errc() && std::string(next, end) == unit && std::isfinite(value);
    return good ? std::optional(value) : std::nullopt;
}

Json linkJson(const ScalingLink& link) { return {{"latency_us", link.latencyUs}, {"gb_s", link.gigabytes}}; }

Result<ScalingLink> linkFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "a link");
    ScalingLink out;
    out.latencyUs = reader.number("latency_us", 0.0, 0.0, 1e9);
    out.gigabytes = reader.number("gb_s", 1.0, 1e-9, 1e9);
    PARETO_CHECK(reader.status());
    return out;
}

Json pointJson(const ScalingPoint& point) {
    Json out{{"step", point.step}, {"tp", point.tp}, {"pp", point.pp}, {"replicas", point.replicas}, {"predicted_ms", point.predictedMs}, {"sums", point.sums},
             {"handing", point.handing}, {"bubble", point.bubble}, {"fastest", point.fastest}};
    if (point.measuredMs) {
        out["measured_ms"] = *point.measuredMs;
        out["ci_low"] = point.low;
        out["ci_high"] = point.high;
    }
    if (point.moving) {
        out["moving"] = *point.moving;
    }
    if (point.waiting) {
        out["waiting"] = *point.waiting;
    }
    return out;
}

Result<ScalingPoint> pointFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "a division");
    ScalingPoint out;
    out.step = reader.text("step");
    out.tp = static_cast<int>(reader.integer("tp", 1, 1, kMostProcesses));
    out.pp = static_cast<int>(reader.integer("pp", 1, 1, kMostProcesses));
    out.replicas = static_cast<int>(reader.integer("replicas", 1, 1, kMostProcesses));
    out.predictedMs = reader.number("predicted_ms", 0.0, 0.0, kMostNumber);
    out.sums = reader.number("sums", 0.0, 0.0, 1.0);
    out.handing = reader.number("handing", 0.0, 0.0, 1.0);
    out.bubble = reader.number("bubble", 0.0, -1.0, 1.0);
    out.fastest = reader.boolean("fastest", false);
    const auto optional = [&](const char* key) {
        return reader.has(key) ? std::optional(reader.number(key, 0.0, 0.0, kMostNumber)) : std::nullopt;
    };
    out.measuredMs = optional("measured_ms");
    out.low = reader.number("ci_low", 0.0, 0.0, kMostNumber);
    out.high = reader.number("ci_high", 0.0, 0.0, kMostNumber);
    out.moving = optional("moving");
    out.waiting = optional("waiting");
    PARETO_CHECK(reader.status());
    return out;
}

}  // namespace

Result<ScalingLink> parseLink(const std::string& text) {
    const auto comma = text.find(',');
    if (comma == std::string::npos) {
        return wrongLink(text);
    }
    const auto latency = numberBefore(text.substr(0, comma), "us");
    const auto bandwidth = numberBefore(text.substr(comma + 1), "GB/s");
    if (!latency || !bandwidth || *latency < 0.0 || *bandwidth <= 0.0) {
        return wrongLink(text);
    }
    return ScalingLink{*latency, *bandwidth};
}

Json toJson(const ScalingParams& params) {
    Json out{{"model", params.model},
             {"recipe", recipeToJson(params.recipe)},
             {"target", targetToJson(params.target)},
             {"measure", params.measure},
             {"most", params.most},
             {"rounds", params.rounds},
             {"min_seconds", params.minSeconds},
             {"seed", params.seed}};
    if (params.link) {
        out["link"] = linkJson(*params.link);
    }
    return out;
}

Result<ScalingParams> scalingParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobScaling);
    ScalingParams params;
    params.model = reader.require("model").text("model");
    params.measure = reader.boolean("measure", params.measure);
    params.most = static_cast<int>(reader.integer("most", params.most, 1, kMostProcesses));
    params.rounds = static_cast<int>(reader.integer("rounds", params.rounds, 1, 1000));
    params.minSeconds = reader.number("min_seconds", params.minSeconds, 0.0, 86400.0);
    params.seed = takeUnsigned(reader, "seed");
    PARETO_CHECK(reader.status());
    if (const Json* link = reader.find("link")) {
        PARETO_TRY(params.link, linkFromJson(*link));
    }
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return params;
}

Json toJson(const Scaling& scaling) {
    Json out{{"model", scaling.modelName},
             {"recipe", scaling.recipeSummary},
             {"target", scaling.targetText},
             {"link", linkJson(scaling.link)},
             {"link_measured", scaling.linkMeasured},
             {"not_measured", scaling.notMeasured},
             {"disturbed", scaling.disturbed},
             {"alone", Json::array()},
             {"points", Json::array()}};
    for (const auto& one : scaling.alone) {
        out["alone"].push_back(
            {{"step", one.step}, {"rows", one.rows}, {"ms", one.ms}, {"ci_low", one.low}, {"ci_high", one.high}});
    }
    for (const auto& point : scaling.points) {
        out["points"].push_back(pointJson(point));
    }
    return out;
}

Result<Scaling> scalingFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "a scaling");
    Scaling out;
    out.modelName = reader.text("model");
    out.recipeSummary = reader.text("recipe");
    out.targetText = reader.text("target");
    out.linkMeasured = reader.boolean("link_measured", false);
    out.notMeasured = reader.text("not_measured");
    out.disturbed = reader.boolean("disturbed", false);
    PARETO_CHECK(reader.status());
    if (const Json* link = reader.find("link")) {
        PARETO_TRY(out.link, linkFromJson(*link));
    }
    if (const Json* alone = reader.find("alone"); alone != nullptr && alone->is_array()) {
        for (const auto& item : *alone) {
            JsonReader one(item, ErrorCode::ConfigInvalid, "a step");
            ScalingAlone step;
            step.step = one.text("step");
            step.rows = one.integer("rows", 0, 0, std::int64_t{1} << 40);
            step.ms = one.number("ms", 0.0, 0.0, kMostNumber);
            step.low = one.number("ci_low", 0.0, 0.0, kMostNumber);
            step.high = one.number("ci_high", 0.0, 0.0, kMostNumber);
            PARETO_CHECK(one.status());
            out.alone.push_back(std::move(step));
        }
    }
    if (const Json* points = reader.find("points"); points != nullptr && points->is_array()) {
        for (const auto& item : *points) {
            PARETO_TRY(auto point, pointFromJson(item));
            out.points.push_back(std::move(point));
        }
    }
    return out;
}

}  // namespace pareto::jobs
