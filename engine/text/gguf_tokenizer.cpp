#include "engine/text/gguf_tokenizer.h"

#include <array>
#include <cmath>

#include "engine/io/utf8.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// How a text is cut before BPE, by the names that llama.cpp's converter writes. Patterns are applied
/// one after the other, each match a piece of its own.
struct PreTokenizerName {
    const char* name;
    std::array<const char*, 4> patterns;  ///< null: no more
    bool ignoreMerges = false;
    bool addBos = false;  ///< when the file does not say
};

constexpr const char* kDigit = R"(\p{N})";
constexpr const char* kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kSigns = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr const char* kDefaultSigns = R"([\p{P}\$\+<=>\^~\|]+)";
constexpr const char* kThreeDigits = "[0-9][0-9][0-9]";

constexpr std::array<PreTokenizerName, 21> kNames{{
    {"default", {kDefaultSigns, kGpt2, R"(\p{N}+)", kThreeDigits}},
    {"gpt-2", {kGpt2}},
    {"mpt", {kGpt2}},
    {"olmo", {kGpt2}},
    {"jais", {kGpt2}},
    {"phi-2", {kGpt2}},
    {"smollm", {kDigit, kGpt2}},
    {"starcoder", {kDigit, kGpt2}},
    {"refact", {kDigit, kGpt2}},
    {"command-r", {kDigit, kGpt2}},
    {"codeshell", {kDigit, kGpt2}},
    {"exaone", {kDigit, kGpt2}},
    {"minerva-7b", {kDigit, kGpt2}},
    {"falcon", {kSigns, kGpt2, kThreeDigits}},
    {"llama3", {kLlama3}, true, true},
    {"llama-v3", {kLlama3}, true, true},
    {"llama-bpe", {kLlama3}, true, true},
    {"falcon3", {kLlama3}, true, true},
    {"qwen2", {kQwen2}},
    {"deepseek-r1-qwen", {kQwen2}},
    {"stablelm2", {kQwen2}},
}};

/// Kinds of tokens in tokenizer.ggml.token_type.
constexpr int kControlToken = 3;
constexpr int kUserToken = 4;

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

class Builder {
public:
    Builder(const io::GgufMetadata& metadata, const std::string& file)
        : m_metadata(metadata), m_file(file) {}

    Result<GgufTokenizer> run() {
        const std::string kind = textOf(m_metadata.values, "tokenizer.ggml.model");
        const auto tokens = m_metadata.strings.find("tokenizer.ggml.tokens");
        if (kind.empty() || tokens == m_metadata.strings.end()) {
            return makeError(ErrorCode::TokenizerMissing,
                             {{"file", m_file},
                              {"known", "tokenizer.ggml.model, tokenizer.ggml.tokens"}});
        }
        if (kind != "gpt2") {
            return tokenizerError(m_file, "its kind is \"" + kind +
                                              "\"; only byte-level BPE (\"gpt2\") is supported in GGUF");
        }
        m_tokens = &tokens->second;
        PARETO_TRY(const auto* name,
                   preTokenizerNamed(textOf(m_metadata.values, "tokenizer.ggml.pre", "default"), m_file));
        OrderedJson json;
        json["version"] = "1.0";
        json["truncation"] = nullptr;
        json["padding"] = nullptr;
        PARETO_TRY(json["added_tokens"], addedTokens());
        json["normalizer"] = nullptr;
        json["pre_tokenizer"] = preTokenizerJson(*name);
        PARETO_TRY(json["post_processor"], postProcessor(*name));
        json["decoder"] = {{"type", "ByteLevel"},
                           {"add_prefix_space", true},
                           {"trim_offsets", true},
                           {"use_regex", true}};
        PARETO_TRY(json["model"], model(*name));
        GgufTokenizer out;
        out.tokenizerJson = json.dump(1, ' ', false, OrderedJson::error_handler_t::replace);
        out.specials = {tokenNamed("padding_token_id"), tokenNamed("bos_token_id"),
                        tokenNamed("eos_token_id")};
        return out;
    }

private:
    std::int64_t idNamed(const std::string& key) const {
        const Json& value = fieldOf(m_metadata.values, ("tokenizer.ggml." + key).c_str());
        const bool usable = value.is_number_integer() && value.get<std::int64_t>() >= 0 &&
                            value.get<std::uint64_t>() < m_tokens->size();
        return usable ? value.get<std::int64_t>() : -1;
    }
    std::string tokenNamed(const std::string& key) const {
        const auto id = idNamed(key);
        return id < 0 ? std::string() : (*m_tokens)[static_cast<std::size_t>(id)];
    }

