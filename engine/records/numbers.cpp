#include "engine/records/numbers.h"

#include <cmath>
#include <limits>

#include "engine/records/metrics.h"

namespace pareto {
namespace {

constexpr const char* kFlag = "_nonfinite";

const char* flagOf(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    return value > 0 ? "inf" : "-inf";
}

bool valueOfFlag(const Json& flag, double& value) {
    if (!flag.is_string()) {
        return false;
    }
    const auto& text = flag.get_ref<const std::string&>();
    if (text == "nan") {
        value = std::numeric_limits<double>::quiet_NaN();
    } else if (text == "inf") {
        value = std::numeric_limits<double>::infinity();
    } else if (text == "-inf") {
        value = -std::numeric_limits<double>::infinity();
    } else {
        return false;
    }
    return true;
}

const Json* takeArray(JsonReader& reader, const std::string& key) {
    const Json* array = reader.find(key);
    if (array != nullptr && !array->is_array()) {
        reader.fail(key, "must be a list");
        return nullptr;
    }
    return array;
}

}  // namespace

void putNumber(Json& object, const std::string& key, double value) {
    if (std::isfinite(value)) {
        object[key] = value;
        return;
    }
    object[key] = nullptr;
    object[key + kFlag] = flagOf(value);
}

void putFigure(Json& object, const std::string& key, std::string_view metric, double value) {
    constexpr double kExact = 9007199254740992.0;  // 2⁵³: whole numbers up to here are themselves
    const MetricInfo* info = findMetric(metric);
    if (info != nullptr && info->decimals == 0 && std::abs(value) <= kExact &&
        value == std::floor(value)) {
        object[key] = static_cast<std::int64_t>(value);
    } else {
        putNumber(object, key, value);
    }
}

void putNumbers(Json& object, const std::string& key, const std::vector<double>& values) {
    Json list = Json::array();
    Json flags = Json::object();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i])) {
            list.push_back(values[i]);
        } else {
            list.push_back(nullptr);
            flags[std::to_string(i)] = flagOf(values[i]);
        }
    }
    object[key] = std::move(list);
    if (!flags.empty()) {
        object[key + kFlag] = std::move(flags);
    }
}

double takeNumber(JsonReader& reader, const std::string& key, double fallback) {
    const Json* value = reader.find(key);
    if (value == nullptr) {
        return fallback;
    }
    if (value->is_number()) {
        return value->get<double>();
    }
    double flagged = fallback;
    const Json* flag = reader.find(key + kFlag);
    if (!value->is_null() || flag == nullptr || !valueOfFlag(*flag, flagged)) {
        reader.fail(key, "must be a number");
    }
    return flagged;
}

std::vector<double> takeNumbers(JsonReader& reader, const std::string& key) {
    std::vector<double> values;
    const Json* list = takeArray(reader, key);
    if (list == nullptr) {
        return values;
    }
    const Json* flags = reader.find(key + kFlag);
    values.reserve(list->size());
    for (const auto& element : *list) {
        double value = 0.0;
        if (element.is_number()) {
            value = element.get<double>();
        } else {
            const auto index = std::to_string(values.size());
            const bool known = element.is_null() && flags != nullptr && flags->is_object() &&
                               flags->contains(index) && valueOfFlag((*flags)[index], value);
            if (!known) {
                reader.fail(key, "must hold numbers only");
                return {};
            }
        }
        values.push_back(value);
    }
    return values;
}

std::vector<std::int64_t> takeIntegers(JsonReader& reader, const std::string& key) {
    std::vector<std::int64_t> values;
    const Json* list = takeArray(reader, key);
    if (list == nullptr) {
        return values;
    }
    values.reserve(list->size());
    for (const auto& element : *list) {
        const bool tooLarge = element.is_number_unsigned() &&
                              element.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
        if (!element.is_number_integer() || tooLarge) {
            reader.fail(key, "must hold whole numbers only");
            return {};
        }
        values.push_back(element.get<std::int64_t>());
    }
    return values;
}

std::uint64_t takeUnsigned(JsonReader& reader, const std::string& key, std::uint64_t fallback) {
    const Json* value = reader.find(key);
    if (value == nullptr) {
        return fallback;
    }
    // A positive number made in code is "signed" to the library, one that was parsed "unsigned".
    if (!value->is_number_integer() ||
        (!value->is_number_unsigned() && value->get<std::int64_t>() < 0)) {
        reader.fail(key, "must be a whole number that is not negative");
        return fallback;
    }
    return value->get<std::uint64_t>();
}

std::vector<std::string> takeTexts(JsonReader& reader, const std::string& key) {
    std::vector<std::string> texts;
    const Json* list = takeArray(reader, key);
    if (list == nullptr) {
        return texts;
    }
    for (const auto& element : *list) {
        if (!element.is_string()) {
            reader.fail(key, "must hold texts only");
            return {};
        }
        texts.push_back(element.get<std::string>());
    }
    return texts;
}

}  // namespace pareto
