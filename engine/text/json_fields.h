#pragma once

#include "engine/core/json.h"

namespace pareto::text {

/// Lenient reads of a tokenizer.json's fields: anything else than the wanted type is the fallback.
inline std::string textOf(const Json& json, const char* key, std::string fallback = {}) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : fallback;
}
inline bool flagOf(const Json& json, const char* key, bool fallback) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found != json.end() && found->is_boolean() ? found->get<bool>() : fallback;
}
/// The value, or a JSON null.
inline const Json& fieldOf(const Json& json, const char* key) {
    static const Json kNull;
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found != json.end() ? *found : kNull;
}

/// A token that is written as its text or as an object with "content".
inline std::string tokenIn(const Json& json, const char* key) {
    const Json& value = fieldOf(json, key);
    return value.is_object() ? textOf(value, "content") : textOf(json, key);
}

}  // namespace pareto::text
