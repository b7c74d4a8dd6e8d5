#pragma once

#include <map>
#include <string>

#include "engine/io/hf_folder.h"

namespace pareto::io {

/// A model.bin of CTranslate2 (OpenNMT), versions 4 to 6 of its layout: python/ctranslate2/specs/model_spec.py.
struct CTranslate2File {
    std::string spec;             ///< "TransformerEncoderSpec"
    std::uint32_t revision = 0;
    /// By name, aliases among them under their own. Floats and integers, as they lie in the file.
    std::map<std::string, TensorInfo> variables;
    std::map<std::string, std::string> aliases;  ///< to the variable's name
};

/// Reads the names, shapes and places of all variables, no values. `files`: the open file alone.
/// FileFormatUnknown (another version), FileTruncated, FileCorrupt (with offset), TensorType.
Result<CTranslate2File> readCTranslate2File(const std::vector<WeightFile>& files);

/// A folder's model.bin as a model of transformers: tensors with its names, config made of what the file
/// says. `path`: of the model.bin.
/// Besides: FamilyUnknown for structures of no known family, ConfigInvalid.
Result<ModelContents> openCTranslate2(const std::string& path, std::shared_ptr<InputFile> file);

}  // namespace pareto::io
