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

/// How a pair whose second text is too long is cut into windows.
struct WindowOptions {
    std::int64_t maxLength = 384;  ///< tokens of a window with the special ones
    std::int64_t stride = 128;     ///< tokens of the second text that a window repeats of the one before
};

/// Offsets are byte positions in the UTF-8 input, [begin, end); {0, 0} for special tokens.
struct Span {
    std::int32_t begin = 0;
    std::int32_t end = 0;
};

/// Which of the given texts a token comes from.
enum class Side : std::int8_t { Special = -1, First = 0, Second = 1 };

struct TokenSequence {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> typeIds;
    std::vector<Span> offsets;
    std::vector<Side> sides;
};

/// Ids to text, one at a time: what it gives, put together, is decode() of all ids.
class TextStream {
public:
    virtual ~TextStream() = default;
    /// Text that became certain with this token; may be empty.
    virtual std::string add(std::int32_t id) = 0;
    /// What was held back. Nothing may be added afterwards.
    virtual std::string finish() = 0;
};

/// Text to ids and back; identical to the `tokenizers` package on the same tokenizer.json, or to the
/// reference of the GGUF's pre-tokenizer name. Immutable, thread-safe. Invalid UTF-8 becomes U+FFFD.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    virtual TokenSequence encode(std::string_view text, const EncodeOptions& options = {}) const = 0;
    virtual TokenSequence encodePair(std::string_view first, std::string_view second,
                                     const EncodeOptions& options = {}) const = 0;
    /// A pair as windows over the second text, each with all of the first and with special tokens: a
    /// question and a document longer than the model takes. At least one. TargetInvalid when the first
    /// text leaves no room for more tokens of the second than `stride`.
    virtual Result<std::vector<TokenSequence>> encodeWindows(std::string_view first,
                                                             std::string_view second,
                                                             const WindowOptions& options) const = 0;
    virtual std::string decode(const std::vector<std::int32_t>& ids,
                               bool skipSpecialTokens = true) const = 0;
    /// The tokenizer outlives the stream.
    virtual std::unique_ptr<TextStream> stream(bool skipSpecialTokens = true) const = 0;

    virtual std::int32_t vocabularySize() const = 0;
    virtual std::int32_t padId() const = 0;   ///< -1 when there is none
    virtual std::int32_t bosId() const = 0;   ///< -1 when there is none
    virtual std::int32_t eosId() const = 0;   ///< -1 when there is none
    virtual const std::string& tokenText(std::int32_t id) const = 0;
    /// Id of a token by its text; -1 when there is none.
    virtual std::int32_t tokenId(const std::string& token) const = 0;
    /// tokenizer.json of this tokenizer, for export. Made from the GGUF's arrays where the source is one.
    virtual std::string toTokenizerJson() const = 0;
};

/// From the first of these that a folder has: tokenizer.json; vocab.txt (WordPiece); source.spm,
/// target.spm and vocab.json or a *vocab.yml (Marian); spiece.model, sentencepiece.bpe.model or tokenizer.model
/// (SentencePiece); vocab.json and merges.txt (byte-level BPE). Else GGUF metadata. TokenizerMissing,
/// TokenizerInvalid, JsonInvalid.
Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const io::ModelFiles& files);
/// For texts that an encoder-decoder model is to learn to say: Marian's folders read them with target.spm. All others
/// have one tokenizer for both.
Result<std::shared_ptr<const Tokenizer>> loadTargetTokenizer(const io::ModelFiles& files);

/// Turns ids into text one token at a time, holding back bytes of unfinished UTF-8 characters.
class StreamDecoder {
public:
    explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer);
    /// Text that became certain with this token; may be empty.
    std::string add(std::int32_t id);
    /// What was held back, with U+FFFD for what never became a character. A new text may begin then.
    std::string finish();

private:
    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::unique_ptr<TextStream> m_stream;
};

}  // namespace pareto::text
