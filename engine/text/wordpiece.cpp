#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"
#include "engine/text/word_model.h"

namespace pareto::text {
namespace {

class WordPiece : public WordModel {
public:
    WordPiece(Vocabulary vocabulary, std::int32_t unknown, std::string prefix, std::size_t maxChars)
        : m_vocabulary(std::move(vocabulary)),
          m_unknown(unknown),
          m_prefix(std::move(prefix)),
          m_maxChars(maxChars) {
        for (const auto& [token, id] : m_vocabulary) {
            m_longest = std::max(m_longest, token.size());
        }
    }

    /// Greedy, longest piece first; a word with a part that no piece covers is one unknown token.
    void tokenize(const Word& word, WordScratch& scratch, std::vector<WordToken>& out) const override {
        const auto size = static_cast<std::uint32_t>(word.chars.size());
        if (size > m_maxChars) {
            out.push_back({m_unknown, 0, size});
            return;
        }
        auto& ends = scratch.ends;
        ends.clear();
        std::uint32_t bytes = 0;
        for (const Char& c : word.chars) {
            bytes += utf8Length(c.code);
            ends.push_back(bytes);
        }
        const std::size_t before = out.size();
        for (std::uint32_t begin = 0; begin < size;) {
            std::uint32_t end = size;
            const std::int32_t id = longestAt(word.bytes, scratch, begin, end);
            if (id < 0) {
                out.resize(before);
                out.push_back({m_unknown, 0, size});
                return;
            }
            out.push_back({id, begin, end});
            begin = end;
        }
    }
    const Vocabulary& vocabulary() const override { return m_vocabulary; }

private:
    std::int32_t longestAt(std::string_view bytes, WordScratch& scratch, std::uint32_t begin,
                           std::uint32_t& end) const {
        const auto& ends = scratch.ends;
        std::string& piece = scratch.text;
        const std::size_t from = begin == 0 ? 0 : ends[begin - 1];
        piece = begin == 0 ? std::string_view() : std::string_view(m_prefix);
        const std::size_t head = piece.size();
        piece.append(bytes.substr(from));
        for (; end > begin; --end) {
            const auto length = head + ends[end - 1] - from;
            if (length > m_longest) {
                continue;
            }
            const auto found = m_vocabulary.find(std::string_view(piece).substr(0, length));
            if (found != m_vocabulary.end()) {
                return found->second;
            }
        }
        return -1;
    }

    Vocabulary m_vocabulary;
    std::int32_t m_unknown;
    std::string m_prefix;
    std::size_t m_maxChars;
    std::size_t m_longest = 0;
};

}  // namespace

Result<std::shared_ptr<const WordModel>> makeWordPiece(const Json& json, const std::string& file) {
    PARETO_TRY(auto vocabulary, readVocabulary(fieldOf(json, "vocab"), file));
    PARETO_TRY(const auto unknown, idOf(vocabulary, textOf(json, "unk_token", "[UNK]"), file));
    const Json& limit = fieldOf(json, "max_input_chars_per_word");
    const std::size_t maxChars = limit.is_number_unsigned() ? limit.get<std::size_t>() : 100;
    return std::shared_ptr<const WordModel>(std::make_shared<WordPiece>(
        std::move(vocabulary), unknown, textOf(json, "continuing_subword_prefix", "##"), maxChars));
}

}  // namespace pareto::text
