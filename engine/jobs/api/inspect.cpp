#include <algorithm>
#include <cmath>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/weight_values.h"
#include "engine/layout/describe.h"
#include "engine/records/numbers.h"
#include "engine/spec/resolve.h"

namespace pareto::jobs {
namespace {

std::string_view formatName(io::Format format) {
    switch (format) {
    case io::Format::HuggingFace: return "hf";
    case io::Format::SentenceTransformers: return "sentence-transformers";
    case io::Format::Gguf: return "gguf";
    case io::Format::Onnx: return "onnx";
    case io::Format::CTranslate2: return "ctranslate2";
    case io::Format::Marian: return "marian";
    }
    return "";
}

std::string_view roleName(LayerRole role) {
    switch (role) {
    case LayerRole::Embedding: return "embedding";
    case LayerRole::Query: return "query";
    case LayerRole::Key: return "key";
    case LayerRole::Value: return "value";
    case LayerRole::AttentionOutput: return "attention_output";
    case LayerRole::FfnIn: return "ffn_in";
    case LayerRole::FfnGate: return "ffn_gate";
    case LayerRole::FfnUp: return "ffn_up";
    case LayerRole::FfnDown: return "ffn_down";
    case LayerRole::Projection: return "projection";
    case LayerRole::Pooler: return "pooler";
    case LayerRole::Head: return "head";
    }
    return "";
}

std::int64_t countNonzero(std::span<const float> values) {
    return std::count_if(values.begin(), values.end(), [](float value) { return value != 0.0F; });
}

/// Sums of a weight, over pieces. NaN and infinities are counted and left out.
class Sums {
public:
    void add(std::span<const float> values) {
        for (const float value : values) {
            if (!std::isfinite(value)) {
                ++m_nonFinite;
                continue;
            }
            m_low = m_count == 0 ? value : std::min(m_low, value);
            m_high = m_count == 0 ? value : std::max(m_high, value);
            m_absolute += std::abs(static_cast<double>(value));
            ++m_count;
        }
        m_nonzero += countNonzero(values);
    }
    void putInto(InspectedLayer& layer) const {
        layer.nonzero = m_nonzero;
        layer.minimum = m_low;
        layer.maximum = m_high;
        layer.meanAbsolute = m_count == 0 ? 0.0 : m_absolute / static_cast<double>(m_count);
        layer.nonFinite = m_nonFinite;
    }

private:
    float m_low = 0.0F;
    float m_high = 0.0F;
    double m_absolute = 0.0;
    std::int64_t m_count = 0;
    std::int64_t m_nonzero = 0;
    std::int64_t m_nonFinite = 0;
};

void describeLayers(InspectResult& result) {
    const SizeEstimate size = estimate(result.layout);
    result.bytes = size.bytes;
    result.parameters = size.parameters;
    for (std::size_t i = 0; i < result.layout.layers.size(); ++i) {
        const LayerInfo& info = result.layout.layers[i];
        InspectedLayer layer;
        layer.name = info.name;
        layer.role = roleName(info.role);
        layer.type = info.sourceType;
        layer.rows = info.rows;
        layer.cols = info.cols;
        layer.parameters = info.parameters();
        layer.bytes = size.layers[i].bytes;
        layer.tiedTo = info.tiedTo;
        result.layers.push_back(std::move(layer));
    }
}

/// Reads every value once. A tied layer has none of its own.
Status countValues(const std::shared_ptr<const io::ModelFiles>& files, InspectResult& result,
                   Progress& progress, const std::stop_token& stop) {
    PARETO_TRY(const auto values, WeightValues::open(files, result.layout));
    progress.begin(Stage::Counting, result.parameters);
    std::int64_t nonzero = 0;
    const auto addNonzero = [&](const std::string& name, std::int64_t& sum) {
        return values.forEach(
            name, [&](std::span<const float> piece) { sum += countNonzero(piece); }, progress, stop);
    };
    for (std::size_t i = 0; i < result.layers.size(); ++i) {
        auto& layer = result.layers[i];
        if (!layer.tiedTo.empty()) {
            continue;
        }
        Sums sums;
        PARETO_CHECK(values.forEach(
            layer.name + ".weight", [&](std::span<const float> piece) { sums.add(piece); }, progress,
            stop));
        sums.putInto(layer);
        if (result.layout.layers[i].hasBias) {
            PARETO_CHECK(addNonzero(layer.name + ".bias", layer.nonzero));
        }
        nonzero += layer.nonzero;
    }
    for (const auto& plain : result.layout.plain) {
        PARETO_CHECK(addNonzero(plain.name, nonzero));
    }
    result.nonzeroParameters = nonzero;
    return Done{};
}

Json layerToJson(const InspectedLayer& layer, const WeightFormat& held) {
    Json json{{"name", layer.name},
              {"role", layer.role},
              {"dtype", layer.type},
              {"held_as", nameOf(held.format)},
              {"shape", {layer.rows, layer.cols}},
              {"parameters", layer.parameters},
              {"bytes", layer.bytes}};
    if (!layer.tiedTo.empty()) {
        json["tied_to"] = layer.tiedTo;
    }
    if (layer.nonzero >= 0) {
        json["nonzero"] = layer.nonzero;
        json["nonfinite"] = layer.nonFinite;
        putNumber(json, "min", layer.minimum);
        putNumber(json, "max", layer.maximum);
        putNumber(json, "mean_abs", layer.meanAbsolute);
    }
    return json;
}

}  // namespace

Result<InspectResult> runInspect(const InspectParams& params, Progress& progress,
                                 std::stop_token stop) {
    progress.begin(Stage::Opening);
    PARETO_TRY(const auto files, io::ModelFiles::open(params.model, io::Access::Read));
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    InspectResult result;
    PARETO_TRY(result.layout, describeModel(*files));
    result.path = files->path();
    result.format = formatName(files->format());
    result.fileBytes = files->fileBytes();
    describeLayers(result);
    if (params.statistics) {
        PARETO_CHECK(countValues(files, result, progress, stop));
    }
    return result;
}

Json toJson(const InspectResult& result) {
    const ModelLayout& layout = result.layout;
    Json json{{"path", result.path},
              {"name", layout.name},
              {"format", result.format},
              {"family", familyName(layout.family)},
              {"parameters", result.parameters},
              {"bytes", result.bytes},
              {"file_bytes", result.fileBytes},
              {"hidden", layout.hidden},
              {"vocabulary", layout.vocabulary},
              {"max_positions", layout.maxPositions},
              {"labels", layout.labels},
              {"notices", layout.notices}};
    json["nonzero_parameters"] =
        result.nonzeroParameters < 0 ? Json() : Json(result.nonzeroParameters);
    json["blocks"] = Json::array();
    for (const auto& block : layout.blocks) {
        json["blocks"].push_back({{"name", block.name},
                                  {"heads", block.heads},
                                  {"kv_heads", block.kvHeads},
                                  {"neurons", block.neurons},
                                  {"window", block.window}});
        if (block.crossAttention >= 0) {
            json["blocks"].back()["cross_heads"] = block.crossHeads;
        }
    }
    json["layers"] = Json::array();
    for (std::size_t i = 0; i < result.layers.size(); ++i) {
        json["layers"].push_back(layerToJson(result.layers[i], layout.layers[i].sourceFormat));
    }
    return json;
}

}  // namespace pareto::jobs
