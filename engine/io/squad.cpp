#include "engine/io/squad.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "engine/core/json.h"
#include "engine/io/char_source.h"

namespace pareto::io {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{2} << 30;
constexpr std::size_t kMaxDepth = 64;

/// A CharSource as the input iterator that the parser wants. Copies share the source, as the copies of
/// any input iterator do. The parser takes a NUL for the end: it is noted, and the file refused.
class CharIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = char;

    CharIterator() = default;
    CharIterator(CharSource& source, std::optional<std::uint64_t>& nul) : m_source(&source), m_nul(&nul) {}
    char operator*() const {
        const char c = static_cast<char>(m_source->peek());
        if (c == '\0' && !*m_nul) {
            *m_nul = m_source->offset();
        }
        return c;
    }
    CharIterator& operator++() {
        m_source->next();
        return *this;
    }
    CharIterator operator++(int) {
        CharIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CharIterator& other) const { return atEnd() == other.atEnd(); }

private:
    bool atEnd() const { return m_source == nullptr || m_source->peek() < 0; }
    CharSource* m_source = nullptr;
    std::optional<std::uint64_t>* m_nul = nullptr;
};

/// Where the parser stands: one level for each open object or array.
struct Level {
    bool array = false;
    std::string key;         ///< of the value that comes next, in an object
    std::int64_t index = -1; ///< of the value that is being read, in an array
};

/// Takes the events of the parser and keeps contexts, questions and answers. What a value is for follows
/// from its path alone ("data[].paragraphs[].qas[].id").
class SquadBuilder : public nlohmann::json_sax<Json> {
public:
    explicit SquadBuilder(const std::string& file)
        : m_error(makeError(ErrorCode::JsonInvalid,
                            {{"file", file}, {"offset", "0"}, {"reason", "no JSON"}})),
          m_file(file) {}

