#include "engine/jobs/run/model_cache.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <sys/stat.h>

#include "engine/jobs/run/memory_need.h"
#include "engine/layout/describe.h"
#include "engine/models/model.h"
#include "engine/weights/load.h"

namespace pareto::jobs {

namespace {

namespace fs = std::filesystem;

void addFiles(std::set<std::string>& paths, const std::string& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (entry.is_regular_file(ignored)) {
            paths.insert(entry.path().string());
        }
    }
}

/// Every file that the model was made from, with what changes when somebody writes to it.
std::string fingerprintOf(const io::ModelFiles& files) {
    std::set<std::string> paths{files.path()};
    for (const auto& file : files.files()) {
        paths.insert(file);
    }
    if (fs::is_directory(files.path())) {
        addFiles(paths, files.path());
        addFiles(paths, files.transformerFolder());
        for (const auto& module : files.modules()) {
            addFiles(paths, (fs::path(files.path()) / module.path).string());
        }
    }
    std::string text;
    for (const auto& path : paths) {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) {
            continue;
        }
        text += path + '|' + std::to_string(info.st_size) + '|' + std::to_string(info.st_ino) + '|' +
                std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) +
                '\n';
    }
    return text;
}

}  // namespace

Result<std::shared_ptr<const text::Tokenizer>> OpenedModel::tokenizer() const {
    if (tokenizerError) {
        return *tokenizerError;
    }
    return loadedTokenizer;
}

Result<std::shared_ptr<const text::Tokenizer>> OpenedModel::targetTokenizer() const {
    PARETO_TRY(auto own, tokenizer());
    return weights.layout.isSeq2Seq() ? text::loadTargetTokenizer(*files) : own;
}

Result<std::string> OpenedModel::contentHash(Progress& progress, std::stop_token stop) const {
    const std::lock_guard guard(m_lock);
    if (m_contentHash.empty()) {
        PARETO_TRY(auto hash, files->contentHash(progress, stop));
        if (fingerprintOf(*files) != fingerprint) {
            return makeError(ErrorCode::FileChanged, {{"file", files->path()}});
        }
        m_contentHash = std::move(hash);
    }
    return m_contentHash;
}

/// Headers and the tokenizer.
Result<std::shared_ptr<OpenedModel>> ModelCache::describe(std::shared_ptr<const io::ModelFiles> files, std::string fingerprint) {
    auto opened = std::make_shared<OpenedModel>();
    PARETO_TRY(opened->weights.layout, describeModel(*files));
    if (auto tokenizer = text::loadTokenizer(*files); tokenizer.ok()) {
        opened->loadedTokenizer = std::move(tokenizer).value();
    } else if (!tokenizer.cancelled()) {
        opened->tokenizerError = tokenizer.error();
    }
    opened->files = std::move(files);
    opened->fingerprint = std::move(fingerprint);
    return opened;
}

Result<std::shared_ptr<const OpenedModel>> ModelCache::open(const std::string& path,
                                                            Progress& progress,
                                                            std::stop_token stop) {
    progress.begin(Stage::Opening);
    // The headers are read again each time: they are small, and they say which files there are.
    PARETO_TRY(auto files, io::ModelFiles::open(path));
    auto fingerprint = fingerprintOf(*files);
    if (m_model != nullptr && fingerprint == m_model->fingerprint) {
        return m_model;
    }
    m_model.reset();
    if (m_headers == nullptr || fingerprint != m_headers->fingerprint) {
        PARETO_TRY(m_headers, describe(std::move(files), std::move(fingerprint)));
    }
    auto opened = std::make_shared<OpenedModel>();
    opened->files = m_headers->files;
    opened->fingerprint = m_headers->fingerprint;
    opened->loadedTokenizer = m_headers->loadedTokenizer;
    opened->tokenizerError = m_headers->tokenizerError;
    auto& weights = opened->weights;
    weights.layout = m_headers->weights.layout;
    PARETO_CHECK(checkMemory("the model " + weights.layout.name, needToOpen(*opened->files, weights.layout)));
    PARETO_TRY(weights, loadWeights(*opened->files, std::move(weights.layout), progress, stop, models::torchParallelFor()));
    m_model = std::move(opened);
    return m_model;
}

Result<std::shared_ptr<const OpenedModel>> ModelCache::openHeaders(const std::string& path, Progress& progress) {
    progress.begin(Stage::Opening);
    PARETO_TRY(auto files, io::ModelFiles::open(path));
    auto fingerprint = fingerprintOf(*files);
    if (m_model != nullptr && fingerprint != m_model->fingerprint) {
        m_model.reset();
    }
    if (m_headers == nullptr || fingerprint != m_headers->fingerprint) {
        PARETO_TRY(m_headers, describe(std::move(files), std::move(fingerprint)));
    }
    return m_headers;
}

Result<std::string> ModelCache::fingerprint(const std::string& path) {
    PARETO_TRY(const auto files, io::ModelFiles::open(path));
    return fingerprintOf(*files);
}

std::shared_ptr<ReadyModel> ModelCache::kept(const std::string& key) {
    const auto found = std::find_if(m_kept.begin(), m_kept.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (found == m_kept.end()) {
        return nullptr;
    }
    m_kept.splice(m_kept.begin(), m_kept, found);
    return found->second;
}

void ModelCache::keep(std::string key, std::shared_ptr<ReadyModel> model) {
    m_kept.emplace_front(std::move(key), std::move(model));
}

void ModelCache::dropIf(const std::function<bool(const ReadyModel&)>& drop) {
    std::erase_if(m_kept, [&](const auto& kept) { return drop(*kept.second); });
}

bool ModelCache::keepAtMost(std::size_t count) {
    const bool more = m_kept.size() > count;
    if (more) {
        m_kept.resize(count);
    }
    return more;
}

void ModelCache::dropWhole() { m_model.reset(); }

void ModelCache::clear() {
    m_model.reset();
    m_headers.reset();
}

}  // namespace pareto::jobs
