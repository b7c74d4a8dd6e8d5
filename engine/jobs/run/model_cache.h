#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
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
    std::string fingerprint;  ///< see ModelCache::fingerprint, as they were opened

    /// io::ModelFiles::contentHash, made when somebody asks for it first. FileChanged: the files are not what was opened.
    Result<std::string> contentHash(Progress& progress, std::stop_token stop) const;

    /// A model without a usable tokenizer can still be timed and exported.
    Result<std::shared_ptr<const text::Tokenizer>> tokenizer() const;

    /// Of texts that an encoder-decoder model is to say; the same one for all others.
    Result<std::shared_ptr<const text::Tokenizer>> targetTokenizer() const;

    std::shared_ptr<const text::Tokenizer> loadedTokenizer;
    std::optional<Error> tokenizerError;

private:
    mutable std::mutex m_lock;
    mutable std::string m_contentHash;
};

struct ReadyModel;

/// Keeps the model opened last between jobs, as long as its files are the same (path, size, time of
/// change, inode). One user at a time.
class ModelCache {
public:
    /// Errors of io, layout and weights; MemoryShort.
    Result<std::shared_ptr<const OpenedModel>> open(const std::string& path, Progress& progress,
                                                    std::stop_token stop);
    /// Without weights: the layout has no tensors. Kept as long as the files are the same; a whole model of other files goes.
    Result<std::shared_ptr<const OpenedModel>> openHeaders(const std::string& path, Progress& progress);
    /// What changes when one of the model's files does. Reads the headers only.
    static Result<std::string> fingerprint(const std::string& path);
    /// Lets the weights go that open() kept: their tensors are read one at a time from now on.
    void dropWhole();
    void clear();

    /// Models that are ready to run, for jobs that follow each other closely (ready_model.h). The one
    /// kept under `key`, which then counts as the latest; null when there is none.
    std::shared_ptr<ReadyModel> kept(const std::string& key);
    void keep(std::string key, std::shared_ptr<ReadyModel> model);
    void dropIf(const std::function<bool(const ReadyModel&)>& drop);
    /// Lets go of all but the latest `count`; whether there were more.
    bool keepAtMost(std::size_t count);

private:
    static Result<std::shared_ptr<OpenedModel>> describe(std::shared_ptr<const io::ModelFiles> files, std::string fingerprint);

    std::shared_ptr<const OpenedModel> m_model;
    std::shared_ptr<const OpenedModel> m_headers;  ///< of openHeaders()
    std::list<std::pair<std::string, std::shared_ptr<ReadyModel>>> m_kept;  ///< latest first
};

}  // namespace pareto::jobs
