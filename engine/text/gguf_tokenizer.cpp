#include "engine/text/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/io/utf8.h"
#include "engine/text/json_fields.h"
#include "engine/text/sentencepiece_tokenizer.h"
#include "engine/text/split_patterns.h"
#include "engine/text/text_error.h"
#include "engine/text/tokenizer_json.h"

namespace pareto::text {
namespace {

/// How a text is cut before BPE, by the names that llama.cpp's converter writes. Patterns are applied
/// one after the other, each match a piece of its own.
struct PreTokenizerName {
    const char* name;
    std::array<const char*, 4> patterns;  ///< null: no more
    bool ignoreMerges = false;
    bool addBos = false;  ///< when the file does not say
};

constexpr const char* kDigit = R"(\p{N})";
constexpr const char* kSigns = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr const char* kDefaultSigns = R"([\p{P}\$\+<=>\^~\|]+)";
constexpr const char* kThreeDigits = "[0-9][0-9][0-9]";
constexpr const char* kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
constexpr const char* kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::array<PreTokenizerName, 41> kNames{{
    {"default", {kDefaultSigns, kGpt2Pattern, R"(\p{N}+)", kThreeDigits}},
    {"gpt-2", {kGpt2Pattern}},
    {"mpt", {kGpt2Pattern}},
    {"olmo", {kGpt2Pattern}},
    {"jais", {kGpt2Pattern}},
    {"phi-2", {kGpt2Pattern}},
    {"roberta-bpe", {kGpt2Pattern}},
    {"jina-v1-en", {kGpt2Pattern}},
    {"jina-v2-en", {kGpt2Pattern}},
    {"jina-v2-es", {kGpt2Pattern}},
    {"jina-v2-de", {kGpt2Pattern}},
    {"jina-v2-code", {kGpt2Pattern}},
    {"modern-bert", {kGpt2Pattern}},
    {"mellum", {kGpt2Pattern}},
    {"trillion", {kGpt2Pattern}},
    {"smollm", {kDigit, kGpt2Pattern}},
    {"starcoder", {kDigit, kGpt2Pattern}},
    {"refact", {kDigit, kGpt2Pattern}},
    {"command-r", {kDigit, kGpt2Pattern}},
    {"codeshell", {kDigit, kGpt2Pattern}},
    {"exaone", {kDigit, kGpt2Pattern}},
    {"minerva-7b", {kDigit, kGpt2Pattern}},
    {"falcon", {kSigns, kGpt2Pattern, kThreeDigits}},
    {"llama3", {kLlama3Pattern}, true, true},
    {"llama-v3", {kLlama3Pattern}, true, true},
    {"llama-bpe", {kLlama3Pattern}, true, true},
    {"falcon3", {kLlama3Pattern}, true, true},
    {"dbrx", {kLlama3Pattern}},
    {"smaug-bpe", {kLlama3Pattern}},
    {"chatglm-bpe", {kLlama3Pattern}},
    {"qwen2", {kQwen2Pattern}},
    {"deepseek-r1-qwen", {kQwen2Pattern}},
    {"stablelm2", {kQwen2Pattern}},
    {"megrez", {kQwen2Pattern}},
    {"hunyuan", {kQwen2Pattern}},
    {"tekken", {kTekken}, true, true},
    {"gpt-4o", {kGpt4o}},
    {"llama4", {kGpt4o}, true, true},
    {"bloom", {kBloom}},
    {"poro-chat", {kBloom}},
    {"gpt3-finnish", {kBloom}},
}};

/// Kinds of tokens in tokenizer.ggml.token_type: those of SentencePiece.
using TokenType = SentencePieceModel::Type;

Result<const PreTokenizerName*> preTokenizerNamed(const std::string& name, const std::string& file) {
    std::string known;
    for (const auto& entry : kNames) {
        if (name == entry.name) {
            return &entry;
        }
        known += (known.empty() ? "" : ", ") + std::string(entry.name);
    }
    return tokenizerError(file, "its pre-tokenizer \"" + name + "\" is not known (known: " + known +
                                    ")");
}

OrderedJson preTokenizerJson(const PreTokenizerName& name) {
    OrderedJson steps = OrderedJson::array();
    for (const char* pattern : name.patterns) {
        if (pattern == nullptr) {
            break;
        }
        if (pattern == kDigit) {
            steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
        } else {
            steps.push_back({{"type", "Split"},
                             {"pattern", {{"Regex", pattern}}},
                             {"behavior", "Isolated"},
                             {"invert", false}});
        }
    }
    steps.push_back({{"type", "ByteLevel"},
                     {"add_prefix_space", false},
                     {"trim_offsets", true},
                     {"use_regex", false}});
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

/// The patterns a pre-tokenizer applies one after the other; false for a step that is none.
bool appendPatterns(const Json& step, std::vector<std::string>& patterns) {
    const auto type = textOf(step, "type");
    if (type == "Sequence") {
        const Json& steps = fieldOf(step, "pretokenizers");
        return steps.is_array() && std::all_of(steps.begin(), steps.end(), [&](const Json& inner) {
                   return appendPatterns(inner, patterns);
               });
    }
    if (type == "ByteLevel") {
        if (flagOf(step, "use_regex", true)) {
            patterns.emplace_back(kGpt2Pattern);
        }
        return !flagOf(step, "add_prefix_space", true);
    }
    if (type == "Digits") {
        patterns.emplace_back(kDigit);
        return flagOf(step, "individual_digits", false);
    }
    patterns.push_back(textOf(fieldOf(step, "pattern"), "Regex"));
    return type == "Split" && textOf(step, "behavior") == "Isolated" &&
           !flagOf(step, "invert", false);
}

/// The entries "tokenizer.ggml.…" of one file, checked as they are asked for.
class Entries {
public:
    Entries(const io::GgufMetadata& metadata, const std::string& file,
            const std::vector<std::string>& tokens)
        : m_metadata(metadata), m_file(file), m_tokens(tokens) {}

    const std::string& file() const { return m_file; }
    const std::vector<std::string>& tokens() const { return m_tokens; }
    bool flag(const char* key, bool usual) const {
        return flagOf(m_metadata.values, (kPrefix + key).c_str(), usual);
    }
    std::string text(const char* key, const char* usual) const {
        return textOf(m_metadata.values, (kPrefix + key).c_str(), usual);
    }
    /// -1 when the entry is missing or no id.
    std::int32_t id(const char* key) const {
        const Json& value = fieldOf(m_metadata.values, (kPrefix + key).c_str());
        const bool usable = value.is_number_integer() && value.get<std::int64_t>() >= 0 &&
                            value.get<std::uint64_t>() < m_tokens.size();
        return usable ? value.get<std::int32_t>() : -1;
    }
    std::string token(const char* key) const {
        const auto at = id(key);
        return at < 0 ? std::string() : m_tokens[static_cast<std::size_t>(at)];
    }
    /// A token that the file says is to be added to every text.
    Result<TemplateToken> added(const char* key) const {
        const auto at = id(key);
        if (at < 0) {
            return tokenizerError(m_file, "it is to add a token, but " + (kPrefix + key) +
                                              " is missing or out of range");
        }
        return TemplateToken{m_tokens[static_cast<std::size_t>(at)], at};
    }
    /// Null when the file has no such array.
    const std::vector<double>* numbers(const char* key) const {
        const auto found = m_metadata.numbers.find(kPrefix + key);
        return found != m_metadata.numbers.end() ? &found->second : nullptr;
    }
    const std::vector<std::string>* strings(const char* key) const {
        const auto found = m_metadata.strings.find(kPrefix + key);
        return found != m_metadata.strings.end() ? &found->second : nullptr;
    }
    /// The kind of every token; Normal where the file does not say.
    Result<std::vector<TokenType>> types() const {
        std::vector<TokenType> out(m_tokens.size(), TokenType::Normal);
        const auto* given = numbers("token_type");
        if (given == nullptr) {
            return out;
        }
        if (given->size() != m_tokens.size()) {
            return tokenizerError(m_file, "tokenizer.ggml.token_type has another length than "
                                          "tokenizer.ggml.tokens");
        }
        for (std::size_t id = 0; id < out.size(); ++id) {
            const double type = (*given)[id];
            if (type >= 1 && type <= 6) {
                out[id] = static_cast<TokenType>(static_cast<int>(type));
            }
        }
        return out;
    }
    /// Tokens are UTF-8 and none stands twice.
    Status checkTokens() const {
        std::unordered_map<std::string_view, std::size_t> seen;
        for (std::size_t id = 0; id < m_tokens.size(); ++id) {
            const auto [other, isNew] = seen.emplace(m_tokens[id], id);
            if (!isNew || !io::isUtf8(m_tokens[id])) {
                return tokenizerError(
                    m_file, "token " + std::to_string(id) + " is " +
                                (isNew ? std::string("not UTF-8")
                                       : "the same as token " + std::to_string(other->second)));
            }
        }
        return Done{};
    }
    /// Control tokens and those that a user added, found before anything else.
    Result<OrderedJson> addedTokens() const {
        PARETO_TRY(const auto kinds, types());
        OrderedJson out = OrderedJson::array();
        for (std::size_t id = 0; id < kinds.size(); ++id) {
            if (kinds[id] == TokenType::Control || kinds[id] == TokenType::UserDefined) {
                out.push_back(toJson({.content = m_tokens[id],
                                      .id = static_cast<std::int32_t>(id),
                                      .special = kinds[id] == TokenType::Control}));
            }
        }
        return out;
    }
    /// The template that add_bos_token and add_eos_token ask for; null when it adds nothing.
    Result<OrderedJson> postProcessor(bool addBos, bool addEos) const {
        std::vector<TemplateToken> before;
        std::vector<TemplateToken> after;
        if (flag("add_bos_token", addBos)) {
            PARETO_TRY(auto token, added("bos_token_id"));
            before.push_back(std::move(token));
        }
        if (flag("add_eos_token", addEos)) {
            PARETO_TRY(auto token, added("eos_token_id"));
            after.push_back(std::move(token));
        }
        return before.empty() && after.empty() ? OrderedJson(nullptr)
                                               : templateAround(before, after, 1);
    }

private:
    inline static const std::string kPrefix = "tokenizer.ggml.";
    const io::GgufMetadata& m_metadata;
    const std::string& m_file;
    const std::vector<std::string>& m_tokens;
};

Result<OrderedJson> bytePairModel(const Entries& entries, const PreTokenizerName& name) {
    OrderedJson vocabulary = OrderedJson::object();
    for (std::size_t id = 0; id < entries.tokens().size(); ++id) {
        appendUnchecked(vocabulary, entries.tokens()[id], id);
    }
    const auto* merges = entries.strings("merges");
    if (merges == nullptr) {
        return tokenizerError(entries.file(), "tokenizer.ggml.merges is missing");
    }
    OrderedJson list = OrderedJson::array();
    for (std::size_t rank = 0; rank < merges->size(); ++rank) {
        const auto& merge = (*merges)[rank];
        const auto space = merge.find(' ', 1);
        if (space == std::string::npos || space + 1 == merge.size() || !io::isUtf8(merge)) {
            return tokenizerError(entries.file(),
                                  "merge " + std::to_string(rank) + " is not a pair of tokens");
        }
        list.push_back({merge.substr(0, space), merge.substr(space + 1)});
    }
    return OrderedJson{{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", name.ignoreMerges},
                       {"vocab", std::move(vocabulary)},
                       {"merges", std::move(list)}};
}

/// "gpt2": byte-level BPE.
Result<std::string> bytePairs(const Entries& entries) {
    PARETO_TRY(const auto* name, preTokenizerNamed(entries.text("pre", "default"), entries.file()));
    const auto byteLevel = [](bool trim) {
        return OrderedJson{{"type", "ByteLevel"},
                           {"add_prefix_space", true},
                           {"trim_offsets", trim},
                           {"use_regex", true}};
    };
    OrderedJson json = tokenizerJsonHead();
    PARETO_TRY(json["added_tokens"], entries.addedTokens());
    json["normalizer"] = nullptr;
    json["pre_tokenizer"] = preTokenizerJson(*name);
    PARETO_TRY(OrderedJson around, entries.postProcessor(name->addBos, false));
    json["post_processor"] = byteLevel(false);
    if (!around.is_null()) {
        OrderedJson steps = OrderedJson::array({byteLevel(false)});
        steps.push_back(std::move(around));
        json["post_processor"] = {{"type", "Sequence"}, {"processors", std::move(steps)}};
    }
    json["decoder"] = byteLevel(true);
    PARETO_TRY(json["model"], bytePairModel(entries, *name));
    return json.dump(1);
}

/// "llama" and "t5": SentencePiece's BPE and Unigram.
Result<std::string> sentencePieces(const Entries& entries, SentencePieceModel::Kind kind) {
    SentencePieceModel model;
    model.kind = kind;
    PARETO_TRY(const auto types, entries.types());
    const auto* scores = entries.numbers("scores");
    if (scores == nullptr || scores->size() != types.size()) {
        return tokenizerError(entries.file(), "tokenizer.ggml.scores is missing or has another length "
                                              "than tokenizer.ggml.tokens");
    }
    for (std::size_t id = 0; id < types.size(); ++id) {
        const double score = (*scores)[id];
        if (!std::isfinite(score)) {
            return tokenizerError(entries.file(),
                                  "the score of token " + std::to_string(id) + " is not finite");
        }
        model.pieces.push_back({entries.tokens()[id], static_cast<float>(score), types[id]});
    }
    if (const auto* bytes = entries.numbers("precompiled_charsmap"); bytes != nullptr) {
        std::transform(bytes->begin(), bytes->end(), std::back_inserter(model.charsmap),
                       [](double byte) { return static_cast<char>(static_cast<int>(byte)); });
    }
    model.unknownId = std::max(entries.id("unknown_token_id"), 0);
    const bool isLlama = kind == SentencePieceModel::Kind::Bpe;
    SentencePieceSettings settings;
    settings.family = isLlama ? SentencePieceFamily::Llama : SentencePieceFamily::T5;
    settings.extraIds = 0;
    settings.addPrefixSpace = entries.flag("add_space_prefix", true);
    settings.addBos = entries.flag("add_bos_token", isLlama);
    settings.addEos = entries.flag("add_eos_token", !isLlama);
    settings.bos = entries.token("bos_token_id");
    settings.eos = entries.token("eos_token_id");
    settings.pad = entries.token("padding_token_id");
    settings.unknown = model.pieces[static_cast<std::size_t>(model.unknownId)].text;
    PARETO_TRY(auto made, sentencePieceTokenizerJson(model, settings, entries.file()));
    if (isLlama) {
        return std::move(made.json);
    }
    // Other encoders than T5 use the same kind, with tokens around their texts.
    OrderedJson json = OrderedJson::parse(made.json);
    PARETO_TRY(json["post_processor"], entries.postProcessor(false, true));
    return json.dump(1);
}

/// "bert": WordPiece. The file marks tokens that begin a word ("▁able") where BERT marks those that
/// continue one ("##able").
Result<std::string> wordPieces(const Entries& entries) {
    constexpr std::string_view kMark = "\xE2\x96\x81";
    OrderedJson vocabulary = OrderedJson::object();
    PARETO_TRY(const auto types, entries.types());
    OrderedJson added = OrderedJson::array();
    bool cased = false;
    for (std::size_t id = 0; id < types.size(); ++id) {
        const std::string& token = entries.tokens()[id];
        const bool special = token.starts_with('[') && token.ends_with(']');
        const bool begins = token.starts_with(kMark) && token.size() > kMark.size();
        cased = cased || (begins && token.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos);
        const std::string text = begins ? token.substr(kMark.size()) : special ? token : "##" + token;
        appendUnchecked(vocabulary, text, id);
        if (types[id] == TokenType::Control) {
            added.push_back(toJson({.content = text, .id = static_cast<std::int32_t>(id)}));
        }
    }
    const auto orElse = [](std::string given, const char* usual) {
        return given.empty() ? std::string(usual) : given;
    };
    const auto unknown = orElse(entries.token("unknown_token_id"), "[UNK]");
    PARETO_TRY(const auto cls, entries.added(entries.id("cls_token_id") >= 0 ? "cls_token_id" : "bos_token_id"));
    PARETO_TRY(const auto sep, entries.added(entries.id("seperator_token_id") >= 0 ? "seperator_token_id"
                                                                                    : "eos_token_id"));
    const TemplateItem first{cls.name};
    const TemplateItem last{sep.name};
    OrderedJson json = tokenizerJsonHead();
    json["added_tokens"] = std::move(added);
    json["normalizer"] = {{"type", "BertNormalizer"},
                          {"clean_text", true},
                          {"handle_chinese_chars", true},
                          {"strip_accents", nullptr},
                          {"lowercase", !cased}};
    json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    json["post_processor"] = templateProcessing(
        {first, {"A", 0, true}, last},
        {first, {"A", 0, true}, last, {"B", 1, true}, {sep.name, 1}}, {cls, sep});
    json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    json["model"] = {{"type", "WordPiece"},
                     {"unk_token", unknown},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", 100},
                     {"vocab", std::move(vocabulary)}};
    return json.dump(1);
}

Result<std::string> jsonOf(const Entries& entries, const std::string& kind) {
    if (kind == "gpt2") {
        return bytePairs(entries);
    }
    if (kind == "llama") {
        return sentencePieces(entries, SentencePieceModel::Kind::Bpe);
    }
    if (kind == "t5") {
        return sentencePieces(entries, SentencePieceModel::Kind::Unigram);
    }
    if (kind == "bert") {
        return wordPieces(entries);
    }
    return tokenizerError(entries.file(), "its kind \"" + kind +
                                              "\" is not known (known in GGUF: gpt2, llama, bert, t5)");
}

}  // namespace

Result<GgufTokenizer> ggufTokenizer(const io::GgufMetadata& metadata, const std::string& file) {
    const std::string kind = textOf(metadata.values, "tokenizer.ggml.model");
    const auto tokens = metadata.strings.find("tokenizer.ggml.tokens");
    if (kind.empty() || tokens == metadata.strings.end() || tokens->second.empty()) {
        return makeError(ErrorCode::TokenizerMissing,
                         {{"file", file}, {"known", "tokenizer.ggml.model, tokenizer.ggml.tokens"}});
    }
    const Entries entries(metadata, file, tokens->second);
    PARETO_CHECK(entries.checkTokens());
    GgufTokenizer out;
    PARETO_TRY(out.tokenizerJson, jsonOf(entries, kind));
    out.specials = {entries.token("padding_token_id"), entries.token("bos_token_id"),
                    entries.token("eos_token_id")};
    return out;
}

std::string ggufPreTokenizerName(const Json& tokenizer) {
    std::vector<std::string> patterns;
    if (!appendPatterns(fieldOf(tokenizer, "pre_tokenizer"), patterns)) {
        return {};
    }
    const bool ignoresMerges = flagOf(fieldOf(tokenizer, "model"), "ignore_merges", false);
    // Of several names for the same rule the converter's own comes first, but for the fallback.
    const auto found = std::find_if(
        std::next(kNames.begin()), kNames.end(), [&](const PreTokenizerName& name) {
            const auto end = std::find(name.patterns.begin(), name.patterns.end(), nullptr);
            return name.ignoreMerges == ignoresMerges &&
                   std::equal(name.patterns.begin(), end, patterns.begin(), patterns.end());
        });
    return found == kNames.end() ? std::string() : found->name;
}

}  // namespace pareto::text
