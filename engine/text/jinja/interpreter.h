#pragma once

#include <string>

#include "engine/text/jinja/ast.h"

namespace pareto::text::jinja {

/// What one evaluation may take. A template that wants more is stopped.
struct Limits {
    std::int64_t steps = 2'000'000;               ///< statements and expressions
    std::size_t bytes = std::size_t{64} << 20;    ///< of all texts and lists made on the way
    std::size_t output = std::size_t{8} << 20;    ///< bytes of the result
    int depth = 20;                               ///< of macros that call each other
};

/// Writes a template out. `globals` are the names it finds. Throws Failure. Reads no file, no
/// environment, no clock: functions among the globals are all that it can call.
std::string render(const Body& body, Dict globals, const Limits& limits = {});

}  // namespace pareto::text::jinja
