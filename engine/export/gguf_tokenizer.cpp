// Entries and conventions of llama.cpp's conversion/{base,bert,t5}.py and gguf-py's vocab.py.
#include "engine/export/gguf_tokenizer.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "engine/io/content.h"
#include "engine/io/gguf.h"
#include "engine/text/charsmap.h"
#include "engine/text/gguf_tokenizer.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"
#include "engine/text/tokenizer.h"

namespace pareto::exporting {

namespace {

using text::fieldOf;
using text::flagOf;
using text::textOf;

constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
constexpr std::string_view kPrefix = "tokenizer.";
constexpr const char* kSpaceMark = "\xE2\x96\x81";  ///< U+2581, SentencePiece's space

/// Kinds of tokens in tokenizer.ggml.token_type.
enum TokenType : std::int32_t {
    kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6
};

/// Calls visit(object) for a normalizer, pre-tokenizer or post-processor, or for each of a sequence.
template <typename Visit>
void forEachStep(const Json& step, Visit&& visit) {
    for (const char* list : {"normalizers", "pretokenizers", "processors"}) {
        if (const Json& steps = fieldOf(step, list); steps.is_array()) {
            for (const auto& inner : steps) {
                forEachStep(inner, visit);
            }
            return;
        }
    }
    if (step.is_object()) {
        visit(step);
    }
}

/// What single texts are put between: the special tokens at the ends, empty where there are none.
struct Frame {
    std::string first;
    std::string last;
};

std::string specialOf(const Json& piece) { return textOf(fieldOf(piece, "SpecialToken"), "id"); }

std::string firstOfPair(const Json& pair) {
    return pair.is_array() && !pair.empty() && pair[0].is_string() ? pair[0].get<std::string>()
                                                                   : std::string();
}

Frame frameOf(const Json& postProcessor) {
    Frame out;
    forEachStep(postProcessor, [&](const Json& step) {
        const auto type = textOf(step, "type");
        if (type == "RobertaProcessing" || type == "BertProcessing") {
            out = {firstOfPair(fieldOf(step, "cls")), firstOfPair(fieldOf(step, "sep"))};
        } else if (const Json& single = fieldOf(step, "single");
                   type == "TemplateProcessing" && single.is_array() && single.size() > 1) {
            out = {specialOf(single.front()), specialOf(single.back())};
        }
    });
    return out;
}

bool isByteToken(const std::string& token) {
    return token.size() == 6 && token.starts_with("<0x") && token.back() == '>';
}

class Builder {
public:
    Builder(const Json& json, std::int64_t rows, std::string file, std::vector<std::string>& notes)
        : m_json(json),
          m_model(fieldOf(json, "model")),
          m_rows(static_cast<std::size_t>(rows)),
          m_file(std::move(file)),
          m_notes(notes) {}

    Result<std::vector<io::GgufEntry>> run(const std::map<std::string, std::string>& named) {
        PARETO_CHECK(readVocabulary());
        PARETO_CHECK(addKind());
        readAdded();
        if (m_tokens.size() > m_rows) {
            return text::tokenizerError(m_file, "it has " + std::to_string(m_tokens.size()) +
                                                    " tokens, more than the model's table has rows (" +
                                                    std::to_string(m_rows) + ")");
        }
        while (m_tokens.size() < m_rows) {
            addUnused(m_tokens.size());
        }
        std::vector<io::GgufEntry> out;
        out.push_back({"tokenizer.ggml.model", m_kind});
        out.push_back({"tokenizer.ggml.pre", m_pre});
        out.push_back({"tokenizer.ggml.tokens", std::move(m_tokens)});
        if (m_kind == "llama" || m_kind == "t5") {
            out.push_back({"tokenizer.ggml.scores", std::move(m_scores)});
        }
        out.push_back({"tokenizer.ggml.token_type", std::move(m_types)});
        std::move(m_extra.begin(), m_extra.end(), std::back_inserter(out));
        addSpecials(named, out);
        return out;
    }

private:
    void addUnused(std::size_t id) {
        m_tokens.push_back("[PAD" + std::to_string(id) + "]");
        m_scores.push_back(-10000.0F);
        m_types.push_back(kUnused);
    }

    void put(std::size_t id, const std::string& token, float score, TokenType type) {
        while (m_tokens.size() <= id) {
            addUnused(m_tokens.size());
        }
        m_tokens[id] = token;
        m_scores[id] = score;
        m_types[id] = type;
        m_ids.emplace(token, id);
    }

