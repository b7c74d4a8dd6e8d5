#include "engine/io/char_source.h"

#include <algorithm>
#include <span>

#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

bool CharSource::takeLine(std::string& line, std::size_t maxBytes) {
    while (peek() >= 0) {
        const auto end = m_piece.find('\n', m_at);
        const auto until = end == std::string::npos ? m_piece.size() : end;
        if (line.size() + (until - m_at) > maxBytes) {
            return false;
        }
        line.append(m_piece, m_at, until - m_at);
        m_at = until;
        if (end != std::string::npos) {
            next();
            return true;
        }
    }
    return true;
}

bool CharSource::refill() {
    if (!m_status.ok() || m_offset >= m_file.size()) {
        return false;
    }
    if (m_stop.stop_requested()) {
        m_status = Cancelled{};
        return false;
    }
    m_piece.resize(std::min(kPiece, m_file.size() - m_offset));
    m_status = m_file.readAt(m_offset, std::as_writable_bytes(std::span(m_piece)));
    m_at = 0;
    if (!m_status.ok()) {
        m_piece.clear();
        return false;
    }
    if (m_offset == 0 && m_piece.starts_with(kByteOrderMark)) {
        m_at = kByteOrderMark.size();
    }
    m_offset += m_piece.size();
    m_progress.set(static_cast<std::int64_t>(m_offset));
    return m_at < m_piece.size();
}

LineReader::LineReader(std::shared_ptr<InputFile> file, Progress& progress, std::stop_token stop)
    : m_file(std::move(file)),
      m_source(std::make_unique<CharSource>(*m_file, progress, std::move(stop))) {}

Result<LineReader> LineReader::open(const std::string& path, Progress& progress,
                                    std::stop_token stop) {
    PARETO_TRY(auto file, InputFile::open(path));
    progress.begin(Stage::Opening, static_cast<std::int64_t>(file->size()), Unit::Bytes);
    return LineReader(std::move(file), progress, std::move(stop));
}

Result<bool> LineReader::next(std::string& line) {
    line.clear();
    m_line = m_source->line();
    const bool more = m_source->peek() >= 0;
    const bool whole = m_source->takeLine(line, kMaxLineBytes);
    PARETO_CHECK(m_source->status());
    if (!whole) {
        return invalid("it is longer than 64 MiB");
    }
    if (line.ends_with('\r')) {
        line.pop_back();
    }
    line = replaceInvalidUtf8(std::move(line));
    return more;
}

Error LineReader::invalid(std::string reason) const {
    return makeError(ErrorCode::DataRowInvalid, {{"file", path()},
                                                 {"line", std::to_string(m_line)},
                                                 {"reason", std::move(reason)}});
}

}  // namespace pareto::io
