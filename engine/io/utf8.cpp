#include "engine/io/utf8.h"

#include <cstdint>

namespace pareto::io {
namespace {

struct Step {
    std::size_t length;  ///< bytes of the character, or of the invalid part
    bool valid;
};

Step stepAt(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
    };
    const std::uint8_t lead = byte(at);
    if (lead < 0x80) {
        return {1, true};
    }
    std::size_t length = 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : low;    // overlong
        high = lead == 0xED ? 0x9F : high;  // surrogates
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : low;    // overlong
        high = lead == 0xF4 ? 0x8F : high;  // above U+10FFFF
    } else {
        return {1, false};
    }
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint8_t next = byte(at + i);
        const bool inRange = i == 1 ? next >= low && next <= high : next >= 0x80 && next <= 0xBF;
        if (!inRange) {
            return {i, false};
        }
    }
    return {length, true};
}

}  // namespace

bool isUtf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Step step = stepAt(text, at);
        if (!step.valid) {
            return false;
        }
        at += step.length;
    }
    return true;
}

std::string replaceInvalidUtf8(std::string text) {
    if (isUtf8(text)) {
        return text;
    }
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t at = 0; at < text.size();) {
        const Step step = stepAt(text, at);
        if (step.valid) {
            out.append(text, at, step.length);
        } else {
            out += "\xEF\xBF\xBD";
        }
        at += step.length;
    }
    return out;
}

}  // namespace pareto::io
