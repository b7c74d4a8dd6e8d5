#pragma once

#include <QString>

#include "engine/core/json.h"

namespace pareto::widgets {

/// What each process did that held a part of a model while it was measured (a run's details["parts"]), a line each, in the
/// language of the window. Empty: it was one process.
QString partFactsText(const Json& parts);

}  // namespace pareto::widgets
