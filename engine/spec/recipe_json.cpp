#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <tuple>
#include <utility>

#include "engine/spec/recipe.h"

namespace pareto {
namespace {

const std::string kSource = "recipe";

template <typename T>
using Names = std::initializer_list<T>;

constexpr Names<PruneMethod> kMethods{PruneMethod::Magnitude, PruneMethod::L1, PruneMethod::Wanda,
                                      PruneMethod::SparseGpt, PruneMethod::L1Reconstruction,
                                      PruneMethod::Fluctuation, PruneMethod::Second, PruneMethod::Influence,
                                      PruneMethod::Fisher, PruneMethod::Taylor, PruneMethod::Pca,
                                      PruneMethod::Gradual, PruneMethod::Movement,
                                      PruneMethod::SoftMovement, PruneMethod::Proximal};
constexpr Names<QuantizeMethod> kQuantizeMethods{QuantizeMethod::Rtn, QuantizeMethod::Gptq,
                                                 QuantizeMethod::SignRound};
constexpr Names<InputScaling> kScalings{InputScaling::None, InputScaling::Awq, InputScaling::SmoothQuant};
constexpr Names<Allocation> kAllocations{Allocation::Uniform, Allocation::Global, Allocation::Owl};
constexpr Names<Compensation> kCompensations{Compensation::None, Compensation::Bias,
                                             Compensation::LeastSquares};
constexpr Names<NumberFormat> kCaches{NumberFormat::F32, NumberFormat::F16, NumberFormat::Int8,
                                      NumberFormat::Int4};
constexpr Names<PrunePattern> kPatterns{PrunePattern::Unstructured, PrunePattern::Heads,
                                        PrunePattern::Neurons, PrunePattern::Blocks, PrunePattern::Width};
constexpr Names<NumberFormat> kFormats{NumberFormat::F32, NumberFormat::F16, NumberFormat::BF16,
                                       NumberFormat::F8, NumberFormat::Int16, NumberFormat::Int8,
                                       NumberFormat::Int4, NumberFormat::Int3, NumberFormat::Int2};
constexpr Names<RangeMethod> kRanges{RangeMethod::MinMax, RangeMethod::Percentile, RangeMethod::Mse};
constexpr Names<Activations> kActivations{Activations::None, Activations::Int8Dynamic,
                                              Activations::Int8Static, Activations::Int16Dynamic};
constexpr Names<StepKind> kSteps{StepKind::Prune, StepKind::Recover, StepKind::Quantize};

template <typename T>
std::string listOf(Names<T> values) {
    std::string out;
    for (const T value : values) {
        out += (out.empty() ? "" : ", ") + std::string(nameOf(value));
    }
    return out;
}

/// Reads one of the named values into `out`; absent leaves it, anything else is an error that lists
/// what this version has.
template <typename T>
bool readName(JsonReader& reader, std::string_view key, Names<T> values, T& out) {
    if (!reader.has(key)) {
        return false;
    }
    const std::string text = reader.text(key);
    for (const T value : values) {
        if (nameOf(value) == text) {
            out = value;
            return true;
        }
    }
    reader.fail(key, "\"" + text + "\" is not available in this version (available: " +
                         listOf(values) + ")");
    return false;
}

struct GroupChoice {
    Granularity granularity = Granularity::Channel;
    std::int64_t size = 64;
};

/// "group": 64, "64", "channel" or "tensor".
bool readGroup(JsonReader& reader, GroupChoice& out) {
    const Json* value = reader.find("group");
    if (value == nullptr) {
        return false;
    }
    if (*value == "channel" || *value == "tensor") {
        out.granularity = *value == "channel" ? Granularity::Channel : Granularity::Tensor;
        return true;
    }
    std::int64_t size = 0;
    if (value->is_number_integer()) {
        size = value->get<std::int64_t>();
    } else if (value->is_string()) {
        const auto text = value->get<std::string>();
        if (!text.empty() && text.size() < 7 && text.find_first_not_of("0123456789") == std::string::npos) {
            size = std::stoll(text);
        }
    }
    if (size < 8 || size > 65536 || size % 8 != 0) {
        reader.fail("group", "must be \"channel\", \"tensor\" or a multiple of 8 from 8 to 65536, not " +
                                 value->dump());
        return false;
    }
    out = {Granularity::Group, size};
    return true;
}

Json groupJson(Granularity granularity, std::int64_t size) {
    switch (granularity) {
        case Granularity::Tensor: return "tensor";
        case Granularity::Channel: return "channel";
        case Granularity::Group: return size;
    }
    return nullptr;
}

PruneMethod methodFor(PrunePattern pattern) {
    return pattern == PrunePattern::Unstructured ? PruneMethod::Magnitude
           : pattern == PrunePattern::Width      ? PruneMethod::Pca
                                                 : PruneMethod::L1;
}

Names<PruneMethod> methodsOf(PrunePattern pattern) {
    static constexpr Names<PruneMethod> kWeights{PruneMethod::Magnitude, PruneMethod::Wanda,
                                                 PruneMethod::SparseGpt, PruneMethod::L1Reconstruction,
                                                 PruneMethod::Fisher, PruneMethod::Gradual,
                                                 PruneMethod::Movement, PruneMethod::SoftMovement,
                                                 PruneMethod::Proximal};
    static constexpr Names<PruneMethod> kUnits{PruneMethod::L1, PruneMethod::Fluctuation, PruneMethod::Second,
                                               PruneMethod::Taylor};
    static constexpr Names<PruneMethod> kBlocks{PruneMethod::L1, PruneMethod::Influence};
    static constexpr Names<PruneMethod> kWidth{PruneMethod::Pca};
    switch (pattern) {
        case PrunePattern::Unstructured: return kWeights;
        case PrunePattern::Blocks: return kBlocks;
        case PrunePattern::Width: return kWidth;
        default: return kUnits;
    }
}

void checkMethod(JsonReader& reader, PrunePattern pattern, PruneMethod method) {
    const auto usable = methodsOf(pattern);
    if (std::find(usable.begin(), usable.end(), method) == usable.end()) {
        reader.fail("method", "\"" + std::string(nameOf(method)) + "\" cannot prune the pattern \"" +
                                  std::string(nameOf(pattern)) + "\" (use one of: " + listOf(usable) + ")");
    }
}

/// The two numbers of "2:4" or "1x16"; 0 for what is none.
std::optional<std::pair<int, int>> readPair(const std::string& text, char between) {
    const auto at = text.find(between);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const auto number = [&](std::string_view digits) {
        int value = 0;
        const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return problem == std::errc() && end == digits.data() + digits.size() ? value : 0;
    };
    return std::pair{number(std::string_view(text).substr(0, at)), number(std::string_view(text).substr(at + 1))};
}

/// "1x16" and the like: tiles of outputs × inputs.
bool readTiled(JsonReader& reader, PruneSpec& out) {
    const std::string text = reader.has("pattern") ? reader.text("pattern") : std::string();
    const auto pair = readPair(text, 'x');
    if (!pair) {
        return false;
    }
    std::tie(out.tileRows, out.tileCols) = *pair;
    if (out.tileRows < 1 || out.tileCols < 1 || out.tileRows > 64 || out.tileCols > 64 ||
        out.tileRows * out.tileCols == 1) {
        reader.fail("pattern", "\"" + text + "\" is no tile of 1 to 64 outputs × 1 to 64 inputs (usual: 1x4, 4x4, "
                                             "16x4)");
    }
    out.pattern = PrunePattern::Unstructured;
    return true;
}

/// "2:4" and the like: N of every M stay.
bool readGrouped(JsonReader& reader, PruneSpec& out) {
    const std::string text = reader.has("pattern") ? reader.text("pattern") : std::string();
    const auto pair = readPair(text, ':');
    if (!pair) {
        return false;
    }
    std::tie(out.keepOf, out.groupOf) = *pair;
    if (out.keepOf < 1 || out.groupOf <= out.keepOf || out.groupOf > 64) {
        reader.fail("pattern", "\"" + text + "\" is no N:M with 1 ≤ N < M ≤ 64 (usual: 2:4, 4:8)");
    }
    out.pattern = PrunePattern::Unstructured;
    return true;
}

/// A ratio of 1 leaves nothing to run; only a single block may be removed whole, by an override.
double readRatio(JsonReader& reader, bool wholeAllowed) {
    const double ratio = reader.number("ratio", 0.0, 0.0, 1.0);
    if (ratio >= 1.0 && !wholeAllowed) {
        reader.fail("ratio", "must be below 1: something has to stay");
    }
    return ratio;
}

void checkCompensation(JsonReader& reader, const PruneSpec& spec) {
    const bool units = spec.pattern == PrunePattern::Heads || spec.pattern == PrunePattern::Neurons;
    const bool weights = spec.pattern == PrunePattern::Unstructured;
    if (spec.compensation == Compensation::None || units) {
        return;
    }
    if (!weights) {
        reader.fail("compensation", "belongs to heads, neurons and single weights");
    } else if (spec.compensation == Compensation::Bias) {
        reader.fail("compensation", "\"bias\" belongs to heads and neurons (single weights have \"least-squares\")");
    } else if (spec.method != PruneMethod::Magnitude && spec.method != PruneMethod::Wanda) {
        reader.fail("compensation", "of single weights goes with the methods magnitude and wanda: \"" +
                                        std::string(nameOf(spec.method)) + "\" adjusts weights itself");
    }
}

/// How the ratio spreads over layers, and what the rest does about it.
void readPlacement(JsonReader& reader, PruneSpec& spec) {
    const bool weights = spec.pattern == PrunePattern::Unstructured;
    if (readName(reader, "allocation", kAllocations, spec.allocation) && spec.allocation != Allocation::Uniform) {
        const bool fixed = spec.groupOf > 0;
        const bool tiled = spec.tileRows * spec.tileCols > 1;
        if (!weights || fixed) {
            reader.fail("allocation", "spreads a ratio of single weights; this pattern has none to spread");
        } else if (spec.allocation == Allocation::Global && (spec.method != PruneMethod::Magnitude || tiled)) {
            reader.fail("allocation", "global compares magnitudes of single weights: it goes with the method magnitude "
                                      "and without tiles");
        }
    }
    if (readName(reader, "compensation", kCompensations, spec.compensation)) {
        checkCompensation(reader, spec);
    }
    spec.recomputations = static_cast<int>(reader.integer("recomputations", 0, 0, 100));
    const bool adjusts = weights && spec.compensation == Compensation::LeastSquares;
    if (spec.recomputations > 0 && ((spec.method != PruneMethod::Fisher && !adjusts) || spec.groupOf > 0)) {
        reader.fail("recomputations", "belongs to the method fisher, or to the compensation least-squares of single "
                                      "weights, without N:M");
    }
}

Result<PruneSpec> readPrune(const Json& json, const std::string& field) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, field);
    reader.allowOnly({"method", "pattern", "ratio", "allocation", "compensation", "recomputations"});
    PruneSpec spec;
    const bool grouped = readGrouped(reader, spec);
    if (!grouped && !readTiled(reader, spec)) {
        readName(reader, "pattern", kPatterns, spec.pattern);
    }
    spec.method = methodFor(spec.pattern);
    if (readName(reader, "method", kMethods, spec.method)) {
        checkMethod(reader, spec.pattern, spec.method);
    }
    PARETO_CHECK(reader.status());
    if (grouped) {
        const double implied = 1.0 - static_cast<double>(spec.keepOf) / spec.groupOf;
        spec.ratio = reader.has("ratio") ? readRatio(reader, false) : implied;
        if (spec.ratio != implied) {
            reader.fail("ratio", "must be " + Json(implied).dump() + " with this pattern, or be left out");
        }
    } else {
        reader.require("ratio");
        spec.ratio = readRatio(reader, false);
    }
    readPlacement(reader, spec);
    PARETO_CHECK(reader.status());
    return spec;
}

