#pragma once

#include <string>
#include <string_view>

namespace pareto {

/// HMAC-SHA-256 (RFC 2104) as hexadecimal: `message` comes from somebody who knows `key`.
std::string hmacSha256Hex(std::string_view key, std::string_view message);
/// `bytes` random bytes of the system as hexadecimal, fit for secrets; empty where it has none to give.
std::string randomHex(std::size_t bytes);

}  // namespace pareto
