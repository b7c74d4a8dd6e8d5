#pragma once

#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/text/graphemes.h"
#include "engine/text/regex.h"
#include "engine/text/word_cache.h"
#include "engine/text/words.h"

namespace pareto::text {

/// A piece of text between added tokens, or one of those.
struct TextPart {
    Words words;            ///< uncut: ranges are empty
    std::int32_t id = -1;   ///< of the added token; -1: ordinary text
};

/// Parts of a text whose buffers are used again for the next text.
class TextParts {
public:
    void clear() { m_used = 0; }
    TextPart& add(std::int32_t id) {
        if (m_used == m_parts.size()) {
            m_parts.emplace_back();
        }
        TextPart& part = m_parts[m_used++];
        part.id = id;
        part.words.chars.clear();
        part.words.ranges.clear();
        return part;
    }
    std::size_t size() const { return m_used; }
    TextPart& operator[](std::size_t i) { return m_parts[i]; }
    std::size_t bytes() const {
        return std::accumulate(m_parts.begin(), m_parts.end(), std::size_t{0},
                               [](std::size_t sum, const TextPart& part) { return sum + part.words.bytes(); });
    }

private:
    std::vector<TextPart> m_parts;
    std::size_t m_used = 0;
};

/// What one thread needs to encode a text: buffers, matchers and the words it has met, kept from one
/// text to the next because making them anew costs more than the encoding.
struct Workspace {
    TextPart input;
    TextParts raw;    ///< the input cut at added tokens that are found before normalization
    TextParts parts;  ///< and at those found after it
    Chars chars;                ///< spare, for steps that rewrite the text
    std::vector<Range> ranges;  ///< spare, for steps that cut it
    std::string bytes;
    std::vector<WordToken> tokens;
    WordScratch scratch;
    WordCache cache;
    Graphemes graphemes;

    /// Bytes of the buffers that grow with a text.
    std::size_t textBytes() const {
        return input.words.bytes() + raw.bytes() + parts.bytes() + chars.capacity() * sizeof(Char) +
               ranges.capacity() * sizeof(Range);
    }

    RegexScanner& scannerOf(const Regex& regex) {
        for (auto& [known, scanner] : m_scanners) {
            if (known == &regex) {
                return *scanner;
            }
        }
        m_scanners.emplace_back(&regex, std::make_unique<RegexScanner>(regex));
        return *m_scanners.back().second;
    }

private:
    std::vector<std::pair<const Regex*, std::unique_ptr<RegexScanner>>> m_scanners;
};

/// Lends workspaces to the threads that encode with one tokenizer.
class Workspaces {
    static constexpr std::size_t kKeptBytes = std::size_t{4} << 20;

public:
    class Lease {
    public:
        explicit Lease(Workspaces& from) : m_from(from), m_workspace(from.take()) {}
        ~Lease() { m_from.giveBack(std::move(m_workspace)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Workspace& operator*() { return *m_workspace; }

    private:
        Workspaces& m_from;
        std::unique_ptr<Workspace> m_workspace;
    };

private:
    std::unique_ptr<Workspace> take() {
        const std::lock_guard lock(m_mutex);
        if (m_idle.empty()) {
            return std::make_unique<Workspace>();
        }
        auto out = std::move(m_idle.back());
        m_idle.pop_back();
        return out;
    }
    void giveBack(std::unique_ptr<Workspace> workspace) {
        if (workspace->textBytes() > kKeptBytes) {
            return;  // it has met a book
        }
        const std::lock_guard lock(m_mutex);
        m_idle.push_back(std::move(workspace));
    }

    std::mutex m_mutex;
    std::vector<std::unique_ptr<Workspace>> m_idle;
};

}  // namespace pareto::text
