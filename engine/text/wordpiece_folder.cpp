#include "engine/io/utf8.h"
#include "engine/text/folder_tokenizers.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"
#include "engine/text/tokenizer_json.h"

namespace pareto::text {
namespace {

Status readLines(const std::string& text, const std::string& file, OrderedJson& tokens,
                 Vocabulary& ids) {
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
        appendUnchecked(tokens, token, next);
    }
    return Done{};
}

/// BERT's names for its tokens, or MPNet's.
struct Names {
    std::string cls;
    std::string sep;
    std::string unknown;
    std::string pad;
    std::string mask;
};

Names namesOf(const TokenizerFolder& folder) {
    const bool mpnet = folder.family == "MPNetTokenizer";
    const auto name = [&](const char* key, const char* bert, const char* other) {
        const auto given = tokenIn(folder.config, key);
        return !given.empty() ? given : std::string(mpnet ? other : bert);
    };
    return {name("cls_token", "[CLS]", "<s>"), name("sep_token", "[SEP]", "</s>"),
            name("unk_token", "[UNK]", "[UNK]"), name("pad_token", "[PAD]", "<pad>"),
            name("mask_token", "[MASK]", "<mask>")};
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> readWordPieceFolder(const TokenizerFolder& folder) {
    const auto file = folder.root.path("vocab.txt");
    PARETO_TRY(const auto text, folder.root.readText("vocab.txt", kMaxTokenizerBytes));
    OrderedJson vocabulary = OrderedJson::object();
    Vocabulary ids;
    PARETO_CHECK(readLines(text, file, vocabulary, ids));
    const Names names = namesOf(folder);
    const auto cls = ids.find(names.cls);
    const auto sep = ids.find(names.sep);
    if (cls == ids.end() || sep == ids.end()) {
        return tokenizerError(file,
                              "it does not hold the tokens " + names.cls + " and " + names.sep);
    }
    const bool mpnet = folder.family == "MPNetTokenizer";
    OrderedJson json = tokenizerJsonHead();
    json["added_tokens"] = OrderedJson::array();
    for (const auto& special : {names.pad, names.unknown, names.cls, names.sep, names.mask}) {
        if (const auto found = ids.find(special); found != ids.end()) {
            json["added_tokens"].push_back(toJson({.content = special,
                                                   .id = found->second,
                                                   .stripLeft = mpnet && special == names.mask}));
        }
    }
    const Json& strip = fieldOf(folder.config, "strip_accents");
    json["normalizer"] = {
        {"type", "BertNormalizer"},
        {"clean_text", true},
        {"handle_chinese_chars", flagOf(folder.config, "tokenize_chinese_chars", true)},
        {"strip_accents",
         strip.is_boolean() ? OrderedJson(strip.get<bool>()) : OrderedJson(nullptr)},
        {"lowercase", flagOf(folder.config, "do_lower_case", true)}};
    json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    const TemplateItem first{names.cls};
    const TemplateItem last{names.sep};
    const TemplateItem a{"A", 0, true};
    const TemplateItem b{"B", 1, true};
    const TemplateItem end{names.sep, 1};
    json["post_processor"] = templateProcessing(
        {first, a, last},
        mpnet ? std::vector<TemplateItem>{first, a, last, last, b, end}
              : std::vector<TemplateItem>{first, a, last, b, end},
        {{names.cls, cls->second}, {names.sep, sep->second}});
    json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    json["model"] = {{"type", "WordPiece"},
                     {"unk_token", names.unknown},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", 100},
                     {"vocab", std::move(vocabulary)}};
    return PipelineTokenizer::read(json.dump(1), file, folder.specials);
}

}  // namespace pareto::text
