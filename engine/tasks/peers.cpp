#include "engine/tasks/peers.h"

#include <cstring>
#include <string_view>

namespace pareto::tasks {
namespace {

void put(std::string& out, const void* from, std::size_t bytes) { out.append(static_cast<const char*>(from), bytes); }

template <typename T>
void putValue(std::string& out, const T& value) {
    put(out, &value, sizeof value);
}

void putText(std::string& out, std::string_view text) {
    putValue(out, static_cast<std::uint64_t>(text.size()));
    out += text;
}

/// Reads what was put, and nothing beyond it.
class Reader {
public:
    explicit Reader(std::string_view bytes) : m_left(bytes) {}

    template <typename T>
    bool value(T& out) {
        if (m_left.size() < sizeof out) {
            return false;
        }
        std::memcpy(&out, m_left.data(), sizeof out);
        m_left.remove_prefix(sizeof out);
        return true;
    }
    bool text(std::string& out) {
        std::uint64_t size = 0;
        if (!value(size) || size > m_left.size()) {
            return false;
        }
        out = m_left.substr(0, static_cast<std::size_t>(size));
        m_left.remove_prefix(static_cast<std::size_t>(size));
        return true;
    }
    template <typename T>
    bool rest(std::vector<T>& out) {
        if (m_left.size() % sizeof(T) != 0) {
            return false;
        }
        out.resize(m_left.size() / sizeof(T));
        std::memcpy(out.data(), m_left.data(), m_left.size());
        m_left = {};
        return true;
    }
    bool isAtEnd() const { return m_left.empty(); }

private:
    std::string_view m_left;
};

bool readTexts(const std::string& bytes, std::vector<std::string>& out) {
    Reader reader(bytes);
    out.clear();
    while (!reader.isAtEnd()) {
        if (!reader.text(out.emplace_back())) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string packed(const std::vector<float>& values) {
    std::string out;
    put(out, values.data(), values.size() * sizeof(float));
    return out;
}

std::string packed(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts) {
        putText(out, text);
    }
    return out;
}

std::string packed(const ItemResult& item) {
    std::string out;
    putValue(out, item.item);
    putValue(out, item.score);
    putValue(out, item.predicted);
    putText(out, item.answer);
    put(out, item.parts.data(), item.parts.size() * sizeof(double));
    return out;
}

bool unpack(const std::string& bytes, std::vector<float>& values) { return Reader(bytes).rest(values); }

bool unpack(const std::string& bytes, std::vector<std::string>& texts) { return readTexts(bytes, texts); }

bool unpack(const std::string& bytes, ItemResult& item) {
    Reader reader(bytes);
    return reader.value(item.item) && reader.value(item.score) && reader.value(item.predicted) &&
           reader.text(item.answer) && reader.rest(item.parts);
}

Error unequalParts() {
    return makeError(ErrorCode::EngineFailure,
                     {{"where", "the evaluation"}, {"reason", "a part has other results than its rows should give"}});
}

Result<std::vector<std::string>> exchangeParts(Peers& peers, const std::vector<std::string>& own, std::size_t parts,
                                               std::stop_token stop) {
    PARETO_TRY(const auto given, peers.exchange(packed(own), std::move(stop)));
    const auto size = static_cast<std::size_t>(peers.size());
    std::vector<std::string> out(parts);
    for (std::size_t rank = 0; rank < size; ++rank) {
        std::vector<std::string> theirs;
        const std::size_t wanted = parts > rank ? (parts - rank + size - 1) / size : 0;
        if (!readTexts(given[rank], theirs) || theirs.size() != wanted) {
            return peers.unfit(static_cast<int>(rank), "gave results of other rows than its own");
        }
        for (std::size_t i = 0; i < theirs.size(); ++i) {
            out[rank + i * size] = std::move(theirs[i]);
        }
    }
    return out;
}

}  // namespace pareto::tasks
