#pragma once

#include <QString>

namespace pareto::studio {

struct Job;

/// How a job ended, in the language of the window; empty while it has not.
QString outcomeText(const Job& job);
/// The folder that an export wrote; empty for other jobs and before it is written.
QString exportFolder(const Job& job);

}  // namespace pareto::studio
