#include "engine/layout/rope_settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace pareto {
namespace {

using Scaling = RopeSettings::Scaling;
constexpr double kMaxTheta = 1e12;
constexpr double kMaxFactor = 1e6;

constexpr std::array<std::pair<std::string_view, Scaling>, 6> kScalings{{
    {"default", Scaling::None},
    {"linear", Scaling::Linear},
    {"dynamic", Scaling::Dynamic},
    {"yarn", Scaling::Yarn},
    {"longrope", Scaling::LongRope},
    {"llama3", Scaling::Llama3},
}};

std::string_view nameOf(Scaling scaling) {
    return std::find_if(kScalings.begin(), kScalings.end(),
                        [&](const auto& entry) { return entry.second == scaling; })
        ->first;
}

bool scalingFromName(const std::string& name, Scaling& out) {
    for (const auto& [known, scaling] : kScalings) {
        // "su" is what Phi-3's first checkpoints call LongRoPE.
        if (known == name || (name == "su" && scaling == Scaling::LongRope) ||
            (name == "none" && scaling == Scaling::None)) {
            out = scaling;
            return true;
        }
    }
    return false;
}

std::vector<double> factorsOf(JsonReader& scaling, std::string_view key, std::int64_t pairs) {
    const Json* list = scaling.find(key);
    std::vector<double> out;
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i) {
        out.push_back((*list)[i].is_number() ? (*list)[i].get<double>() : 0.0);
    }
    const bool good = std::all_of(out.begin(), out.end(), [](double x) { return x > 0.0; });
    if (static_cast<std::int64_t>(out.size()) != pairs || !good) {
        scaling.fail(key, "must be a list of " + std::to_string(pairs) + " numbers above 0");
        out.assign(static_cast<std::size_t>(pairs), 1.0);
    }
    return out;
}

double yarnAttention(JsonReader& scaling, double factor) {
    const double all = scaling.number("mscale_all_dim", 0.0, 0.0, kMaxFactor);
    const double one = scaling.number("mscale", 0.0, 0.0, kMaxFactor);
    if (one == 0.0 || all == 0.0 || factor <= 1.0) {
        return 0.0;
    }
    return (0.1 * one * std::log(factor) + 1.0) / (0.1 * all * std::log(factor) + 1.0);
}

/// The entry of rope_parameters, of rope_scaling, or null.
const Json* scalingObject(const HfConfig& config, const HfRopeKeys& keys) {
    if (const auto all = config.values.find("rope_parameters");
        all != config.values.end() && all->is_object()) {
        const auto one = all->find(keys.layerType);
        return one != all->end() && one->is_object() ? &*one : &*all;
    }
    const auto found = config.values.find(keys.scaling);
    return found != config.values.end() && found->is_object() ? &*found : nullptr;
}

