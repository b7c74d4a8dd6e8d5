#include "engine/tasks/windows.h"

#include <algorithm>

#include "engine/core/file_hash.h"
#include "engine/io/table.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

bool startsWithBos(const text::Tokenizer& tokenizer) {
    const auto ids = tokenizer.encode("a").ids;
    return !ids.empty() && tokenizer.bosId() >= 0 && ids.front() == tokenizer.bosId();
}

void planWindows(const Task& task, const text::Tokenizer& tokenizer, WindowedText& text) {
    const auto tokens = text.ids.size();
    if (task.protocol == "strided") {
        const auto stride = std::max<std::size_t>(1, text.size / 2);
        for (std::size_t begin = 0; begin + text.size <= tokens; begin += stride) {
            text.windows.push_back({begin, begin == 0 ? 1 : text.size - stride});
        }
    } else {
        const bool half = task.protocol == "llama.cpp";
        if (half && startsWithBos(tokenizer)) {
            text.bosOfWindows = tokenizer.bosId();
        }
        for (std::size_t begin = 0; begin + text.size <= tokens; begin += text.size) {
            text.windows.push_back({begin, half ? text.size / 2 + 1 : 1});
        }
    }
    text.available = text.windows.size();
    if (task.limit > 0 && text.windows.size() > static_cast<std::size_t>(task.limit)) {
        text.windows.resize(static_cast<std::size_t>(task.limit));
    }
}

}  // namespace

std::vector<std::int32_t> WindowedText::tokens(const Window& window) const {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(window.begin);
    std::vector<std::int32_t> out(first, first + static_cast<std::ptrdiff_t>(size));
    if (bosOfWindows >= 0) {
        out.front() = bosOfWindows;
    }
    return out;
}

Json WindowedText::details(const Task& task, const text::Tokenizer& tokenizer) const {
    std::size_t scored = 0;
    for (const auto& window : windows) {
        scored += size - window.scoreFrom;
    }
    return {{"protocol", task.protocol},
            {"window", task.window},
            {"windows", windows.size()},
            {"windows_available", available},
            {"tokens_scored", scored},
            {"tokens_of_text", ids.size()},
            {"bos_each_window", bosOfWindows >= 0},
            {"bos_at_start", startsWithBos(tokenizer)}};
}

Result<WindowedText> windowText(const Task& task, const text::Tokenizer& tokenizer, Progress& progress,
                                std::stop_token stop) {
    progress.begin(Stage::Tokenizing);
    WindowedText out;
    out.size = static_cast<std::size_t>(task.window);
    PARETO_TRY(const auto file, taskFile(task));
    PARETO_TRY(const auto text, io::readPlainText(file));
    PARETO_TRY(out.hash, hashFile(file, stop));
    out.ids = tokenizer.encode(text).ids;
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    planWindows(task, tokenizer, out);
    if (out.windows.empty()) {
        return makeError(ErrorCode::DataEmpty,
                         {{"file", file}, {"split", task.split.empty() ? "all" : task.split}},
                         std::to_string(out.ids.size()) + " tokens are fewer than one window of " +
                             std::to_string(task.window));
    }
    return out;
}

}  // namespace pareto::tasks
