#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/core/json.h"
#include "engine/records/run_record.h"

namespace pareto {

/// A measurement from `n` values with the interval that they gave. Fewer than two values say nothing
/// about their spread: the interval is absent then.
inline Measurement measuredFrom(std::string key, double value, double low, double high,
                                std::int64_t n) {
    Measurement measurement{std::move(key), value, std::nullopt, std::nullopt, n};
    if (n >= 2) {
        measurement.low = low;
        measurement.high = high;
    }
    return measurement;
}

Json measurementsToJson(const std::vector<Measurement>& measurements);
/// The way back; what is wrong is said through `reader`.
std::vector<Measurement> takeMeasurements(JsonReader& reader, const std::string& key);

}  // namespace pareto