    Status readVocabulary() {
        const Json& vocabulary = fieldOf(m_model, "vocab");
        if (vocabulary.is_array()) {  // Unigram: pairs of piece and score, by id
            for (std::size_t id = 0; id < vocabulary.size(); ++id) {
                const Json& pair = vocabulary[id];
                if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() ||
                    !pair[1].is_number()) {
                    return text::tokenizerError(m_file, "its vocabulary is no list of pairs");
                }
                put(id, pair[0].get<std::string>(), pair[1].get<float>(), kNormal);
            }
            return Done{};
        }
        if (!vocabulary.is_object()) {
            return text::tokenizerError(m_file, "it has no vocabulary");
        }
        for (const auto& [token, id] : vocabulary.items()) {
            if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= m_rows) {
                return text::tokenizerError(m_file, "the id of token \"" + token +
                                                        "\" is not below the rows of the table");
            }
            put(id.get<std::size_t>(), token, 0.0F, kNormal);
        }
        return Done{};
    }

    Status addKind() {
        const auto type = textOf(m_model, "type");
        if (type == "WordPiece") {
            addWordPiece();
        } else if (type == "Unigram") {
            addUnigram();
        } else if (type == "BPE" && flagOf(m_model, "byte_fallback", false)) {
            addSentencePieceBpe();
        } else if (type == "BPE") {
            return addByteLevelBpe();
        } else {
            return text::tokenizerError(m_file, "GGUF has no kind for a model of type \"" + type + "\"");
        }
        return Done{};
    }

    /// Words begin with a mark and continuations stand without "##": the other way round than in
    /// vocab.txt.
    void addWordPiece() {
        m_kind = "bert";
        const auto prefix = textOf(m_model, "continuing_subword_prefix", "##");
        for (std::size_t id = 0; id < m_tokens.size(); ++id) {
            auto& token = m_tokens[id];
            if (m_types[id] == kNormal) {
                token = token.starts_with(prefix) ? token.substr(prefix.size()) : kSpaceMark + token;
            }
        }
        forEachStep(fieldOf(m_json, "normalizer"), [&](const Json& step) {
            for (const char* flag : {"lowercase", "strip_accents"}) {
                if (const Json& value = fieldOf(step, flag); value.is_boolean()) {
                    m_extra.push_back(
                        {std::string("tokenizer.ggml.normalizer.") + flag, value.get<bool>()});
                }
            }
        });
    }

    Status addByteLevelBpe() {
        m_kind = "gpt2";
        m_pre = text::ggufPreTokenizerName(m_json);
        if (m_pre.empty()) {
            m_pre = "default";
            m_notes.push_back("The format names the rule by which text is cut before BPE; this "
                              "tokenizer's is none of the names known here. \"default\" is written: "
                              "llama.cpp can cut some texts differently.");
        }
        std::vector<std::string> merges;
        PARETO_CHECK(forEachMerge([&](std::string left, std::string right) {
            merges.push_back(std::move(left) + " " + std::move(right));
        }));
        m_extra.push_back({"tokenizer.ggml.merges", std::move(merges)});
        return Done{};
    }

    /// llama.cpp merges the pair with the best score of the whole: the earlier a token's first merge
    /// stands, the better.
    void addSentencePieceBpe() {
        m_kind = "llama";
        std::int64_t rank = 0;
        const auto status = forEachMerge([&](const std::string& left, const std::string& right) {
            const auto found = m_ids.find(left + right);
            if (found != m_ids.end() && m_scores[found->second] == 0.0F) {
                m_scores[found->second] = -static_cast<float>(++rank);
            }
        });
        (void)status;  // a model without merges knows characters only
        for (std::size_t id = 0; id < m_tokens.size(); ++id) {
            if (isByteToken(m_tokens[id])) {
                m_types[id] = kByte;
            }
        }
        markUnknown(textOf(m_model, "unk_token"));
        addSpacePrefix();
    }

    void addUnigram() {
        m_kind = "t5";
        const Json& unknown = fieldOf(m_model, "unk_id");
        if (unknown.is_number_unsigned() && unknown.get<std::size_t>() < m_types.size()) {
            m_types[unknown.get<std::size_t>()] = kUnknown;
        }
        addSpacePrefix();
        bool removesSpaces = false;
        std::string charsmap;
        const auto look = [&](const Json& step) {
            const auto type = textOf(step, "type");
            if (type == "Precompiled") {
                (void)text::decodeBase64(textOf(step, "precompiled_charsmap"), charsmap);
            }
            removesSpaces = removesSpaces || type == "WhitespaceSplit" ||
                            textOf(fieldOf(step, "pattern"), "Regex") == " {2,}";
        };
        forEachStep(fieldOf(m_json, "normalizer"), look);
        forEachStep(fieldOf(m_json, "pre_tokenizer"), look);
        m_extra.push_back({"tokenizer.ggml.remove_extra_whitespaces", removesSpaces});
        if (!charsmap.empty()) {
            m_extra.push_back({"tokenizer.ggml.precompiled_charsmap",
                               std::vector<std::uint8_t>(charsmap.begin(), charsmap.end())});
        }
    }

