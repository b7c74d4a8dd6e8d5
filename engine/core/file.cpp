#include "engine/core/file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace pareto {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kSpareBytes = std::uint64_t{64} << 20;

std::string reasonOf(int code) { return std::strerror(code); }

Error writeError(const std::string& path, int code, std::uint64_t needed = 0) {
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        struct statvfs info {};
        const bool known = ::statvfs(fs::path(path).parent_path().c_str(), &info) == 0;
        return makeError(ErrorCode::DiskFull,
                         {{"file", path},
                          {"needed", std::to_string(needed)},
                          {"free", known ? std::to_string(static_cast<std::uint64_t>(info.f_bavail) *
                                                          info.f_frsize)
                                         : "unknown"}},
                         reasonOf(code));
    }
    return makeError(ErrorCode::FileWriteDenied, {{"file", path}, {"reason", reasonOf(code)}});
}

bool syncPath(const std::string& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    const bool fine = ::fsync(descriptor) == 0;
    ::close(descriptor);
    return fine;
}

std::string parentOf(const std::string& path) {
    const auto parent = fs::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

constexpr std::string_view kPartialMark = ".partial-";

/// Removes `.name.partial-*` siblings whose lock nobody holds: their writer died.
void sweepAbandoned(const fs::path& target) {
    std::error_code ignored;
    const std::string prefix = "." + target.filename().string() + std::string(kPartialMark);
    for (const auto& entry : fs::directory_iterator(parentOf(target.string()), ignored)) {
        if (entry.path().filename().string().rfind(prefix, 0) != 0 || !entry.is_directory(ignored)) {
            continue;
        }
        const int lock = ::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock >= 0) {
            if (::flock(lock, LOCK_EX | LOCK_NB) == 0) {
                fs::remove_all(entry.path(), ignored);
            }
            ::close(lock);
        }
    }
}

}  // namespace

InputFile::InputFile(std::string path, int descriptor, std::uint64_t size)
    : m_path(std::move(path)), m_descriptor(descriptor), m_size(size) {}

InputFile::~InputFile() { ::close(m_descriptor); }

Result<std::shared_ptr<InputFile>> InputFile::open(const std::string& path) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer before it can be refused.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) {
            return makeError(ErrorCode::FileMissing, {{"file", path}});
        }
        return makeError(ErrorCode::FileUnreadable, {{"file", path}, {"reason", reasonOf(errno)}});
    }
    struct stat info {};
    if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(descriptor);
        return makeError(ErrorCode::FileUnreadable,
                         {{"file", path}, {"reason", "it is not a regular file"}});
    }
    return std::shared_ptr<InputFile>(
        new InputFile(path, descriptor, static_cast<std::uint64_t>(info.st_size)));
}

Status InputFile::readAt(std::uint64_t offset, std::span<std::byte> out) const {
    std::size_t done = 0;
    while (done < out.size()) {
        const auto got = ::pread(m_descriptor, out.data() + done, out.size() - done,
                                 static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return makeError(ErrorCode::FileUnreadable,
                             {{"file", m_path}, {"reason", reasonOf(errno)}});
        }
        if (got == 0) {
            return makeError(ErrorCode::FileTruncated,
                             {{"file", m_path},
                              {"expected", std::to_string(offset + out.size())},
                              {"found", std::to_string(offset + done)}});
        }
        done += static_cast<std::size_t>(got);
    }
    return Done{};
}

Result<Buffer> InputFile::read(std::uint64_t offset, std::uint64_t size) const {
    if (offset > m_size || size > m_size - offset) {
        return makeError(ErrorCode::FileTruncated, {{"file", m_path},
                                                    {"expected", std::to_string(offset + size)},
                                                    {"found", std::to_string(m_size)}});
    }
    Status status = Done{};
    auto buffer = Buffer::create(size, [&](std::span<std::byte> out) { status = readAt(offset, out); });
    PARETO_CHECK(status);
    return buffer;
}

Result<Buffer> InputFile::map() const {
    if (m_size == 0) {
        return Buffer{};
    }
    void* memory = ::mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE, m_descriptor, 0);
    if (memory == MAP_FAILED) {
        return makeError(ErrorCode::FileUnreadable, {{"file", m_path}, {"reason", reasonOf(errno)}});
    }
    const auto size = m_size;
    std::shared_ptr<const void> owner(memory, [size](const void* p) {
        ::munmap(const_cast<void*>(p), size);
    });
    return Buffer::mapped(std::move(owner), static_cast<const std::byte*>(memory), size);
}

Result<std::string> readTextFile(const std::string& path, std::size_t maxBytes) {
    PARETO_TRY(const auto file, InputFile::open(path));
    if (file->size() > maxBytes) {
        return makeError(ErrorCode::FileUnsafe,
                         {{"file", path},
                          {"reason", "it has " + std::to_string(file->size()) +
                                         " bytes, more than the " + std::to_string(maxBytes) +
                                         " that such a file may have"}});
    }
    std::string text(file->size(), '\0');
    PARETO_CHECK(file->readAt(0, std::as_writable_bytes(std::span(text))));
    return text;
}

