#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/core/result.h"

namespace pareto::jobs {

/// Only one process of a user measures on a machine at a time: a file lock in $XDG_RUNTIME_DIR (else
/// the folder for temporary files), which the system drops when its holder dies.
class MachineLock {
public:
    /// Waits until the machine is free. `what` says for others what is being measured. Cancelled when
    /// stopped; FileWriteDenied when the lock's file cannot be made.
    static Result<MachineLock> acquire(const std::string& what, std::stop_token stop);

    struct Holder {
        std::string program;
        std::int64_t pid = 0;
        std::string what;
    };
    /// Who measures right now, this process included; empty when nobody does.
    static std::optional<Holder> holder();
    static std::string path();

    MachineLock(MachineLock&& other) noexcept;
    MachineLock& operator=(MachineLock&&) = delete;
    ~MachineLock();

private:
    explicit MachineLock(int descriptor) : m_descriptor(descriptor) {}
    int m_descriptor = -1;
};

}  // namespace pareto::jobs
