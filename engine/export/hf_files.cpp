#include "engine/export/hf_files.h"

#include <algorithm>
#include <filesystem>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/export/hf_config.h"
#include "engine/io/content.h"
#include "engine/text/tokenizer.h"

namespace pareto::exporting {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxCompanion = std::size_t{256} << 20;

constexpr std::string_view kSentenceConfig = "sentence_bert_config.json";
constexpr const char* kTokenizerFiles[] = {"tokenizer.json",
                                           "tokenizer_config.json",
                                           "special_tokens_map.json",
                                           "vocab.txt",
                                           "vocab.json",
                                           "merges.txt",
                                           "added_tokens.json",
                                           "tokenizer.model",
                                           "spiece.model",
                                           "sentencepiece.bpe.model",
                                           "source.spm",
                                           "target.spm",
                                           "chat_template.jinja",
                                           "chat_template.json",
                                           "generation_config.json",
                                           kSentenceConfig.data()};

/// Each of these holds a vocabulary; without any there is no tokenizer.
constexpr const char* kVocabularyFiles[] = {"tokenizer.json", "vocab.txt", "vocab.json",
                                            "tokenizer.model", "spiece.model",
                                            "sentencepiece.bpe.model", "source.spm"};

constexpr const char* kNoTokenizer =
    "The model has no tokenizer: the exported folder has none either.";

bool hasVocabulary(const std::string& folder) {
    std::error_code problem;
    return std::any_of(std::begin(kVocabularyFiles), std::end(kVocabularyFiles),
                       [&](const char* name) { return fs::exists(fs::path(folder) / name, problem); });
}

constexpr const char* kModelFiles[] = {"modules.json", "config_sentence_transformers.json",
                                       "labels.json", "README.md"};

/// Copies a file when the model has it; `as` another name, if one is given.
Status copyFile(const io::ModelRoot& root, const std::string& name, const std::string& folder,
                const std::string& as = {}) {
    if (!root.exists(name)) {
        return Done{};
    }
    PARETO_TRY(const std::string content, root.readText(name, kMaxCompanion));
    const fs::path target = fs::path(folder) / (as.empty() ? name : as);
    std::error_code problem;
    fs::create_directories(target.parent_path(), problem);
    return writeFileAtomically(target.string(), content);
}

bool isLicence(const std::string& name) {
    std::string upper = name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return upper.starts_with("LICENSE") || upper.starts_with("LICENCE") ||
           upper.starts_with("NOTICE") || upper.starts_with("COPYING");
}

std::vector<std::string> licences(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code problem;
    for (fs::directory_iterator it(folder, problem), end; !problem && it != end;
         it.increment(problem)) {
        const std::string name = it->path().filename().string();
        if (isLicence(name) && !it->is_directory(problem)) {
            names.push_back(name);
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string joined(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
}

Status copyFolder(const io::ModelFiles& source, const ModelLayout& layout, const std::string& folder) {
    const std::string inside = transformerPath(source);
    const std::string to = writtenPath(layout, source);
    const bool plain = leavesSentenceFolder(layout, source);
    PARETO_TRY(const io::ModelRoot root,
               io::ModelRoot::open(inside.empty() ? source.transformerFolder() : source.path()));
    for (const char* name : kTokenizerFiles) {
        if (!plain || name != kSentenceConfig) {
            PARETO_CHECK(copyFile(root, joined(inside, name), folder, joined(to, name)));
        }
    }
    PARETO_CHECK(copyFile(root, "README.md", folder));
    if (source.format() == io::Format::SentenceTransformers && !plain) {
        for (const char* name : kModelFiles) {
            PARETO_CHECK(copyFile(root, name, folder));
        }
        for (const auto& module : source.modules()) {
            PARETO_CHECK(copyFile(root, module.path + "/config.json", folder));
            std::error_code problem;
            fs::create_directories(fs::path(folder) / module.path, problem);
        }
    }
    return Done{};
}

std::string metadataText(const io::ModelFiles& source, const char* key) {
    const Json& values = source.gguf().values;
    const auto found = values.find(key);
    return found != values.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// tokenizer.json and what AutoTokenizer needs beside it, from the metadata of a GGUF file.
Status writeTokenizer(const io::ModelFiles& source, const ModelLayout& layout,
                      const std::string& folder) {
    PARETO_TRY(const auto tokenizer, text::loadTokenizer(source));
    PARETO_CHECK(writeFileAtomically(folder + "/tokenizer.json", tokenizer->toTokenizerJson()));
    Json special = Json::object();
    const auto set = [&](const char* key, std::int32_t id) {
        if (id >= 0 && id < tokenizer->vocabularySize()) {
            special[key] = tokenizer->tokenText(id);
        }
    };
    set("bos_token", tokenizer->bosId());
    set("eos_token", tokenizer->eosId());
    set("pad_token", tokenizer->padId());
    Json config = special;
    config["tokenizer_class"] = "PreTrainedTokenizerFast";
    // The class alone would add token_type_ids, which generate() of a decoder refuses.
    config["model_input_names"] = {"input_ids", "attention_mask"};
    config["model_max_length"] = layout.maxPositions;
    config["clean_up_tokenization_spaces"] = false;
    if (const auto chat = metadataText(source, "tokenizer.chat_template"); !chat.empty()) {
        config["chat_template"] = chat;
    }
    PARETO_CHECK(writeFileAtomically(folder + "/tokenizer_config.json", config.dump(2) + "\n"));
    return writeFileAtomically(folder + "/special_tokens_map.json", special.dump(2) + "\n");
}

}  // namespace

std::string transformerPath(const io::ModelFiles& source) {
    if (source.format() != io::Format::SentenceTransformers) {
        return {};
    }
    const auto relative = fs::path(source.transformerFolder())
                              .lexically_normal()
                              .lexically_relative(fs::path(source.path()).lexically_normal());
    const std::string text = relative.string();
    // A weight file of the folder was opened, or the transformer is the folder itself.
    return text == "." || text.empty() || text.starts_with("..") ? std::string() : text;
}

bool leavesSentenceFolder(const ModelLayout& layout, const io::ModelFiles& source) {
    return source.format() == io::Format::SentenceTransformers && layout.outputs != Outputs::Embedding &&
           layout.findLayer("dense.0") == nullptr;
}

std::string writtenPath(const ModelLayout& layout, const io::ModelFiles& source) {
    return leavesSentenceFolder(layout, source) ? std::string() : transformerPath(source);
}

Status copyLicences(const io::ModelFiles& source, const std::string& folder,
                    std::vector<std::string>& notes) {
    const bool gguf = source.format() == io::Format::Gguf;
    const std::string from = gguf ? fs::path(source.path()).parent_path().string()
                             : transformerPath(source).empty() ? source.transformerFolder()
                                                               : source.path();
    PARETO_TRY(const io::ModelRoot root, io::ModelRoot::open(from));
    for (const auto& name : licences(root.folder())) {
        PARETO_CHECK(copyFile(root, name, folder));
    }
    if (const auto licence = metadataText(source, "general.license"); gguf && !licence.empty()) {
        notes.push_back("The source names its licence: " + licence + ".");
    }
    return Done{};
}

Status copyConfig(const io::ModelFiles& source, const std::string& folder) {
    if (source.format() == io::Format::Gguf) {
        return Done{};
    }
    PARETO_TRY(const io::ModelRoot root, io::ModelRoot::open(source.transformerFolder()));
    return copyFile(root, "config.json", folder);
}

Status copyCompanions(const io::ModelFiles& source, const ModelLayout& layout,
                      const std::string& folder, std::vector<std::string>& notes) {
    PARETO_CHECK(copyLicences(source, folder, notes));
    if (source.format() == io::Format::Gguf) {
        const auto tokenizer = writeTokenizer(source, layout, folder);
        if (!tokenizer.ok() && !tokenizer.cancelled() &&
            tokenizer.error().code == ErrorCode::TokenizerMissing) {
            notes.push_back(kNoTokenizer);
        } else {
            PARETO_CHECK(tokenizer);
        }
    } else {
        PARETO_CHECK(copyFolder(source, layout, folder));
        std::error_code ignored;
        if (!hasVocabulary(folder + "/" + writtenPath(layout, source)) && !hasVocabulary(folder)) {
            notes.push_back(kNoTokenizer);
        }
        if (leavesSentenceFolder(layout, source) && fs::exists(folder + "/README.md", ignored)) {
            notes.push_back("README.md is the card of the model that was opened: it speaks of "
                            "embeddings, the exported model classifies.");
        }
    }
    std::error_code problem;
    if (layout.generates() && !fs::exists(folder + "/generation_config.json", problem)) {
        return writeFileAtomically(folder + "/generation_config.json",
                                   generationConfig(layout).dump(2) + "\n");
    }
    return Done{};
}

}  // namespace pareto::exporting
