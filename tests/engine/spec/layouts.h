#pragma once

#include "engine/spec/layers.h"

/// Small layouts made in code: 4 blocks, width 32, 4 heads of 8, 64 neurons.
pareto::ModelLayout bertLayout();
/// The same width, 4 query heads over 2 key/value heads, lm_head tied to the table.
pareto::ModelLayout llamaLayout();
