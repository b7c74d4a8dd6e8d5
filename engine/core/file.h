#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/buffer.h"
#include "engine/core/result.h"

namespace pareto {

/// A regular file opened for reading (O_CLOEXEC; FIFOs, devices and folders are refused). Symbolic
/// links are followed: the caller decides which paths are acceptable. Sizes come from fstat.
class InputFile {
public:
    static Result<std::shared_ptr<InputFile>> open(const std::string& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    const std::string& path() const { return m_path; }
    std::uint64_t size() const { return m_size; }

    /// Reads exactly out.size() bytes at `offset`; FileTruncated when the file is shorter (it may
    /// have shrunk since it was opened).
    Status readAt(std::uint64_t offset, std::span<std::byte> out) const;
    Result<Buffer> read(std::uint64_t offset, std::uint64_t size) const;
    /// Maps the whole file read-only; the Buffer keeps the mapping alive.
    Result<Buffer> map() const;

private:
    InputFile(std::string path, int descriptor, std::uint64_t size);
    std::string m_path;
    int m_descriptor;
    std::uint64_t m_size;
};

Result<std::string> readTextFile(const std::string& path, std::size_t maxBytes = std::size_t{1} << 30);

/// Writes to a sibling temporary file, fsyncs it, renames it over `path`, fsyncs the folder.
/// DiskFull and FileWriteDenied name the path; on failure the old file is untouched.
Status writeFileAtomically(const std::string& path, std::string_view content);

/// A folder that appears under its name only when it is complete: write into path(), then
/// commit(). Not committed: removed. Creation sweeps abandoned siblings of dead processes.
class PendingFolder {
public:
    /// FileWriteDenied when the parent is missing or read-only, or when `target` exists and is not
    /// an empty folder (unless `replace`).
    static Result<PendingFolder> create(const std::string& target, bool replace = false);
    PendingFolder(PendingFolder&& other) noexcept;
    PendingFolder& operator=(PendingFolder&&) = delete;
    ~PendingFolder();

    const std::string& path() const { return m_path; }
    /// fsync of every file and of the folder, rename to the target, fsync of the parent.
    Status commit();

private:
    PendingFolder() = default;
    std::string m_target;
    std::string m_path;
    int m_lock = -1;
    bool m_replace = false;
};

/// DiskFull unless the file system of `path` has `bytes` × 1.05 + 64 MiB free.
Status checkFreeSpace(const std::string& path, std::uint64_t bytes);

}  // namespace pareto
