#include "engine/text/charsmap.h"

#include <algorithm>
#include <cstdint>

#include "engine/io/utf8.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t littleEndian(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = (value << 8) | static_cast<std::uint8_t>(bytes[at + i]);
    }
    return value;
}

// A unit of the trie: label in the low byte, a bit that says a value hangs on it, offset of its
// children (shifted by 8 when bit 9 is set); a value has the highest bit set.
bool hasLeaf(std::uint32_t unit) { return ((unit >> 8) & 1U) != 0; }
std::uint32_t value(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }
std::uint32_t label(std::uint32_t unit) { return unit & (0x80000000U | 0xFFU); }
std::uint32_t offset(std::uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

}  // namespace

Result<Charsmap> Charsmap::read(std::string bytes, const std::string& file) {
    const auto bad = [&](const char* reason) {
        return tokenizerError(file, std::string("its precompiled_charsmap ") + reason);
    };
    if (bytes.size() < 4) {
        return bad("is shorter than its header");
    }
    const std::uint32_t size = littleEndian(bytes, 0);
    if (size % 4 != 0 || size == 0 || size > bytes.size() - 4) {
        return bad("states a trie that is larger than itself");
    }
    Charsmap out;
    for (std::size_t at = 4; at < 4 + std::size_t{size}; at += 4) {
        out.m_units.push_back(littleEndian(bytes, at));
    }
    out.m_replacements = bytes.substr(4 + std::size_t{size});
    if (!io::isUtf8(out.m_replacements)) {
        return bad("has replacements that are not UTF-8");
    }
    return out;
}

Charsmap::Match Charsmap::find(std::string_view text, bool first) const {
    Match out;
    if (m_units.empty()) {
        return out;
    }
    std::uint32_t node = offset(m_units[0]);
    for (std::size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        node ^= byte;
        if (node >= m_units.size() || label(m_units[node]) != byte) {
            break;
        }
        const std::uint32_t unit = m_units[node];
        node ^= offset(unit);
        if (!hasLeaf(unit) || node >= m_units.size()) {
            continue;
        }
        const std::size_t at = value(m_units[node]);
        if (at >= m_replacements.size()) {
            continue;
        }
        const auto end = m_replacements.find('\0', at);
        out.length = i + 1;
        out.replacement = std::string_view(m_replacements)
                              .substr(at, (end == std::string::npos ? m_replacements.size() : end) - at);
        if (first) {
            break;
        }
    }
    return out;
}

bool decodeBase64(std::string_view text, std::string& out) {
    out.clear();
    if (text.size() % 4 != 0) {
        return false;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t at = 0; at < text.size(); at += 4) {
        std::uint32_t group = 0;
        for (std::size_t i = at; i < at + 4; ++i) {
            const bool padded = i >= text.size() - padding;
            const auto digit = padded ? 0 : kBase64.find(text[i]);
            if (digit == std::string_view::npos) {
                return false;
            }
            group = group * 64 + static_cast<std::uint32_t>(digit);
        }
        out += static_cast<char>(group >> 16);
        out += static_cast<char>(group >> 8);
        out += static_cast<char>(group);
    }
    out.erase(out.size() - std::min(padding, out.size()));
    return true;
}

std::string encodeBase64(std::string_view bytes) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        for (std::size_t i = at; i < at + 3; ++i) {
            group = group * 256 + (i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0U);
        }
        for (std::size_t digit = 0; digit < 4; ++digit) {
            out += at + digit > bytes.size() ? '=' : kBase64[(group >> (18 - 6 * digit)) & 63U];
        }
    }
    return out;
}

}  // namespace pareto::text
