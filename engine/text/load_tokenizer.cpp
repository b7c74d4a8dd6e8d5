#include <array>

#include "engine/text/folder_tokenizers.h"
#include "engine/text/gguf_tokenizer.h"
#include "engine/text/json_fields.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;

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

/// The class that reads a model's tokenizer in transformers, where tokenizer_config.json does not say.
std::string tokenizerClassOf(const std::string& modelType) {
    static constexpr std::array kClasses{
        std::pair{"t5", "T5Tokenizer"},           std::pair{"mt5", "T5Tokenizer"},
        std::pair{"umt5", "T5Tokenizer"},         std::pair{"xlm-roberta", "XLMRobertaTokenizer"},
        std::pair{"albert", "AlbertTokenizer"},   std::pair{"llama", "LlamaTokenizer"},
        std::pair{"mistral", "LlamaTokenizer"},   std::pair{"gemma", "GemmaTokenizer"},
        std::pair{"gemma2", "GemmaTokenizer"},    std::pair{"gemma3_text", "GemmaTokenizer"},
        std::pair{"roberta", "RobertaTokenizer"}, std::pair{"mpnet", "MPNetTokenizer"},
        std::pair{"qwen2", "Qwen2Tokenizer"},     std::pair{"qwen3", "Qwen2Tokenizer"}};
    for (const auto& [type, name] : kClasses) {
        if (modelType == type) {
            return name;
        }
    }
    return {};
}

Result<std::shared_ptr<const Tokenizer>> readFolder(const TokenizerFolder& folder) {
    const io::ModelRoot& root = folder.root;
    if (root.exists("tokenizer.json")) {
        PARETO_TRY(auto text, root.readText("tokenizer.json", kMaxTokenizerBytes));
        return PipelineTokenizer::read(std::move(text), root.path("tokenizer.json"), folder.specials);
    }
    if (root.exists("vocab.txt")) {
        return readWordPieceFolder(folder);
    }
    if (root.exists("source.spm")) {
        return readMarianFolder(folder);
    }
    for (const char* name : {"spiece.model", "sentencepiece.bpe.model", "tokenizer.model"}) {
        if (root.exists(name)) {
            return readSentencePieceFolder(folder, name);
        }
    }
    if (root.exists("vocab.json") && root.exists("merges.txt")) {
        return readByteLevelFolder(folder);
    }
    return makeError(ErrorCode::TokenizerMissing,
                     {{"file", root.folder()},
                      {"known", "tokenizer.json, vocab.txt, source.spm with vocab.json or a vocab.yml, spiece.model, "
                                "sentencepiece.bpe.model, tokenizer.model, vocab.json with merges.txt"}});
}

Result<std::shared_ptr<const Tokenizer>> load(const io::ModelFiles& files, bool ofTargets) {
    if (files.format() == io::Format::Gguf) {
        const auto path = files.files().front();
        PARETO_TRY(auto made, ggufTokenizer(files.gguf(), path));
        return PipelineTokenizer::read(std::move(made.tokenizerJson), path, std::move(made.specials));
    }
    PARETO_TRY(const auto root, io::ModelRoot::open(files.transformerFolder()));
    PARETO_TRY(auto specials, readSpecials(root));
    PARETO_TRY(Json config, readOptional(root, "tokenizer_config.json"));
    std::string family = textOf(config, "tokenizer_class");
    if (family.ends_with("Fast")) {
        family.resize(family.size() - 4);
    }
    if (family.empty()) {
        family = tokenizerClassOf(textOf(files.config(), "model_type"));
    }
    return readFolder({root, std::move(config), std::move(family), std::move(specials), ofTargets});
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const io::ModelFiles& files) { return load(files, false); }

Result<std::shared_ptr<const Tokenizer>> loadTargetTokenizer(const io::ModelFiles& files) { return load(files, true); }

}  // namespace pareto::text
