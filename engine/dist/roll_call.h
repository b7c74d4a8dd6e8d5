#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/dist/group.h"
#include "engine/dist/key_store.h"

namespace pareto::dist {

/// What all ranks know once they have come together.
struct Roll {
    std::string session;             ///< before every key from then on; a stranger cannot guess it
    std::vector<std::string> hosts;  ///< by rank
};

std::string slotKey(const std::string& session, int rank);   ///< what a rank says of itself (watch.h)
std::string faultKey(const std::string& session);            ///< what rank 0 says of the group

/// Rank 0 lets the others in one by one, and every rank finds out that the others are the right ones: random numbers of
/// both sides come back under HMAC with the token, versions and sizes are compared. ConfigInvalid; Cancelled.
Result<Roll> callRoll(KeyStore& store, const GroupOptions& options, std::stop_token stop);

}  // namespace pareto::dist
