#pragma once

#include <string>

namespace pareto::cli {

/// A mapped model file that shrinks while it is read raises SIGBUS. From now on the process then
/// writes the prepared error line to `descriptor` and exits with 4 (bad input), as any other damaged
/// file would make it do.
void installBusErrorHandler(int descriptor);

/// The line for the job that begins: FileUnreadable of `model`.
void setBusErrorLine(const std::string& jobId, const std::string& model);
void clearBusErrorLine();

}  // namespace pareto::cli
