#pragma once

#include <vector>

#include <QString>

#include "engine/core/json.h"

namespace pareto::widgets {

struct GpuFact {
    QString label;
    QString value;
};

/// What was read of a GPU while something was measured on it (a run's details["gpu"], a profile's `gpu`), in the
/// language of the window. What was not read is not there; nothing at all of a measurement on the CPU.
std::vector<GpuFact> gpuFacts(const Json& gpu);

/// "GPU memory at most: 1.2 GB · GPU power: 320 W of 700 W · …"
QString gpuFactsText(const Json& gpu);

}  // namespace pareto::widgets
