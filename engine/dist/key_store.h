#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace c10d {
class Store;
}

namespace pareto::dist {

/// c10d's TCPStore: text by key, in rank 0's process (or torchrun's). EngineFailure once its server is gone. From any
/// thread; a call waits for the server, for ever where that process is stopped.
class KeyStore {
public:
    /// The server, on a socket that listens already (taken over), and a connection to it.
    static Result<std::unique_ptr<KeyStore>> serve(const std::string& address, std::uint16_t port, int socket,
                                                   std::chrono::milliseconds timeout);
    static Result<std::unique_ptr<KeyStore>> connect(const std::string& address, std::uint16_t port,
                                                     std::chrono::milliseconds timeout);
    ~KeyStore();
    KeyStore(const KeyStore&) = delete;
    KeyStore& operator=(const KeyStore&) = delete;

    Status set(const std::string& key, const std::string& value);
    /// Nothing where there is no such key.
    Result<std::optional<std::string>> find(const std::string& key);
    /// Values of keys that all exist.
    Result<std::vector<std::string>> values(const std::vector<std::string>& keys);
    /// The counter's value with one more.
    Result<std::int64_t> count(const std::string& key);

    /// libtorch's object, which this one owns.
    c10d::Store* store() const;

private:
    struct Handle;
    explicit KeyStore(std::unique_ptr<Handle> handle);
    std::unique_ptr<Handle> m_handle;
};

}  // namespace pareto::dist
