#include "engine/text/unigram.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr double kUnknownPenalty = 10.0;
constexpr std::size_t kMaxPieces = std::size_t{1} << 22;
constexpr std::uint32_t kNowhere = UINT32_MAX;
/// Stands for what no piece covers until the search is over: pieces may have the unknown token's id.
constexpr std::int32_t kNoPiece = INT32_MIN;

Vocabulary vocabularyOf(const std::vector<UnigramPiece>& pieces) {
    Vocabulary out;
    out.reserve(pieces.size());
    for (const auto& piece : pieces) {
        out.insert_or_assign(piece.text, piece.id);
    }
    return out;
}

/// A score as the `tokenizers` package reads it from its shortest text: serde_json divides the digits by a
/// power of ten, which is at times the neighbour of the nearest number. Equally good ways to cut a word are
/// told apart by that last bit.
double asReadBySerde(double score) {
    std::array<char, 32> text{};
    const auto* end = std::to_chars(text.data(), text.data() + text.size(), std::fabs(score),
                                    std::chars_format::scientific).ptr;
    std::uint64_t digits = 0;
    int exponent = 0;
    int decimals = 0;
    bool fraction = false;
    for (const char* at = text.data(); at != end; ++at) {
        if (*at == 'e') {
            std::from_chars(at[1] == '+' ? at + 2 : at + 1, end, exponent);
            break;
        }
        if (*at == '.') {
            fraction = true;
            continue;
        }
        digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
        decimals += fraction ? 1 : 0;
    }
    exponent -= decimals;
    if (std::abs(exponent) > std::numeric_limits<double>::max_exponent10) {
        return score;
    }
    const std::string power = "1e" + std::to_string(std::abs(exponent));
    double ten = 1.0;
    std::from_chars(power.data(), power.data() + power.size(), ten);
    const auto whole = static_cast<double>(digits);
    return std::copysign(exponent < 0 ? whole / ten : whole * ten, score);
}

}  // namespace

Unigram::Unigram(const std::vector<UnigramPiece>& pieces, UnigramOptions options)
    : Unigram(pieces, options, vocabularyOf(pieces)) {}

Unigram::Unigram(const std::vector<UnigramPiece>& pieces, UnigramOptions options,
                 Vocabulary vocabulary)
    : m_vocabulary(std::move(vocabulary)), m_options(options), m_leaves(1), m_byteIds(256, -1) {
    double lowest = std::numeric_limits<double>::infinity();
    for (const auto& piece : pieces) {
        insert(piece);
        lowest = std::min(lowest, piece.score);
        if (const int byte = byteOfToken(piece.text); byte >= 0) {
            m_byteIds[static_cast<std::size_t>(byte)] = piece.id;
        }
    }
    m_unknownScore = options.unknownScore.value_or(lowest - kUnknownPenalty);
}

double Unigram::sum(double a, double b) const {
    return m_options.singlePrecision ? static_cast<double>(static_cast<float>(a + b)) : a + b;
}

void Unigram::insert(const UnigramPiece& piece) {
    std::uint32_t node = 0;
    for (const char c : piece.text) {
        std::uint32_t& next = m_children[std::uint64_t{node} * 256 + static_cast<std::uint8_t>(c)];
        if (next == 0) {
            next = static_cast<std::uint32_t>(m_leaves.size());
            m_leaves.emplace_back();
        }
        node = next;
    }
    if (node != 0) {
        m_leaves[node] = {piece.id, piece.score};
    }
}

std::uint32_t Unigram::child(std::uint32_t node, std::uint8_t byte) const {
    const std::uint32_t* next = m_children.find(std::uint64_t{node} * 256 + byte);
    return next != nullptr ? *next : 0;
}

