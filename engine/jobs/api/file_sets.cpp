#include "engine/jobs/api/file_sets.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <system_error>

#include "engine/core/file.h"
#include "engine/core/file_hash.h"
#include "engine/core/folders.h"
#include "engine/core/hash.h"
#include "engine/io/model_files.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBeside = std::uint64_t{64} << 20;
constexpr std::size_t kMostFiles = 10'000;
constexpr std::array<const char*, 3> kSplits{"train", "validation", "test"};
/// Weights of formats that are not the one that is opened.
constexpr std::array<const char*, 12> kWeightEndings{".safetensors", ".bin", ".pt",  ".pth",  ".h5",      ".msgpack",
                                                     ".onnx",        ".gguf", ".npz", ".ot", ".tflite", ".onnx_data"};

bool hasWeightEnding(const fs::path& path) {
    return std::find(kWeightEndings.begin(), kWeightEndings.end(), path.extension().string()) != kWeightEndings.end();
}

bool isHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

Error unreadable(const fs::path& path, const std::error_code& problem) {
    return makeError(ErrorCode::FileUnreadable, {{"file", path.string()}, {"reason", problem.message()}});
}

Error denied(const fs::path& path, const std::error_code& problem) {
    return makeError(ErrorCode::FileWriteDenied, {{"file", path.string()}, {"reason", problem.message()}});
}

/// Visible regular files below a folder, links followed; folders that lead back into themselves are left out.
Result<std::vector<fs::path>> filesBelow(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code problem;
    fs::recursive_directory_iterator at(folder, problem);
    for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
        std::error_code ignored;
        if (isHidden(at->path())) {
            if (at->is_directory(ignored)) {
                at.disable_recursion_pending();
            }
        } else if (at->is_regular_file(ignored)) {
            out.push_back(at->path());
        }
        if (out.size() > kMostFiles) {
            return makeError(ErrorCode::FileUnreadable,
                             {{"file", folder.string()},
                              {"reason", "it holds more than " + std::to_string(kMostFiles) + " files"}});
        }
    }
    if (problem) {
        return unreadable(folder, problem);
    }
    return out;
}

std::string keyOf(const std::vector<SetFile>& files) {
    Sha256 hash;
    for (const auto& file : files) {
        hash.add(file.name);
        hash.add(std::string_view("\0", 1));
        hash.add(std::to_string(file.bytes) + ' ' + file.sha256 + '\n');
    }
    return hash.hex();
}

Result<FileSet> setOf(const fs::path& folder, const std::string& leaf, const std::set<fs::path>& paths, FileHashes& hashes,
                      Progress& progress, std::stop_token stop) {
    FileSet out;
    out.folder = folder.string();
    out.leaf = leaf;
    for (const auto& path : paths) {
        std::error_code problem;
        SetFile file{path.lexically_relative(folder).generic_string(), fs::file_size(path, problem), {}};
        if (problem) {
            return unreadable(path, problem);
        }
        out.files.push_back(std::move(file));
    }
    std::sort(out.files.begin(), out.files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    progress.begin(Stage::Verifying, static_cast<std::int64_t>(out.bytes()), Unit::Bytes);
    for (auto& file : out.files) {
        PARETO_TRY(file.sha256, hashes.of((folder / file.name).string(), stop));
        progress.advance(static_cast<std::int64_t>(file.bytes));
    }
    out.key = keyOf(out.files);
    return out;
}

fs::path cacheFolder() { return fs::path(userFolder("XDG_CACHE_HOME", ".cache")) / "files"; }

bool isHex(const std::string& text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Below the folder, whatever is in it.
bool staysBelow(const std::string& name) {
    const fs::path path(name);
    return !name.empty() && name.size() < 4096 && path.is_relative() && path.lexically_normal() == path &&
           *path.begin() != ".." && name.find('\0') == std::string::npos;
}

}  // namespace

std::uint64_t FileSet::bytes() const {
    std::uint64_t out = 0;
    for (const auto& file : files) {
        out += file.bytes;
    }
    return out;
}

Result<std::string> FileHashes::of(const std::string& path, std::stop_token stop) {
    std::error_code problem;
    const auto bytes = fs::file_size(path, problem);
    const auto changed = problem ? fs::file_time_type{} : fs::last_write_time(path, problem);
    if (problem) {
        return unreadable(path, problem);
    }
    const Known now{bytes, static_cast<std::int64_t>(changed.time_since_epoch().count()), {}};
    {
        const std::lock_guard lock(m_mutex);
        const auto known = m_known.find(path);
        if (known != m_known.end() && known->second.bytes == now.bytes && known->second.changed == now.changed) {
            return known->second.hash;
        }
    }
    PARETO_TRY(auto hash, hashFile(path, stop));
    const std::lock_guard lock(m_mutex);
    m_known[path] = {now.bytes, now.changed, hash};
    return hash;
}

Result<FileSet> modelFileSet(const std::string& path, FileHashes& hashes, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto model, io::ModelFiles::open(path, io::Access::Read));
    std::error_code ignored;
    const fs::path named(model->path());
    const bool isFolder = fs::is_directory(named, ignored);
    if (!isFolder && model->format() == io::Format::Gguf) {
        return setOf(named.parent_path(), named.filename().string(), {named}, hashes, progress, stop);
    }
    const fs::path folder = isFolder ? named : named.parent_path();
    PARETO_TRY(const auto there, filesBelow(folder));
    std::set<fs::path> weights;
    for (const auto& file : model->files()) {
        weights.insert(fs::weakly_canonical(file, ignored));
    }
    std::set<fs::path> wanted;
    for (const auto& file : there) {
        if (weights.count(fs::weakly_canonical(file, ignored)) > 0 ||
            (!hasWeightEnding(file) && fs::file_size(file, ignored) <= kMostBeside)) {
            wanted.insert(file);
        }
    }
    return setOf(folder, isFolder ? "" : named.filename().string(), wanted, hashes, progress, stop);
}

