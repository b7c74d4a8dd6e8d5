#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "engine/text/tokenizer.h"

namespace pareto::jobs {

/// Tokens to pieces of text, as soon as they are certain: whole characters that no stop text can begin
/// in. The text ends before the first stop text.
class TextStream {
public:
    TextStream(std::shared_ptr<const text::Tokenizer> tokenizer, std::vector<std::string> stopTexts);

    /// The piece that this token made certain; may be empty.
    std::string add(std::int32_t id);
    /// What was held back.
    std::string finish();
    /// A stop text came.
    bool stopped() const { return m_stopped; }

    /// All pieces so far.
    const std::string& text() const { return m_text; }
    /// Tokens a second since the first one; 0 before there are two.
    double tokensPerSecond() const;

private:
    std::string take(std::string piece, bool last);

    text::StreamDecoder m_decoder;
    std::vector<std::string> m_stops;
    std::string m_pending;  ///< decoded, not yet given out
    std::string m_text;
    bool m_stopped = false;
    std::int64_t m_tokens = 0;
    std::chrono::steady_clock::time_point m_first;
    std::chrono::steady_clock::time_point m_last;
};

}  // namespace pareto::jobs
