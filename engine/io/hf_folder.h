#pragma once

#include "engine/io/content.h"
#include "engine/io/model_files.h"

namespace pareto::io {

struct WeightFile {
    std::string path;  ///< as the user sees it, not where a link of a cache leads
    std::shared_ptr<InputFile> file;
};

/// What every model on disk is made of, whatever its format.
struct ModelContents {
    Format format = Format::HuggingFace;
    Json config;
    Json generation;
    GgufMetadata gguf;
    std::vector<SentenceModule> modules;
    std::string transformerFolder;
    std::vector<std::string> labels;
    std::vector<WeightFile> files;
    std::map<std::string, TensorInfo> tensors;
    std::map<std::string, std::string> configTexts;  ///< by relative path: part of the content hash
    std::vector<std::string> notices;                ///< for people: ignored code, odd sizes
};

/// A Hugging Face or sentence-transformers folder. `weightsFile`: take the weights from this file of
/// the folder alone; empty: model.safetensors, else what model.safetensors.index.json lists, else the same
/// of pytorch_model.bin.
Result<ModelContents> openHfFolder(const std::string& folder, const std::string& weightsFile = {});

/// Whether the numbers of a config.json that sizes are computed from are believable. ConfigInvalid.
Status checkModelConfig(const Json& config, const std::string& path);
/// id2label of a config.json as a list; empty when it has none. ConfigInvalid.
Result<std::vector<std::string>> configLabels(const Json& config, const std::string& path);

/// A repository folder of the Hugging Face cache ("models--x--y") leads to its snapshot; any other
/// folder to itself.
std::string resolveCacheFolder(const std::string& folder);

}  // namespace pareto::io
