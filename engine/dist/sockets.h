#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <set>
#include <stop_token>
#include <string>

#include "engine/core/result.h"

namespace pareto::dist {

struct Listening {
    int socket = -1;          ///< closed by whoever has it
    std::uint16_t port = 0;
};

/// A socket that listens at `address` alone; port 0: one that is free. ConfigInvalid (in use, not this machine's).
Result<Listening> listenAt(const std::string& address, std::uint16_t port);

/// Waits until somebody listens there. ConfigInvalid after `timeout`; Cancelled.
Status waitForListener(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout,
                       std::stop_token stop);

bool isLoopback(const std::string& address);
/// This machine's address on the way to `address`. ConfigInvalid.
Result<std::string> addressTowards(const std::string& address, std::uint16_t port);

/// A connection of this process. Its number may be another file's later, the pair is not.
struct ConnectedSocket {
    int descriptor = -1;
    std::uint64_t inode = 0;
    auto operator<=>(const ConnectedSocket&) const = default;
};
/// All but those to or from a port (the store's).
std::set<ConnectedSocket> connectedSockets(std::uint16_t exceptPort);
/// Both sides see the end of those that still are what they were.
void endConnections(const std::set<ConnectedSocket>& sockets);

std::string hostName();

}  // namespace pareto::dist
