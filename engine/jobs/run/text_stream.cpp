#include "engine/jobs/run/text_stream.h"

#include <algorithm>

namespace pareto::jobs {

namespace {

/// Length of the longest end of `text` that is a beginning of `stop`.
std::size_t begunLength(const std::string& text, const std::string& stop) {
    for (std::size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
        if (text.compare(text.size() - length, length, stop, 0, length) == 0) {
            return length;
        }
    }
    return 0;
}

}  // namespace

TextStream::TextStream(std::shared_ptr<const text::Tokenizer> tokenizer,
                       std::vector<std::string> stopTexts)
    : m_decoder(std::move(tokenizer)), m_stops(std::move(stopTexts)) {
    std::erase_if(m_stops, [](const std::string& stop) { return stop.empty(); });
}

std::string TextStream::add(std::int32_t id) {
    m_last = std::chrono::steady_clock::now();
    if (m_tokens++ == 0) {
        m_first = m_last;
    }
    return take(m_decoder.add(id), false);
}

std::string TextStream::finish() { return take(m_decoder.finish(), true); }

double TextStream::tokensPerSecond() const {
    const double seconds = std::chrono::duration<double>(m_last - m_first).count();
    return seconds > 0.0 ? static_cast<double>(m_tokens - 1) / seconds : 0.0;
}

std::string TextStream::take(std::string piece, bool last) {
    if (m_stopped) {
        return {};
    }
    m_pending += piece;
    std::size_t end = m_pending.size();
    for (const auto& stop : m_stops) {
        if (const auto at = m_pending.find(stop); at != std::string::npos) {
            end = std::min(end, at);
            m_stopped = true;
        }
    }
    if (!m_stopped && !last) {
        std::size_t held = 0;
        for (const auto& stop : m_stops) {
            held = std::max(held, begunLength(m_pending, stop));
        }
        end -= held;
    }
    const std::string out = m_pending.substr(0, end);
    m_pending.erase(0, m_stopped ? m_pending.size() : end);
    m_text += out;
    return out;
}

}  // namespace pareto::jobs
