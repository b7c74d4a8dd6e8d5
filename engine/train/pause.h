#pragma once

#include <stop_token>

#include "engine/core/control.h"
#include "engine/core/result.h"

namespace pareto::train {

/// Returns at once, or when a pause that a person asked for is over or the end is wanted. Cancelled. `control` may be null.
Status waitWhilePaused(const Control* control, const std::stop_token& stop);

}  // namespace pareto::train
