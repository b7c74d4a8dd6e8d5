#pragma once

#include <charconv>

#include "app/cli/command.h"

namespace pareto::cli {

/// The positional arguments from `first` on as ids of runs; at least one.
inline Result<std::vector<std::int64_t>> runIds(const Arguments& arguments, std::size_t first) {
    std::vector<std::int64_t> ids;
    for (std::size_t i = first; i < arguments.positional().size(); ++i) {
        const std::string& word = arguments.positional()[i];
        std::int64_t id = 0;
        const auto parsed = std::from_chars(word.data(), word.data() + word.size(), id);
        if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size() || id < 1) {
            return makeError(ErrorCode::UsageUnknown, {{"what", "The run " + word + " (ids are numbers)"},
                                                       {"help", arguments.help()}});
        }
        ids.push_back(id);
    }
    if (ids.empty()) {
        return makeError(ErrorCode::UsageMissing,
                         {{"what", "The id of a run"}, {"help", arguments.help()}});
    }
    return ids;
}

}  // namespace pareto::cli
