#pragma once

#include <string>

#include "engine/core/json.h"

/// Fields of what a worker answered or a session file holds: absent or of another type means the
/// fallback, never an exception.
namespace pareto::studio {

inline const Json* fieldOf(const Json& json, const char* key) {
    if (!json.is_object()) {
        return nullptr;
    }
    const auto found = json.find(key);
    return found == json.end() ? nullptr : &*found;
}

inline double numberAt(const Json& json, const char* key, double fallback) {
    const Json* field = fieldOf(json, key);
    return field != nullptr && field->is_number() ? field->get<double>() : fallback;
}

inline std::string textAt(const Json& json, const char* key) {
    const Json* field = fieldOf(json, key);
    return field != nullptr && field->is_string() ? field->get<std::string>() : std::string{};
}

}  // namespace pareto::studio
