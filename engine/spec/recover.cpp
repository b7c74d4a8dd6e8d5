#include "engine/spec/recover.h"

#include <cmath>
#include <numbers>

namespace pareto {
namespace {

constexpr std::int64_t kMostSteps = 100'000'000;
constexpr int kMostBlocks = 10'000;

template <typename T, std::size_t N>
void readName(JsonReader& reader, std::string_view key, const T (&values)[N], T& out) {
    if (!reader.has(key)) {
        return;
    }
    const std::string text = reader.text(key);
    std::string known;
    for (const T value : values) {
        if (nameOf(value) == text) {
            out = value;
            return;
        }
        known += (known.empty() ? "" : ", ") + std::string(nameOf(value));
    }
    reader.fail(key, "\"" + text + "\" is not available in this version (available: " + known + ")");
}

std::vector<std::pair<int, int>> readBlocks(JsonReader& reader) {
    std::vector<std::pair<int, int>> out;
    const Json* pairs = reader.find("blocks");
    if (pairs == nullptr) {
        return out;
    }
    const auto isBlock = [](const Json& value) {
        return value.is_number_integer() && value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() < kMostBlocks;
    };
    if (!pairs->is_array()) {
        reader.fail("blocks", "must be a list of pairs [student block, teacher block]");
        return out;
    }
    for (const auto& pair : *pairs) {
        if (!pair.is_array() || pair.size() != 2 || !isBlock(pair[0]) || !isBlock(pair[1])) {
            reader.fail("blocks", "must be a list of pairs [student block, teacher block], not " + pair.dump());
            return out;
        }
        out.emplace_back(pair[0].get<int>(), pair[1].get<int>());
    }
    return out;
}

Result<SequenceSpec> sequencesFromJson(const Json& json, const std::string& prefix) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, "recipe", prefix);
    reader.allowOnly({"count", "prompt", "length"});
    SequenceSpec out;
    out.count = static_cast<int>(reader.integer("count", out.count, 1, 10'000'000));
    out.prompt = static_cast<int>(reader.integer("prompt", out.prompt, 1, 65'536));
    out.length = static_cast<int>(reader.integer("length", out.length, 1, 65'536));
    PARETO_CHECK(reader.status());
    return out;
}

Result<AdapterSpec> adaptersFromJson(const Json& json, const std::string& prefix) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, "recipe", prefix);
    reader.allowOnly({"rank", "alpha", "dropout", "layers"});
    AdapterSpec out;
    out.rank = static_cast<int>(reader.integer("rank", out.rank, 1, 4096));
    out.alpha = reader.number("alpha", 2.0 * out.rank, 0.0, 1e6);
    out.dropout = reader.number("dropout", out.dropout, 0.0, 0.95);
    out.layers = reader.text("layers");
    PARETO_CHECK(reader.status());
    return out;
}

Result<SparsifySpec> sparsifyFromJson(const Json& json, const std::string& prefix) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, "recipe", prefix);
    reader.allowOnly({"begin", "end", "every", "score_rate"});
    SparsifySpec out;
    out.begin = reader.number("begin", out.begin, 0.0, 1.0);
    out.end = reader.number("end", out.end, 0.0, 1.0);
    out.every = static_cast<int>(reader.integer("every", out.every, 1, 1'000'000));
    out.scoreRate = reader.number("score_rate", out.scoreRate, 0.0, 100.0);
    if (out.end < out.begin) {
        reader.fail("end", "is before \"begin\"");
    }
    PARETO_CHECK(reader.status());
    return out;
}

