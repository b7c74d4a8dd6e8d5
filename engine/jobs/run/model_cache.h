#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/core/progress.h"
#include "engine/io/model_files.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/tensor.h"

namespace pareto::jobs {

/// A model as it stands in its files: headers, weights (mapped where the format allows), tokenizer.
/// Shared and immutable; recipes make copies that share what they do not change.
struct OpenedModel {
    std::shared_ptr<const io::ModelFiles> files;
    LoadedModel weights;
    std::string contentHash;

    /// A model without a usable tokenizer can still be timed and exported.
    Result<std::shared_ptr<const text::Tokenizer>> tokenizer() const;

    std::shared_ptr<const text::Tokenizer> loadedTokenizer;
    std::optional<Error> tokenizerError;
};

/// Keeps the model opened last between jobs, as long as its files are the same (path, size, time of
/// change, inode). One user at a time.
class ModelCache {
public:
    /// Errors of io, layout and weights; MemoryShort.
    Result<std::shared_ptr<const OpenedModel>> open(const std::string& path, Progress& progress,
                                                    std::stop_token stop);
    void clear();

private:
    std::string m_fingerprint;
    std::shared_ptr<const OpenedModel> m_model;
};

}  // namespace pareto::jobs
