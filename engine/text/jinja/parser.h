#pragma once

#include <string_view>

#include "engine/text/jinja/ast.h"

namespace pareto::text::jinja {

/// The statements of a template. Throws Failure: a line and the construct that is wrong or not
/// supported (include, import, extends, call, filter, raw and the like).
Body parse(std::string_view source);

}  // namespace pareto::text::jinja
