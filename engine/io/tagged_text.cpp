#include "engine/io/tagged_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/io/char_source.h"

namespace pareto::io {
namespace {

constexpr std::size_t kMaxWords = 65536;

bool isBlank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

/// With a tab in the line tabs alone separate, for words may hold spaces then.
std::vector<std::string> columnsOf(std::string_view line) {
    const bool tabs = line.find('\t') != std::string_view::npos;
    const char separator = tabs ? '\t' : ' ';
    std::vector<std::string> columns;
    for (std::size_t begin = 0; begin <= line.size();) {
        const auto end = std::min(line.find(separator, begin), line.size());
        if (tabs || end > begin) {
            columns.emplace_back(line.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return columns;
}

bool looksLikeTag(std::string_view text) {
    return text == "O" || (text.size() > 2 && text[1] == '-' &&
                           std::string_view("BIESLU").find(text[0]) != std::string_view::npos);
}

class TaggedReader {
public:
    TaggedReader(LineReader& lines, const std::function<Status(TaggedSentence)>& take)
        : m_lines(lines), m_take(take) {}

    Status run() {
        std::string line;
        for (;;) {
            PARETO_TRY(const bool more, m_lines.next(line));
            if (!more || isBlank(line)) {
                PARETO_CHECK(endSentence());
            } else {
                PARETO_CHECK(addWord(line));
            }
            if (!more) {
                return Done{};
            }
        }
    }

private:
    Status endSentence() {
        if (m_sentence.words.empty()) {
            return Done{};
        }
        return m_take(std::exchange(m_sentence, {}));
    }

    Status addWord(const std::string& line) {
        auto columns = columnsOf(line);
        if (line.starts_with("-DOCSTART-") ||
            (m_sentence.words.empty() && line.starts_with("#") && !looksLikeTag(columns.back()))) {
            return Done{};
        }
        if (columns.size() < 2 || columns.front().empty() || columns.back().empty()) {
            return m_lines.invalid("a word and its tag are expected, in two columns or more");
        }
        m_columns = m_columns == 0 ? columns.size() : m_columns;
        if (columns.size() != m_columns) {
            return m_lines.invalid("it has " + std::to_string(columns.size()) +
                                   " columns, the first line has " + std::to_string(m_columns));
        }
        if (m_sentence.words.size() >= kMaxWords) {
            return m_lines.invalid("the sentence has more than 65536 words; a blank line must stand "
                                   "between sentences");
        }
        if (m_sentence.words.empty()) {
            m_sentence.line = m_lines.line();
        }
        m_sentence.words.push_back(std::move(columns.front()));
        m_sentence.tags.push_back(std::move(columns.back()));
        return Done{};
    }

    LineReader& m_lines;
    const std::function<Status(TaggedSentence)>& m_take;
    TaggedSentence m_sentence;
    std::size_t m_columns = 0;
};

}  // namespace

Status readTaggedText(const std::string& path, const std::function<Status(TaggedSentence)>& take,
                      Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto lines, LineReader::open(path, progress, std::move(stop)));
    return TaggedReader(lines, take).run();
}

}  // namespace pareto::io