    Result<OrderedJson> addedTokens() const {
        OrderedJson out = OrderedJson::array();
        const auto types = m_metadata.numbers.find("tokenizer.ggml.token_type");
        if (types == m_metadata.numbers.end()) {
            return out;
        }
        if (types->second.size() != m_tokens->size()) {
            return tokenizerError(m_file, "tokenizer.ggml.token_type has another length than "
                                          "tokenizer.ggml.tokens");
        }
        for (std::size_t id = 0; id < m_tokens->size(); ++id) {
            const double type = types->second[id];
            if (type == kControlToken || type == kUserToken) {
                out.push_back({{"id", id},
                               {"content", (*m_tokens)[id]},
                               {"single_word", false},
                               {"lstrip", false},
                               {"rstrip", false},
                               {"normalized", false},
                               {"special", type == kControlToken}});
            }
        }
        return out;
    }

    Result<OrderedJson> model(const PreTokenizerName& name) const {
        OrderedJson vocabulary = OrderedJson::object();
        // Straight into the underlying vector: an ordered object looks every new key up one by one.
        auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
        entries.reserve(m_tokens->size());
        std::unordered_map<std::string_view, std::size_t> seen;
        for (std::size_t id = 0; id < m_tokens->size(); ++id) {
            const auto& token = (*m_tokens)[id];
            const auto [other, isNew] = seen.emplace(token, id);
            if (!isNew || !io::isUtf8(token)) {
                return tokenizerError(m_file, "token " + std::to_string(id) + " is " +
                                                  (isNew ? std::string("not UTF-8")
                                                         : "the same as token " +
                                                               std::to_string(other->second)));
            }
            entries.std::vector<OrderedJson::object_t::value_type>::emplace_back(token, id);
        }
        const auto merges = m_metadata.strings.find("tokenizer.ggml.merges");
        if (merges == m_metadata.strings.end()) {
            return tokenizerError(m_file, "tokenizer.ggml.merges is missing");
        }
        OrderedJson list = OrderedJson::array();
        for (std::size_t rank = 0; rank < merges->second.size(); ++rank) {
            const auto& merge = merges->second[rank];
            const auto space = merge.find(' ', 1);
            if (space == std::string::npos || space + 1 == merge.size() || !io::isUtf8(merge)) {
                return tokenizerError(m_file,
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

    Result<OrderedJson> postProcessor(const PreTokenizerName& name) const {
        const OrderedJson byteLevel = {{"type", "ByteLevel"},
                                       {"add_prefix_space", true},
                                       {"trim_offsets", false},
                                       {"use_regex", true}};
        const Json& values = m_metadata.values;
        const bool addBos = flagOf(values, "tokenizer.ggml.add_bos_token", name.addBos);
        const bool addEos = flagOf(values, "tokenizer.ggml.add_eos_token", false);
        if (!addBos && !addEos) {
            return byteLevel;
        }
        OrderedJson specials = OrderedJson::object();
        OrderedJson open = OrderedJson::array();
        OrderedJson close = OrderedJson::array();
        for (const auto& [wanted, key, items] :
             {std::tuple{addBos, "bos_token_id", &open}, std::tuple{addEos, "eos_token_id", &close}}) {
            if (!wanted) {
                continue;
            }
            const auto id = idNamed(key);
            if (id < 0) {
                return tokenizerError(m_file, std::string("it is to add a token, but tokenizer.ggml.") +
                                                  key + " is missing or out of range");
            }
            const auto& token = (*m_tokens)[static_cast<std::size_t>(id)];
            items->push_back(token);
            specials[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
        }
        const auto sequence = [&](const char* text, int typeId) {
            OrderedJson out = OrderedJson::array();
            for (const auto& token : open) {
                out.push_back({{"SpecialToken", {{"id", token}, {"type_id", typeId}}}});
            }
            out.push_back({{"Sequence", {{"id", text}, {"type_id", typeId}}}});
            for (const auto& token : close) {
                out.push_back({{"SpecialToken", {{"id", token}, {"type_id", typeId}}}});
            }
            return out;
        };
        OrderedJson pair = sequence("A", 0);
        for (const auto& item : sequence("B", 1)) {
            pair.push_back(item);
        }
        OrderedJson processors = OrderedJson::array();
        processors.push_back(byteLevel);
        processors.push_back({{"type", "TemplateProcessing"},
                              {"single", sequence("A", 0)},
                              {"pair", std::move(pair)},
                              {"special_tokens", std::move(specials)}});
        return OrderedJson{{"type", "Sequence"}, {"processors", std::move(processors)}};
    }

    const io::GgufMetadata& m_metadata;
    const std::string& m_file;
    const std::vector<std::string>* m_tokens = nullptr;
};

}  // namespace

Result<GgufTokenizer> ggufTokenizer(const io::GgufMetadata& metadata, const std::string& file) {
    return Builder(metadata, file).run();
}

}  // namespace pareto::text