Result<std::vector<PruneSpec>> readPruneList(const Json& json, const std::string& field) {
    std::vector<PruneSpec> out;
    if (json.is_null()) {
        return out;
    }
    if (!json.is_array()) {
        PARETO_TRY(const auto one, readPrune(json, field));
        out.push_back(one);
        return out;
    }
    for (std::size_t i = 0; i < json.size(); ++i) {
        const auto name = field + "[" + std::to_string(i) + "]";
        PARETO_TRY(const auto one, readPrune(json[i], name));
        for (const auto& earlier : out) {
            if (earlier.pattern == one.pattern) {
                return makeError(ErrorCode::RecipeInvalid,
                                 {{"file", kSource},
                                  {"field", name + ".pattern"},
                                  {"reason", "\"" + std::string(nameOf(one.pattern)) +
                                                 "\" stands twice in the list"}});
            }
        }
        out.push_back(one);
    }
    return out;
}

Status readOptions(const Json& json, const std::string& field, QuantizeOverride& out) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, field);
    reader.allowOnly({"act_order", "alpha", "clip"});
    if (reader.has("alpha")) {
        out.alpha = reader.number("alpha", 0.5, 0.0, 1.0);
        if (out.scaling != InputScaling::SmoothQuant) {
            reader.fail("alpha", "is an option of the scaling smoothquant");
        }
    }
    if (reader.has("clip")) {
        out.clip = reader.boolean("clip", false);
    }
    if (reader.has("act_order")) {
        out.actOrder = reader.boolean("act_order", false);
        if (out.method != QuantizeMethod::Gptq) {
            reader.fail("act_order", "is an option of the method gptq");
        }
    }
    return reader.status();
}

