#pragma once

#include <memory>
#include <string>

#include "engine/core/file.h"

namespace pareto::io {

enum class Content { Gguf, Safetensors, Pickle, Zip, Onnx, CTranslate2, Other };

/// What a file is by its first bytes, whatever its name says.
Result<Content> contentOf(const InputFile& file);

/// FileUnsafe for a pickle, or an archive that may hold one, that is no state dict: says how to convert it
/// safely.
Error pickleRefusal(const std::string& path, Content content);
/// FileUnsafe for either under a name that hides it.
Error disguisedPickle(const std::string& path);

/// Opens files of one model and refuses every path that leads out of it. A model in the Hugging Face
/// cache consists of links from snapshots/ into blobs/ beside it: those are followed.
class ModelRoot {
public:
    /// `folder` may itself be reached through links: the user chose it.
    static Result<ModelRoot> open(const std::string& folder);

    const std::string& folder() const { return m_folder; }  ///< absolute, normalized, as given
    std::string path(const std::string& relative) const;
    bool exists(const std::string& relative) const;
    /// FileUnsafe when the file is outside the model; FileMissing; FileUnreadable.
    Result<std::shared_ptr<InputFile>> openFile(const std::string& relative) const;
    Result<std::string> readText(const std::string& relative, std::size_t maxBytes) const;

private:
    Status contain(const std::string& relative, std::string& resolved) const;
    std::string m_folder;
    std::string m_resolved;
    std::string m_blobs;  ///< of the cache the model lies in; empty when in none
};

}  // namespace pareto::io