/// What `object` says of a scaling.
RopeSettings readScaling(HfConfig& config, JsonReader& scaling, const ModelLayout& layout,
                         double theta) {
    RopeSettings out;
    const bool parameters = config.values.contains("rope_parameters");
    out.theta = scaling.number("rope_theta", theta, 1.0, kMaxTheta);
    const auto name = scaling.text("rope_type", scaling.text("type", "default"));
    if (!scalingFromName(name, out.scaling)) {
        scaling.fail("rope_type", "\"" + name +
                                      "\" is not known (known: default, linear, dynamic, "
                                      "yarn, longrope, llama3)");
    }
    if (out.scaling == Scaling::None) {
        return out;
    }
    if (out.scaling != Scaling::LongRope) {
        scaling.require("factor");
    }
    out.factor = scaling.number("factor", 1.0, 1.0, kMaxFactor);
    out.attentionFactor = scaling.number("attention_factor", 0.0, 0.0, kMaxFactor);
    const auto all = layout.maxPositions;
    switch (out.scaling) {
    case Scaling::None:
    case Scaling::Linear:
        break;
    case Scaling::Dynamic:
        out.originalPositions = all;
        break;
    case Scaling::Yarn:
        out.betaFast = scaling.number("beta_fast", 32.0, 0.0, kMaxFactor);
        out.betaSlow = scaling.number("beta_slow", 1.0, 0.0, kMaxFactor);
        out.originalPositions =
            scaling.integer("original_max_position_embeddings", all, 1, kMaxRows);
        out.attentionFactor =
            out.attentionFactor > 0.0 ? out.attentionFactor : yarnAttention(scaling, out.factor);
        if (!scaling.boolean("truncate", true)) {
            scaling.fail("truncate", "false is not available in this version");
        }
        break;
    case Scaling::LongRope: {
        // transformers 4 looks for the original length beside rope_scaling only.
        auto& place = parameters ? scaling : config.reader;
        out.originalPositions = place.integer("original_max_position_embeddings", all, 1, kMaxRows);
        if (place.has("original_max_position_embeddings")) {
            out.factor = static_cast<double>(all) / static_cast<double>(out.originalPositions);
        }
        out.shortFactors = factorsOf(scaling, "short_factor", layout.headDim / 2);
        out.longFactors = factorsOf(scaling, "long_factor", layout.headDim / 2);
        break;
    }
    case Scaling::Llama3:
        scaling.require("low_freq_factor").require("high_freq_factor");
        scaling.require("original_max_position_embeddings");
        out.lowFrequencyFactor = scaling.number("low_freq_factor", 1.0, 0.0, kMaxFactor);
        out.highFrequencyFactor = scaling.number("high_freq_factor", 4.0, 0.0, kMaxFactor);
        out.originalPositions =
            scaling.integer("original_max_position_embeddings", all, 1, kMaxRows);
        break;
    }
    return out;
}

/// Values of a small tensor with one factor a pair; empty when there is none.
std::vector<double> tensorFactors(JsonReader& meta, const io::ModelFiles& files,
                                  const std::string& name, std::int64_t pairs) {
    const auto* info = files.find(name);
    if (info == nullptr) {
        return {};
    }
    const auto values =
        info->shape.elements() == pairs ? files.floats(*info) : Result<Buffer>(Buffer());
    std::vector<double> out;
    if (values.ok()) {
        const auto floats = values.value().as<float>();
        out.assign(floats.begin(), floats.end());
    }
    const bool good = std::all_of(out.begin(), out.end(), [](double x) { return x > 0.0; });
    if (static_cast<std::int64_t>(out.size()) != pairs || !good) {
        meta.fail(name, "must hold " + std::to_string(pairs) + " numbers above 0");
        return {};
    }
    return out;
}

}  // namespace

RopeSettings ropeFromHf(HfConfig& config, LayoutBuilder& builder, const HfRopeKeys& keys) {
    auto& layout = builder.layout;
    RopeSettings out;
    out.theta = config.reader.number(keys.theta, keys.defaultTheta, 1.0, kMaxTheta);
    if (const Json* object = scalingObject(config, keys); object != nullptr) {
        JsonReader scaling(
            *object, ErrorCode::ConfigInvalid, config.source,
            config.values.contains("rope_parameters") ? "rope_parameters" : "rope_scaling");
        out = readScaling(config, scaling, layout, out.theta);
        accepted(scaling, builder);
    }
    const bool reaches = out.scaling == Scaling::Dynamic || out.scaling == Scaling::Yarn ||
                         out.scaling == Scaling::LongRope;
    if (reaches && layout.maxPositions > 0) {
        const auto most =
            static_cast<std::int64_t>(out.factor * static_cast<double>(out.originalPositions));
        layout.maxPositions = std::clamp<std::int64_t>(most, layout.maxPositions, kMaxRows);
    }
    return out;
}

