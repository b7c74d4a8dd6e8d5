#include "app/studio/data/item_texts.h"

#include <algorithm>
#include <optional>

#include "app/studio/data_file.h"
#include "engine/core/progress.h"
#include "engine/io/beir.h"
#include "engine/io/squad.h"
#include "engine/io/table.h"
#include "engine/io/tagged_text.h"

namespace pareto::studio {

namespace {

constexpr std::size_t kMostBytes = 600;

/// Cut between characters.
std::string shortened(std::string text) {
    if (text.size() > kMostBytes) {
        auto end = kMostBytes;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        text.resize(end);
        text += "…";
    }
    return text;
}

/// The roles that say what an item is and what is expected of it, the first that the kind has.
std::string_view textRole(TaskKind kind) {
    switch (kind) {
    case TaskKind::TokenClassification: return "tokens";
    case TaskKind::QuestionAnswering: return "question";
    case TaskKind::Translation: return "source";
    case TaskKind::Dialogue: return "messages";
    default: return "text";
    }
}

std::string_view expectedRole(TaskKind kind) {
    switch (kind) {
    case TaskKind::Classification:
    case TaskKind::MultipleChoice: return "label";
    case TaskKind::TokenClassification: return "tags";
    case TaskKind::QuestionAnswering: return "answers";
    case TaskKind::Translation:
    case TaskKind::Generation: return "target";
    case TaskKind::Similarity: return "score";
    default: return {};
    }
}

Result<ItemTexts> readTableTexts(const Task& task, const std::vector<std::int64_t>& items,
                                 Progress& progress, std::stop_token stop) {
    io::TableOptions options;
    options.format = task.format == DataFormat::Tsv     ? io::TableFormat::Tsv
                     : task.format == DataFormat::Jsonl ? io::TableFormat::Jsonl
                                                        : io::TableFormat::Csv;
    options.maxRows = std::min(items.back() + 1, kMostItemRows);
    PARETO_TRY(auto table, io::readTable(dataFileOf(task).toStdString(), options, progress, stop));
    PARETO_TRY(const auto text, table.column(task.column(textRole(task.kind))));
    std::optional<std::size_t> expected;
    std::optional<std::size_t> pair;
    if (const auto role = expectedRole(task.kind); !role.empty()) {
        PARETO_TRY(expected, table.column(task.column(role)));
    }
    if (task.hasColumn("pair")) {
        PARETO_TRY(pair, table.column(task.column("pair")));
    }
    ItemTexts out;
    for (const auto item : items) {
        if (item < 0 || item >= static_cast<std::int64_t>(table.rows.size())) {
            continue;
        }
        auto& cells = table.rows[static_cast<std::size_t>(item)].cells;
        ItemText& found = out[item];
        found.text = shortened(std::move(cells[text]));
        if (pair) {
            found.text += " ‖ " + shortened(std::move(cells[*pair]));
        }
        if (expected) {
            found.expected = shortened(std::move(cells[*expected]));
        }
    }
    return out;
}

/// Plain texts of which every line is an item (fidelity of encoders).
Result<ItemTexts> readLineTexts(const Task& task, const std::vector<std::int64_t>& items) {
    PARETO_TRY(const auto whole, io::readPlainText(dataFileOf(task).toStdString(), 64 << 20));
    ItemTexts out;
    std::int64_t row = 0;
    auto wanted = items.begin();
    for (std::size_t begin = 0; begin < whole.size() && wanted != items.end();) {
        const auto end = std::min(whole.find('\n', begin), whole.size());
        const std::string_view line(whole.data() + begin, end - begin);
        begin = end + 1;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        if (row++ == *wanted) {
            out[*wanted++].text = shortened(std::string(line));
        }
    }
    return out;
}

std::string joined(const std::vector<std::string>& texts, const char* between) {
    std::string out;
    for (const auto& text : texts) {
        out += (out.empty() ? "" : between) + text;
    }
    return shortened(std::move(out));
}

Result<ItemTexts> readSquadTexts(const Task& task, const std::vector<std::int64_t>& items,
                                 Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, io::readSquad(dataFileOf(task).toStdString(), progress, stop));
    ItemTexts out;
    for (const auto item : items) {
        if (item >= 0 && item < static_cast<std::int64_t>(data.questions.size())) {
            const auto& question = data.questions[static_cast<std::size_t>(item)];
            out[item] = {shortened(question.question), joined(question.answers, " | ")};
        }
    }
    return out;
}

Result<ItemTexts> readSentenceTexts(const Task& task, const std::vector<std::int64_t>& items,
                                    Progress& progress, std::stop_token stop) {
    ItemTexts out;
    std::int64_t row = 0;
    auto wanted = items.begin();
    const auto take = [&](io::TaggedSentence sentence) -> Status {
        if (wanted != items.end() && row++ == *wanted) {
            out[*wanted++] = {joined(sentence.words, " "), joined(sentence.tags, " ")};
        }
        return Done{};
    };
    PARETO_CHECK(io::readTaggedText(dataFileOf(task).toStdString(), take, progress, stop));
    return out;
}

/// Items are queries.
Result<ItemTexts> readQueryTexts(const Task& task, const std::vector<std::int64_t>& items,
                                 Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto files, io::beirFiles(task.data, task.split));
    ItemTexts out;
    std::int64_t row = 0;
    auto wanted = items.begin();
    const auto take = [&](io::BeirText query) -> Status {
        if (wanted != items.end() && row++ == *wanted) {
            out[*wanted++].text = shortened(query.text);
        }
        return Done{};
    };
    PARETO_CHECK(io::readBeirTexts(files.queries, take, progress, stop));
    return out;
}

}  // namespace

Result<ItemTexts> readItemTexts(const Task& task, std::vector<std::int64_t> items,
                                std::stop_token stop) {
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    const bool windows = task.kind == TaskKind::Perplexity;
    if (items.empty() || windows) {
        return ItemTexts{};
    }
    Progress progress;
    switch (task.format) {
    case DataFormat::Text:
        return readLineTexts(task, items);
    case DataFormat::Csv:
    case DataFormat::Tsv:
    case DataFormat::Jsonl:
        return readTableTexts(task, items, progress, stop);
    case DataFormat::Squad:
        return readSquadTexts(task, items, progress, stop);
    case DataFormat::Beir:
        return readQueryTexts(task, items, progress, stop);
    case DataFormat::Conll:
        return readSentenceTexts(task, items, progress, stop);
    }
    return ItemTexts{};
}

}  // namespace pareto::studio
