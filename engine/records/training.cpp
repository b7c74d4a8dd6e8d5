#include "engine/records/training.h"

#include <algorithm>

#include "engine/records/numbers.h"

namespace pareto {
namespace {

constexpr const char* kSource = "training";
std::int64_t step(JsonReader& reader, const char* key) { return reader.integer(key, 0, 0, INT64_MAX); }

Json toJson(const ConfusionMatrix& confusion) {
    return {{"classes", confusion.classes}, {"counts", confusion.counts}};
}

bool isCount(const Json& json) { return json.is_number_integer() && json.get<double>() >= 0.0; }

Result<ConfusionMatrix> confusionFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, kSource, "confusion");
    ConfusionMatrix out;
    out.classes = takeTexts(reader, "classes");
    const Json* counts = reader.require("counts").find("counts");
    PARETO_CHECK(reader.status());
    const auto whole = [&](const Json& row) {
        return row.is_array() && row.size() == out.classes.size() && std::all_of(row.begin(), row.end(), isCount);
    };
    if (out.classes.empty() || !counts->is_array() || counts->size() != out.classes.size() ||
        !std::all_of(counts->begin(), counts->end(), whole)) {
        reader.fail("counts", "must be a row of counts for each of the classes");
        return reader.status().error();
    }
    out.counts = counts->get<std::vector<std::vector<std::int64_t>>>();
    return out;
}

}  // namespace

Json toJson(const TrainingPoint& point) {
    Json out{{"step", point.step}, {"steps", point.steps}, {"epoch", point.epoch}};
    putNumber(out, "loss", point.loss);
    for (const auto& [name, value] : point.parts) {
        putNumber(out["parts"], name, value);
    }
    putNumber(out, "learning_rate", point.learningRate);
    putNumber(out, "gradient_norm", point.gradientNorm);
    putNumber(out, "examples_per_second", point.examplesPerSecond);
    return out;
}

Json toJson(const ValidationPoint& point) {
    Json out{{"step", point.step}, {"metric", point.metric}, {"value", point.value}, {"best", point.best}};
    if (point.confusion) {
        out["confusion"] = toJson(*point.confusion);
    }
    return out;
}

Json toJson(const TrainingRecord& record, std::size_t most) {
    Json out{{"method", record.method},     {"source", record.source}, {"steps", record.steps},
             {"kept_step", record.keptStep}, {"examples", record.examples}, {"ended", record.ended},
             {"seconds", record.seconds},   {"points", Json::array()}, {"validations", Json::array()},
             {"notes", record.notes}};
    const std::size_t count = record.points.size();
    const std::size_t shown = std::min(count, most);
    for (std::size_t i = 0; i < shown; ++i) {
        const std::size_t at = shown < 2 ? count - 1 : i * (count - 1) / (shown - 1);
        out["points"].push_back(toJson(record.points[at]));
    }
    std::int64_t kept = record.keptStep;
    for (const auto& point : record.validations) {
        kept = record.keptStep == 0 && point.best ? point.step : kept;
    }
    for (const auto& point : record.validations) {
        Json one = toJson(point);
        if (point.step != kept && point.step != record.validations.back().step) {
            one.erase("confusion");
        }
        out["validations"].push_back(std::move(one));
    }
    return out;
}

Result<TrainingPoint> trainingPointFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, kSource);
    TrainingPoint out;
    out.step = step(reader.require("step"), "step");
    out.steps = step(reader, "steps");
    out.epoch = takeNumber(reader, "epoch");
    out.loss = takeNumber(reader, "loss");
    if (const Json* parts = reader.find("parts"); parts != nullptr && parts->is_object()) {
        for (const auto& [name, value] : parts->items()) {
            if (value.is_number()) {
                out.parts[name] = value.get<double>();
            }
        }
    }
    out.learningRate = takeNumber(reader, "learning_rate");
    out.gradientNorm = takeNumber(reader, "gradient_norm");
    out.examplesPerSecond = takeNumber(reader, "examples_per_second");
    PARETO_CHECK(reader.status());
    return out;
}

Result<ValidationPoint> validationPointFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, kSource);
    ValidationPoint out;
    out.step = step(reader.require("step"), "step");
    out.metric = reader.text("metric");
    out.value = takeNumber(reader.require("value"), "value");
    out.best = reader.boolean("best", false);
    PARETO_CHECK(reader.status());
    if (const Json* confusion = reader.find("confusion"); confusion != nullptr && !confusion->is_null()) {
        PARETO_TRY(out.confusion, confusionFromJson(*confusion));
    }
    return out;
}

Result<TrainingRecord> trainingRecordFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, kSource);
    TrainingRecord out;
    out.method = reader.text("method");
    out.source = reader.text("source");
    out.steps = step(reader, "steps");
    out.keptStep = step(reader, "kept_step");
    out.examples = step(reader, "examples");
    out.ended = reader.text("ended");
    out.seconds = takeNumber(reader, "seconds");
    out.notes = takeTexts(reader, "notes");
    PARETO_CHECK(reader.status());
    if (const Json* points = reader.find("points"); points != nullptr && points->is_array()) {
        for (const auto& point : *points) {
            PARETO_TRY(auto read, trainingPointFromJson(point));
            out.points.push_back(std::move(read));
        }
    }
    if (const Json* points = reader.find("validations"); points != nullptr && points->is_array()) {
        for (const auto& point : *points) {
            PARETO_TRY(auto read, validationPointFromJson(point));
            out.validations.push_back(std::move(read));
        }
    }
    return out;
}

}  // namespace pareto
