#include "engine/text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include <unicode/uchar.h>

#include "engine/text/charsmap.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"
#include "engine/text/word_model.h"

namespace pareto::text {
namespace {

using Family = SentencePieceFamily;
using Piece = SentencePieceModel::Piece;
using Type = SentencePieceModel::Type;

constexpr const char* kMark = "\xE2\x96\x81";

struct ScoredToken {
    std::string text;
    double score = 0.0;
};

struct Merge {
    std::string_view left;
    std::string_view right;
    double score;
    std::size_t leftChars;
    std::size_t rightChars;
    std::pair<std::int32_t, std::int32_t> ids;
};

/// Every way to make a token of two others, best score first: SentencePiece merges any two neighbours
/// that together are a piece.
std::vector<Merge> mergesOf(const std::vector<ScoredToken>& tokens, const Vocabulary& vocabulary) {
    std::vector<Merge> out;
    for (const auto& token : tokens) {
        const Chars chars = decodeUtf8(token.text);
        const std::size_t first = out.size();
        for (std::size_t i = 1; i < chars.size(); ++i) {
            const auto cut = static_cast<std::size_t>(chars[i].begin);
            const auto left = std::string_view(token.text).substr(0, cut);
            const auto right = std::string_view(token.text).substr(cut);
            const auto leftId = vocabulary.find(left);
            const auto rightId = vocabulary.find(right);
            if (leftId != vocabulary.end() && rightId != vocabulary.end()) {
                out.push_back({left, right, token.score, i, chars.size() - i,
                               {leftId->second, rightId->second}});
            }
        }
        std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
                         [](const Merge& a, const Merge& b) { return a.ids < b.ids; });
    }
    std::stable_sort(out.begin(), out.end(), [](const Merge& a, const Merge& b) {
        return std::tie(a.score, a.leftChars, a.rightChars) >
               std::tie(b.score, b.leftChars, b.rightChars);
    });
    return out;
}

/// ALBERT's pieces that end in a digit and a comma are never used.
bool endsInNumberComma(const std::string& text) {
    const Chars chars = decodeUtf8(text);
    return chars.size() >= 2 && chars.back().code == U',' &&
           u_isdigit(static_cast<UChar32>(chars[chars.size() - 2].code)) != 0;
}

class Builder {
public:
    Builder(const SentencePieceModel& model, const SentencePieceSettings& settings,
            const std::string& file)
        : m_model(model), m_settings(settings), m_file(file) {}

    Result<SentencePieceTokenizerJson> run() {
        PARETO_CHECK(fillTokens());
        fillAdded();
        OrderedJson json = tokenizerJsonHead();
        json["added_tokens"] = OrderedJson::array();
        for (const auto& [id, token] : m_added) {
            json["added_tokens"].push_back(toJson(token));
        }
        json["normalizer"] = normalizer();
        json["pre_tokenizer"] = preTokenizer();
        PARETO_TRY(json["post_processor"], postProcessor());
        json["decoder"] = decoder();
        json["model"] = model();
        const bool hasBos = m_settings.family != Family::T5;
        return SentencePieceTokenizerJson{json.dump(1), hasBos ? bos() : std::string(), eos(), pad()};
    }

private:
    bool isLlamaLike() const {
        return m_settings.family == Family::Llama || m_settings.family == Family::Gemma;
    }
    std::string named(const std::string& given, const char* usual) const {
        return given.empty() ? std::string(usual) : given;
    }
    std::string bos() const {
        return named(m_settings.bos, m_settings.family == Family::Gemma    ? "<bos>"
                                     : m_settings.family == Family::Albert ? "[CLS]"
                                                                           : "<s>");
    }
    std::string eos() const {
        return named(m_settings.eos, m_settings.family == Family::Gemma    ? "<eos>"
                                     : m_settings.family == Family::Albert ? "[SEP]"
                                                                           : "</s>");
    }
    std::string pad() const {
        return m_settings.family == Family::Llama ? m_settings.pad : named(m_settings.pad, "<pad>");
    }

