#include "engine/records/measured.h"

#include <limits>

#include "engine/records/numbers.h"

namespace pareto {

Json measurementsToJson(const std::vector<Measurement>& measurements) {
    Json list = Json::array();
    for (const auto& measurement : measurements) {
        Json object{{"key", measurement.key}, {"n", measurement.n}};
        putFigure(object, "value", measurement.key, measurement.value);
        if (measurement.low) {
            putNumber(object, "ci_low", *measurement.low);
        }
        if (measurement.high) {
            putNumber(object, "ci_high", *measurement.high);
        }
        list.push_back(std::move(object));
    }
    return list;
}

std::vector<Measurement> takeMeasurements(JsonReader& reader, const std::string& key) {
    std::vector<Measurement> out;
    const Json* list = reader.find(key);
    if (list != nullptr && !list->is_array()) {
        reader.fail(key, "must be a list");
    }
    for (std::size_t i = 0; list != nullptr && !reader.failed() && i < list->size(); ++i) {
        const auto name = key + "[" + std::to_string(i) + "]";
        JsonReader element((*list)[i], ErrorCode::ConfigInvalid, "measurements", reader.fieldName(name));
        Measurement measurement;
        measurement.key = element.require("key").text("key");
        element.require("value");
        measurement.value = takeNumber(element, "value");
        if (element.has("ci_low")) {
            measurement.low = takeNumber(element, "ci_low");
        }
        if (element.has("ci_high")) {
            measurement.high = takeNumber(element, "ci_high");
        }
        measurement.n = element.integer("n", 0, 0, std::numeric_limits<std::int64_t>::max());
        if (const auto status = element.status(); !status.ok()) {
            reader.fail(name, status.error().args.at("field") + " " + status.error().args.at("reason"));
        }
        out.push_back(std::move(measurement));
    }
    return out;
}

}  // namespace pareto
