#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/progress.h"

/// Files that a job needs on another machine, told by what they hold: they lie there under $XDG_CACHE_HOME/pareto-studio/files/<key>,
/// for every later job with the same content, wherever it comes from.
namespace pareto::jobs {

struct SetFile {
    std::string name;    ///< relative, with '/', below the set's folder
    std::uint64_t bytes = 0;
    std::string sha256;
    bool operator==(const SetFile&) const = default;
};

struct FileSet {
    std::string folder;  ///< here; names are below it
    std::string leaf;    ///< what the path named below the folder; empty: the folder itself
    std::string key;     ///< SHA-256 over names, sizes and contents
    std::vector<SetFile> files;  ///< by name
    std::uint64_t bytes() const;
};

/// Hashes of files that have not changed since (place, size and time of change). Thread-safe.
class FileHashes {
public:
    /// What core/file_hash says.
    Result<std::string> of(const std::string& path, std::stop_token stop);

private:
    struct Known {
        std::uint64_t bytes = 0;
        std::int64_t changed = 0;
        std::string hash;
    };
    std::mutex m_mutex;
    std::map<std::string, Known> m_known;
};

/// A model: the files of its weights, and what else its folder holds that is no weights of another format (hidden files and what
/// is larger than 64 MiB stay here). `progress` counts bytes. What io::ModelFiles::open says; FileUnreadable.
Result<FileSet> modelFileSet(const std::string& path, FileHashes& hashes, Progress& progress, std::stop_token stop);
/// Data: a file with those beside it of the same ending named train, validation and test, or everything visible in a folder.
/// FileMissing, FileUnreadable.
Result<FileSet> dataFileSet(const std::string& path, FileHashes& hashes, Progress& progress, std::stop_token stop);

/// The job of the other machine that takes files in; the worker's answer says what is still to come.
inline constexpr const char* kJobReceive = "receive";
struct ReceiveParams {
    std::string key;
    std::vector<SetFile> files;
};
struct ReceiveResult {
    bool complete = false;
    std::string folder;               ///< complete: where the files lie; else: where they are to be put
    std::vector<std::string> missing; ///< names of files that are not there as they should be
};
ReceiveParams receiveParamsOf(const FileSet& set);
Json toJson(const ReceiveParams& params);
/// ConfigInvalid: a name that leaves the folder, a key that is none or not of these files.
Result<ReceiveParams> receiveParamsFromJson(const Json& json);
Json toJson(const ReceiveResult& result);
Result<ReceiveResult> receiveResultFromJson(const Json& json);
/// Looks at what has come so far: once all of it is there with its hash the folder gets its final name. A file that has
/// its size and another content is removed, so that it comes again; one that is shorter stays, to be gone on with. Files in
/// place are not read again. FileWriteDenied, DiskFull.
Result<ReceiveResult> receiveFiles(const ReceiveParams& params, Progress& progress, std::stop_token stop);

}  // namespace pareto::jobs
