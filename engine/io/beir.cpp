#include "engine/io/beir.h"

#include <charconv>
#include <filesystem>
#include <optional>

#include "engine/core/json.h"
#include "engine/io/char_source.h"

namespace pareto::io {
namespace {

namespace fs = std::filesystem;

std::optional<int> wholeNumber(std::string_view text) {
    int value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// The text under `key`: empty when it may be missing, else an Error about the line.
Result<std::string> textOf(const Json& object, const char* key, bool required, const LineReader& lines) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        if (required) {
            return lines.invalid(std::string("the key \"") + key + "\" is missing");
        }
        return std::string();
    }
    if (found->is_string()) {
        return found->get<std::string>();
    }
    if (found->is_number_integer()) {
        return found->dump();
    }
    return lines.invalid(std::string("\"") + key + "\" must be text");
}

Result<BeirText> parseText(const std::string& line, const LineReader& lines) {
    const auto parsed = parseJson(line, lines.path());
    if (!parsed.ok()) {
        return lines.invalid("not valid JSON: " + parsed.error().args.at("reason") + " (byte " +
                             parsed.error().args.at("offset") + " of the line)");
    }
    if (!parsed->is_object()) {
        return lines.invalid("it is not a JSON object");
    }
    BeirText text;
    text.line = lines.line();
    PARETO_TRY(text.id, textOf(parsed.value(), "_id", true, lines));
    PARETO_TRY(text.title, textOf(parsed.value(), "title", false, lines));
    PARETO_TRY(text.text, textOf(parsed.value(), "text", true, lines));
    return text;
}

}  // namespace

Result<BeirFiles> beirFiles(const std::string& folder, const std::string& split) {
    const BeirFiles files{(fs::path(folder) / "corpus.jsonl").string(),
                          (fs::path(folder) / "queries.jsonl").string(),
                          (fs::path(folder) / "qrels" / (split + ".tsv")).string()};
    for (const auto& path : {files.corpus, files.queries, files.qrels}) {
        std::error_code ignored;
        if (!fs::exists(path, ignored)) {
            return makeError(ErrorCode::FileMissing, {{"file", path}});
        }
    }
    return files;
}

std::string BeirText::joined() const {
    return title.empty() || text.empty() ? title + text : title + " " + text;
}

Status readBeirTexts(const std::string& path, const std::function<Status(BeirText)>& take,
                     Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto lines, LineReader::open(path, progress, std::move(stop)));
    std::string line;
    for (;;) {
        PARETO_TRY(const bool more, lines.next(line));
        if (!more) {
            return Done{};
        }
        if (line.find_first_not_of(" \t") == std::string::npos) {
            continue;
        }
        PARETO_TRY(auto text, parseText(line, lines));
        PARETO_CHECK(take(std::move(text)));
    }
}

Result<BeirQrels> readBeirQrels(const std::string& path, Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto lines, LineReader::open(path, progress, std::move(stop)));
    BeirQrels qrels;
    std::string line;
    for (bool first = true;; first = false) {
        PARETO_TRY(const bool more, lines.next(line));
        if (!more) {
            return qrels;
        }
        if (line.empty()) {
            continue;
        }
        const auto one = line.find('\t');
        const auto two = one == std::string::npos ? one : line.find('\t', one + 1);
        if (two == std::string::npos || line.find('\t', two + 1) != std::string::npos) {
            return lines.invalid("a query, a document and a grade are expected, between tabs");
        }
        const auto grade = wholeNumber(std::string_view(line).substr(two + 1));
        if (!grade) {
            if (first) {
                continue;  // the heading
            }
            return lines.invalid("the grade \"" + line.substr(two + 1) + "\" is not a whole number");
        }
        auto document = line.substr(one + 1, two - one - 1);
        if (!qrels[line.substr(0, one)].emplace(document, *grade).second) {
            return lines.invalid("the document " + document + " is judged twice for this query");
        }
    }
}

}  // namespace pareto::io
