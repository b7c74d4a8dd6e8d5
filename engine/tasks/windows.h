#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/spec/task.h"
#include "engine/text/tokenizer.h"

namespace pareto::tasks {

/// One window of a text: tokens [begin, begin + window), scored from `scoreFrom` (counted in the
/// window, ≥ 1) on.
struct Window {
    std::size_t begin = 0;
    std::size_t scoreFrom = 1;
};

/// A plain text as tokens and the windows that a protocol (perplexity.h) makes of it.
struct WindowedText {
    std::string hash;                ///< SHA-256 of the file
    std::vector<std::int32_t> ids;
    std::vector<Window> windows;     ///< of Task::window tokens; after `limit`
    std::size_t size = 0;            ///< tokens of a window
    std::size_t available = 0;       ///< windows before `limit`
    std::int32_t bosOfWindows = -1;  ///< stands for the first token of each window; -1: nothing does

    std::vector<std::int32_t> tokens(const Window& window) const;
    /// For EvalResult::details.
    Json details(const Task& task, const text::Tokenizer& tokenizer) const;
};

/// DataEmpty when the text has no whole window; errors of the file.
Result<WindowedText> windowText(const Task& task, const text::Tokenizer& tokenizer, Progress& progress,
                                std::stop_token stop);

}  // namespace pareto::tasks
