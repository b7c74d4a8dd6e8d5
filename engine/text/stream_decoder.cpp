#include "engine/text/tokenizer.h"

#include <string>

namespace pareto::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
/// Tokens kept before the newest, so that a decoder that looks at its neighbours sees them.
constexpr std::size_t kContext = 8;
constexpr std::size_t kMaxHeld = 64;

}  // namespace

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer)
    : m_tokenizer(std::move(tokenizer)) {}

std::string StreamDecoder::add(std::int32_t id) {
    m_ids.push_back(id);
    const std::string text = m_tokenizer->decode(m_ids, true);
    // U+FFFD at the end may be the first bytes of a character still to come.
    std::size_t certain = text.size();
    while (certain >= kReplacement.size() &&
           std::string_view(text).substr(0, certain).ends_with(kReplacement)) {
        certain -= kReplacement.size();
    }
    std::string out;
    if (certain > m_emitted) {
        out = text.substr(m_emitted, certain - m_emitted);
        m_emitted = certain;
    }
    // Long outputs cost the same per token as short ones: what is out is forgotten, but for a little
    // context. Positions are then those of the shorter text.
    if (m_emitted == text.size() && m_ids.size() > kMaxHeld) {
        m_ids.erase(m_ids.begin(), m_ids.end() - static_cast<std::ptrdiff_t>(kContext));
        m_emitted = m_tokenizer->decode(m_ids, true).size();
    }
    return out;
}

std::string StreamDecoder::finish() {
    const std::string text = m_tokenizer->decode(m_ids, true);
    std::string out = text.size() > m_emitted ? text.substr(m_emitted) : std::string();
    m_ids.clear();
    m_emitted = 0;
    return out;
}

std::string formatChatMl(const std::vector<ChatMessage>& messages) {
    std::string out;
    for (const auto& message : messages) {
        out += "<|im_start|>" + message.role + "\n" + message.content + "<|im_end|>\n";
    }
    return out + "<|im_start|>assistant\n";
}

}  // namespace pareto::text
