#include <algorithm>
#include <array>
#include <unordered_map>

#include "engine/text/flat_map.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"
#include "engine/text/word_model.h"

namespace pareto::text {
namespace {

/// From here on a heap finds the next merge faster than a look at every pair.
constexpr std::size_t kShortWord = 32;
constexpr char32_t kSpaceMark = 0x2581;  ///< SentencePiece's "▁"

struct Merge {
    std::int32_t rank = 0;
    std::int32_t id = 0;
};
using Merges = FlatMap<Merge>;

std::uint64_t pairKey(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
           static_cast<std::uint32_t>(right);
}

struct BpeOptions {
    std::int32_t unknown = -1;
    bool fuseUnknown = false;
    bool ignoreMerges = false;
    bool byteFallback = false;
    bool cutsAtSpaceMark = false;
};

/// Ids of single characters: an array for the frequent ones.
class CharIds {
public:
    void add(char32_t code, std::int32_t id) {
        if (code < m_low.size()) {
            m_low[code] = id;
        } else {
            m_high[code] = id;
        }
    }
    std::int32_t find(char32_t code) const {
        if (code < m_low.size()) {
            return m_low[code];
        }
        const std::int32_t* found = m_high.find(code);
        return found != nullptr ? *found : -1;
    }
    CharIds() { m_low.fill(-1); }

private:
    std::array<std::int32_t, 0x250> m_low{};
    FlatMap<std::int32_t> m_high;
};

class Bpe : public WordModel {
public:
    Bpe(Vocabulary vocabulary, Merges merges, BpeOptions options)
        : m_vocabulary(std::move(vocabulary)), m_merges(std::move(merges)), m_options(options) {
        m_byteIds.fill(-1);
        for (const auto& [token, id] : m_vocabulary) {
            const auto chars = decodeUtf8(token);
            if (chars.size() == 1) {
                m_charIds.add(chars.front().code, id);
            }
            if (m_options.byteFallback && token == byteToken(static_cast<std::uint8_t>(
                                                       std::max(0, byteOfToken(token))))) {
                m_byteIds[static_cast<std::size_t>(byteOfToken(token))] = id;
            }
        }
    }

    void tokenize(const Word& word, WordScratch& scratch, std::vector<WordToken>& out) const override {
        if (m_options.ignoreMerges) {
            if (const auto whole = m_vocabulary.find(word.bytes); whole != m_vocabulary.end()) {
                out.push_back({whole->second, 0, static_cast<std::uint32_t>(word.chars.size())});
                return;
            }
        }
        fillSymbols(word, scratch.symbols);
        if (scratch.symbols.size() <= kShortWord) {
            mergeShort(scratch);
        } else {
            mergeLong(scratch);
        }
        for (const auto& symbol : scratch.symbols) {
            if (!symbol.gone) {
                out.push_back({symbol.id, symbol.begin, symbol.end});
            }
        }
    }
    const Vocabulary& vocabulary() const override { return m_vocabulary; }
    char32_t cutsBefore() const override { return m_options.cutsAtSpaceMark ? kSpaceMark : 0; }

private:
    using Symbol = WordScratch::Symbol;
    using Candidate = WordScratch::Candidate;

    static void append(std::vector<Symbol>& symbols, std::int32_t id, std::uint32_t begin,
                       std::uint32_t end) {
        const auto at = static_cast<std::int32_t>(symbols.size());
        symbols.push_back({id, begin, end, at - 1, at + 1, false});
    }

    /// The bytes of a character that has no token of its own, when all of them have one.
    bool appendBytes(const Char& c, std::uint32_t at, std::vector<Symbol>& symbols) const {
        std::string bytes;
        appendUtf8(bytes, c.code);
        const auto idOfByte = [&](char byte) { return m_byteIds[static_cast<std::uint8_t>(byte)]; };
        if (!std::all_of(bytes.begin(), bytes.end(), [&](char b) { return idOfByte(b) >= 0; })) {
            return false;
        }
        for (const char byte : bytes) {
            append(symbols, idOfByte(byte), at, at + 1);
        }
        return true;
    }

