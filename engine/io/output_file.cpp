#include "engine/io/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "engine/core/file.h"

namespace pareto::io {

OutputFile::~OutputFile() {
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
        ::unlink(m_path.c_str());
    }
}

Status OutputFile::create(std::uint64_t size) {
    m_needed = size;
    PARETO_CHECK(checkFreeSpace(m_path, size));
    m_descriptor =
        ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (m_descriptor < 0) {
        return problem(errno);
    }
    // Reserves the space, so that a full disk is noticed before minutes of work. File systems
    // that cannot do it say EOPNOTSUPP or EINVAL: writing then finds out.
    const int reserved = ::posix_fallocate(
        m_descriptor, 0, static_cast<off_t>(std::max<std::uint64_t>(size, 1)));
    if (reserved == ENOSPC || reserved == EDQUOT || reserved == EFBIG) {
        return problem(reserved);
    }
    return Done{};
}

Status OutputFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto wrote = ::write(m_descriptor, bytes.data(), std::min(bytes.size(), kPiece));
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return problem(errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return Done{};
}

Status OutputFile::finish() {
    if (::fsync(m_descriptor) != 0) {
        return problem(errno);
    }
    const int descriptor = std::exchange(m_descriptor, -1);
    if (::close(descriptor) != 0) {
        const int code = errno;
        ::unlink(m_path.c_str());
        return problem(code);
    }
    return Done{};
}

Error OutputFile::problem(int code) const {
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        return makeError(
            ErrorCode::DiskFull,
            {{"file", m_path}, {"needed", std::to_string(m_needed)}, {"free", "less"}},
            std::strerror(code));
    }
    return makeError(ErrorCode::FileWriteDenied,
                     {{"file", m_path}, {"reason", std::strerror(code)}});
}

}  // namespace pareto::io
