#pragma once

#include <cstdint>
#include <string>

#include "engine/core/json.h"

namespace pareto::trace {

/// Chrome's trace event format, of which chrome://tracing and Perfetto open the JSON form. `what`: "process_name", "thread_name".
inline Json named(const char* what, const std::string& name, int process, std::int64_t thread) {
    return {
        {"name", what}, {"ph", "M"}, {"pid", process}, {"tid", thread}, {"args", {{"name", name}}}};
}

/// A complete event, in microseconds; name, category and arguments are the caller's.
inline Json complete(int process, std::int64_t thread, double beginUs, double durationUs) {
    return {{"ph", "X"},     {"pid", process},    {"tid", thread},
            {"ts", beginUs}, {"dur", durationUs}, {"args", Json::object()}};
}

}  // namespace pareto::trace
