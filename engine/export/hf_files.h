#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/io/model_files.h"
#include "engine/spec/layers.h"

namespace pareto::exporting {

/// Puts the tokenizer, the licence, the model card and the sentence-transformers files of `source` into
/// `folder`; a GGUF file's tokenizer becomes tokenizer.json and its companions. Files whose name leads
/// out of the model are refused (FileUnsafe). `notes` gets what could not be had.
Status copyCompanions(const io::ModelFiles& source, const ModelLayout& layout,
                      const std::string& folder, std::vector<std::string>& notes);

/// Puts the licence files of `source` into `folder`; `notes` gets the licence that a GGUF file names.
Status copyLicences(const io::ModelFiles& source, const std::string& folder,
                    std::vector<std::string>& notes);

/// Puts config.json of `source` into `folder`, where it has one.
Status copyConfig(const io::ModelFiles& source, const std::string& folder);

/// Folder of the transformer relative to the model, as modules.json says; empty for the model itself.
std::string transformerPath(const io::ModelFiles& source);

/// Whether the model came from a sentence-transformers folder and is one no more, because it was given
/// a classifier of transformers: it is written as a plain folder, without modules.json and what that names.
bool leavesSentenceFolder(const ModelLayout& layout, const io::ModelFiles& source);
/// transformerPath of the folder that is written.
std::string writtenPath(const ModelLayout& layout, const io::ModelFiles& source);

}  // namespace pareto::exporting
