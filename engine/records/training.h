#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"

namespace pareto {

/// One step of the optimizer.
struct TrainingPoint {
    std::int64_t step = 0;    ///< from 1
    std::int64_t steps = 0;   ///< planned
    double epoch = 0.0;       ///< passes over the data so far
    double loss = 0.0;        ///< what is minimized; mean over the step's examples
    std::map<std::string, double> parts;  ///< "labels", "logits", "hidden", "attention", "relations": unweighted
    double learningRate = 0.0;
    double gradientNorm = 0.0;            ///< before clipping
    double examplesPerSecond = 0.0;       ///< of this step, without validation
    bool operator==(const TrainingPoint&) const = default;
};

/// Which classes were taken for which.
struct ConfusionMatrix {
    std::vector<std::string> classes;               ///< names, in the model's order
    std::vector<std::vector<std::int64_t>> counts;  ///< rows: true class, columns: predicted
    bool operator==(const ConfusionMatrix&) const = default;
};
/// Classes up to which a validation carries its counts: a line of the worker's protocol and a run's record hold them.
inline constexpr std::size_t kMostConfusionClasses = 64;

/// The metric on rows that were not trained on, with the weights as the recipe will run them.
struct ValidationPoint {
    std::int64_t step = 0;
    std::string metric;       ///< key of the catalogue of metrics
    double value = 0.0;
    bool best = false;        ///< so far
    std::optional<ConfusionMatrix> confusion = std::nullopt;  ///< of classifications
    bool operator==(const ValidationPoint&) const = default;
};

/// What one recovery step of a recipe did.
struct TrainingRecord {
    std::string method;       ///< recoverSummary()
    std::string source;       ///< name of the task, or the text's file
    std::int64_t steps = 0;   ///< done
    std::int64_t keptStep = 0;  ///< whose weights were kept
    std::int64_t examples = 0;  ///< rows to learn from
    std::string ended;        ///< "steps", "patience", "asked": why it ended
    double seconds = 0.0;     ///< of training alone, over all parts where it was resumed
    std::vector<TrainingPoint> points;
    std::vector<ValidationPoint> validations;
    std::vector<std::string> notes;
};

Json toJson(const TrainingPoint& point);
Json toJson(const ValidationPoint& point);
/// At most `most` points, evenly spread, with the first and the last; the counts of classes only of the last validation
/// and of the kept or best one.
Json toJson(const TrainingRecord& record, std::size_t most = 2000);
/// ConfigInvalid.
Result<TrainingPoint> trainingPointFromJson(const Json& json);
Result<ValidationPoint> validationPointFromJson(const Json& json);
Result<TrainingRecord> trainingRecordFromJson(const Json& json);

}  // namespace pareto
