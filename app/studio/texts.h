#pragma once

#include <cstdint>
#include <optional>

#include <QString>

#include "engine/core/error.h"
#include "engine/core/progress.h"
#include "engine/records/metrics.h"
#include "engine/records/run_record.h"
#include "engine/spec/layers.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"
#include "engine/spec/task.h"

/// Everything the window says about values of the engine, in the language of the window. Numbers
/// follow the locale of the language.
namespace pareto::studio {

QString text(const Error& error);           ///< the translated sentence with its values
QString technicalText(const Error& error);  ///< English, for "Copy details"
QString text(Stage stage);
QString text(Unit unit, qint64 count);  ///< "samples"
QString text(RunStatus status);
QString text(const ProgressSnapshot& progress);  ///< "Evaluating 120 of 400"
QString text(NumberFormat format);
QString text(PrunePattern pattern);
QString text(LearnedPart part);
QString text(PruneMethod method);
QString text(TaskKind kind);      ///< "Classification"
QString text(DataFormat format);  ///< "Table (CSV)"
QString metricText(const MetricInfo& metric);      ///< "Latency p50"
QString metricAxisText(const MetricInfo& metric);  ///< "Latency p50, ms"; bytes become MB

/// Factor from the stored value to the shown one: 100 for "%", 1e-6 for bytes, 1e-6 for parameters.
double metricScale(const MetricInfo& metric);
QString metricUnit(const MetricInfo& metric);  ///< as shown: "%", "ms", "MB", "M"
/// "8.14" without the unit, in the scale shown.
QString metricValue(const MetricInfo& metric, double stored);
/// "8.1 ms (8.0…8.2)"
QString metricValue(const MetricInfo& metric, const Measurement& measurement);

QString megabytes(std::uint64_t bytes);           ///< "31.4 MB"
QString millions(std::int64_t count);             ///< "14.1 M"
QString percent(double share, int decimals = 0);  ///< 0.5 -> "50 %"
QString number(double value, int decimals);
QString count(qint64 value);       ///< "2,101"
QString duration(double seconds);  ///< "12 s", "3 min 20 s"
QString dateTime(qint64 msUtc);

/// Empty when the task can run on the model.
QString whyUnfitText(const Task& task, const ModelLayout& layout);
/// "CPU · 2 threads · 1×128"
QString targetText(const Target& target, bool decoder);

/// The recipe summary of the store ("H50 N50 int8") is the same in every language.
inline QString fromUtf8(const std::string& text) { return QString::fromStdString(text); }

/// The table behind text(Error): one entry an error code, for the test that compares it with
/// error_codes.def.
const char* errorSource(ErrorCode code);
const char* stageSource(Stage stage);

}  // namespace pareto::studio
