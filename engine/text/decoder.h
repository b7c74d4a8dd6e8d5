#pragma once

#include <string>
#include <vector>

#include "engine/core/json.h"

namespace pareto::text {

/// The "decoder" of a tokenizer.json: tokens back to text.
class Decoder {
public:
    /// TokenizerInvalid names a kind that is not known. Without one, tokens are joined by spaces.
    static Result<Decoder> read(const Json& json, const std::string& file);
    std::string decode(const std::vector<const std::string*>& tokens) const;

private:
    enum class Kind { Spaces, WordPiece, ByteLevel };
    Kind m_kind = Kind::Spaces;
    std::string m_prefix = "##";
    bool m_cleanup = true;
};

}  // namespace pareto::text