    bool null() override { return scalar(nullptr); }
    bool boolean(bool value) override {
        const auto shape = enter();
        if (shape == "data[].paragraphs[].qas[].is_impossible") {
            m_impossible = value;
            return true;
        }
        return refuseWhereTextBelongs(shape);
    }
    bool number_integer(number_integer_t) override { return scalar(nullptr); }
    bool number_unsigned(number_unsigned_t value) override {
        const auto shape = enter();
        if (shape == "data[].paragraphs[].qas[].answers[].answer_start") {
            m_start = static_cast<std::int64_t>(std::min<number_unsigned_t>(value, kMaxFileBytes));
            return true;
        }
        return refuseWhereTextBelongs(shape);
    }
    bool number_float(number_float_t, const string_t&) override { return scalar(nullptr); }
    bool string(string_t& value) override { return scalar(&value); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override {
        const auto shape = enter();
        if (m_levels.empty()) {
            return push(false);
        }
        if (shape == "data[].paragraphs[]") {
            m_context.reset();
            m_first = m_data.questions.size();
        } else if (shape == "data[].paragraphs[].qas[]") {
            m_question.reset();
            m_id.reset();
            m_answers.clear();
            m_starts.clear();
            m_impossible = false;
        } else if (shape == "data[].paragraphs[].qas[].answers[]") {
            m_answered = false;
            m_start = -1;
        } else if (isList(shape) || isText(shape)) {
            return refuse(isText(shape) ? "must be text" : "must be a list");
        }
        return push(false);
    }
    bool start_array(std::size_t) override {
        const auto shape = enter();
        if (m_levels.empty()) {
            return refuse("must be an object");
        }
        if (isText(shape) || isObject(shape)) {
            return refuse(isText(shape) ? "must be text" : "must be an object");
        }
        m_hasData = m_hasData || shape == "data";
        return push(true);
    }
    bool key(string_t& name) override {
        m_levels.back().key = std::move(name);
        return true;
    }
    bool end_array() override {
        m_levels.pop_back();
        return true;
    }
    bool end_object() override {
        m_levels.pop_back();
        if (m_levels.empty()) {
            return m_hasData || refuse("is missing", "data");
        }
        const auto shape = shapeOf();
        if (shape == "data[].paragraphs[].qas[].answers[]") {
            m_starts.push_back(m_start);
            return m_answered || refuse("is missing", "text");
        }
        if (shape == "data[].paragraphs[].qas[]") {
            return endQuestion();
        }
        if (shape == "data[].paragraphs[]" && m_data.questions.size() > m_first) {
            return endParagraph();
        }
        return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& problem) override {
        std::string reason = problem.what();
        if (const auto bracket = reason.find("] "); bracket != std::string::npos) {
            reason.erase(0, bracket + 2);
        }
        m_error = makeError(ErrorCode::JsonInvalid, {{"file", m_file},
                                                     {"offset", std::to_string(position)},
                                                     {"reason", std::move(reason)}});
        return false;
    }

    Error m_error;
    SquadData m_data;

private:
    static bool isText(std::string_view shape) {
        return shape == "data[].paragraphs[].context" || shape == "data[].paragraphs[].qas[].question" ||
               shape == "data[].paragraphs[].qas[].id" ||
               shape == "data[].paragraphs[].qas[].answers[].text";
    }
    static bool isList(std::string_view shape) {
        return shape == "data" || shape == "data[].paragraphs" || shape == "data[].paragraphs[].qas" ||
               shape == "data[].paragraphs[].qas[].answers";
    }
    static bool isObject(std::string_view shape) {
        return shape == "data[]" || shape == "data[].paragraphs[]" ||
               shape == "data[].paragraphs[].qas[]" || shape == "data[].paragraphs[].qas[].answers[]";
    }

    /// The path of the value that is being read, with or without the positions in lists.
    std::string pathOf(bool positions) const {
        std::string path;
        for (const auto& level : m_levels) {
            if (level.array) {
                path += '[';
                path += positions ? std::to_string(level.index) : "";
                path += ']';
            } else {
                path += (path.empty() ? "" : ".") + level.key;
            }
        }
        return path;
    }
    std::string shapeOf() const { return m_levels.size() > kMaxKept ? std::string("-") : pathOf(false); }
    /// A value begins.
    std::string enter() {
        if (!m_levels.empty() && m_levels.back().array) {
            ++m_levels.back().index;
        }
        return shapeOf();
    }
    bool push(bool array) {
        if (m_levels.size() >= kMaxDepth) {
            return refuse("is nested more than 64 levels deep");
        }
        m_levels.push_back({array, {}, -1});
        return true;
    }

    bool scalar(std::string* text) {
        const auto shape = enter();
        if (text == nullptr) {
            return refuseWhereTextBelongs(shape);
        }
        if (shape == "version") {
            m_data.version = std::move(*text);
        } else if (shape == "data[].paragraphs[].context") {
            m_context = std::move(*text);
        } else if (shape == "data[].paragraphs[].qas[].question") {
            m_question = std::move(*text);
        } else if (shape == "data[].paragraphs[].qas[].id") {
            m_id = std::move(*text);
        } else if (shape == "data[].paragraphs[].qas[].answers[].text") {
            m_answers.push_back(std::move(*text));
            m_answered = true;
        } else if (m_levels.empty() || isList(shape) || isObject(shape)) {
            return refuse(isList(shape) ? "must be a list" : "must be an object");
        }
        return true;
    }
    bool refuseWhereTextBelongs(std::string_view shape) {
        if (isText(shape)) {
            return refuse("must be text");
        }
        if (m_levels.empty() || isList(shape) || isObject(shape)) {
            return refuse(isList(shape) ? "must be a list" : "must be an object");
        }
        return true;
    }

    bool endQuestion() {
        if (!m_id || !m_question) {
            return refuse("is missing", m_id ? "question" : "id");
        }
        SquadQuestion question;
        question.id = std::move(*m_id);
        question.question = std::move(*m_question);
        question.context = m_data.contexts.size();
        if (!m_impossible) {
            question.answers = std::move(m_answers);
            question.starts = std::move(m_starts);
        }
        m_answers.clear();
        m_starts.clear();
        m_data.questions.push_back(std::move(question));
        return true;
    }
    bool endParagraph() {
        if (!m_context) {
            return refuse("is missing", "context");
        }
        m_data.contexts.push_back(std::move(*m_context));
        return true;
    }

    bool refuse(std::string reason, const std::string& key = {}) {
        std::string path = pathOf(true);
        if (!key.empty()) {
            path += (path.empty() ? "" : ".") + key;
        }
        m_error = makeError(ErrorCode::ConfigInvalid, {{"file", m_file},
                                                       {"field", path.empty() ? "the file" : path},
                                                       {"reason", std::move(reason)}});
        return false;
    }

    /// Levels of the deepest value that is kept: answers[].text and the file's own object.
    static constexpr std::size_t kMaxKept = 9;
    const std::string& m_file;
    std::vector<Level> m_levels;
    bool m_hasData = false;
    std::optional<std::string> m_context;
    std::size_t m_first = 0;  ///< question of the paragraph
    std::optional<std::string> m_question;
    std::optional<std::string> m_id;
    std::vector<std::string> m_answers;
    std::vector<std::int64_t> m_starts;
    std::int64_t m_start = -1;  ///< of the answer that is being read
    bool m_answered = false;
    bool m_impossible = false;
};

}  // namespace

Result<SquadData> readSquad(const std::string& path, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto file, InputFile::open(path));
    if (file->size() > kMaxFileBytes) {
        return makeError(ErrorCode::FileUnsafe,
                         {{"file", path},
                          {"reason", "it has " + std::to_string(file->size()) +
                                         " bytes; data files may have 2 GiB. Split it"}});
    }
    progress.begin(Stage::Opening, static_cast<std::int64_t>(file->size()), Unit::Bytes);
    CharSource source(*file, progress, std::move(stop));
    std::optional<std::uint64_t> nul;
    SquadBuilder builder(path);
    const bool fine = Json::sax_parse(CharIterator(source, nul), CharIterator(), &builder);
    PARETO_CHECK(source.status());
    if (nul) {
        return makeError(ErrorCode::JsonInvalid,
                         {{"file", path}, {"offset", std::to_string(*nul)}, {"reason", "a NUL byte"}});
    }
    if (!fine) {
        return builder.m_error;
    }
    return std::move(builder.m_data);
}

}  // namespace pareto::io
