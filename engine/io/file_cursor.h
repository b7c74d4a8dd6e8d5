#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "engine/core/file.h"
#include "engine/io/checked.h"

namespace pareto::io {

/// A forward cursor over a stretch of a file with a read-ahead window, so that a header of any size is
/// read in bounded memory and never beyond the stretch's end. The file must outlive it.
class FileCursor {
public:
    explicit FileCursor(const InputFile& file) : FileCursor(file, 0, file.size()) {}
    /// `end` ≤ the file's size.
    FileCursor(const InputFile& file, std::uint64_t begin, std::uint64_t end)
        : m_file(file), m_offset(begin), m_end(end) {}

    const InputFile& file() const { return m_file; }
    std::uint64_t offset() const { return m_offset; }  ///< in the file
    std::uint64_t remaining() const { return m_end - m_offset; }

    Status copy(void* out, std::uint64_t size) {
        if (size > remaining()) {
            return truncated(size);
        }
        auto* to = static_cast<std::byte*>(out);
        while (size > 0) {
            if (m_offset < m_begin || m_offset >= m_begin + m_window.size()) {
                PARETO_CHECK(refill());
            }
            const auto start = m_offset - m_begin;
            const auto part = std::min<std::uint64_t>(size, m_window.size() - start);
            std::memcpy(to, m_window.data() + start, part);
            to += part;
            m_offset += part;
            size -= part;
        }
        return Done{};
    }
    /// Moves on without reading.
    Status skip(std::uint64_t size) {
        if (size > remaining()) {
            return truncated(size);
        }
        m_offset += size;
        return Done{};
    }
    template <typename T>
    Result<T> value() {
        T out{};
        PARETO_CHECK(copy(&out, sizeof out));
        return out;
    }
    /// `size` more bytes are wanted than there are.
    Error truncated(std::uint64_t size) const {
        std::uint64_t expected = 0;
        if (!checkedAdd(m_offset, size, expected)) {
            expected = UINT64_MAX;
        }
        return makeError(ErrorCode::FileTruncated,
                         {{"file", m_file.path()},
                          {"expected", std::to_string(expected)},
                          {"found", std::to_string(m_end)}},
                         "at offset " + std::to_string(m_offset));
    }
    Error corrupt(std::uint64_t offset, std::string reason) const {
        return makeError(ErrorCode::FileCorrupt, {{"file", m_file.path()},
                                                  {"offset", std::to_string(offset)},
                                                  {"reason", std::move(reason)}});
    }

private:
    Status refill() {
        constexpr std::uint64_t kWindow = std::uint64_t{256} << 10;
        m_begin = m_offset;
        m_window.resize(std::min(kWindow, remaining()));
        return m_file.readAt(m_begin, m_window);
    }

    const InputFile& m_file;
    std::uint64_t m_offset = 0;
    std::uint64_t m_end = 0;
    std::uint64_t m_begin = 0;  ///< of the window
    std::vector<std::byte> m_window;
};

}  // namespace pareto::io
