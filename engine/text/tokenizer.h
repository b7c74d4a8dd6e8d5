#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/io/model_files.h"

namespace pareto::text {

struct EncodeOptions {
    bool addSpecialTokens = true;
    std::int64_t maxLength = 0;  ///< 0: no truncation; counts the special tokens (longest first for pairs)
};

/// Offsets are byte positions in the UTF-8 input, [begin, end); {0, 0} for special tokens.
struct Span {
    std::int32_t begin = 0;
    std::int32_t end = 0;
};

struct TokenSequence {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> typeIds;
    std::vector<Span> offsets;
};

/// Text to ids and back; identical to the `tokenizers` package on the same tokenizer.json, or to the
/// reference of the GGUF's pre-tokenizer name. Immutable, thread-safe. Invalid UTF-8 becomes U+FFFD.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    virtual TokenSequence encode(std::string_view text, const EncodeOptions& options = {}) const = 0;
    virtual TokenSequence encodePair(std::string_view first, std::string_view second,
                                     const EncodeOptions& options = {}) const = 0;
    virtual std::string decode(const std::vector<std::int32_t>& ids,
                               bool skipSpecialTokens = true) const = 0;

    virtual std::int32_t vocabularySize() const = 0;
    virtual std::int32_t padId() const = 0;   ///< -1 when there is none
    virtual std::int32_t bosId() const = 0;   ///< -1 when there is none
    virtual std::int32_t eosId() const = 0;   ///< -1 when there is none
    virtual const std::string& tokenText(std::int32_t id) const = 0;
    /// tokenizer.json of this tokenizer, for export. Made from the GGUF's arrays where the source is one.
    virtual std::string toTokenizerJson() const = 0;
};

/// From tokenizer.json, else vocab.txt (WordPiece), else GGUF metadata. TokenizerMissing,
/// TokenizerInvalid, JsonInvalid.
Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const io::ModelFiles& files);

/// Turns ids into text one token at a time, holding back bytes of unfinished UTF-8 characters.
class StreamDecoder {
public:
    explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer);
    /// Text that became certain with this token; may be empty.
    std::string add(std::int32_t id);
    /// What was held back, with U+FFFD for what never became a character.
    std::string finish();

private:
    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::vector<std::int32_t> m_ids;
    std::size_t m_emitted = 0;
};

struct ChatMessage {
    std::string role;
    std::string content;
};
/// ChatML ("<|im_start|>user\n…<|im_end|>\n"), ending with the assistant's opening. No template
/// language is interpreted yet.
std::string formatChatMl(const std::vector<ChatMessage>& messages);

}  // namespace pareto::text
