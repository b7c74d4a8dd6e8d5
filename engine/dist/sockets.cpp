#include "engine/dist/sockets.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pareto::dist {
namespace {

Error wrong(const std::string& address, std::uint16_t port, const std::string& field, const std::string& reason) {
    return makeError(ErrorCode::ConfigInvalid,
                     {{"file", address + ":" + std::to_string(port)}, {"field", field}, {"reason", reason}});
}

Result<std::shared_ptr<addrinfo>> resolved(const std::string& address, std::uint16_t port, int kind) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = kind;
    addrinfo* found = nullptr;
    const int problem = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (problem != 0) {
        return wrong(address, port, "MASTER_ADDR",
                     std::string("is no machine that is known here (") + ::gai_strerror(problem) + ")");
    }
    return std::shared_ptr<addrinfo>(found, ::freeaddrinfo);
}

std::uint16_t portIn(const sockaddr_storage& address) {
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                                               : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

std::uint16_t portOf(int socket) {
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length);
    return portIn(own);
}

std::uint16_t peerPortOf(int socket) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &length);
    return portIn(peer);
}

/// Of a connection; nothing where the descriptor is anything else.
std::optional<std::uint64_t> inodeOf(int descriptor) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    struct stat facts {};
    const bool connected = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) == 0 &&
                           (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
    return connected && ::fstat(descriptor, &facts) == 0 ? std::optional<std::uint64_t>(facts.st_ino) : std::nullopt;
}

/// Whether a connection comes about; it is closed at once.
bool answers(const addrinfo& at) {
    const int socket = ::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) {
        return false;
    }
    bool found = ::connect(socket, at.ai_addr, at.ai_addrlen) == 0;
    if (!found && errno == EINPROGRESS) {
        constexpr int kPatience = 1000;
        pollfd waiting{socket, POLLOUT, 0};
        int problem = 0;
        socklen_t length = sizeof problem;
        found = ::poll(&waiting, 1, kPatience) == 1 &&
                ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &length) == 0 && problem == 0;
    }
    ::close(socket);
    return found;
}

}  // namespace

Result<Listening> listenAt(const std::string& address, std::uint16_t port) {
    PARETO_TRY(const auto at, resolved(address, port, SOCK_STREAM));
    const int socket = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    constexpr int kWaiting = 1024;
    if (socket < 0 || ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(socket, at->ai_addr, at->ai_addrlen) != 0 || ::listen(socket, kWaiting) != 0) {
        const int problem = errno;
        if (socket >= 0) {
            ::close(socket);
        }
        return problem == EADDRINUSE
                   ? wrong(address, port, "MASTER_PORT", "is in use by another program; take another one")
                   : wrong(address, port, "MASTER_ADDR",
                           std::string("cannot be listened at (") + std::strerror(problem) +
                               "); rank 0 needs an address of its own machine");
    }
    return Listening{socket, portOf(socket)};
}

Status waitForListener(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout,
                       std::stop_token stop) {
    PARETO_TRY(const auto at, resolved(address, port, SOCK_STREAM));
    constexpr std::chrono::milliseconds kLook{50};
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (!answers(*at)) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        if (std::chrono::steady_clock::now() >= end) {
            return wrong(address, port, "rank 0",
                         "does not listen there after " + std::to_string(timeout.count() / 1000) +
                             " s; start it, or look at MASTER_ADDR and MASTER_PORT");
        }
        std::this_thread::sleep_for(kLook);
    }
    return Done{};
}

bool isLoopback(const std::string& address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

Result<std::string> addressTowards(const std::string& address, std::uint16_t port) {
    PARETO_TRY(const auto at, resolved(address, port, SOCK_DGRAM));
    // Connecting a datagram socket sends nothing: it asks for the way alone.
    const int socket = ::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    const bool found = socket >= 0 && ::connect(socket, at->ai_addr, at->ai_addrlen) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0;
    const int problem = errno;
    if (socket >= 0) {
        ::close(socket);
    }
    std::array<char, NI_MAXHOST> text{};
    if (!found || ::getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text.data(), text.size(), nullptr, 0,
                                NI_NUMERICHOST) != 0) {
        return wrong(address, port, "MASTER_ADDR", std::string("cannot be reached (") + std::strerror(problem) + ")");
    }
    return std::string(text.data());
}

std::set<ConnectedSocket> connectedSockets(std::uint16_t exceptPort) {
    std::set<ConnectedSocket> out;
    std::error_code problem;
    for (std::filesystem::directory_iterator it("/proc/self/fd", problem), end; !problem && it != end; it.increment(problem)) {
        const int descriptor = std::atoi(it->path().filename().c_str());
        const auto inode = inodeOf(descriptor);
        if (inode && portOf(descriptor) != exceptPort && peerPortOf(descriptor) != exceptPort) {
            out.insert({descriptor, *inode});
        }
    }
    return out;
}

void endConnections(const std::set<ConnectedSocket>& sockets) {
    for (const auto& socket : sockets) {
        if (inodeOf(socket.descriptor) == socket.inode) {
            ::shutdown(socket.descriptor, SHUT_RDWR);
        }
    }
}

std::string hostName() {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 && text[0] != '\0' ? text.data() : "this machine";
}

}  // namespace pareto::dist
