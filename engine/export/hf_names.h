#pragma once

#include <string>

#include "engine/spec/layers.h"

namespace pareto::exporting {

/// Number of a sentence-transformers Dense module ("dense.1" -> 1), -1 for any other layer.
int denseNumber(const std::string& layer);

}  // namespace pareto::exporting
