#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/core/file.h"
#include "engine/core/progress.h"

namespace pareto::io {

/// A text file from front to back, by characters or by lines, a megabyte of it in memory at a time. A
/// byte order mark is passed over. After a failure or a cancel everything reads as the end of the file;
/// status() says which it was. Progress counts bytes.
class CharSource {
public:
    CharSource(const InputFile& file, Progress& progress, std::stop_token stop)
        : m_file(file), m_progress(progress), m_stop(std::move(stop)) {}

    /// -1 at the end or after a failure.
    int peek() {
        if (m_at == m_piece.size() && !refill()) {
            return -1;
        }
        return static_cast<unsigned char>(m_piece[m_at]);
    }
    int next() {
        const int c = peek();
        if (c >= 0) {
            ++m_at;
            m_line += c == '\n' ? 1 : 0;
        }
        return c;
    }
    /// Appends what is left of the line and passes its "\n" by; a "\r" before it stays. False, with a
    /// part of the line read, when `line` would get longer than `maxBytes`.
    bool takeLine(std::string& line, std::size_t maxBytes);

    std::int64_t line() const { return m_line; }  ///< of the next character, from 1
    std::uint64_t offset() const { return m_offset - (m_piece.size() - m_at); }
    const Status& status() const { return m_status; }

private:
    bool refill();

    const InputFile& m_file;
    Progress& m_progress;
    std::stop_token m_stop;
    std::string m_piece;
    std::size_t m_at = 0;
    std::uint64_t m_offset = 0;  ///< behind the piece
    std::int64_t m_line = 1;
    Status m_status = Done{};
};

/// The lines of a data file, without their ends, as valid UTF-8.
class LineReader {
public:
    /// FileMissing, FileUnreadable. `progress` must outlive the reader.
    static Result<LineReader> open(const std::string& path, Progress& progress, std::stop_token stop);

    /// False at the end of the file. DataRowInvalid for a line above 64 MiB.
    Result<bool> next(std::string& line);
    std::int64_t line() const { return m_line; }  ///< number of the last one, from 1
    const std::string& path() const { return m_file->path(); }
    /// DataRowInvalid about the last line.
    Error invalid(std::string reason) const;

private:
    LineReader(std::shared_ptr<InputFile> file, Progress& progress, std::stop_token stop);
    std::shared_ptr<InputFile> m_file;
    std::unique_ptr<CharSource> m_source;
    std::int64_t m_line = 0;
};

}  // namespace pareto::io