    void fillSymbols(const Word& word, std::vector<Symbol>& symbols) const {
        symbols.clear();
        bool lastUnknown = false;
        for (std::uint32_t i = 0; i < word.chars.size(); ++i) {
            const Char& c = word.chars[i];
            const std::int32_t id = m_charIds.find(c.code);
            if (id >= 0) {
                append(symbols, id, i, i + 1);
                lastUnknown = false;
            } else if (m_options.byteFallback && appendBytes(c, i, symbols)) {
                lastUnknown = false;
            } else if (m_options.unknown >= 0) {
                if (lastUnknown && m_options.fuseUnknown) {
                    symbols.back().end = i + 1;
                } else {
                    append(symbols, m_options.unknown, i, i + 1);
                }
                lastUnknown = true;
            }
        }
        if (!symbols.empty()) {
            symbols.back().next = -1;
        }
    }

    const Merge* mergeAt(const std::vector<Symbol>& symbols, std::int32_t left) const {
        if (left < 0) {
            return nullptr;
        }
        const Symbol& symbol = symbols[static_cast<std::size_t>(left)];
        return symbol.next < 0
                   ? nullptr
                   : m_merges.find(pairKey(symbol.id, symbols[static_cast<std::size_t>(symbol.next)].id));
    }

    static void join(std::vector<Symbol>& symbols, std::size_t at, std::int32_t id) {
        Symbol& left = symbols[at];
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        left.id = id;
        left.end = right.end;
        left.next = right.next;
        right.gone = true;
        if (left.next >= 0) {
            symbols[static_cast<std::size_t>(left.next)].previous = static_cast<std::int32_t>(at);
        }
    }

    /// Lowest rank first, among equals the leftmost: every round looks at all pairs.
    void mergeShort(WordScratch& scratch) const {
        auto& symbols = scratch.symbols;
        auto& candidates = scratch.candidates;  // of the pair that begins at each symbol
        constexpr std::int32_t kNone = INT32_MAX;
        const auto look = [&](std::int32_t left) {
            if (left >= 0) {
                const Merge* merge = mergeAt(symbols, left);
                candidates[static_cast<std::size_t>(left)] =
                    merge != nullptr ? Candidate{merge->rank, merge->id, 0} : Candidate{kNone, 0, 0};
            }
        };
        candidates.resize(symbols.size());
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            look(static_cast<std::int32_t>(i));
        }
        while (!symbols.empty()) {
            std::size_t best = 0;
            for (std::size_t i = 1; i < candidates.size(); ++i) {
                best = candidates[i].rank < candidates[best].rank ? i : best;
            }
            if (candidates[best].rank == kNone) {
                return;
            }
            candidates[static_cast<std::size_t>(symbols[best].next)].rank = kNone;
            join(symbols, best, candidates[best].id);
            look(static_cast<std::int32_t>(best));
            look(symbols[best].previous);
        }
    }

    void mergeLong(WordScratch& scratch) const {
        auto& symbols = scratch.symbols;
        auto& heap = scratch.candidates;
        heap.clear();
        // The heap gives the lowest rank first, among equals the leftmost.
        const auto later = [](const Candidate& a, const Candidate& b) {
            return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
        };
        const auto offer = [&](std::int32_t left) {
            if (const Merge* merge = mergeAt(symbols, left); merge != nullptr) {
                heap.push_back({merge->rank, merge->id, static_cast<std::uint32_t>(left)});
                std::push_heap(heap.begin(), heap.end(), later);
            }
        };
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            offer(static_cast<std::int32_t>(i));
        }
        while (!heap.empty()) {
            std::pop_heap(heap.begin(), heap.end(), later);
            const Candidate top = heap.back();
            heap.pop_back();
            const auto at = static_cast<std::int32_t>(top.at);
            const Merge* merge = symbols[top.at].gone ? nullptr : mergeAt(symbols, at);
            if (merge == nullptr || merge->id != top.id) {
                continue;  // one of the two was merged with something else meanwhile
            }
            join(symbols, top.at, top.id);
            offer(symbols[top.at].previous);
            offer(at);
        }
    }