    void addSpacePrefix() {
        bool prefix = false;
        const auto look = [&](const Json& step) {
            const auto type = textOf(step, "type");
            prefix = prefix || type == "Prepend" ||
                     (type == "Metaspace" && textOf(step, "prepend_scheme", "always") != "never" &&
                      flagOf(step, "add_prefix_space", true));
        };
        forEachStep(fieldOf(m_json, "normalizer"), look);
        forEachStep(fieldOf(m_json, "pre_tokenizer"), look);
        m_extra.push_back({"tokenizer.ggml.add_space_prefix", prefix});
    }

    /// Merges are pairs, or one string with a space between.
    template <typename Visit>
    Status forEachMerge(Visit&& visit) {
        const Json& merges = fieldOf(m_model, "merges");
        if (!merges.is_array()) {
            return text::tokenizerError(m_file, "it has no merges");
        }
        for (const auto& merge : merges) {
            if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
                visit(merge[0].get<std::string>(), merge[1].get<std::string>());
                continue;
            }
            const auto both = merge.is_string() ? merge.get<std::string>() : std::string();
            const auto space = both.find(' ', 1);
            if (space == std::string::npos) {
                return text::tokenizerError(m_file, "one of its merges is no pair of tokens");
            }
            visit(both.substr(0, space), both.substr(space + 1));
        }
        return Done{};
    }

    void markUnknown(const std::string& token) {
        if (const auto found = m_ids.find(token); found != m_ids.end()) {
            m_types[found->second] = kUnknown;
        }
    }

    void readAdded() {
        const Json& added = fieldOf(m_json, "added_tokens");
        for (const auto& token : added.is_array() ? added : Json::array()) {
            const Json& id = fieldOf(token, "id");
            const auto content = textOf(token, "content");
            if (!id.is_number_unsigned() || content.empty()) {
                continue;
            }
            const auto at = id.get<std::size_t>();
            if (at < m_types.size() && m_types[at] == kUnknown) {
                m_tokens[at] = content;
                continue;
            }
            const bool special = flagOf(token, "special", false);
            put(at, content, special ? 0.0F : -1000.0F, special ? kControl : kUserDefined);
        }
    }

    void addSpecials(const std::map<std::string, std::string>& named,
                     std::vector<io::GgufEntry>& out) {
        const Frame frame = frameOf(fieldOf(m_json, "post_processor"));
        std::map<std::string, std::string> tokens = named;
        const auto fill = [&](const char* key, const std::string& other) {
            if (auto& token = tokens[key]; token.empty()) {
                token = other;
            }
        };
        fill("bos", tokens["cls"].empty() ? frame.first : tokens["cls"]);
        fill("eos", tokens["sep"].empty() ? frame.last : tokens["sep"]);
        fill("cls", m_kind == "bert" ? frame.first : "");
        fill("sep", m_kind == "bert" ? frame.last : "");
        fill("unk", textOf(m_model, "unk_token"));
        constexpr std::pair<const char*, const char*> kKeys[] = {
            {"bos", "bos_token_id"},     {"eos", "eos_token_id"},       {"unk", "unknown_token_id"},
            {"sep", "seperator_token_id"}, {"pad", "padding_token_id"}, {"cls", "cls_token_id"},
            {"mask", "mask_token_id"}};
        for (const auto& [key, name] : kKeys) {
            if (const auto found = m_ids.find(tokens[key]); found != m_ids.end()) {
                out.push_back({std::string("tokenizer.ggml.") + name,
                               static_cast<std::uint32_t>(found->second)});
            }
        }
        out.push_back({"tokenizer.ggml.add_bos_token",
                       !frame.first.empty() && frame.first == tokens["bos"]});
        out.push_back(
            {"tokenizer.ggml.add_eos_token", !frame.last.empty() && frame.last == tokens["eos"]});
    }

    const Json& m_json;
    const Json& m_model;
    std::size_t m_rows;
    std::string m_file;
    std::vector<std::string>& m_notes;
    std::string m_kind;
    std::string m_pre = "default";
    std::vector<std::string> m_tokens;
    std::vector<float> m_scores;
    std::vector<std::int32_t> m_types;
    std::unordered_map<std::string, std::size_t> m_ids;
    std::vector<io::GgufEntry> m_extra;
};