Result<QuantizeOverride> readQuantizeFields(const Json& json, const std::string& field, bool ofModel) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, field);
    if (ofModel) {
        reader.allowOnly({"weights", "group", "symmetric", "range", "activations", "activation_group", "options",
                          "method", "scaling", "bias_correction", "rotate", "kv_cache"});
    } else {
        reader.allowOnly({"weights", "group", "symmetric", "range", "activations", "activation_group", "options",
                          "method", "scaling", "bias_correction"});
    }
    QuantizeOverride out;
    if (InputScaling scaling{}; readName(reader, "scaling", kScalings, scaling)) {
        out.scaling = scaling;
    }
    if (reader.has("bias_correction")) {
        out.biasCorrection = reader.boolean("bias_correction", false);
    }
    if (QuantizeMethod method{}; readName(reader, "method", kQuantizeMethods, method)) {
        out.method = method;
    }
    if (NumberFormat format{}; readName(reader, "weights", kFormats, format)) {
        out.weights = format;
    }
    if (GroupChoice group; readGroup(reader, group)) {
        out.granularity = group.granularity;
        if (group.granularity == Granularity::Group) {
            out.groupSize = group.size;
        }
    }
    if (reader.has("symmetric")) {
        out.symmetric = reader.boolean("symmetric", true);
    }
    if (RangeMethod range{}; readName(reader, "range", kRanges, range)) {
        out.range = range;
    }
    if (Activations activations{}; readName(reader, "activations", kActivations, activations)) {
        out.activations = activations;
    }
    if (reader.has("activation_group")) {
        const auto size = reader.integer("activation_group", 0, 0, 65536);
        if (size % 8 != 0) {
            reader.fail("activation_group", "must be 0 (one scale a token) or a multiple of 8");
        }
        out.activationGroup = size;
    }
    PARETO_CHECK(reader.status());
    if (const Json* options = reader.find("options")) {
        PARETO_CHECK(readOptions(*options, field + ".options", out));
    }
    return out;
}

