#include "engine/text/word_model.h"

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 24;

int hexDigit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

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

std::string byteToken(std::uint8_t byte) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    return std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">";
}

int byteOfToken(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') {
        return -1;
    }
    const int high = hexDigit(token[3]);
    const int low = hexDigit(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Result<std::shared_ptr<const WordModel>> makeWordModel(const Json& json, const std::string& file) {
    std::string type = textOf(json, "type");
    if (type.empty() && json.is_object()) {
        // Older files do not say; only BPE has merges, only Unigram a list of tokens with scores.
        type = json.contains("merges")                 ? "BPE"
               : fieldOf(json, "vocab").is_array()     ? "Unigram"
                                                       : "WordPiece";
    }
    if (type == "WordPiece") {
        return makeWordPiece(json, file);
    }
    if (type == "BPE") {
        return makeBpe(json, file);
    }
    if (type == "Unigram") {
        return makeUnigram(json, file);
    }
    return tokenizerError(
        file, "its model \"" + type + "\" is not known (known: WordPiece, BPE, Unigram)");
}

}  // namespace pareto::text