Result<DistilSpec> distilFromJson(const Json& json, const std::string& prefix) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, "recipe", prefix);
    reader.allowOnly({"teacher", "temperature", "logits", "hidden", "attention", "relations", "blocks", "sequences"});
    DistilSpec out;
    out.teacher = reader.text("teacher");
    if (out.teacher == "original") {
        out.teacher.clear();
    }
    out.temperature = reader.number("temperature", out.temperature, 0.01, 1000.0);
    out.logits = reader.number("logits", out.logits, 0.0, 1e6);
    out.hidden = reader.number("hidden", out.hidden, 0.0, 1e6);
    out.attention = reader.number("attention", out.attention, 0.0, 1e6);
    out.relations = reader.number("relations", out.relations, 0.0, 1e6);
    out.blocks = readBlocks(reader);
    PARETO_CHECK(reader.status());
    if (const Json* sequences = reader.find("sequences"); sequences != nullptr && !sequences->is_null()) {
        PARETO_TRY(out.sequences, sequencesFromJson(*sequences, prefix + ".sequences"));
    }
    if (out.logits + out.hidden + out.attention + out.relations <= 0.0 && !out.sequences) {
        reader.fail("logits", "is 0 like all other terms, and there are no \"sequences\": nothing would be taught");
        return reader.status().error();
    }
    return out;
}

Json distilToJson(const DistilSpec& spec) {
    Json out{{"teacher", spec.teacher.empty() ? "original" : spec.teacher},
             {"temperature", spec.temperature},
             {"logits", spec.logits},
             {"hidden", spec.hidden},
             {"attention", spec.attention},
             {"relations", spec.relations}};
    for (const auto& [student, teacher] : spec.blocks) {
        out["blocks"].push_back({student, teacher});
    }
    if (spec.sequences) {
        out["sequences"] = {{"count", spec.sequences->count},
                            {"prompt", spec.sequences->prompt},
                            {"length", spec.sequences->length}};
    }
    return out;
}

/// A task may stand in the recipe as an object.
std::string readSource(JsonReader& reader) {
    const Json* source = reader.find("source");
    return source != nullptr && source->is_object() ? source->dump() : reader.text("source");
}

/// Writes a field where it differs from what stands when it is absent.
class Fields {
public:
    explicit Fields(Json& out) : m_out(out) {}
    template <typename T>
    void put(const char* key, const T& value, const T& usual) {
        if (!(value == usual)) {
            m_out[key] = value;
        }
    }

private:
    Json& m_out;
};

/// What fields are that a recipe leaves out.
RecoverSpec usualRecovery(RecoverMethod method) {
    RecoverSpec out;
    out.method = method;
    if (method == RecoverMethod::Reconstruct) {
        // Measured on SmolLM2-135M: a few dozen steps a block at a rate that whole models would not stand.
        out.steps = 50;
        out.batch = 4;
        out.learningRate = 1e-3;
        out.weightDecay = 0.0;
        out.schedule = LearningSchedule::Cosine;
        out.holdOut = 0.0625;
        out.dropout = 0.0;
    }
    return out;
}

}  // namespace

std::string_view nameOf(RecoverMethod value) {
    switch (value) {
        case RecoverMethod::Train: return "train";
        case RecoverMethod::Reconstruct: return "reconstruct";
    }
    return "";
}

std::string_view nameOf(LearnedPart value) {
    switch (value) {
        case LearnedPart::All: return "all";
        case LearnedPart::Biases: return "biases";
        case LearnedPart::Norms: return "norms";
        case LearnedPart::BiasesNorms: return "biases-norms";
    }
    return "";
}

std::string_view nameOf(LearningSchedule value) {
    switch (value) {
        case LearningSchedule::Constant: return "constant";
        case LearningSchedule::Linear: return "linear";
        case LearningSchedule::Cosine: return "cosine";
    }
    return "";
}

