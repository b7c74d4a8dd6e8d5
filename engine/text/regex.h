#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/text/words.h"

namespace pareto::text {

/// A pattern of a tokenizer.json, compiled once; shared between threads. Written for Oniguruma or
/// Rust's regex, run by ICU: where the two read the same sign differently (\s), it is rewritten.
class Regex {
public:
    /// TokenizerInvalid when the pattern is too long or not valid.
    static Result<std::shared_ptr<const Regex>> compile(const std::string& pattern,
                                                        const std::string& file);
    /// A pattern that matches `text` itself.
    static std::string quoted(const std::string& text);
    ~Regex();
    Regex(const Regex&) = delete;
    Regex& operator=(const Regex&) = delete;

private:
    friend class RegexScanner;
    struct State;
    explicit Regex(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// Finds the matches of a Regex; for one thread. A search that takes too long (a pattern built to do
/// so) ends early: what is left then counts as not matched.
class RegexScanner {
public:
    explicit RegexScanner(const Regex& regex);
    ~RegexScanner();
    RegexScanner(const RegexScanner&) = delete;
    RegexScanner& operator=(const RegexScanner&) = delete;

    /// Replaces `out` by the non-empty matches within a range of the text, from left to right. The
    /// pattern sees nothing outside the range.
    void matches(const Chars& text, Range within, std::vector<Range>& out);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::text