Status writeFileAtomically(const std::string& path, std::string_view content) {
    std::string temporary = path + ".XXXXXX";
    const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) {
        return writeError(path, errno, content.size());
    }
    int problem = 0;
    std::size_t done = 0;
    while (done < content.size() && problem == 0) {
        const auto wrote = ::write(descriptor, content.data() + done, content.size() - done);
        if (wrote < 0 && errno != EINTR) {
            problem = errno;
        } else if (wrote > 0) {
            done += static_cast<std::size_t>(wrote);
        }
    }
    ::fchmod(descriptor, 0644);
    if (problem == 0 && ::fsync(descriptor) != 0) {
        problem = errno;
    }
    if (::close(descriptor) != 0 && problem == 0) {
        problem = errno;
    }
    if (problem == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) {
        problem = errno;
    }
    if (problem != 0) {
        ::unlink(temporary.c_str());
        return writeError(path, problem, content.size());
    }
    syncPath(parentOf(path), O_RDONLY | O_DIRECTORY);
    return Done{};
}

Result<PendingFolder> PendingFolder::create(const std::string& target, bool replace) {
    std::error_code problem;
    const fs::path path = fs::absolute(fs::path(target), problem).lexically_normal();
    const fs::path clean = path.has_filename() ? path : path.parent_path();
    if (!fs::is_directory(clean.parent_path(), problem)) {
        return makeError(ErrorCode::FileWriteDenied,
                         {{"file", target}, {"reason", "the folder above it does not exist"}});
    }
    const auto status = fs::symlink_status(clean, problem);
    if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(clean, problem)) && !replace) {
        return makeError(ErrorCode::FileWriteDenied,
                         {{"file", target}, {"reason", "it exists already and is not empty"}});
    }
    sweepAbandoned(clean);
    std::string pattern = (clean.parent_path() / ("." + clean.filename().string() +
                                                  std::string(kPartialMark) + "XXXXXX"))
                              .string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        return writeError(target, errno);
    }
    PendingFolder folder;
    folder.m_target = clean.string();
    folder.m_path = pattern;
    folder.m_replace = replace;
    folder.m_lock = ::open(pattern.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.m_lock >= 0) {
        ::flock(folder.m_lock, LOCK_EX | LOCK_NB);
        ::fchmod(folder.m_lock, 0755);
    }
    return folder;
}

PendingFolder::PendingFolder(PendingFolder&& other) noexcept
    : m_target(std::move(other.m_target)),
      m_path(std::exchange(other.m_path, {})),
      m_lock(std::exchange(other.m_lock, -1)),
      m_replace(other.m_replace) {}

PendingFolder::~PendingFolder() {
    if (!m_path.empty()) {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    if (m_lock >= 0) {
        ::close(m_lock);
    }
}

Status PendingFolder::commit() {
    std::error_code problem;
    for (const auto& entry : fs::recursive_directory_iterator(m_path, problem)) {
        const bool folder = entry.is_directory();
        if (!syncPath(entry.path().string(), folder ? O_RDONLY | O_DIRECTORY : O_RDONLY)) {
            return writeError(entry.path().string(), errno);
        }
    }
    syncPath(m_path, O_RDONLY | O_DIRECTORY);
    std::string retired;
    if (fs::exists(m_target, problem)) {
        if (m_replace && !fs::is_empty(m_target, problem)) {
            retired = m_path + ".old";
            if (::rename(m_target.c_str(), retired.c_str()) != 0) {
                return writeError(m_target, errno);
            }
        }
    }
    if (::rename(m_path.c_str(), m_target.c_str()) != 0) {
        const int code = errno;
        if (!retired.empty()) {
            ::rename(retired.c_str(), m_target.c_str());
        }
        return writeError(m_target, code);
    }
    m_path.clear();
    syncPath(parentOf(m_target), O_RDONLY | O_DIRECTORY);
    if (!retired.empty()) {
        fs::remove_all(retired, problem);
    }
    return Done{};
}

Status checkFreeSpace(const std::string& path, std::uint64_t bytes) {
    fs::path probe = fs::path(path);
    std::error_code problem;
    while (!probe.empty() && !fs::exists(probe, problem)) {
        probe = probe.parent_path();
    }
    struct statvfs info {};
    if (::statvfs(probe.empty() ? "." : probe.c_str(), &info) != 0) {
        return Done{};
    }
    const std::uint64_t free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    const std::uint64_t needed = bytes + bytes / 20 + kSpareBytes;
    if (free < needed) {
        return makeError(ErrorCode::DiskFull, {{"file", path},
                                               {"needed", std::to_string(needed)},
                                               {"free", std::to_string(free)}});
    }
    return Done{};
}

}  // namespace pareto