    Vocabulary m_vocabulary;
    Merges m_merges;
    CharIds m_charIds;
    std::array<std::int32_t, 256> m_byteIds{};
    BpeOptions m_options;
};

/// "a b" or ["a", "b"].
bool mergeParts(const Json& json, std::string_view& left, std::string_view& right) {
    if (json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_string()) {
        left = json[0].get_ref<const std::string&>();
        right = json[1].get_ref<const std::string&>();
        return true;
    }
    if (!json.is_string()) {
        return false;
    }
    const std::string_view text = json.get_ref<const std::string&>();
    const auto space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        return false;
    }
    left = text.substr(0, space);
    right = text.substr(space + 1);
    return true;
}

Result<Merges> readMerges(const Json& json, const Vocabulary& vocabulary, const std::string& file) {
    if (!json.is_array()) {
        return tokenizerError(file, "its merges are missing");
    }
    Merges merges(json.size());
    std::string_view left;
    std::string_view right;
    std::string both;
    for (std::size_t rank = 0; rank < json.size(); ++rank) {
        if (!mergeParts(json[rank], left, right)) {
            return tokenizerError(file, "merge " + std::to_string(rank) + " is not a pair of tokens");
        }
        both = left;
        both += right;
        const auto leftId = vocabulary.find(left);
        const auto rightId = vocabulary.find(right);
        const auto merged = vocabulary.find(both);
        if (leftId == vocabulary.end() || rightId == vocabulary.end() || merged == vocabulary.end()) {
            return tokenizerError(file, "merge " + std::to_string(rank) + " (" + std::string(left) +
                                            " " + std::string(right) +
                                            ") names a token that is not in its vocabulary");
        }
        // A pair that stands twice has its last rank, as in the reference.
        merges[pairKey(leftId->second, rightId->second)] = {static_cast<std::int32_t>(rank),
                                                            merged->second};
    }
    return merges;
}

/// Whether no token spans the place before a space mark, so that nothing is ever merged across it.
bool cutsAtSpaceMark(const Vocabulary& vocabulary) {
    constexpr std::string_view kMark = "\xE2\x96\x81";
    if (vocabulary.find(kMark) == vocabulary.end()) {
        return false;
    }
    return std::none_of(vocabulary.begin(), vocabulary.end(), [&](const auto& entry) {
        const std::string_view token = entry.first;
        std::size_t at = 0;
        while (token.substr(at).starts_with(kMark)) {
            at += kMark.size();
        }
        return token.find(kMark, at) != std::string_view::npos;
    });
}

}  // namespace

Result<std::shared_ptr<const WordModel>> makeBpe(const Json& json, const std::string& file) {
    for (const char* option : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!textOf(json, option).empty()) {
            return tokenizerError(file, std::string("its BPE model uses ") + option +
                                            ", which is not supported");
        }
    }
    const Json& dropout = fieldOf(json, "dropout");
    if (dropout.is_number() && dropout.get<double>() != 0.0) {
        return tokenizerError(file, "its BPE model drops merges at random (dropout " +
                                        dropout.dump() + "): set dropout to null for inference");
    }
    PARETO_TRY(auto vocabulary, readVocabulary(fieldOf(json, "vocab"), file));
    PARETO_TRY(auto merges, readMerges(fieldOf(json, "merges"), vocabulary, file));
    BpeOptions options;
    options.fuseUnknown = flagOf(json, "fuse_unk", false);
    options.ignoreMerges = flagOf(json, "ignore_merges", false);
    options.byteFallback = flagOf(json, "byte_fallback", false);
    options.cutsAtSpaceMark = !options.ignoreMerges && cutsAtSpaceMark(vocabulary);
    if (const auto unknown = textOf(json, "unk_token"); !unknown.empty()) {
        PARETO_TRY(options.unknown, idOf(vocabulary, unknown, file));
    }
    return std::shared_ptr<const WordModel>(
        std::make_shared<Bpe>(std::move(vocabulary), std::move(merges), options));
}

}  // namespace pareto::text
