#include "engine/project/text_keys.h"

#include <algorithm>

#include "engine/text/unicode.h"

namespace pareto::project {
namespace {

/// FNV-1a with a last mix (MurmurHash3's), so that grams of similar words lie far apart.
class Hash {
public:
    void add(std::string_view text) {
        for (const char c : text) {
            addByte(static_cast<unsigned char>(c));
        }
        addByte(0xFF);  // no byte of UTF-8: words cannot run into each other
    }
    std::uint64_t value() const {
        std::uint64_t h = m_hash;
        h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCDULL;
        h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53ULL;
        return h ^ (h >> 33);
    }

private:
    void addByte(unsigned byte) { m_hash = (m_hash ^ byte) * 0x100000001B3ULL; }
    std::uint64_t m_hash = 0xCBF29CE484222325ULL;
};

}  // namespace

std::string cleanText(std::string_view text) {
    std::string out;
    bool space = false;
    for (const auto& c : text::decodeUtf8(text)) {
        if (text::isSpace(c.code)) {
            space = !out.empty();
            continue;
        }
        if (space) {
            out += ' ';
            space = false;
        }
        text::appendUtf8(out, c.code);
    }
    return out;
}

std::vector<std::string> wordsOf(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    text::Chars lower;
    const auto end = [&] {
        if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    };
    for (const auto& c : text::decodeUtf8(text)) {
        const bool ideograph = text::isChineseCharacter(c.code);
        if (ideograph || !text::isWordCharacter(c.code)) {
            end();
        }
        if (ideograph || text::isWordCharacter(c.code)) {
            lower.clear();
            text::appendLowercase(lower, c);
            for (const auto& one : lower) {
                text::appendUtf8(word, one.code);
            }
        }
        if (ideograph) {
            end();
        }
    }
    end();
    return words;
}

std::string textKey(const std::vector<std::string>& words, const std::string& text) {
    std::string key;
    for (const auto& word : words) {
        key += (key.empty() ? "" : " ") + word;
    }
    return key.empty() ? text : key;
}

std::vector<std::uint64_t> wordGrams(const std::vector<std::string>& words, std::size_t n,
                                     const std::string& text) {
    std::vector<std::uint64_t> grams;
    const auto gram = [&](std::size_t begin, std::size_t end) {
        Hash hash;
        for (std::size_t i = begin; i < end; ++i) {
            hash.add(words[i]);
        }
        grams.push_back(hash.value());
    };
    if (words.empty()) {
        Hash hash;
        hash.add(text);
        return {hash.value()};
    }
    for (std::size_t begin = 0; begin + n <= words.size(); ++begin) {
        gram(begin, begin + n);
    }
    if (grams.empty()) {
        gram(0, words.size());
    }
    std::sort(grams.begin(), grams.end());
    grams.erase(std::unique(grams.begin(), grams.end()), grams.end());
    return grams;
}

}  // namespace pareto::project