    Status fillTokens() {
        m_unknown = m_model.unknownId;
        for (const auto& piece : m_model.pieces) {
            double score = piece.score;
            if (m_settings.family == Family::Albert && endsInNumberComma(piece.text)) {
                score -= 100.0;
            }
            m_tokens.push_back({piece.text, score});
        }
        if (m_settings.family == Family::XlmRoberta) {
            if (m_tokens.size() < 3) {
                return tokenizerError(m_file, "the SentencePiece model has fewer than three pieces");
            }
            m_tokens.erase(m_tokens.begin(), m_tokens.begin() + 3);
            const std::vector<ScoredToken> head{{"<s>"}, {"<pad>"}, {"</s>"}, {"<unk>"}};
            m_tokens.insert(m_tokens.begin(), head.begin(), head.end());
            m_tokens.push_back({"<mask>"});
            m_unknown = 3;
        } else if (m_settings.family == Family::T5) {
            for (auto i = m_settings.extraIds; i-- > 0;) {
                m_tokens.push_back({"<extra_id_" + std::to_string(i) + ">"});
            }
        } else if (isLlamaLike()) {
            for (std::size_t id = 0; id < std::min<std::size_t>(3, m_tokens.size()); ++id) {
                m_tokens[id].score = 0.0;
            }
            nameTab();
        }
        for (std::size_t id = 0; id < m_tokens.size(); ++id) {
            m_ids.insert_or_assign(m_tokens[id].text, static_cast<std::int32_t>(id));
        }
        return Done{};
    }

    /// Gemma without a piece for the tab uses the place of its byte.
    void nameTab() {
        const auto named = [&](const char* text) {
            return std::find_if(m_tokens.begin(), m_tokens.end(),
                                [&](const ScoredToken& token) { return token.text == text; });
        };
        const auto byte = named("<0x09>");
        if (m_settings.family == Family::Gemma && named("\t") == m_tokens.end() && byte != m_tokens.end()) {
            *byte = {"\t", 0.0};
        }
    }

    void add(AddedTokenJson token) {
        if (token.content.empty()) {
            return;
        }
        const auto known = m_ids.find(token.content);
        if (known == m_ids.end()) {
            const auto last = m_added.empty() ? 0 : m_added.rbegin()->first + 1;
            token.id = std::max(static_cast<std::int32_t>(m_tokens.size()), last);
            m_ids.emplace(token.content, token.id);
        } else {
            token.id = known->second;
        }
        m_added.insert_or_assign(token.id, std::move(token));
    }

    void fillAdded() {
        for (const auto& piece : m_model.pieces) {
            const bool turn = m_settings.family == Family::Gemma &&
                              (piece.text == "<start_of_turn>" || piece.text == "<end_of_turn>");
            if (piece.type == Type::Control || piece.type == Type::UserDefined) {
                add({.content = piece.text, .special = piece.type == Type::Control || turn});
            }
        }
        for (const auto& token : m_settings.added) {
            m_ids.emplace(token.content, token.id);
            add(token);
        }
        const auto addSpecial = [&](const std::string& text) {
            const auto known = m_ids.find(text);
            if (known == m_ids.end() || !m_added.contains(known->second)) {
                add({.content = text});
            }
        };
        if (m_settings.family != Family::T5) {
            addSpecial(bos());
        }
        addSpecial(eos());
        addSpecial(named(m_settings.unknown, "<unk>"));
        addSpecial(pad());
        if (m_settings.family == Family::XlmRoberta || m_settings.family == Family::Albert) {
            // The mask takes the space before it, like a word.
            add({.content = named(m_settings.mask,
                                  m_settings.family == Family::Albert ? "[MASK]" : "<mask>"),
                 .stripLeft = true});
        }
        for (auto i = m_settings.family == Family::T5 ? m_settings.extraIds : 0; i-- > 0;) {
            addSpecial("<extra_id_" + std::to_string(i) + ">");
        }
    }

