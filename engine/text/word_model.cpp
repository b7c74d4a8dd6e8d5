#include "engine/text/word_model.h"

#include <queue>

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 24;

class WordPiece : public WordModel {
public:
    WordPiece(Vocabulary vocabulary, std::int32_t unknown, std::string prefix, std::size_t maxChars)
        : m_vocabulary(std::move(vocabulary)),
          m_unknown(unknown),
          m_prefix(std::move(prefix)),
          m_maxChars(maxChars) {}

    /// Greedy, longest piece first; a word with a part that no piece covers is one unknown token.
    void tokenize(const Chars& word, std::vector<WordToken>& out) const override {
        if (word.size() > m_maxChars) {
            out.push_back({m_unknown, 0, word.size()});
            return;
        }
        std::string text = m_prefix;
        std::vector<std::size_t> ends;  // byte position after each character
        for (const Char& c : word) {
            appendUtf8(text, c.code);
            ends.push_back(text.size());
        }
        const std::size_t before = out.size();
        for (std::size_t begin = 0; begin < word.size();) {
            std::size_t end = word.size();
            const std::int32_t id = longestAt(text, ends, begin, end);
            if (id < 0) {
                out.resize(before);
                out.push_back({m_unknown, 0, word.size()});
                return;
            }
            out.push_back({id, begin, end});
            begin = end;
        }
    }
    const Vocabulary& vocabulary() const override { return m_vocabulary; }

private:
    std::int32_t longestAt(const std::string& text, const std::vector<std::size_t>& ends,
                           std::size_t begin, std::size_t& end) const {
        const std::size_t from = begin == 0 ? m_prefix.size() : ends[begin - 1];
        std::string piece = begin == 0 ? std::string() : m_prefix;
        const std::size_t head = piece.size();
        piece.append(text, from, ends.back() - from);
        for (; end > begin; --end) {
            const auto length = head + ends[end - 1] - from;
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
};

struct Merge {
    std::int32_t rank;
    std::int32_t id;
};

std::uint64_t pairKey(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
           static_cast<std::uint32_t>(right);
}

struct BpeOptions {
    std::int32_t unknown = -1;
    bool fuseUnknown = false;
    bool ignoreMerges = false;
};

class Bpe : public WordModel {
public:
    Bpe(Vocabulary vocabulary, std::unordered_map<std::uint64_t, Merge> merges, BpeOptions options)
        : m_vocabulary(std::move(vocabulary)), m_merges(std::move(merges)), m_options(options) {
        for (const auto& [token, id] : m_vocabulary) {
            const auto chars = decodeUtf8(token);
            if (chars.size() == 1) {
                m_charIds[chars.front().code] = id;
            }
        }
    }

    void tokenize(const Chars& word, std::vector<WordToken>& out) const override {
        if (word.empty()) {
            return;
        }
        if (m_options.ignoreMerges) {
            if (const auto whole = m_vocabulary.find(encodeUtf8(word)); whole != m_vocabulary.end()) {
                out.push_back({whole->second, 0, word.size()});
                return;
            }
        }
        std::vector<Symbol> symbols = symbolsOf(word);
        mergeAll(symbols);
        for (const auto& symbol : symbols) {
            if (!symbol.gone) {
                out.push_back({symbol.id, symbol.begin, symbol.end});
            }
        }
    }
    const Vocabulary& vocabulary() const override { return m_vocabulary; }

private:
    struct Symbol {
        std::int32_t id;
        std::size_t begin;
        std::size_t end;
        std::ptrdiff_t previous;
        std::ptrdiff_t next;
        bool gone = false;
    };
    struct Candidate {
        std::int32_t rank;
        std::size_t at;
        std::int32_t id;
        /// The queue gives the lowest rank first, among equals the leftmost.
        bool operator<(const Candidate& other) const {
            return rank != other.rank ? rank > other.rank : at > other.at;
        }
    };

    std::vector<Symbol> symbolsOf(const Chars& word) const {
        std::vector<Symbol> symbols;
        symbols.reserve(word.size());
        bool lastUnknown = false;
        for (std::size_t i = 0; i < word.size(); ++i) {
            const auto found = m_charIds.find(word[i].code);
            const bool known = found != m_charIds.end();
            if (!known && m_options.unknown < 0) {
                continue;
            }
            if (!known && lastUnknown && m_options.fuseUnknown) {
                symbols.back().end = i + 1;
                continue;
            }
            const auto at = static_cast<std::ptrdiff_t>(symbols.size());
            symbols.push_back({known ? found->second : m_options.unknown, i, i + 1, at - 1, at + 1});
            lastUnknown = !known;
        }
        if (!symbols.empty()) {
            symbols.back().next = -1;
        }
        return symbols;
    }

    void mergeAll(std::vector<Symbol>& symbols) const {
        std::priority_queue<Candidate> queue;
        const auto offer = [&](std::ptrdiff_t left, std::ptrdiff_t right) {
            if (left < 0 || right < 0) {
                return;
            }
            const auto found = m_merges.find(pairKey(symbols[static_cast<std::size_t>(left)].id,
                                                     symbols[static_cast<std::size_t>(right)].id));
            if (found != m_merges.end()) {
                queue.push({found->second.rank, static_cast<std::size_t>(left), found->second.id});
            }
        };
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            offer(static_cast<std::ptrdiff_t>(i), static_cast<std::ptrdiff_t>(i + 1));
        }
        while (!queue.empty()) {
            const Candidate top = queue.top();
            queue.pop();
            Symbol& left = symbols[top.at];
            if (left.gone || left.next < 0) {
                continue;
            }
            Symbol& right = symbols[static_cast<std::size_t>(left.next)];
            const auto merge = m_merges.find(pairKey(left.id, right.id));
            if (merge == m_merges.end() || merge->second.id != top.id) {
                continue;  // one of the two was merged with something else meanwhile
            }
            left.id = top.id;
            left.end = right.end;
            left.next = right.next;
            right.gone = true;
            if (left.next >= 0) {
                symbols[static_cast<std::size_t>(left.next)].previous =
                    static_cast<std::ptrdiff_t>(top.at);
            }
            offer(left.previous, static_cast<std::ptrdiff_t>(top.at));
            offer(static_cast<std::ptrdiff_t>(top.at), left.next);
        }
    }

    Vocabulary m_vocabulary;
    std::unordered_map<std::uint64_t, Merge> m_merges;
    std::unordered_map<char32_t, std::int32_t> m_charIds;
    BpeOptions m_options;
};

Result<Vocabulary> readVocabulary(const Json& json, const std::string& file) {
    if (!json.is_object() || json.empty()) {
        return tokenizerError(file, "its vocabulary is missing or empty");
    }
    Vocabulary vocabulary;
    vocabulary.reserve(json.size());
    std::unordered_map<std::int64_t, const std::string*> seen;
    for (const auto& [token, id] : json.items()) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= std::uint64_t{kMaxVocabulary}) {
            return tokenizerError(file, "the token \"" + token + "\" has the id " + id.dump() +
                                            ", not a number below 16777216");
        }
        const auto number = id.get<std::int64_t>();
        const auto [place, isNew] = vocabulary.emplace(token, static_cast<std::int32_t>(number));
        const auto [other, isFirst] = seen.emplace(number, &place->first);
        if (!isFirst) {
            return tokenizerError(file, "the tokens \"" + *other->second + "\" and \"" + token +
                                            "\" have the same id " + std::to_string(number));
        }
    }
    return vocabulary;
}