Result<QuantizeSpec> readQuantize(const Json& json, const std::string& field) {
    PARETO_TRY(const auto fields, readQuantizeFields(json, field, true));
    if (!fields.weights) {
        return makeError(ErrorCode::RecipeInvalid, {{"file", kSource},
                                                    {"field", field + ".weights"},
                                                    {"reason", "is missing"}});
    }
    QuantizeSpec spec;
    spec.weights = *fields.weights;
    const auto usual = prefersGroups(spec.weights) ? Granularity::Group : Granularity::Channel;
    spec.granularity = fields.granularity.value_or(usual);
    spec.groupSize = fields.groupSize.value_or(64);
    spec.symmetric = fields.symmetric.value_or(true);
    spec.range = fields.range.value_or(RangeMethod::MinMax);
    spec.activations = fields.activations.value_or(Activations::None);
    spec.activationGroup = fields.activationGroup.value_or(0);
    spec.method = fields.method.value_or(QuantizeMethod::Rtn);
    spec.actOrder = fields.actOrder.value_or(false);
    spec.scaling = fields.scaling.value_or(InputScaling::None);
    spec.alpha = fields.alpha;
    spec.clip = fields.clip.value_or(false);
    spec.biasCorrection = fields.biasCorrection.value_or(false);
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, field);
    spec.rotate = reader.boolean("rotate", false);
    readName(reader, "kv_cache", kCaches, spec.cache);
    PARETO_CHECK(reader.status());
    return spec;
}

