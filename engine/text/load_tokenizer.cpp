#include <filesystem>

#include "engine/core/file.h"
#include "engine/io/content.h"
#include "engine/io/utf8.h"
#include "engine/text/gguf_tokenizer.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"
#include "engine/text/tokenizer.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxTokenizerBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;

/// A token is written as its text or as an object with "content".
std::string tokenIn(const Json& json, const char* key) {
    const Json& value = fieldOf(json, key);
    return value.is_object() ? textOf(value, "content") : textOf(json, key);
}

Result<Json> readOptional(const io::ModelRoot& root, const std::string& name) {
    if (!root.exists(name)) {
        return Json::object();
    }
    PARETO_TRY(const auto text, root.readText(name, kMaxConfigBytes));
    return parseJson(text, root.path(name));
}

Result<SpecialTokens> readSpecials(const io::ModelRoot& root) {
    SpecialTokens out;
    for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
        PARETO_TRY(const Json json, readOptional(root, name));
        const auto fill = [&](std::string& token, const char* key) {
            if (token.empty()) {
                token = tokenIn(json, key);
            }
        };
        fill(out.pad, "pad_token");
        fill(out.bos, "bos_token");
        fill(out.eos, "eos_token");
    }
    return out;
}

/// The tokenizer.json that transformers makes of BERT's vocab.txt and tokenizer_config.json.
Result<std::string> tokenizerJsonOfVocabulary(const std::string& text, const Json& config,
                                              const std::string& file) {
    using OrderedJson = nlohmann::ordered_json;
    OrderedJson vocabulary = OrderedJson::object();
    auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
    Vocabulary ids;
    std::int32_t next = 0;
    for (std::size_t at = 0; at < text.size(); ++next) {
        auto end = text.find('\n', at);
        end = end == std::string::npos ? text.size() : end;
        std::string token = text.substr(at, end - at);
        if (!token.empty() && token.back() == '\r') {
            token.pop_back();
        }
        at = end + 1;
        if (token.empty() || !io::isUtf8(token) || !ids.emplace(token, next).second) {
            return tokenizerError(file, "line " + std::to_string(next + 1) +
                                            " is empty, not UTF-8 or stands twice");
        }
        entries.std::vector<OrderedJson::object_t::value_type>::emplace_back(token, next);
    }
    const auto token = [&](const char* key, const char* usual) {
        const auto given = tokenIn(config, key);
        return given.empty() ? std::string(usual) : given;
    };
    OrderedJson added = OrderedJson::array();
    const auto cls = token("cls_token", "[CLS]");
    const auto sep = token("sep_token", "[SEP]");
    const auto unknown = token("unk_token", "[UNK]");
    for (const auto& special : {token("pad_token", "[PAD]"), unknown, cls, sep,
                                token("mask_token", "[MASK]")}) {
        if (const auto found = ids.find(special); found != ids.end()) {
            added.push_back({{"id", found->second}, {"content", special}, {"single_word", false},
                             {"lstrip", false}, {"rstrip", false}, {"normalized", false},
                             {"special", true}});
        }
    }
    if (ids.find(cls) == ids.end() || ids.find(sep) == ids.end()) {
        return tokenizerError(file, "it does not hold the tokens " + cls + " and " + sep);
    }
    const auto special = [&](const std::string& name, int typeId) {
        return OrderedJson{{"SpecialToken", {{"id", name}, {"type_id", typeId}}}};
    };
    const auto sequence = [&](const char* name, int typeId) {
        return OrderedJson{{"Sequence", {{"id", name}, {"type_id", typeId}}}};
    };
    const auto specialEntry = [&](const std::string& name) {
        return OrderedJson{{"id", name}, {"ids", OrderedJson::array({ids.find(name)->second})},
                           {"tokens", OrderedJson::array({name})}};
    };
    const bool lowercase = flagOf(config, "do_lower_case", true);
    OrderedJson json;
    json["version"] = "1.0";
    json["truncation"] = nullptr;
    json["padding"] = nullptr;
    json["added_tokens"] = std::move(added);
    const Json& strip = fieldOf(config, "strip_accents");
    json["normalizer"] = {{"type", "BertNormalizer"},
                          {"clean_text", true},
                          {"handle_chinese_chars", flagOf(config, "tokenize_chinese_chars", true)},
                          {"strip_accents", strip.is_boolean() ? OrderedJson(strip.get<bool>())
                                                               : OrderedJson(nullptr)},
                          {"lowercase", lowercase}};
    json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    json["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", OrderedJson::array({special(cls, 0), sequence("A", 0), special(sep, 0)})},
        {"pair", OrderedJson::array({special(cls, 0), sequence("A", 0), special(sep, 0),
                                     sequence("B", 1), special(sep, 1)})},
        {"special_tokens", {{cls, specialEntry(cls)}, {sep, specialEntry(sep)}}}};
    json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    json["model"] = {{"type", "WordPiece"},
                     {"unk_token", unknown},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", 100},
                     {"vocab", std::move(vocabulary)}};
    return json.dump(1);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const io::ModelFiles& files) {
    if (files.format() == io::Format::Gguf) {
        const auto path = files.files().front();
        PARETO_TRY(auto made, ggufTokenizer(files.gguf(), path));
        return PipelineTokenizer::read(std::move(made.tokenizerJson), path, std::move(made.specials));
    }
    PARETO_TRY(const auto root, io::ModelRoot::open(files.transformerFolder()));
    PARETO_TRY(auto specials, readSpecials(root));
    if (root.exists("tokenizer.json")) {
        PARETO_TRY(auto text, root.readText("tokenizer.json", kMaxTokenizerBytes));
        return PipelineTokenizer::read(std::move(text), root.path("tokenizer.json"),
                                       std::move(specials));
    }
    if (root.exists("vocab.txt")) {
        PARETO_TRY(const Json config, readOptional(root, "tokenizer_config.json"));
        PARETO_TRY(const auto text, root.readText("vocab.txt", kMaxTokenizerBytes));
        const auto path = root.path("vocab.txt");
        PARETO_TRY(auto json, tokenizerJsonOfVocabulary(text, config, path));
        return PipelineTokenizer::read(std::move(json), path, std::move(specials));
    }
    return makeError(ErrorCode::TokenizerMissing,
                     {{"file", files.transformerFolder()}, {"known", "tokenizer.json, vocab.txt"}});
}

}  // namespace pareto::text
