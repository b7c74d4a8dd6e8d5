#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>

#include "engine/io/yaml.h"
#include "engine/text/folder_tokenizers.h"
#include "engine/text/json_fields.h"
#include "engine/text/sentencepiece_tokenizer.h"
#include "engine/text/text_error.h"
#include "engine/text/unigram.h"

namespace pareto::text {
namespace {

using Type = SentencePieceModel::Type;

Result<SentencePieceModel> readModel(const io::ModelRoot& root, const std::string& name) {
    PARETO_TRY(const auto bytes, root.readText(name, kMaxTokenizerBytes));
    return readSentencePieceModel(bytes, root.path(name));
}

SentencePieceFamily familyOf(const std::string& tokenizerClass, const std::string& name) {
    static constexpr std::array kFamilies{
        std::pair{"T5Tokenizer", SentencePieceFamily::T5},
        std::pair{"MT5Tokenizer", SentencePieceFamily::T5},
        std::pair{"XLMRobertaTokenizer", SentencePieceFamily::XlmRoberta},
        std::pair{"AlbertTokenizer", SentencePieceFamily::Albert},
        std::pair{"LlamaTokenizer", SentencePieceFamily::Llama},
        std::pair{"GemmaTokenizer", SentencePieceFamily::Gemma}};
    for (const auto& [known, family] : kFamilies) {
        if (tokenizerClass == known) {
            return family;
        }
    }
    return name == "tokenizer.model"             ? SentencePieceFamily::Llama
           : name == "sentencepiece.bpe.model"   ? SentencePieceFamily::XlmRoberta
                                                 : SentencePieceFamily::T5;
}

/// SentencePiece's own search: unknown characters cost ten more than the rarest piece, and pieces that
/// a user defined are always taken.
std::shared_ptr<const WordModel> unigramOf(const SentencePieceModel& model, Vocabulary vocabulary,
                                           std::int32_t unknown) {
    float lowest = std::numeric_limits<float>::max();
    float highest = std::numeric_limits<float>::lowest();
    for (const auto& piece : model.pieces) {
        if (piece.type == Type::Normal) {
            lowest = std::min(lowest, piece.score);
            highest = std::max(highest, piece.score);
        }
    }
    std::vector<UnigramPiece> pieces;
    for (const auto& piece : model.pieces) {
        if (piece.type != Type::Normal && piece.type != Type::UserDefined) {
            continue;
        }
        const auto known = vocabulary.find(piece.text);
        const float score =
            piece.type == Type::Normal
                ? piece.score
                : static_cast<float>(static_cast<float>(piece.text.size()) * highest - 0.1);
        pieces.push_back({piece.text, score, known == vocabulary.end() ? unknown : known->second});
    }
    UnigramOptions options;
    options.unknown = unknown;
    options.singlePrecision = true;
    options.unknownScore = lowest - 10.0F;
    return std::make_shared<Unigram>(pieces, options, std::move(vocabulary));
}

/// Joins the pieces, makes spaces of the marks and cuts those at the ends.
Decoder marianDecoder() {
    using Kind = Decoder::Step::Kind;
    Decoder::Step spaces{.kind = Kind::Replace, .pattern = "\xE2\x96\x81", .content = " "};
    Decoder::Step fuse{.kind = Kind::Fuse};
    Decoder::Step strip{.kind = Kind::Strip, .pattern = " "};
    strip.left = strip.right = std::numeric_limits<std::size_t>::max();
    return Decoder({spaces, fuse, strip});
}

/// What marian-nmt names a vocabulary, sorted.
Result<std::vector<std::string>> marianVocabularies(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code problem;
    for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
        auto name = entry.path().filename().string();
        if (name.ends_with("vocab.yml")) {
            found.push_back(std::move(name));
        }
    }
    if (problem) {
        return makeError(ErrorCode::FileUnreadable, {{"file", folder}, {"reason", problem.message()}});
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// vocab.json of transformers, else the one vocabulary that marian-nmt left ("opus.spm32k-spm32k.vocab.yml").
Result<std::string> marianVocabulary(const io::ModelRoot& root) {
    if (root.exists("vocab.json")) {
        return std::string("vocab.json");
    }
    PARETO_TRY(const auto found, marianVocabularies(root.folder()));
    if (found.size() != 1) {
        return tokenizerError(root.folder(), found.empty()
                                          ? "source.spm needs vocab.json or a file *vocab.yml beside it"
                                          : "there are " + found[0] + " and " + found[1] +
                                                "; models with a vocabulary for each language are not read");
    }
    return found.front();
}

/// transformers puts its padding behind Marian's words (convert_marian_to_pytorch.py).
Result<Json> yamlVocabulary(const std::string& text, const std::string& file) {
    PARETO_TRY(const auto scalars, io::yamlScalars(text, file, "the vocabulary"));
    Json words = Json::object();
    std::uint32_t next = 0;
    for (const auto& [word, id] : scalars) {
        std::uint32_t number = 0;
        const auto* end = id.data() + id.size();
        if (const auto [stop, problem] = std::from_chars(id.data(), end, number);
            problem != std::errc() || stop != end) {
            return tokenizerError(file, "the entry \"" + word + "\" has the id \"" + id + "\", which is no number");
        }
        words[word] = number;
        next = std::max(next, number + 1);
    }
    if (!words.contains("<pad>")) {
        words["<pad>"] = next;
    }
    return words;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> readSentencePieceFolder(const TokenizerFolder& folder,
                                                                 const std::string& name) {
    PARETO_TRY(const auto model, readModel(folder.root, name));
    const auto file = folder.root.path(name);
    const auto settings = sentencePieceSettings(familyOf(folder.family, name), folder.config);
    PARETO_TRY(auto made, sentencePieceTokenizerJson(model, settings, file));
    SpecialTokens specials = folder.specials;
    const auto fill = [](std::string& token, const std::string& usual) {
        token = token.empty() ? usual : token;
    };
    fill(specials.bos, made.bos);
    fill(specials.eos, made.eos);
    fill(specials.pad, made.pad);
    return PipelineTokenizer::read(std::move(made.json), file, std::move(specials));
}

Result<std::shared_ptr<const Tokenizer>> readMarianFolder(const TokenizerFolder& folder) {
    PARETO_TRY(const auto name, marianVocabulary(folder.root));
    const auto file = folder.root.path(name);
    const std::string pieces = folder.ofTargets ? "target.spm" : "source.spm";
    PARETO_TRY(const auto source, readModel(folder.root, pieces));
    PARETO_TRY(const auto text, folder.root.readText(name, kMaxTokenizerBytes));
    PARETO_TRY(const Json json, name.ends_with(".json") ? parseJson(text, file) : yamlVocabulary(text, file));
    PARETO_TRY(auto vocabulary, readVocabulary(json, file));
    const auto named = [&](const char* key, const char* usual) {
        const auto given = tokenIn(folder.config, key);
        return given.empty() ? std::string(usual) : given;
    };
    SpecialTokens specials{.pad = named("pad_token", "<pad>"), .bos = {}, .eos = named("eos_token", "</s>")};
    const auto unknownText = named("unk_token", "<unk>");
    PARETO_TRY(const auto unknown, idOf(vocabulary, unknownText, file));
    PARETO_TRY(const auto eos, idOf(vocabulary, specials.eos, file));
    PARETO_TRY(const auto pad, idOf(vocabulary, specials.pad, file));

    TokenizerParts parts;
    OrderedJson described = tokenizerJsonHead();
    for (const auto& [content, id] : {std::pair{specials.eos, eos}, std::pair{unknownText, unknown},
                                      std::pair{specials.pad, pad}}) {
        described["added_tokens"].push_back(toJson({.content = content, .id = id}));
    }
    described["post_processor"] =
        templateProcessing({{"A", 0, true}, {specials.eos}},
                           {{"A", 0, true}, {"B", 0, true}, {specials.eos}}, {{specials.eos, eos}});
    const Json plain = Json::parse(described.dump());
    PARETO_TRY(parts.added, AddedTokens::read(plain["added_tokens"], nullptr, file));
    PARETO_TRY(parts.postProcessor, PostProcessor::read(plain["post_processor"], file));
    Charsmap charsmap;
    if (!source.charsmap.empty()) {
        PARETO_TRY(charsmap, Charsmap::read(source.charsmap, folder.root.path(pieces)));
    }
    parts.normalizer = makeSentencePieceNormalizer(
        std::move(charsmap), {source.addDummyPrefix, source.removeExtraWhitespaces});
    parts.model = unigramOf(source, std::move(vocabulary), unknown);
    parts.decoder = marianDecoder();
    parts.languageCodes = true;
    parts.unknown = unknown;
    return PipelineTokenizer::assemble(std::move(parts), file, specials);
}

}  // namespace pareto::text
