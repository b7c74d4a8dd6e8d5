#include "engine/text/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <unordered_map>

#include "engine/io/utf8.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxPieces = std::size_t{1} << 22;

/// One field of a message: a number, or bytes (a string or another message).
struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;     ///< varint, or the bits of a fixed32
    std::string_view bytes;
    bool isBytes = false;

    bool flag() const { return value != 0; }
};

/// Walks the fields of a protocol buffer message.
class Message {
public:
    /// `start` is where the message begins in the file.
    Message(std::string_view bytes, std::size_t start, const std::string& file)
        : m_bytes(bytes), m_start(start), m_file(file) {}

    bool atEnd() const { return m_at == m_bytes.size(); }
    std::size_t offsetOf(std::string_view part) const {
        return m_start + static_cast<std::size_t>(part.data() - m_bytes.data());
    }

    Result<Field> next() {
        Field field;
        PARETO_TRY(const std::uint64_t key, varint());
        field.number = key >> 3;
        switch (key & 7) {
            case 0: {
                PARETO_TRY(field.value, varint());
                return field;
            }
            case 1:
            case 5: {
                PARETO_TRY(const auto fixed, take((key & 7) == 1 ? 8 : 4));
                for (std::size_t i = fixed.size(); i-- > 0;) {
                    field.value = (field.value << 8) | static_cast<std::uint8_t>(fixed[i]);
                }
                return field;
            }
            case 2: {
                PARETO_TRY(const std::uint64_t size, varint());
                PARETO_TRY(field.bytes, take(size));
                field.isBytes = true;
                return field;
            }
            default: return damaged("has a field of an unknown wire type");
        }
    }

private:
    Error damaged(const char* reason) const {
        return tokenizerError(m_file, "the SentencePiece model " + std::string(reason) + " at byte " +
                                          std::to_string(m_start + m_at));
    }
    Result<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (atEnd()) {
                return damaged("ends within a number");
            }
            const auto byte = static_cast<std::uint8_t>(m_bytes[m_at++]);
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        return damaged("has a number longer than 64 bits");
    }
    Result<std::string_view> take(std::uint64_t size) {
        if (size > m_bytes.size() - m_at) {
            return damaged("states more bytes than it has");
        }
        const auto out = m_bytes.substr(m_at, static_cast<std::size_t>(size));
        m_at += static_cast<std::size_t>(size);
        return out;
    }

    std::string_view m_bytes;
    std::size_t m_start;
    const std::string& m_file;
    std::size_t m_at = 0;
};

class Reader {
public:
    explicit Reader(const std::string& file) : m_file(file) {}

    Result<SentencePieceModel> run(std::string_view bytes) {
        Message message(bytes, 0, m_file);
        while (!message.atEnd()) {
            PARETO_TRY(const Field field, message.next());
            const Message inner(field.bytes, field.isBytes ? message.offsetOf(field.bytes) : 0, m_file);
            if (field.number == 1 && field.isBytes) {
                PARETO_CHECK(readPiece(inner));
            } else if (field.number == 2 && field.isBytes) {
                PARETO_CHECK(readTrainer(inner));
            } else if (field.number == 3 && field.isBytes) {
                PARETO_CHECK(readNormalizer(inner));
            }
        }
        PARETO_CHECK(check());
        return std::move(m_model);
    }

private:
    Status readPiece(Message message) {
        SentencePieceModel::Piece piece;
        while (!message.atEnd()) {
            PARETO_TRY(const Field field, message.next());
            if (field.number == 1 && field.isBytes) {
                piece.text = field.bytes;
            } else if (field.number == 2 && !field.isBytes) {
                piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
            } else if (field.number == 3 && field.value >= 1 && field.value <= 6) {
                piece.type = static_cast<SentencePieceModel::Type>(field.value);
            }
        }
        const auto at = m_model.pieces.size();
        if (piece.text.empty() || !io::isUtf8(piece.text) || !std::isfinite(piece.score)) {
            return tokenizerError(m_file, "piece " + std::to_string(at) +
                                              " of the SentencePiece model is empty, not UTF-8 or has "
                                              "no usable score");
        }
        if (at >= kMaxPieces) {
            return tokenizerError(m_file, "the SentencePiece model has more than 4194304 pieces");
        }
        m_model.pieces.push_back(std::move(piece));
        return Done{};
    }

    Status readTrainer(Message message) {
        while (!message.atEnd()) {
            PARETO_TRY(const Field field, message.next());
            if (field.number == 3 && !field.isBytes) {
                if (field.value != 1 && field.value != 2) {
                    return tokenizerError(m_file, "the SentencePiece model cuts texts into words or "
                                                  "characters; only unigram and bpe are supported");
                }
                m_model.kind = static_cast<SentencePieceModel::Kind>(field.value);
            } else if (field.number == 24 && field.flag()) {
                return tokenizerError(m_file, "the SentencePiece model has spaces after words "
                                              "(treat_whitespace_as_suffix), which is not supported");
            } else if (field.number == 40 && !field.isBytes) {
                m_model.unknownId = static_cast<std::int32_t>(field.value);
            }
        }
        return Done{};
    }

    Status readNormalizer(Message message) {
        while (!message.atEnd()) {
            PARETO_TRY(const Field field, message.next());
            if (field.number == 2 && field.isBytes) {
                m_model.charsmap = field.bytes;
            } else if (field.number == 3) {
                m_model.addDummyPrefix = field.flag();
            } else if (field.number == 4) {
                m_model.removeExtraWhitespaces = field.flag();
            }
        }
        return Done{};
    }

    Status check() const {
        const auto unknown = static_cast<std::size_t>(m_model.unknownId);
        if (m_model.unknownId < 0 || unknown >= m_model.pieces.size()) {
            return tokenizerError(m_file, "the SentencePiece model has no piece for its unknown token " +
                                              std::to_string(m_model.unknownId));
        }
        std::unordered_map<std::string_view, std::size_t> seen;
        for (std::size_t id = 0; id < m_model.pieces.size(); ++id) {
            const auto [other, isNew] = seen.emplace(m_model.pieces[id].text, id);
            if (!isNew) {
                return tokenizerError(m_file, "piece " + std::to_string(id) + " of the SentencePiece "
                                              "model is the same as piece " +
                                                  std::to_string(other->second));
            }
        }
        return Done{};
    }

    const std::string& m_file;
    SentencePieceModel m_model;
};

}  // namespace

Result<SentencePieceModel> readSentencePieceModel(std::string_view bytes, const std::string& file) {
    return Reader(file).run(bytes);
}

}  // namespace pareto::text
