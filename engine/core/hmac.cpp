#include "engine/core/hmac.h"

#include <array>
#include <span>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace pareto {
namespace {

std::string hexOf(std::span<const unsigned char> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : bytes) {
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

}  // namespace

std::string hmacSha256Hex(std::string_view key, std::string_view message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
         message.size(), digest.data(), &length);
    return hexOf({digest.data(), length});
}

std::string randomHex(std::size_t bytes) {
    std::vector<unsigned char> out(bytes);
    return RAND_bytes(out.data(), static_cast<int>(bytes)) == 1 ? hexOf(out) : std::string();
}

}  // namespace pareto
