#include "engine/io/utf8.h"
#include "engine/text/folder_tokenizers.h"
#include "engine/text/json_fields.h"
#include "engine/text/split_patterns.h"
#include "engine/text/text_error.h"
#include "engine/text/tokenizer_json.h"

namespace pareto::text {
namespace {

/// The lines of merges.txt: "a b", best first; a line that names the version is none.
Result<OrderedJson> readMergeLines(const std::string& text, const std::string& file) {
    OrderedJson merges = OrderedJson::array();
    std::size_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
        auto end = text.find('\n', at);
        end = end == std::string::npos ? text.size() : end;
        std::string line = text.substr(at, end - at);
        at = end + 1;
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        if (line.empty() || line.starts_with("#version")) {
            continue;
        }
        const auto space = line.find(' ');
        const bool pair = space != std::string::npos && space > 0 && space + 1 < line.size() &&
                          line.find(' ', space + 1) == std::string::npos && io::isUtf8(line);
        if (!pair) {
            return tokenizerError(file,
                                  "line " + std::to_string(number) + " is not a pair of tokens");
        }
        merges.push_back(OrderedJson::array({line.substr(0, space), line.substr(space + 1)}));
    }
    return merges;
}

class Builder {
public:
    Builder(const TokenizerFolder& folder, const Json& vocabulary)
        : m_folder(folder), m_vocabulary(vocabulary) {}

    Result<OrderedJson> run() {
        const bool roberta = m_folder.family == "RobertaTokenizer";
        const bool qwen = m_folder.family == "Qwen2Tokenizer";
        const bool prefix = flagOf(m_folder.config, "add_prefix_space", false);
        fillAdded(roberta);
        OrderedJson json = tokenizerJsonHead();
        json["added_tokens"] = std::move(m_added);
        json["normalizer"] = qwen ? OrderedJson{{"type", "NFC"}} : OrderedJson(nullptr);
        const OrderedJson bytes = {{"type", "ByteLevel"},
                                   {"add_prefix_space", prefix},
                                   {"trim_offsets", true},
                                   {"use_regex", !qwen}};
        json["pre_tokenizer"] = bytes;
        if (qwen) {
            OrderedJson steps = OrderedJson::array();
            steps.push_back({{"type", "Split"},
                             {"pattern", {{"Regex", kQwen2Pattern}}},
                             {"behavior", "Isolated"},
                             {"invert", false}});
            steps.push_back(bytes);
            json["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
        }
        PARETO_TRY(json["post_processor"], postProcessor(roberta, prefix));
        json["decoder"] = {{"type", "ByteLevel"},
                           {"add_prefix_space", true},
                           {"trim_offsets", true},
                           {"use_regex", true}};
        return json;
    }

private:
    std::string named(const char* key, const char* usual) const {
        const auto given = tokenIn(m_folder.config, key);
        return given.empty() ? std::string(usual) : given;
    }
    std::int32_t idOf(const std::string& token) const {
        const auto found = m_vocabulary.find(token);
        const bool usable = found != m_vocabulary.end() && found->is_number_unsigned();
        return usable ? found->get<std::int32_t>() : -1;
    }
    void add(AddedTokenJson token) {
        token.id = token.id > 0 ? token.id : idOf(token.content);
        for (const auto& known : m_added) {
            if (known["id"] == token.id) {
                return;
            }
        }
        if (token.id >= 0) {
            m_added.push_back(toJson(token));
        }
    }
    void fillAdded(bool roberta) {
        for (const auto& [id, entry] : fieldOf(m_folder.config, "added_tokens_decoder").items()) {
            AddedTokenJson token{.content = textOf(entry, "content")};
            token.id = static_cast<std::int32_t>(std::strtol(id.c_str(), nullptr, 10));
            token.special = flagOf(entry, "special", false);
            token.stripLeft = flagOf(entry, "lstrip", false);
            token.stripRight = flagOf(entry, "rstrip", false);
            token.singleWord = flagOf(entry, "single_word", false);
            token.normalized = flagOf(entry, "normalized", !token.special);
            add(token);
        }
        const char* end = roberta ? "</s>" : "<|endoftext|>";
        for (const auto& special :
             {named("bos_token", roberta ? "<s>" : end), named("eos_token", end),
              named("unk_token", roberta ? "<unk>" : end), named("pad_token", roberta ? "<pad>" : end)}) {
            add({.content = special});
        }
        if (roberta) {
            add({.content = named("mask_token", "<mask>"), .stripLeft = true});
        }
    }
    Result<OrderedJson> postProcessor(bool roberta, bool prefix) const {
        if (!roberta) {
            const auto bos = named("bos_token", "<|endoftext|>");
            if (flagOf(m_folder.config, "add_bos_token", false) && idOf(bos) >= 0) {
                const TemplateItem first{bos};
                return templateProcessing({first, {"A", 0, true}},
                                          {first, {"A", 0, true}, {"B", 1, true}}, {{bos, idOf(bos)}});
            }
            return OrderedJson{{"type", "ByteLevel"},
                               {"add_prefix_space", true},
                               {"trim_offsets", false},
                               {"use_regex", true}};
        }
        const auto cls = named("cls_token", "<s>");
        const auto sep = named("sep_token", "</s>");
        if (idOf(cls) < 0 || idOf(sep) < 0) {
            return tokenizerError(m_folder.root.path("vocab.json"),
                                  "it does not hold the tokens " + cls + " and " + sep);
        }
        return OrderedJson{{"type", "RobertaProcessing"},
                           {"sep", OrderedJson::array({sep, idOf(sep)})},
                           {"cls", OrderedJson::array({cls, idOf(cls)})},
                           {"trim_offsets", true},
                           {"add_prefix_space", prefix}};
    }

    const TokenizerFolder& m_folder;
    const Json& m_vocabulary;
    OrderedJson m_added = OrderedJson::array();
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> readByteLevelFolder(const TokenizerFolder& folder) {
    const auto file = folder.root.path("vocab.json");
    PARETO_TRY(const auto text, folder.root.readText("vocab.json", kMaxTokenizerBytes));
    PARETO_TRY(const Json vocabulary, parseJson(text, file));
    if (!vocabulary.is_object()) {
        return tokenizerError(file, "it is not a JSON object");
    }
    PARETO_TRY(const auto lines, folder.root.readText("merges.txt", kMaxTokenizerBytes));
    PARETO_TRY(auto merges, readMergeLines(lines, folder.root.path("merges.txt")));
    PARETO_TRY(OrderedJson json, Builder(folder, vocabulary).run());
    OrderedJson tokens = OrderedJson::object();
    for (const auto& [token, id] : vocabulary.items()) {
        appendUnchecked(tokens, token, id);
    }
    json["model"] = {{"type", "BPE"},
                     {"dropout", nullptr},
                     {"unk_token", nullptr},
                     {"continuing_subword_prefix", ""},
                     {"end_of_word_suffix", ""},
                     {"fuse_unk", false},
                     {"byte_fallback", false},
                     {"ignore_merges", false},
                     {"vocab", std::move(tokens)},
                     {"merges", std::move(merges)}};
    return PipelineTokenizer::read(json.dump(1), file, folder.specials);
}

}  // namespace pareto::text
