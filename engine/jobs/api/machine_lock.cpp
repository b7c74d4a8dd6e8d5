#include "engine/jobs/api/machine_lock.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/records/run_record.h"

namespace pareto::jobs {
namespace {

using namespace std::chrono_literals;

int openLock() {
    const std::string path = MachineLock::path();
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

std::string programName() {
    std::array<char, 4096> path{};
    const auto length = ::readlink("/proc/self/exe", path.data(), path.size());
    const std::string text(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return text.substr(text.find_last_of('/') + 1);
}

void describeHolder(int descriptor, const std::string& what) {
    const std::string text =
        compactJson({{"program", programName()}, {"pid", ::getpid()}, {"what", what}});
    // Only for people: a lock whose holder cannot be named is still a lock.
    if (::ftruncate(descriptor, 0) == 0) {
        static_cast<void>(::pwrite(descriptor, text.data(), text.size(), 0) > 0);
    }
}

}  // namespace

std::string MachineLock::path() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr && *runtime == '/') {
        return std::string(runtime) + "/pareto-studio-measuring.lock";
    }
    const char* temporary = std::getenv("TMPDIR");
    const std::string folder = temporary != nullptr && *temporary == '/' ? temporary : "/tmp";
    return folder + "/pareto-studio-measuring-" + std::to_string(::getuid()) + ".lock";
}

Result<MachineLock> MachineLock::acquire(const std::string& what, std::stop_token stop) {
    const int descriptor = openLock();
    if (descriptor < 0) {
        return makeError(ErrorCode::FileWriteDenied,
                         {{"file", path()}, {"reason", std::strerror(errno)}});
    }
    MachineLock lock(descriptor);
    while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return makeError(ErrorCode::FileWriteDenied,
                             {{"file", path()}, {"reason", std::strerror(errno)}});
        }
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        std::this_thread::sleep_for(100ms);
    }
    describeHolder(descriptor, what);
    return lock;
}

std::optional<MachineLock::Holder> MachineLock::holder() {
    const int descriptor = openLock();
    if (descriptor < 0) {
        return std::nullopt;
    }
    std::optional<Holder> holder;
    if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        std::array<char, 4096> text{};
        const auto length = ::pread(descriptor, text.data(), text.size(), 0);
        holder = Holder{};
        const auto json = parseJson({text.data(), static_cast<std::size_t>(length > 0 ? length : 0)},
                                    path());
        if (json.ok()) {
            JsonReader reader(json.value(), ErrorCode::ConfigInvalid, path());
            holder = Holder{reader.text("program"), reader.integer("pid", 0, 0, INT64_MAX),
                            reader.text("what")};
        }
    }
    ::close(descriptor);
    return holder;
}

MachineLock::MachineLock(MachineLock&& other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1)) {}

MachineLock::~MachineLock() {
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

}  // namespace pareto::jobs