Result<FileSet> dataFileSet(const std::string& path, FileHashes& hashes, Progress& progress, std::stop_token stop) {
    std::error_code ignored;
    const fs::path named = fs::absolute(path).lexically_normal();
    if (!fs::exists(named, ignored)) {
        return makeError(ErrorCode::FileMissing, {{"file", path}});
    }
    if (fs::is_directory(named, ignored)) {
        PARETO_TRY(const auto there, filesBelow(named));
        return setOf(named, "", {there.begin(), there.end()}, hashes, progress, stop);
    }
    std::set<fs::path> wanted{named};
    for (const char* split : kSplits) {
        const auto beside = named.parent_path() / (split + named.extension().string());
        if (fs::is_regular_file(beside, ignored)) {
            wanted.insert(beside);
        }
    }
    return setOf(named.parent_path(), named.filename().string(), wanted, hashes, progress, stop);
}

ReceiveParams receiveParamsOf(const FileSet& set) { return {set.key, set.files}; }

Json toJson(const ReceiveParams& params) {
    Json files = Json::array();
    for (const auto& file : params.files) {
        files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    }
    return {{"key", params.key}, {"files", std::move(files)}};
}

Result<ReceiveParams> receiveParamsFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "receive");
    ReceiveParams out;
    out.key = reader.require("key").text("key");
    const Json* files = reader.require("files").find("files");
    if (!reader.failed() && (!files->is_array() || files->empty() || files->size() > kMostFiles)) {
        reader.fail("files", "must be a list of 1 to " + std::to_string(kMostFiles) + " files");
    }
    PARETO_CHECK(reader.status());
    for (const auto& one : *files) {
        JsonReader entry(one, ErrorCode::ConfigInvalid, "receive");
        SetFile file;
        file.name = entry.require("name").text("name");
        file.bytes = static_cast<std::uint64_t>(entry.integer("bytes", 0, 0, std::int64_t{1} << 50));
        file.sha256 = entry.require("sha256").text("sha256");
        if (!entry.failed() && !staysBelow(file.name)) {
            entry.fail("name", "\"" + file.name + "\" does not stay below the folder");
        }
        if (!entry.failed() && !isHex(file.sha256)) {
            entry.fail("sha256", "is no SHA-256");
        }
        PARETO_CHECK(entry.status());
        out.files.push_back(std::move(file));
    }
    if (keyOf(out.files) != out.key) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", "receive"}, {"field", "key"}, {"reason", "is not that of these files"}});
    }
    return out;
}

Json toJson(const ReceiveResult& result) {
    return {{"complete", result.complete}, {"folder", result.folder}, {"missing", result.missing}};
}

Result<ReceiveResult> receiveResultFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "receive");
    ReceiveResult out;
    out.complete = reader.boolean("complete", false);
    out.folder = reader.require("folder").text("folder");
    PARETO_CHECK(reader.status());
    if (const Json* missing = reader.find("missing"); missing != nullptr && missing->is_array()) {
        for (const auto& name : *missing) {
            out.missing.push_back(name.is_string() ? name.get<std::string>() : std::string());
        }
    }
    return out;
}

Result<ReceiveResult> receiveFiles(const ReceiveParams& params, Progress& progress, std::stop_token stop) {
    const auto folder = cacheFolder() / params.key;
    const auto coming = cacheFolder() / (params.key + ".part");
    std::error_code problem;
    if (fs::is_directory(folder, problem)) {
        return ReceiveResult{true, folder.string(), {}};
    }
    ReceiveResult out{false, coming.string(), {}};
    std::uint64_t total = 0;
    for (const auto& file : params.files) {
        total += file.bytes;
        const auto parent = (coming / file.name).parent_path();
        if (fs::create_directories(parent, problem); problem) {
            return denied(parent, problem);
        }
    }
    progress.begin(Stage::Verifying, static_cast<std::int64_t>(total), Unit::Bytes);
    std::uint64_t open = 0;
    for (const auto& file : params.files) {
        const auto path = coming / file.name;
        std::error_code absent;
        const bool whole = fs::is_regular_file(fs::symlink_status(path, absent)) && fs::file_size(path, absent) == file.bytes;
        if (whole) {
            PARETO_TRY(const auto hash, hashFile(path.string(), stop));
            if (hash == file.sha256) {
                progress.advance(static_cast<std::int64_t>(file.bytes));
                continue;
            }
            fs::remove(path, absent);
        }
        open += file.bytes;
        out.missing.push_back(file.name);
    }
    if (!out.missing.empty()) {
        PARETO_CHECK(checkFreeSpace(coming.string(), open));
        return out;
    }
    fs::rename(coming, folder, problem);
    if (problem && !fs::is_directory(folder)) {  // another job may have been faster
        return denied(folder, problem);
    }
    out.complete = true;
    out.folder = folder.string();
    return out;
}

}  // namespace pareto::jobs
