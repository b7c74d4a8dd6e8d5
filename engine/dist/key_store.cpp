#include "engine/dist/key_store.h"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "engine/runtime/failures.h"

namespace pareto::dist {
namespace {

template <typename Work>
auto caught(Work&& work) -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& problem) {
        return makeError(ErrorCode::EngineFailure,
                         {{"where", "the ranks' store"}, {"reason", runtime::firstLine(problem.what())}});
    }
}

std::vector<std::uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }
std::string textOf(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

struct KeyStore::Handle {
    c10::intrusive_ptr<c10d::Store> store;
};

KeyStore::KeyStore(std::unique_ptr<Handle> handle) : m_handle(std::move(handle)) {}
KeyStore::~KeyStore() = default;

c10d::Store* KeyStore::store() const { return m_handle->store.get(); }

Result<std::unique_ptr<KeyStore>> KeyStore::serve(const std::string& address, std::uint16_t port, int socket,
                                                  std::chrono::milliseconds timeout) {
    return caught([&]() -> Result<std::unique_ptr<KeyStore>> {
        c10d::TCPStoreOptions options;
        options.port = port;
        options.isServer = true;
        options.waitWorkers = false;
        options.timeout = timeout;
        options.masterListenFd = socket;
        return std::unique_ptr<KeyStore>(
            new KeyStore(std::make_unique<Handle>(Handle{c10::make_intrusive<c10d::TCPStore>(address, options)})));
    });
}

Result<std::unique_ptr<KeyStore>> KeyStore::connect(const std::string& address, std::uint16_t port,
                                                    std::chrono::milliseconds timeout) {
    return caught([&]() -> Result<std::unique_ptr<KeyStore>> {
        c10d::TCPStoreOptions options;
        options.port = port;
        options.waitWorkers = false;
        options.timeout = timeout;
        return std::unique_ptr<KeyStore>(
            new KeyStore(std::make_unique<Handle>(Handle{c10::make_intrusive<c10d::TCPStore>(address, options)})));
    });
}

Status KeyStore::set(const std::string& key, const std::string& value) {
    return caught([&]() -> Status {
        m_handle->store->set(key, bytesOf(value));
        return Done{};
    });
}

Result<std::optional<std::string>> KeyStore::find(const std::string& key) {
    return caught([&]() -> Result<std::optional<std::string>> {
        if (!m_handle->store->check({key})) {
            return std::optional<std::string>();
        }
        return std::optional<std::string>(textOf(m_handle->store->get(key)));
    });
}

Result<std::vector<std::string>> KeyStore::values(const std::vector<std::string>& keys) {
    return caught([&]() -> Result<std::vector<std::string>> {
        std::vector<std::string> out;
        for (const auto& bytes : m_handle->store->multiGet(keys)) {
            out.push_back(textOf(bytes));
        }
        return out;
    });
}

Result<std::int64_t> KeyStore::count(const std::string& key) {
    return caught([&]() -> Result<std::int64_t> { return m_handle->store->add(key, 1); });
}

}  // namespace pareto::dist
