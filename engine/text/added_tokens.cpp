#include "engine/text/added_tokens.h"

#include <algorithm>

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::int64_t kMaxId = std::int64_t{1} << 24;
constexpr std::size_t kMaxTokens = std::size_t{1} << 18;

Chars part(const Chars& text, std::size_t begin, std::size_t end) {
    return {text.begin() + static_cast<std::ptrdiff_t>(begin),
            text.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace

Result<AddedTokens> AddedTokens::read(const Json& json, const Normalizer* normalizer,
                                      const std::string& file) {
    AddedTokens out;
    if (json.is_null()) {
        return out;
    }
    if (!json.is_array() || json.size() > kMaxTokens) {
        return tokenizerError(file, "added_tokens is not a list of at most 262144 tokens");
    }
    for (const auto& entry : json) {
        AddedToken token;
        token.content = textOf(entry, "content");
        const Json& id = fieldOf(entry, "id");
        if (token.content.empty() || !id.is_number_unsigned() ||
            id.get<std::uint64_t>() >= std::uint64_t{kMaxId}) {
            return tokenizerError(file, "an entry of added_tokens has no content or no usable id");
        }
        token.id = id.get<std::int32_t>();
        token.special = flagOf(entry, "special", false);
        token.singleWord = flagOf(entry, "single_word", false);
        token.stripLeft = flagOf(entry, "lstrip", false);
        token.stripRight = flagOf(entry, "rstrip", false);
        token.normalized = flagOf(entry, "normalized", !token.special);
        Chars content = decodeUtf8(token.content);
        if (token.normalized && normalizer != nullptr) {
            content = normalizer->apply(std::move(content));
        }
        insert(token.normalized ? out.m_normalized : out.m_raw, content, token.id);
        out.m_tokens[token.id] = std::move(token);
    }
    return out;
}

void AddedTokens::insert(Trie& trie, const Chars& content, std::int32_t id) {
    std::size_t node = 0;
    for (const Char& c : content) {
        const auto found = trie[node].next.find(c.code);
        if (found != trie[node].next.end()) {
            node = found->second;
            continue;
        }
        trie[node].next[c.code] = trie.size();
        node = trie.size();
        trie.emplace_back();
    }
    if (node != 0) {
        trie[node].id = id;
    }
}

void AddedTokens::splitWith(const Trie& trie, const Chars& text, std::vector<TextPart>& out) const {
    std::size_t done = 0;
    const auto& first = trie.front().next;
    for (std::size_t at = 0; at < text.size() && !first.empty();) {
        std::size_t node = 0;
        std::size_t longest = 0;
        std::int32_t id = -1;
        for (std::size_t i = at; i < text.size(); ++i) {
            const auto next = trie[node].next.find(text[i].code);
            if (next == trie[node].next.end()) {
                break;
            }
            node = next->second;
            if (trie[node].id >= 0) {
                id = trie[node].id;
                longest = i + 1 - at;
            }
        }
        if (id < 0) {
            ++at;
            continue;
        }
        std::size_t begin = at;
        std::size_t end = at + longest;
        at = end;
        const AddedToken& token = m_tokens.at(id);
        const bool touches = (begin > 0 && isWordCharacter(text[begin - 1].code)) ||
                             (end < text.size() && isWordCharacter(text[end].code));
        if (token.singleWord && touches) {
            continue;
        }
        while (token.stripLeft && begin > done && isSpace(text[begin - 1].code)) {
            --begin;
        }
        while (token.stripRight && end < text.size() && isSpace(text[end].code)) {
            ++end;
        }
        if (done < begin) {
            out.push_back({part(text, done, begin), -1});
        }
        out.push_back({part(text, begin, end), id});
        done = end;
        at = std::max(at, end);
    }
    if (done < text.size()) {
        out.push_back({part(text, done, text.size()), -1});
    }
}

std::vector<TextPart> AddedTokens::split(Chars text, const Normalizer* normalizer) const {
    std::vector<TextPart> raw;
    splitWith(m_raw, text, raw);
    std::vector<TextPart> out;
    for (auto& piece : raw) {
        if (piece.id >= 0) {
            out.push_back(std::move(piece));
            continue;
        }
        if (normalizer != nullptr) {
            piece.chars = normalizer->apply(std::move(piece.chars));
        }
        splitWith(m_normalized, piece.chars, out);
    }
    return out;
}

}  // namespace pareto::text
