#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/core/result.h"

namespace pareto::io {

/// A new file written from front to back. Unless finish() succeeded, nothing of it stays.
class OutputFile {
public:
    /// What is handed to one write() of the system, and what callers cut long data into.
    static constexpr std::size_t kPiece = std::size_t{8} << 20;

    explicit OutputFile(std::string path) : m_path(std::move(path)) {}
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// Creates the file, which must not exist, and reserves `size` bytes. DiskFull, FileWriteDenied.
    Status create(std::uint64_t size);
    Status write(std::span<const std::byte> bytes);
    /// fsync and close.
    Status finish();

private:
    Error problem(int code) const;

    std::string m_path;
    int m_descriptor = -1;
    std::uint64_t m_needed = 0;
};

}  // namespace pareto::io
