#pragma once

#include <string>
#include <vector>

#include "engine/store/store.h"

/// How stored runs are listed, as JSON, text and CSV.
namespace pareto::cli {

Json summaryToJson(const store::RunSummary& run);
std::string summaryTable(const std::vector<store::RunSummary>& runs);
/// RFC 4180 with a header line; numbers with all their digits, times in UTC; the same bytes in every
/// locale.
std::string summaryCsv(const std::vector<store::RunSummary>& runs);
std::string runText(const RunRecord& run);

}  // namespace pareto::cli