RopeSettings ropeFromGguf(JsonReader& meta, const io::ModelFiles& files, const ModelLayout& layout,
                          const std::string& architecture) {
    const auto key = [&](const char* name) { return architecture + ".rope." + name; };
    RopeSettings out;
    if (meta.integer(key("dimension_count"), layout.headDim, 2, 4096) != layout.headDim) {
        meta.fail(
            key("dimension_count"),
            "is not the size of a head; partly rotated heads are not available in this version");
    }
    out.theta = meta.number(key("freq_base"), 10000.0, 1.0, kMaxTheta);
    const auto name = meta.text(key("scaling.type"), "none");
    if (!scalingFromName(name, out.scaling) || out.scaling == Scaling::Dynamic ||
        out.scaling == Scaling::Llama3) {
        meta.fail(key("scaling.type"),
                  "\"" + name + "\" is not known (known: none, linear, yarn, longrope)");
    }
    // Files of 2023 say only the factor.
    const double old = meta.number(key("scale_linear"), 1.0, 1e-6, kMaxFactor);
    if (out.scaling == Scaling::None && old != 1.0) {
        out.scaling = Scaling::Linear;
    }
    const double factor = meta.number(key("scaling.factor"), old, 0.0, kMaxFactor);
    out.factor = out.scaling == Scaling::None || factor == 0.0 ? 1.0 : factor;
    const double attention = meta.number(key("scaling.attn_factor"), 1.0, 0.0, kMaxFactor);
    if (out.scaling == Scaling::Yarn || out.scaling == Scaling::LongRope) {
        out.originalPositions =
            meta.integer(key("scaling.original_context_length"), layout.maxPositions, 1, kMaxRows);
    }
    if (out.scaling == Scaling::Yarn) {
        out.betaFast = meta.number(key("scaling.yarn_beta_fast"), 32.0, 0.0, kMaxFactor);
        out.betaSlow = meta.number(key("scaling.yarn_beta_slow"), 1.0, 0.0, kMaxFactor);
        out.attentionFactor =
            attention == 1.0 ? 0.0 : attention * (0.1 * std::log(out.factor) + 1.0);
    }
    const auto pairs = layout.headDim / 2;
    auto fixed = tensorFactors(meta, files, "rope_freqs.weight", pairs);
    if (out.scaling == Scaling::LongRope) {
        out.shortFactors = tensorFactors(meta, files, "rope_factors_short.weight", pairs);
        out.longFactors = tensorFactors(meta, files, "rope_factors_long.weight", pairs);
        if (out.shortFactors.empty() || out.longFactors.empty()) {
            meta.fail(key("scaling.type"),
                      "is longrope, but the tensors rope_factors_short and rope_factors_long are "
                      "missing");
        }
        out.factor =
            static_cast<double>(layout.maxPositions) / static_cast<double>(out.originalPositions);
        out.attentionFactor = attention;
    } else if (!fixed.empty() && out.scaling == Scaling::Yarn) {
        meta.fail("rope_freqs.weight", "together with yarn is not available in this version");
    } else if (!fixed.empty()) {
        // One set of factors at every length (Llama 3's, computed by whoever made the file).
        for (double& one : fixed) {
            one *= out.factor;
        }
        out.scaling = Scaling::LongRope;
        out.factor = 1.0;
        out.attentionFactor = 1.0;
        out.originalPositions = layout.maxPositions;
        out.shortFactors = fixed;
        out.longFactors = std::move(fixed);
    }
    return out;
}

void writeHfRope(Json& config, const RopeSettings& settings) {
    config["rope_theta"] = settings.theta;
    config["rope_scaling"] = nullptr;
    if (settings.scaling == Scaling::None) {
        return;
    }
    Json scaling{{"rope_type", nameOf(settings.scaling)}, {"factor", settings.factor}};
    if (settings.attentionFactor > 0.0) {
        scaling["attention_factor"] = settings.attentionFactor;
    }
    switch (settings.scaling) {
    case Scaling::None:
    case Scaling::Linear:
    case Scaling::Dynamic:
        break;
    case Scaling::Yarn:
        scaling["beta_fast"] = settings.betaFast;
        scaling["beta_slow"] = settings.betaSlow;
        scaling["original_max_position_embeddings"] = settings.originalPositions;
        break;
    case Scaling::LongRope:
        scaling["short_factor"] = settings.shortFactors;
        scaling["long_factor"] = settings.longFactors;
        if (settings.factor != 1.0) {
            config["original_max_position_embeddings"] = settings.originalPositions;
        }
        break;
    case Scaling::Llama3:
        scaling["low_freq_factor"] = settings.lowFrequencyFactor;
        scaling["high_freq_factor"] = settings.highFrequencyFactor;
        scaling["original_max_position_embeddings"] = settings.originalPositions;
        break;
    }
    config["rope_scaling"] = std::move(scaling);
}

}  // namespace pareto