Result<RecoverSpec> recoverFromJson(const Json& json, const std::string& prefix) {
    JsonReader reader(json, ErrorCode::RecipeInvalid, "recipe", prefix);
    reader.allowOnly({"method", "source", "split", "validation", "hold_out", "limit", "epochs", "steps", "batch",
                      "accumulate", "learning_rate", "weight_decay", "schedule", "warmup", "clip", "dropout",
                      "patience", "validate_every", "labels", "max_length", "quantize_aware", "bf16", "recompute",
                      "fresh", "learns", "sparsify", "adapters", "distil"});
    RecoverMethod method = RecoverMethod::Train;
    readName(reader, "method", {RecoverMethod::Train, RecoverMethod::Reconstruct}, method);
    RecoverSpec out = usualRecovery(method);
    readName(reader, "schedule", {LearningSchedule::Constant, LearningSchedule::Linear, LearningSchedule::Cosine},
             out.schedule);
    readName(reader, "learns",
             {LearnedPart::All, LearnedPart::Biases, LearnedPart::Norms, LearnedPart::BiasesNorms}, out.learns);
    out.source = readSource(reader);
    out.split = reader.text("split", out.split);
    out.validation = reader.text("validation", out.validation);
    out.holdOut = reader.number("hold_out", out.holdOut, 0.0, 0.9);
    out.limit = reader.integer("limit", out.limit, 0, INT64_MAX);
    out.epochs = static_cast<int>(reader.integer("epochs", out.epochs, 1, 100'000));
    out.steps = reader.integer("steps", out.steps, 0, kMostSteps);
    out.batch = static_cast<int>(reader.integer("batch", out.batch, 1, 65'536));
    out.accumulate = static_cast<int>(reader.integer("accumulate", out.accumulate, 1, 65'536));
    out.learningRate = reader.number("learning_rate", out.learningRate, 0.0, 10.0);
    out.weightDecay = reader.number("weight_decay", out.weightDecay, 0.0, 10.0);
    out.warmup = reader.number("warmup", out.warmup, 0.0, 1.0);
    out.clip = reader.number("clip", out.clip, 0.0, 1e9);
    out.dropout = reader.number("dropout", out.dropout, 0.0, 0.95);
    out.patience = static_cast<int>(reader.integer("patience", out.patience, 0, 100'000));
    out.validateEvery = reader.integer("validate_every", out.validateEvery, 0, kMostSteps);
    out.labels = reader.number("labels", out.labels, 0.0, 1e6);
    out.maxLength = reader.integer("max_length", out.maxLength, 0, 1 << 20);
    out.fresh = reader.boolean("fresh", out.fresh);
    out.quantizeAware = reader.boolean("quantize_aware", out.quantizeAware);
    out.bf16 = reader.boolean("bf16", out.bf16);
    out.recompute = reader.boolean("recompute", out.recompute);
    PARETO_CHECK(reader.status());
    if (const Json* sparsify = reader.find("sparsify"); sparsify != nullptr) {
        PARETO_TRY(out.sparsify, sparsifyFromJson(*sparsify, prefix + ".sparsify"));
    }
    if (const Json* adapters = reader.find("adapters"); adapters != nullptr && !adapters->is_null()) {
        PARETO_TRY(out.adapters, adaptersFromJson(*adapters, prefix + ".adapters"));
    }
    if (const Json* distil = reader.find("distil"); distil != nullptr && !distil->is_null()) {
        PARETO_TRY(out.distil, distilFromJson(*distil, prefix + ".distil"));
    }
    if (out.method == RecoverMethod::Train && out.labels <= 0.0 && !out.distil) {
        reader.fail("labels", "is 0 and there is no \"distil\": nothing would be learned");
    }
    if (out.adapters && out.learns != LearnedPart::All) {
        reader.fail("learns", "must be \"all\" or be left out with adapters: they alone are learned");
    }
    if (out.fresh && (out.adapters || out.learns != LearnedPart::All || out.method == RecoverMethod::Reconstruct)) {
        reader.fail("fresh", "draws all weights anew, so all of them have to be trained");
    }
    if (out.adapters && out.method == RecoverMethod::Reconstruct) {
        reader.fail("adapters", "belong to the method train");
    }
    if (out.method == RecoverMethod::Train && out.source.empty()) {
        reader.fail("source", "is missing: name the task, or the text, to train on");
    }
    PARETO_CHECK(reader.status());
    return out;
}

Json recoverToJson(const RecoverSpec& spec) {
    const RecoverSpec usual = usualRecovery(spec.method);
    Json out{{"method", nameOf(spec.method)}};
    if (!spec.source.empty()) {
        const auto task = spec.source.front() == '{' ? parseJson(spec.source, "recipe") : Result<Json>(Json(spec.source));
        out["source"] = task.ok() ? task.value() : Json(spec.source);
    }
    if (spec.schedule != usual.schedule) {
        out["schedule"] = nameOf(spec.schedule);
    }
    Fields fields(out);
    fields.put("split", spec.split, usual.split);
    fields.put("validation", spec.validation, usual.validation);
    fields.put("hold_out", spec.holdOut, usual.holdOut);
    fields.put("limit", spec.limit, usual.limit);
    fields.put("epochs", spec.epochs, usual.epochs);
    fields.put("steps", spec.steps, usual.steps);
    fields.put("batch", spec.batch, usual.batch);
    fields.put("accumulate", spec.accumulate, usual.accumulate);
    fields.put("learning_rate", spec.learningRate, usual.learningRate);
    fields.put("weight_decay", spec.weightDecay, usual.weightDecay);
    fields.put("warmup", spec.warmup, usual.warmup);
    fields.put("clip", spec.clip, usual.clip);
    fields.put("dropout", spec.dropout, usual.dropout);
    fields.put("patience", spec.patience, usual.patience);
    fields.put("validate_every", spec.validateEvery, usual.validateEvery);
    fields.put("labels", spec.labels, usual.labels);
    fields.put("max_length", spec.maxLength, usual.maxLength);
    if (spec.learns != usual.learns) {
        out["learns"] = nameOf(spec.learns);
    }
    fields.put("fresh", spec.fresh, usual.fresh);
    fields.put("quantize_aware", spec.quantizeAware, usual.quantizeAware);
    fields.put("bf16", spec.bf16, usual.bf16);
    fields.put("recompute", spec.recompute, usual.recompute);
    if (!(spec.sparsify == usual.sparsify)) {
        out["sparsify"] = {{"begin", spec.sparsify.begin},
                           {"end", spec.sparsify.end},
                           {"every", spec.sparsify.every},
                           {"score_rate", spec.sparsify.scoreRate}};
    }
    if (spec.adapters) {
        out["adapters"] = {{"rank", spec.adapters->rank},
                           {"alpha", spec.adapters->alpha},
                           {"dropout", spec.adapters->dropout}};
        if (!spec.adapters->layers.empty()) {
            out["adapters"]["layers"] = spec.adapters->layers;
        }
    }
    if (spec.distil) {
        out["distil"] = distilToJson(*spec.distil);
    }
    return out;
}

std::string recoverSummary(const RecoverSpec& spec) {
    if (spec.method == RecoverMethod::Reconstruct) {
        return std::string(nameOf(spec.method)) + (spec.learns != LearnedPart::All ? "/" + std::string(nameOf(spec.learns)) : "");
    }
    return std::string(spec.distil ? "distil" : "train") + (spec.adapters ? "/lora" : "") +
           (spec.learns != LearnedPart::All ? "/" + std::string(nameOf(spec.learns)) : "") +
           (spec.quantizeAware ? "/qat" : "");
}

double sparsityAt(const SparsifySpec& spec, double ratio, std::int64_t step, std::int64_t steps) {
    const double done = static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps));
    if (done >= spec.end || spec.end <= spec.begin) {
        return done >= spec.end ? ratio : 0.0;
    }
    const double left = 1.0 - std::max(0.0, (done - spec.begin) / (spec.end - spec.begin));
    return ratio * (1.0 - left * left * left);
}

double learningRateAt(const RecoverSpec& spec, std::int64_t step, std::int64_t steps) {
    const auto warmup = static_cast<std::int64_t>(std::ceil(spec.warmup * static_cast<double>(steps)));
    if (step < warmup) {
        return spec.learningRate * static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, warmup));
    }
    const double done = static_cast<double>(step - warmup) / static_cast<double>(std::max<std::int64_t>(1, steps - warmup));
    switch (spec.schedule) {
        case LearningSchedule::Constant: return spec.learningRate;
        case LearningSchedule::Linear: return spec.learningRate * std::max(0.0, 1.0 - done);
        case LearningSchedule::Cosine: return spec.learningRate * std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * done)));
    }
    return spec.learningRate;
}

}  // namespace pareto