/// The names of special tokens and the chat template, from the files beside a tokenizer.json.
struct Companions {
    std::map<std::string, std::string> named;
    std::string chatTemplate;
};

Result<Companions> readCompanions(const io::ModelFiles& source) {
    Companions out;
    PARETO_TRY(const auto root, io::ModelRoot::open(source.transformerFolder()));
    for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
        if (!root.exists(file)) {
            continue;
        }
        PARETO_TRY(const auto content, root.readText(file, kMaxConfigBytes));
        PARETO_TRY(const Json json, parseJson(content, root.path(file)));
        for (const char* key : {"bos", "eos", "unk", "sep", "pad", "cls", "mask"}) {
            const std::string field = std::string(key) + "_token";
            const Json& value = fieldOf(json, field.c_str());
            auto& token = out.named[key];
            if (token.empty()) {
                token = value.is_object() ? textOf(value, "content") : textOf(json, field.c_str());
            }
        }
        if (out.chatTemplate.empty()) {
            out.chatTemplate = textOf(json, "chat_template");
        }
    }
    if (root.exists("chat_template.jinja")) {
        PARETO_TRY(out.chatTemplate, root.readText("chat_template.jinja", kMaxConfigBytes));
    }
    return out;
}

/// An entry as its reader keeps it, with the type that llama.cpp expects.
io::GgufValue typedNumbers(const std::string& key, const std::vector<double>& numbers) {
    const auto as = [&]<typename T>(T) {
        std::vector<T> out;
        std::transform(numbers.begin(), numbers.end(), std::back_inserter(out),
                       [](double value) { return static_cast<T>(value); });
        return out;
    };
    if (key.ends_with(".scores")) {
        return as(float{});
    }
    if (key.ends_with("charsmap")) {
        return as(std::uint8_t{});
    }
    return as(std::int32_t{});
}

std::vector<io::GgufEntry> copiedEntries(const io::GgufMetadata& metadata) {
    std::vector<io::GgufEntry> out;
    for (const auto& [key, strings] : metadata.strings) {
        if (key.starts_with(kPrefix)) {
            out.push_back({key, strings});
        }
    }
    for (const auto& [key, numbers] : metadata.numbers) {
        if (key.starts_with(kPrefix)) {
            out.push_back({key, typedNumbers(key, numbers)});
        }
    }
    for (const auto& [key, value] : metadata.values.items()) {
        if (!key.starts_with(kPrefix) || value.is_array()) {
            continue;
        }
        if (value.is_boolean()) {
            out.push_back({key, value.get<bool>()});
        } else if (value.is_number_unsigned()) {
            out.push_back({key, value.get<std::uint32_t>()});
        } else if (value.is_number_integer()) {
            out.push_back({key, value.get<std::int32_t>()});
        } else if (value.is_number()) {
            out.push_back({key, value.get<float>()});
        } else {
            out.push_back({key, value.get<std::string>()});
        }
    }
    return out;
}

}  // namespace

Result<std::vector<io::GgufEntry>> ggufTokenizerEntries(const io::ModelFiles& source,
                                                        std::int64_t tableRows,
                                                        std::vector<std::string>& notes) {
    if (source.format() == io::Format::Gguf) {
        return copiedEntries(source.gguf());
    }
    const auto tokenizer = text::loadTokenizer(source);
    if (!tokenizer.ok() && !tokenizer.cancelled() &&
        tokenizer.error().code == ErrorCode::TokenizerMissing) {
        notes.push_back("The model has no tokenizer: the exported file has none either.");
        return std::vector<io::GgufEntry>{{"tokenizer.ggml.model", std::string("none")}};
    }
    PARETO_CHECK(tokenizer);
    const auto file = source.transformerFolder() + "/tokenizer.json";
    PARETO_TRY(const Json json, parseJson(tokenizer.value()->toTokenizerJson(), file));
    PARETO_TRY(const Companions companions, readCompanions(source));
    PARETO_TRY(auto entries, Builder(json, tableRows, file, notes).run(companions.named));
    if (!companions.chatTemplate.empty()) {
        entries.push_back({"tokenizer.chat_template", companions.chatTemplate});
    }
    return entries;
}

}  // namespace pareto::exporting