Result<PruneOverride> readPruneOverride(const Json& json, const std::string& field) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, field);
    reader.allowOnly({"method", "pattern", "ratio"});
    PruneOverride out;
    if (PrunePattern pattern{}; readName(reader, "pattern", kPatterns, pattern)) {
        out.pattern = pattern;
    }
    if (PruneMethod method{}; readName(reader, "method", kMethods, method)) {
        out.method = method;
        if (out.pattern == PrunePattern::Width) {
            reader.fail("pattern", "\"width\" is of the whole model");
        } else if (out.pattern) {
            checkMethod(reader, *out.pattern, method);
        }
    }
    if (reader.has("ratio")) {
        out.ratio = readRatio(reader, out.pattern == PrunePattern::Blocks);
    }
    PARETO_CHECK(reader.status());
    return out;
}

Status readOverridePrune(const Json& json, const std::string& field, LayerOverride& out) {
    if (json.is_null()) {
        out.pruneOff = true;
        return Done{};
    }
    if (!json.is_array()) {
        PARETO_TRY(const auto one, readPruneOverride(json, field));
        out.prune.push_back(one);
        return Done{};
    }
    for (std::size_t i = 0; i < json.size(); ++i) {
        PARETO_TRY(const auto one, readPruneOverride(json[i], field + "[" + std::to_string(i) + "]"));
        out.prune.push_back(one);
    }
    return Done{};
}

Result<LayerOverride> readOverride(const Json& json, const std::string& field) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, field);
    reader.allowOnly({"match", "skip", "prune", "quantize"});
    LayerOverride out;
    out.match = reader.require("match").text("match");
    if (!reader.failed() && out.match.empty()) {
        reader.fail("match", "must not be empty");
    }
    out.skip = reader.boolean("skip", false);
    PARETO_CHECK(reader.status());
    if (const Json* prune = reader.find("prune")) {
        PARETO_CHECK(readOverridePrune(*prune, field + ".prune", out));
    }
    if (const Json* quantize = reader.find("quantize")) {
        if (quantize->is_null()) {
            out.quantizeOff = true;
        } else {
            PARETO_TRY(out.quantize, readQuantizeFields(*quantize, field + ".quantize", false));
        }
    }
    return out;
}

Status readDefaults(const Json& json, Recipe& recipe) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, "defaults");
    reader.allowOnly({"prune", "quantize"});
    PARETO_CHECK(reader.status());
    if (const Json* prune = reader.find("prune")) {
        PARETO_TRY(recipe.prune, readPruneList(*prune, "defaults.prune"));
    }
    if (const Json* quantize = reader.find("quantize"); quantize != nullptr && !quantize->is_null()) {
        PARETO_TRY(recipe.quantize, readQuantize(*quantize, "defaults.quantize"));
    }
    return Done{};
}

Status readOrder(JsonReader& reader, Recipe& recipe) {
    const Json* order = reader.find("order");
    if (order == nullptr) {
        return Done{};
    }
    recipe.order.clear();
    for (const auto& step : order->is_array() ? *order : Json::array({nullptr})) {
        bool known = false;
        for (const auto kind : kSteps) {
            if (step == nameOf(kind)) {
                for (const auto earlier : recipe.order) {
                    known = known || earlier == kind;
                }
                if (known) {
                    reader.fail("order", "has " + step.dump() + " twice");
                }
                known = true;
                recipe.order.push_back(kind);
            }
        }
        if (!known) {
            reader.fail("order", "must be a list of " + listOf(kSteps));
        }
    }
    return reader.status();
}

