#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/kernels/kernel_table.h"

namespace pareto::kernels {

/// Tables this processor can run, best first; "reference" is always the last.
const std::vector<const KernelTable*>& supportedTables();
/// Names of every table the program has, best first.
std::vector<std::string> tableNames();

/// The table called `name`; empty: the best one. UsageUnknown when the name is not known or this
/// processor lacks what it needs; the error names those it can run.
Result<const KernelTable*> tableByName(const std::string& name);
/// The table of this process: $PARETO_ISA, else the best.
Result<const KernelTable*> chooseTable();

}  // namespace pareto::kernels