    OrderedJson normalizer() const {
        const auto replace = [](const char* kind, const char* pattern, const char* content) {
            return OrderedJson{{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
        };
        OrderedJson steps = OrderedJson::array();
        const OrderedJson precompiled = {{"type", "Precompiled"},
                                         {"precompiled_charsmap", encodeBase64(m_model.charsmap)}};
        if (m_settings.family == Family::Gemma) {
            return replace("String", " ", kMark);
        }
        if (m_settings.family == Family::Llama) {
            if (!m_settings.legacy) {
                return nullptr;
            }
            if (m_settings.addPrefixSpace) {
                steps.push_back({{"type", "Prepend"}, {"prepend", kMark}});
            }
            steps.push_back(replace("String", " ", kMark));
        } else if (m_settings.family == Family::Albert) {
            steps.push_back(replace("String", "``", "\""));
            steps.push_back(replace("String", "''", "\""));
            if (!m_settings.keepAccents) {
                steps.push_back({{"type", "NFKD"}});
                steps.push_back({{"type", "StripAccents"}});
            }
            if (m_settings.lowercase) {
                steps.push_back({{"type", "Lowercase"}});
            }
            if (!m_model.charsmap.empty()) {
                steps.push_back(precompiled);
            }
            steps.push_back(replace("Regex", " {2,}", " "));
        } else {
            if (!m_model.charsmap.empty()) {
                steps.push_back(precompiled);
            }
            steps.push_back({{"type", "Strip"}, {"strip_left", false}, {"strip_right", true}});
            steps.push_back(replace("Regex", " {2,}", kMark));
        }
        return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
    }

    OrderedJson metaspace() const {
        const char* scheme = !m_settings.addPrefixSpace ? "never"
                             : isLlamaLike() && !m_settings.legacy ? "first"
                                                                   : "always";
        return {{"type", "Metaspace"},
                {"replacement", kMark},
                {"prepend_scheme", scheme},
                {"split", m_settings.family != Family::Llama}};
    }

    OrderedJson preTokenizer() const {
        if (m_settings.family == Family::Gemma) {
            return {{"type", "Split"},
                    {"pattern", {{"String", " "}}},
                    {"behavior", "MergedWithPrevious"},
                    {"invert", false}};
        }
        if (m_settings.family == Family::Llama && m_settings.legacy) {
            return nullptr;
        }
        return metaspace();
    }

    Result<TemplateToken> token(const std::string& text) const {
        const auto found = m_ids.find(text);
        if (found == m_ids.end()) {
            return tokenizerError(m_file, "the SentencePiece model has no piece \"" + text + "\"");
        }
        return TemplateToken{text, found->second};
    }

    Result<OrderedJson> postProcessor() const {
        if (isLlamaLike()) {
            std::vector<TemplateToken> before;
            std::vector<TemplateToken> after;
            if (m_settings.addBos) {
                PARETO_TRY(auto first, token(bos()));
                before.push_back(std::move(first));
            }
            if (m_settings.addEos) {
                PARETO_TRY(auto last, token(eos()));
                after.push_back(std::move(last));
            }
            return templateAround(before, after, 1);
        }
        PARETO_TRY(const auto last, token(eos()));
        if (m_settings.family == Family::T5) {
            return templateAround({}, {last}, 0);
        }
        PARETO_TRY(const auto first, token(bos()));
        const TemplateItem cls{first.name};
        const TemplateItem sep{last.name};
        const TemplateItem a{"A", 0, true};
        if (m_settings.family == Family::XlmRoberta) {
            return templateProcessing({cls, a, sep}, {cls, a, sep, sep, {"B", 0, true}, sep},
                                      {first, last});
        }
        return templateProcessing({cls, a, sep}, {cls, a, sep, {"B", 1, true}, {last.name, 1}},
                                  {first, last});
    }

    OrderedJson decoder() const {
        if (!isLlamaLike()) {
            return metaspace();
        }
        OrderedJson steps = OrderedJson::array();
        steps.push_back({{"type", "Replace"}, {"pattern", {{"String", kMark}}}, {"content", " "}});
        steps.push_back({{"type", "ByteFallback"}});
        steps.push_back({{"type", "Fuse"}});
        if (m_settings.family == Family::Llama && m_settings.addPrefixSpace) {
            steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
        }
        return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
    }

    OrderedJson model() const {
        if (m_model.kind == SentencePieceModel::Kind::Unigram) {
            OrderedJson vocabulary = OrderedJson::array();
            for (const auto& token : m_tokens) {
                vocabulary.push_back(OrderedJson::array({token.text, token.score}));
            }
            return {{"type", "Unigram"},
                    {"unk_id", m_unknown},
                    {"vocab", std::move(vocabulary)},
                    {"byte_fallback", isLlamaLike()}};
        }
        OrderedJson vocabulary = OrderedJson::object();
        for (std::size_t id = 0; id < m_tokens.size(); ++id) {
            appendUnchecked(vocabulary, m_tokens[id].text, id);
        }
        OrderedJson merges = OrderedJson::array();
        for (const auto& merge : mergesOf(m_tokens, m_ids)) {
            merges.push_back(OrderedJson::array({merge.left, merge.right}));
        }
        return {{"type", "BPE"},
                {"dropout", nullptr},
                {"unk_token", m_tokens[static_cast<std::size_t>(m_unknown)].text},
                {"continuing_subword_prefix", nullptr},
                {"end_of_word_suffix", nullptr},
                {"fuse_unk", true},
                {"byte_fallback", isLlamaLike()},
                {"ignore_merges", false},
                {"vocab", std::move(vocabulary)},
                {"merges", std::move(merges)}};
    }

    const SentencePieceModel& m_model;
    const SentencePieceSettings& m_settings;
    const std::string& m_file;
    std::vector<ScoredToken> m_tokens;
    Vocabulary m_ids;
    std::map<std::int32_t, AddedTokenJson> m_added;
    std::int32_t m_unknown = 0;
};

}  // namespace

SentencePieceSettings sentencePieceSettings(SentencePieceFamily family, const Json& config) {
    SentencePieceSettings out;
    out.family = family;
    const Json& extra = fieldOf(config, "extra_ids");
    if (extra.is_number_unsigned()) {
        out.extraIds = static_cast<std::int32_t>(std::min<std::uint64_t>(extra.get<std::uint64_t>(), 1 << 16));
    }
    out.lowercase = flagOf(config, "do_lower_case", true);
    out.keepAccents = flagOf(config, "keep_accents", false);
    out.addPrefixSpace = flagOf(config, "add_prefix_space", true);
    out.legacy = flagOf(config, "legacy", true);
    out.addBos = flagOf(config, "add_bos_token", true);
    out.addEos = flagOf(config, "add_eos_token", false);
    out.bos = tokenIn(config, family == SentencePieceFamily::Albert ? "cls_token" : "bos_token");
    out.eos = tokenIn(config, family == SentencePieceFamily::Albert ? "sep_token" : "eos_token");
    out.unknown = tokenIn(config, "unk_token");
    out.pad = tokenIn(config, "pad_token");
    out.mask = tokenIn(config, "mask_token");
    const Json& added = fieldOf(config, "added_tokens_decoder");
    for (const auto& [id, entry] : added.items()) {
        AddedTokenJson token{.content = textOf(entry, "content")};
        token.id = static_cast<std::int32_t>(std::strtol(id.c_str(), nullptr, 10));
        token.special = flagOf(entry, "special", false);
        token.stripLeft = flagOf(entry, "lstrip", false);
        token.stripRight = flagOf(entry, "rstrip", false);
        token.singleWord = flagOf(entry, "single_word", false);
        token.normalized = flagOf(entry, "normalized", !token.special);
        out.added.push_back(std::move(token));
    }
    return out;
}

Result<SentencePieceTokenizerJson> sentencePieceTokenizerJson(const SentencePieceModel& model,
                                                              const SentencePieceSettings& settings,
                                                              const std::string& file) {
    return Builder(model, settings, file).run();
}

}  // namespace pareto::text
