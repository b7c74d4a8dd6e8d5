#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"

namespace pareto::text {

class Regex;

/// The "decoder" of a tokenizer.json: tokens back to text.
class Decoder {
public:
    struct Step {
        enum class Kind {
            Spaces,        ///< tokens are joined by spaces
            WordPiece,     ///< `pattern` marks tokens that continue a word
            ByteLevel,     ///< characters stand for bytes
            Metaspace,     ///< `pattern` becomes a space, but in the first token nothing when `first`
            ByteFallback,  ///< runs of "<0x0A>" become text
            Fuse,          ///< tokens become one
            Strip,         ///< up to `left` and `right` times `pattern` goes from a token's ends
            Replace        ///< `pattern` or `regex` becomes `content`
        } kind = Kind::Spaces;
        std::string pattern = {};
        std::string content = {};
        std::shared_ptr<const Regex> regex = nullptr;
        std::size_t left = 0;
        std::size_t right = 0;
        bool first = false;
        bool cleanup = false;
    };

    Decoder() : Decoder({Step{}}) {}
    explicit Decoder(std::vector<Step> steps) : m_steps(std::move(steps)) {}

    /// TokenizerInvalid names a kind that is not known. Without one, tokens are joined by spaces.
    static Result<Decoder> read(const Json& json, const std::string& file);
    const std::vector<Step>& steps() const { return m_steps; }
    std::string decode(const std::vector<const std::string*>& tokens) const;

private:
    std::vector<Step> m_steps;
};

/// Decodes one token at a time. What it gives, put together, is Decoder::decode() of all tokens; what
/// a later token may still change is held back. The decoder outlives it.
class DecodeStream {
public:
    explicit DecodeStream(const Decoder& decoder);
    ~DecodeStream();
    DecodeStream(DecodeStream&&) noexcept;

    /// Appends what became certain.
    void add(std::string_view token, std::string& out);
    /// Appends the rest. Nothing may be added afterwards.
    void finish(std::string& out);

private:
    struct State;
    void push(std::size_t step, std::string token, std::string& out);
    void process(std::size_t step, std::string token, std::string& out);
    void close(std::size_t step, std::string& out);

    const std::vector<Decoder::Step>* m_steps;
    std::vector<State> m_states;
};

}  // namespace pareto::text