Result<std::int32_t> idOf(const Vocabulary& vocabulary, const std::string& token,
                          const std::string& file) {
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) {
        return tokenizerError(file, "the token \"" + token + "\" is not in its vocabulary");
    }
    return found->second;
}

/// "a b" or ["a", "b"].
bool mergeParts(const Json& json, std::string& left, std::string& right) {
    if (json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_string()) {
        left = json[0].get<std::string>();
        right = json[1].get<std::string>();
        return true;
    }
    if (!json.is_string()) {
        return false;
    }
    const auto& text = json.get_ref<const std::string&>();
    const auto space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
        return false;
    }
    left = text.substr(0, space);
    right = text.substr(space + 1);
    return true;
}

Result<std::shared_ptr<const WordModel>> makeWordPiece(const Json& json, const std::string& file) {
    PARETO_TRY(auto vocabulary, readVocabulary(fieldOf(json, "vocab"), file));
    PARETO_TRY(const auto unknown, idOf(vocabulary, textOf(json, "unk_token", "[UNK]"), file));
    const Json& limit = fieldOf(json, "max_input_chars_per_word");
    const std::size_t maxChars = limit.is_number_unsigned() ? limit.get<std::size_t>() : 100;
    return std::shared_ptr<const WordModel>(std::make_shared<WordPiece>(
        std::move(vocabulary), unknown, textOf(json, "continuing_subword_prefix", "##"), maxChars));
}