Status readCalibration(const Json& json, Recipe& recipe) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource, "calibration");
    reader.allowOnly({"source", "samples", "length", "seed"});
    CalibrationSpec out;
    out.source = reader.text("source");
    out.samples = static_cast<int>(reader.integer("samples", out.samples, 1, 1'000'000));
    out.length = static_cast<int>(reader.integer("length", out.length, 1, 1'000'000));
    out.seed = static_cast<std::uint64_t>(reader.integer("seed", 0, 0, INT64_MAX));
    recipe.calibration = out;
    return reader.status();
}

Json pruneJson(const PruneSpec& spec) {
    const auto both = [](int first, const char* between, int second) {
        return std::to_string(first) + between + std::to_string(second);
    };
    const std::string pattern = spec.groupOf > 0                       ? both(spec.keepOf, ":", spec.groupOf)
                                : spec.tileRows * spec.tileCols > 1 ? both(spec.tileRows, "x", spec.tileCols)
                                                                    : std::string(nameOf(spec.pattern));
    Json out{{"method", nameOf(spec.method)}, {"pattern", pattern}, {"ratio", spec.ratio}};
    if (spec.allocation != Allocation::Uniform) {
        out["allocation"] = nameOf(spec.allocation);
    }
    if (spec.compensation != Compensation::None) {
        out["compensation"] = nameOf(spec.compensation);
    }
    if (spec.recomputations > 0) {
        out["recomputations"] = spec.recomputations;
    }
    return out;
}

Json quantizeJson(const QuantizeSpec& spec) {
    Json out{{"weights", nameOf(spec.weights)}, {"method", nameOf(spec.method)}};
    if (spec.actOrder) {
        out["options"]["act_order"] = true;
    }
    if (spec.alpha) {
        out["options"]["alpha"] = *spec.alpha;
    }
    if (spec.clip) {
        out["options"]["clip"] = true;
    }
    if (spec.scaling != InputScaling::None) {
        out["scaling"] = nameOf(spec.scaling);
    }
    if (spec.biasCorrection) {
        out["bias_correction"] = true;
    }
    if (spec.rotate) {
        out["rotate"] = true;
    }
    if (spec.cache != NumberFormat::F32) {
        out["kv_cache"] = nameOf(spec.cache);
    }
    WeightFormat held;
    held.format = spec.weights;
    if (held.isCoded()) {
        out["group"] = groupJson(spec.granularity, spec.groupSize);
        out["symmetric"] = spec.symmetric;
        out["range"] = nameOf(spec.range);
        out["activations"] = nameOf(spec.activations);
        if (spec.activationGroup != 0) {
            out["activation_group"] = spec.activationGroup;
        }
    }
    return out;
}

Json overrideJson(const QuantizeOverride& change) {
    Json out = Json::object();
    if (change.weights) {
        out["weights"] = nameOf(*change.weights);
    }
    if (change.granularity) {
        out["group"] = groupJson(*change.granularity, change.groupSize.value_or(64));
    }
    if (change.symmetric) {
        out["symmetric"] = *change.symmetric;
    }
    if (change.range) {
        out["range"] = nameOf(*change.range);
    }
    if (change.activations) {
        out["activations"] = nameOf(*change.activations);
    }
    if (change.activationGroup) {
        out["activation_group"] = *change.activationGroup;
    }
    if (change.method) {
        out["method"] = nameOf(*change.method);
    }
    if (change.scaling) {
        out["scaling"] = nameOf(*change.scaling);
    }
    if (change.biasCorrection) {
        out["bias_correction"] = *change.biasCorrection;
    }
    if (change.actOrder) {
        out["options"]["act_order"] = *change.actOrder;
    }
    if (change.alpha) {
        out["options"]["alpha"] = *change.alpha;
    }
    if (change.clip) {
        out["options"]["clip"] = *change.clip;
    }
    return out;
}

/// One step as an object, several as a list.
Status readRecover(const Json& json, Recipe& recipe) {
    if (!json.is_array()) {
        PARETO_TRY(auto step, recoverFromJson(json, "recover"));
        recipe.recover.push_back(std::move(step));
        return Done{};
    }
    for (std::size_t i = 0; i < json.size(); ++i) {
        PARETO_TRY(auto step, recoverFromJson(json[i], "recover[" + std::to_string(i) + "]"));
        recipe.recover.push_back(std::move(step));
    }
    return Done{};
}

