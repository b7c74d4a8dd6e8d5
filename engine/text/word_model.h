#pragma once

#include <functional>
#include <memory>
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

/// A token of a word: characters [begin, end).
struct WordToken {
    std::int32_t id;
    std::size_t begin;
    std::size_t end;
};

/// The "model" of a tokenizer.json: a word's characters to tokens.
class WordModel {
public:
    virtual ~WordModel() = default;
    virtual void tokenize(const Chars& word, std::vector<WordToken>& out) const = 0;
    virtual const Vocabulary& vocabulary() const = 0;
};

/// WordPiece or BPE. TokenizerInvalid: ids out of range or double, merges of unknown tokens, options
/// that are not known.
Result<std::shared_ptr<const WordModel>> makeWordModel(const Json& json, const std::string& file);

}  // namespace pareto::text