void Unigram::fillNodes(const Word& word, WordScratch& scratch) const {
    const auto size = static_cast<std::uint32_t>(word.chars.size());
    auto& nodes = scratch.nodes;
    auto& ends = scratch.ends;
    nodes.assign(size + 1, {0.0, -1, kNowhere});
    ends.resize(size);
    std::uint32_t bytes = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
        bytes += utf8Length(word.chars[i].code);
        ends[i] = bytes;
    }
    std::uint32_t from = 0;
    for (std::uint32_t begin = 0; begin < size; ++begin) {
        const double here = nodes[begin].score;
        const auto offer = [&](std::uint32_t end, double score, std::int32_t id) {
            auto& target = nodes[end];
            const double candidate = sum(score, here);
            if (target.from == kNowhere || candidate > target.score) {
                target = {candidate, id, begin};
            }
        };
        bool single = false;
        std::uint32_t node = 0;
        std::uint32_t at = from;
        for (std::uint32_t end = begin; end < size; ++end) {
            for (; at < ends[end] && (at == from || node != 0); ++at) {
                node = child(node, static_cast<std::uint8_t>(word.bytes[at]));
            }
            if (node == 0) {
                break;
            }
            if (m_leaves[node].id >= 0) {
                offer(end + 1, m_leaves[node].score, m_leaves[node].id);
                single = single || end == begin;
            }
        }
        if (!single) {
            offer(begin + 1, m_unknownScore, kNoPiece);
        }
        from = ends[begin];
    }
}

void Unigram::tokenize(const Word& word, WordScratch& scratch, std::vector<WordToken>& out) const {
    fillNodes(word, scratch);
    // Backwards along the best path; unknown characters side by side become one token.
    const auto& nodes = scratch.nodes;
    const std::size_t first = out.size();
    for (auto end = static_cast<std::uint32_t>(word.chars.size()); end > 0;) {
        const auto& node = nodes[end];
        const bool unknown = node.id == kNoPiece;
        if (unknown && out.size() > first && out.back().id == kNoPiece) {
            out.back().begin = node.from;
        } else {
            out.push_back({node.id, node.from, end});
        }
        end = node.from;
    }
    const bool plain = std::none_of(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
                                    [&](const WordToken& t) { return t.id == kNoPiece; });
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    if (plain) {
        return;
    }
    const std::vector<WordToken> found(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    out.resize(first);
    for (const auto& token : found) {
        if (token.id == kNoPiece) {
            appendUnknown(word, scratch, token, out);
        } else {
            out.push_back(token);
        }
    }
}

void Unigram::appendUnknown(const Word& word, const WordScratch& scratch, WordToken run,
                            std::vector<WordToken>& out) const {
    const std::size_t from = run.begin == 0 ? 0 : scratch.ends[run.begin - 1];
    const auto bytes = word.bytes.substr(from, scratch.ends[run.end - 1] - from);
    if (const auto known = m_vocabulary.find(bytes); known != m_vocabulary.end()) {
        out.push_back({known->second, run.begin, run.end});
        return;
    }
    const auto idOfByte = [&](char byte) { return m_byteIds[static_cast<std::uint8_t>(byte)]; };
    if (m_options.byteFallback &&
        std::all_of(bytes.begin(), bytes.end(), [&](char b) { return idOfByte(b) >= 0; })) {
        for (const char byte : bytes) {
            out.push_back({idOfByte(byte), run.begin, run.end});
        }
    } else if (m_options.unknown >= 0) {
        out.push_back({m_options.unknown, run.begin, run.end});
    }
}

Result<std::shared_ptr<const WordModel>> makeUnigram(const Json& json, const std::string& file) {
    const Json& vocabulary = fieldOf(json, "vocab");
    if (!vocabulary.is_array() || vocabulary.empty() || vocabulary.size() > kMaxPieces) {
        return tokenizerError(file, "its vocabulary is missing, empty or longer than 4194304");
    }
    std::vector<UnigramPiece> pieces;
    pieces.reserve(vocabulary.size());
    for (const auto& entry : vocabulary) {
        const bool usable = entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
                            entry[1].is_number() && std::isfinite(entry[1].get<double>());
        if (!usable) {
            return tokenizerError(file, "entry " + std::to_string(pieces.size()) +
                                            " of its vocabulary is not a token with a score");
        }
        pieces.push_back({entry[0].get<std::string>(), asReadBySerde(entry[1].get<double>()),
                          static_cast<std::int32_t>(pieces.size())});
    }
    UnigramOptions options;
    options.byteFallback = flagOf(json, "byte_fallback", false);
    if (const Json& unknown = fieldOf(json, "unk_id"); !unknown.is_null()) {
        if (!unknown.is_number_unsigned() || unknown.get<std::uint64_t>() >= pieces.size()) {
            return tokenizerError(file, "its unk_id " + unknown.dump() +
                                            " is not the place of a token in its vocabulary");
        }
        options.unknown = unknown.get<std::int32_t>();
    }
    return std::shared_ptr<const WordModel>(std::make_shared<Unigram>(pieces, options));
}

}  // namespace pareto::text