Json overrideJson(const PruneOverride& change) {
    Json out = Json::object();
    if (change.pattern) {
        out["pattern"] = nameOf(*change.pattern);
    }
    if (change.method) {
        out["method"] = nameOf(*change.method);
    }
    if (change.ratio) {
        out["ratio"] = *change.ratio;
    }
    return out;
}

Json layerJson(const LayerOverride& entry) {
    Json out{{"match", entry.match}};
    if (entry.skip) {
        out["skip"] = true;
    }
    if (entry.pruneOff) {
        out["prune"] = nullptr;
    } else if (entry.prune.size() == 1) {
        out["prune"] = overrideJson(entry.prune.front());
    } else if (!entry.prune.empty()) {
        out["prune"] = Json::array();
        for (const auto& change : entry.prune) {
            out["prune"].push_back(overrideJson(change));
        }
    }
    if (entry.quantizeOff) {
        out["quantize"] = nullptr;
    } else if (entry.quantize) {
        out["quantize"] = overrideJson(*entry.quantize);
    }
    return out;
}

}  // namespace

Result<Recipe> recipeFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, kSource);
    reader.allowOnly({"version", "name", "order", "defaults", "layers", "calibration", "recover", "untie",
                      "seed"});
    reader.require("version").integer("version", 1, 1, 1);
    Recipe recipe;
    recipe.name = reader.text("name");
    recipe.untie = reader.boolean("untie", false);
    recipe.seed = static_cast<std::uint64_t>(reader.integer("seed", 0, 0, INT64_MAX));
    PARETO_CHECK(reader.status());
    PARETO_CHECK(readOrder(reader, recipe));
    const Json* layers = reader.find("layers");
    if (layers != nullptr && !layers->is_array()) {
        reader.fail("layers", "must be a list");
    }
    PARETO_CHECK(reader.status());
    if (const Json* defaults = reader.find("defaults")) {
        PARETO_CHECK(readDefaults(*defaults, recipe));
    }
    for (std::size_t i = 0; layers != nullptr && i < layers->size(); ++i) {
        PARETO_TRY(auto entry, readOverride((*layers)[i], "layers[" + std::to_string(i) + "]"));
        recipe.layers.push_back(std::move(entry));
    }
    if (const Json* calibration = reader.find("calibration")) {
        PARETO_CHECK(readCalibration(*calibration, recipe));
    }
    if (const Json* recover = reader.find("recover"); recover != nullptr && !recover->is_null()) {
        PARETO_CHECK(readRecover(*recover, recipe));
    }
    return recipe;
}

Json recipeToJson(const Recipe& recipe) {
    Json out{{"version", 1}};
    if (!recipe.name.empty()) {
        out["name"] = recipe.name;
    }
    if (recipe.order != Recipe{}.order) {
        out["order"] = Json::array();
        for (const auto step : recipe.order) {
            out["order"].push_back(nameOf(step));
        }
    }
    Json defaults = Json::object();
    if (recipe.prune.size() == 1) {
        defaults["prune"] = pruneJson(recipe.prune.front());
    } else if (!recipe.prune.empty()) {
        for (const auto& step : recipe.prune) {
            defaults["prune"].push_back(pruneJson(step));
        }
    }
    if (recipe.quantize) {
        defaults["quantize"] = quantizeJson(*recipe.quantize);
    }
    if (!defaults.empty()) {
        out["defaults"] = defaults;
    }
    for (const auto& entry : recipe.layers) {
        out["layers"].push_back(layerJson(entry));
    }
    if (recipe.calibration) {
        out["calibration"] = {{"source", recipe.calibration->source},
                              {"samples", recipe.calibration->samples},
                              {"length", recipe.calibration->length},
                              {"seed", recipe.calibration->seed}};
    }
    if (recipe.recover.size() == 1) {
        out["recover"] = recoverToJson(recipe.recover.front());
    }
    for (std::size_t i = 0; recipe.recover.size() > 1 && i < recipe.recover.size(); ++i) {
        out["recover"].push_back(recoverToJson(recipe.recover[i]));
    }
    if (recipe.untie) {
        out["untie"] = true;
    }
    if (recipe.seed != 0) {
        out["seed"] = recipe.seed;
    }
    return out;
}

}  // namespace pareto
