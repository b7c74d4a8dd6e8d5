#include "engine/models/shard_words.h"

#include <algorithm>

namespace pareto::models {

/// Two words: capacities may be large.
WordWriter& WordWriter::put(std::int64_t value) {
    m_words.push_back(static_cast<std::int32_t>(static_cast<std::uint64_t>(value) & 0xFFFFFFFFU));
    m_words.push_back(static_cast<std::int32_t>(static_cast<std::uint64_t>(value) >> 32U));
    return *this;
}

WordWriter& WordWriter::put(std::span<const std::int32_t> values) {
    put(static_cast<std::int64_t>(values.size()));
    m_words.insert(m_words.end(), values.begin(), values.end());
    return *this;
}

WordWriter& WordWriter::put(const IdLists& lists) {
    put(static_cast<std::int64_t>(lists.size()));
    for (const auto& list : lists) {
        put(std::span(list));
    }
    return *this;
}

std::int32_t WordReader::op() {
    if (m_at == m_words.size()) {
        m_good = false;
        return 0;
    }
    return m_words[m_at++];
}

std::int64_t WordReader::number() {
    if (m_words.size() - m_at < 2) {
        m_good = false;
        m_at = m_words.size();
        return 0;
    }
    const auto low = static_cast<std::uint32_t>(m_words[m_at]);
    const auto high = static_cast<std::uint32_t>(m_words[m_at + 1]);
    m_at += 2;
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(high) << 32U) | low);
}

std::vector<std::int32_t> WordReader::list() {
    const std::int64_t count = number();
    if (count < 0 || static_cast<std::size_t>(count) > m_words.size() - m_at) {
        m_good = false;
        m_at = m_words.size();
        return {};
    }
    const auto from = m_words.begin() + static_cast<std::ptrdiff_t>(m_at);
    m_at += static_cast<std::size_t>(count);
    return {from, from + count};
}

IdLists WordReader::lists() {
    const std::int64_t count = number();
    IdLists out;
    for (std::int64_t i = 0; i < count && m_good; ++i) {
        out.push_back(list());
    }
    return out;
}

Status WordReader::end() const {
    if (m_good && m_at == m_words.size()) {
        return Done{};
    }
    return makeError(ErrorCode::EngineFailure, {{"where", "a model in parts"},
                                                {"reason", "the process that leads it says what cannot be read"}});
}

}  // namespace pareto::models
