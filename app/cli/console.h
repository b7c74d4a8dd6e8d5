#pragma once

#include <string_view>
#include <thread>

#include "engine/core/progress.h"

namespace pareto::cli {

/// Shows a job's progress on stderr while it lives: one line that is rewritten on a terminal, a line
/// for each stage elsewhere. Nothing when quiet.
class ProgressPrinter {
public:
    ProgressPrinter(const Progress& progress, bool quiet);
    ~ProgressPrinter();   ///< clears the line
    ProgressPrinter(const ProgressPrinter&) = delete;
    ProgressPrinter& operator=(const ProgressPrinter&) = delete;

private:
    std::jthread m_thread;
};

/// Writes to stdout at once, after clearing a progress line.
void writeOut(std::string_view text);
/// The same on stderr.
void writeError(std::string_view text);

}  // namespace pareto::cli
