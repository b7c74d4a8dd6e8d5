#include "engine/text/added_tokens.h"

#include <algorithm>

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::int64_t kMaxId = std::int64_t{1} << 24;
constexpr std::size_t kMaxTokens = std::size_t{1} << 18;

void append(TextParts& out, const Words& from, Range range, std::int32_t id) {
    out.add(id).words.chars.assign(from.chars.begin() + range.begin, from.chars.begin() + range.end);
}

}  // namespace

Result<AddedTokens> AddedTokens::read(const Json& json, const Normalizer* normalizer,
                                      const std::string& file) {
    AddedTokens out;
    Workspace work;
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
            normalizer->apply(content, work);
        }
        (token.normalized ? out.m_normalized : out.m_raw).insert(content, token.id);
        out.m_tokens[token.id] = std::move(token);
    }
    return out;
}

void AddedTokens::Trie::insert(const Chars& content, std::int32_t id) {
    std::uint32_t node = 0;
    for (const Char& c : content) {
        std::uint32_t& next = m_next[(std::uint64_t{node} << 32) | c.code];
        if (next == 0) {
            next = static_cast<std::uint32_t>(m_ids.size());
            m_ids.push_back(-1);
        }
        node = next;
    }
    if (node != 0) {
        m_first.set(content.front().code % kFirst);
        m_ids[node] = id;
    }
}

std::int32_t AddedTokens::Trie::longestAt(const Chars& text, std::size_t at,
                                          std::size_t& length) const {
    std::uint32_t node = 0;
    std::int32_t id = -1;
    for (std::size_t i = at; i < text.size(); ++i) {
        const std::uint32_t* next = m_next.find((std::uint64_t{node} << 32) | text[i].code);
        if (next == nullptr) {
            break;
        }
        node = *next;
        if (m_ids[node] >= 0) {
            id = m_ids[node];
            length = i + 1 - at;
        }
    }
    return id;
}

void AddedTokens::splitWith(const Trie& trie, TextPart& part, TextParts& out) const {
    const Chars& text = part.words.chars;
    std::size_t done = 0;
    const auto range = [](std::size_t begin, std::size_t end) {
        return Range{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    };
    for (std::size_t at = 0; at < text.size() && !trie.empty();) {
        std::size_t length = 0;
        const std::int32_t id = trie.mayBegin(text[at].code) ? trie.longestAt(text, at, length) : -1;
        if (id < 0) {
            ++at;
            continue;
        }
        std::size_t begin = at;
        std::size_t end = at + length;
        at = end;
        const AddedToken& token = m_tokens.at(id);
        const bool touches = token.singleWord &&
                             ((begin > 0 && isWordCharacter(text[begin - 1].code)) ||
                              (end < text.size() && isWordCharacter(text[end].code)));
        if (touches) {
            continue;
        }
        while (token.stripLeft && begin > done && isSpace(text[begin - 1].code)) {
            --begin;
        }
        while (token.stripRight && end < text.size() && isSpace(text[end].code)) {
            ++end;
        }
        if (done < begin) {
            append(out, part.words, range(done, begin), -1);
        }
        append(out, part.words, range(begin, end), id);
        done = end;
        at = std::max(at, end);
    }
    if (done == 0 && !text.empty()) {
        // The usual case: nothing found, and the text changes hands without being copied.
        out.add(-1).words.chars.swap(part.words.chars);
    } else if (done < text.size()) {
        append(out, part.words, range(done, text.size()), -1);
    }
}

void AddedTokens::split(std::string_view text, const Normalizer* normalizer, Workspace& work) const {
    work.raw.clear();
    work.parts.clear();
    decodeUtf8(text, work.input.words.chars);
    splitWith(m_raw, work.input, work.raw);
    for (std::size_t i = 0; i < work.raw.size(); ++i) {
        TextPart& part = work.raw[i];
        if (part.id >= 0) {
            work.parts.add(part.id).words.chars.swap(part.words.chars);
            continue;
        }
        if (normalizer != nullptr) {
            normalizer->apply(part.words.chars, work);
        }
        splitWith(m_normalized, part, work.parts);
    }
}

}  // namespace pareto::text
