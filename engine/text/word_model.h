#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/json.h"
#include "engine/text/unicode.h"

namespace pareto::text {

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};
using Vocabulary = std::unordered_map<std::string, std::int32_t, StringHash, std::equal_to<>>;

/// A token of a word: its characters [begin, end).
struct WordToken {
    std::int32_t id;
    std::uint32_t begin;
    std::uint32_t end;
};

/// A word in both forms that models look at; `bytes` is the UTF-8 of `chars`.
struct Word {
    std::span<const Char> chars;
    std::string_view bytes;
};

/// Buffers of a model's search, kept from word to word.
struct WordScratch {
    struct Symbol {
        std::int32_t id;
        std::uint32_t begin;
        std::uint32_t end;
        std::int32_t previous;
        std::int32_t next;
        bool gone;
    };
    struct Candidate {
        std::int32_t rank;
        std::int32_t id;
        std::uint32_t at;
    };
    /// Best way to reach the end of a character.
    struct Node {
        double score;
        std::int32_t id;
        std::uint32_t from;  ///< character where its token begins
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> candidates;
    std::vector<Node> nodes;
    std::vector<std::uint32_t> ends;  ///< byte position after each character
    std::string text;
};

/// The "model" of a tokenizer.json: a word's characters to tokens.
class WordModel {
public:
    virtual ~WordModel() = default;
    /// Appends the word's tokens.
    virtual void tokenize(const Word& word, WordScratch& scratch,
                          std::vector<WordToken>& out) const = 0;
    virtual const Vocabulary& vocabulary() const = 0;
    /// A character before which every text may be cut, unless another of it stands there, without
    /// changing its tokens; 0: there is none.
    virtual char32_t cutsBefore() const { return 0; }
};

/// WordPiece, BPE or Unigram. TokenizerInvalid: ids out of range or double, merges of unknown tokens,
/// options that are not known.
Result<std::shared_ptr<const WordModel>> makeWordModel(const Json& json, const std::string& file);

/// The models by themselves; `json` is the "model" object.
Result<std::shared_ptr<const WordModel>> makeWordPiece(const Json& json, const std::string& file);
Result<std::shared_ptr<const WordModel>> makeBpe(const Json& json, const std::string& file);
Result<std::shared_ptr<const WordModel>> makeUnigram(const Json& json, const std::string& file);

/// Token -> id of a "vocab" object. TokenizerInvalid: empty, ids out of range or double.
Result<Vocabulary> readVocabulary(const Json& json, const std::string& file);
Result<std::int32_t> idOf(const Vocabulary& vocabulary, const std::string& token,
                          const std::string& file);
/// "<0x0A>": the token that stands for a byte where a vocabulary has no other for it.
std::string byteToken(std::uint8_t byte);
/// Byte (0–255) of such a token; -1 for any other token.
int byteOfToken(std::string_view token);

}  // namespace pareto::text
