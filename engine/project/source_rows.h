#pragma once

#include <optional>

#include "engine/project/prepare.h"

namespace pareto::project {

/// One row as it lies in the source.
struct SourceRow {
    std::string text;
    std::string label;
    std::optional<Split> split;  ///< where the source says one
    std::size_t file = 0;
    std::int64_t line = 0;
};

/// Reads the files of options.source, picks the columns and fills the report's files, columns and
/// splitsFrom. Errors as prepareData.
Result<std::vector<SourceRow>> readSource(const DataOptions& options, DataReport& report,
                                          Progress& progress, std::stop_token stop);

}  // namespace pareto::project