Result<std::unordered_map<std::uint64_t, Merge>> readMerges(const Json& json,
                                                            const Vocabulary& vocabulary,
                                                            const std::string& file) {
    if (!json.is_array()) {
        return tokenizerError(file, "its merges are missing");
    }
    std::unordered_map<std::uint64_t, Merge> merges;
    merges.reserve(json.size());
    std::string left;
    std::string right;
    for (std::size_t rank = 0; rank < json.size(); ++rank) {
        if (!mergeParts(json[rank], left, right)) {
            return tokenizerError(file, "merge " + std::to_string(rank) + " is not a pair of tokens");
        }
        const auto leftId = vocabulary.find(left);
        const auto rightId = vocabulary.find(right);
        const auto merged = vocabulary.find(left + right);
        if (leftId == vocabulary.end() || rightId == vocabulary.end() || merged == vocabulary.end()) {
            return tokenizerError(file, "merge " + std::to_string(rank) + " (" + left + " " + right +
                                            ") names a token that is not in its vocabulary");
        }
        // A pair that stands twice has its last rank, as in the reference.
        merges[pairKey(leftId->second, rightId->second)] = {static_cast<std::int32_t>(rank),
                                                            merged->second};
    }
    return merges;
}

Result<std::shared_ptr<const WordModel>> makeBpe(const Json& json, const std::string& file) {
    for (const char* option : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!textOf(json, option).empty()) {
            return tokenizerError(file, std::string("its BPE model uses ") + option +
                                            ", which is not supported");
        }
    }
    if (flagOf(json, "byte_fallback", false)) {
        return tokenizerError(file, "its BPE model uses byte_fallback (SentencePiece), which is not "
                                    "supported");
    }
    PARETO_TRY(auto vocabulary, readVocabulary(fieldOf(json, "vocab"), file));
    PARETO_TRY(auto merges, readMerges(fieldOf(json, "merges"), vocabulary, file));
    BpeOptions options;
    options.fuseUnknown = flagOf(json, "fuse_unk", false);
    options.ignoreMerges = flagOf(json, "ignore_merges", false);
    if (const auto unknown = textOf(json, "unk_token"); !unknown.empty()) {
        PARETO_TRY(options.unknown, idOf(vocabulary, unknown, file));
    }
    return std::shared_ptr<const WordModel>(
        std::make_shared<Bpe>(std::move(vocabulary), std::move(merges), options));
}

}  // namespace

Result<std::shared_ptr<const WordModel>> makeWordModel(const Json& json, const std::string& file) {
    std::string type = textOf(json, "type");
    if (type.empty() && json.is_object()) {
        // Older files do not say; only BPE has merges.
        type = json.contains("merges") ? "BPE" : "WordPiece";
    }
    if (type == "WordPiece") {
        return makeWordPiece(json, file);
    }
    if (type == "BPE") {
        return makeBpe(json, file);
    }
    return tokenizerError(file,
                          "its model \"" + type + "\" is not known (known: WordPiece, BPE)");
}

}  // namespace pareto::text
