#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/text/tokenizer.h"
#include "engine/text/unicode.h"

namespace pareto::fixtures {

/// The texts of tests/golden/text/corpus.json, as block_corpus.py makes them.
class Corpus {
public:
    Corpus(const Json& parts, std::vector<std::string> specials, std::uint64_t seed)
        : m_parts(parts), m_specials(std::move(specials)), m_state(seed) {}

    std::string text() {
        std::string out;
        const auto length = pick("lengths").get<int>();
        for (int i = 0; i < length; ++i) {
            const auto kind = below(100);
            if (kind < 55) {
                out += pick("words").get<std::string>();
            } else if (kind < 62 && !m_specials.empty()) {
                out += m_specials[below(m_specials.size())];
            } else if (kind < 66) {
                const auto part = pick("repeated").get<std::string>();
                const auto times = pick("times").get<int>();
                for (int n = 0; n < times; ++n) {
                    out += part;
                }
            } else {
                characters(out);
            }
            out += pick("spaces").get<std::string>();
        }
        return out;
    }

private:
    /// SplitMix64.
    std::uint64_t below(std::uint64_t limit) {
        m_state += 0x9E3779B97F4A7C15ULL;
        std::uint64_t z = m_state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return (z ^ (z >> 31)) % limit;
    }
    const Json& pick(const char* name) {
        const Json& list = m_parts[name];
        return list[below(list.size())];
    }
    void characters(std::string& out) {
        const Json& pool = pick("pools");
        const auto low = pool[0].get<std::uint64_t>();
        const auto high = pool[1].get<std::uint64_t>();
        const auto count = pick("counts").get<int>();
        for (int i = 0; i < count; ++i) {
            const auto code = static_cast<char32_t>(low + below(high - low + 1));
            if (code < 0xD800 || code > 0xDFFF) {
                text::appendUtf8(out, code);
            }
        }
    }

    const Json& m_parts;
    std::vector<std::string> m_specials;
    std::uint64_t m_state;
};

inline std::uint64_t fnv(std::string_view data, std::uint64_t start = 0xCBF29CE484222325ULL) {
    for (const char c : data) {
        start = (start ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
    }
    return start;
}

/// What is hashed of one text.
inline std::string hashedLine(const text::TokenSequence& tokens, const std::string& decoded) {
    std::string ids;
    std::string offsets;
    for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
        ids += (i > 0 ? "," : "") + std::to_string(tokens.ids[i]);
        offsets += (i > 0 ? "," : "") + std::to_string(tokens.offsets[i].begin) + "-" +
                   std::to_string(tokens.offsets[i].end);
    }
    return ids + "|" + offsets + "|" + decoded + "\n";
}

}  // namespace pareto::fixtures
