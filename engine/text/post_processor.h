#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/text/tokenizer.h"

namespace pareto::text {

/// The "post_processor" of a tokenizer.json, reduced to what it does: a template for one text and for
/// two, and whether spaces are cut from the offsets of byte-level tokens.
class PostProcessor {
public:
    /// TokenizerInvalid names a kind that is not known.
    static Result<PostProcessor> read(const Json& json, const std::string& file);

    /// Special tokens added to one text or to two.
    std::int64_t addedTokens(bool pair) const;
    TokenSequence apply(const TokenSequence& first, const TokenSequence* second,
                        bool addSpecialTokens) const;
    bool trimsOffsets() const { return m_trimOffsets; }
    bool trimsFirstSpace() const { return m_trimFirstSpace; }

private:
    struct Item {
        enum class Kind { First, Second, Special } kind = Kind::First;
        std::int32_t typeId = 0;
        std::vector<std::int32_t> ids;  ///< of a special token
    };
    using Template = std::vector<Item>;

    Status add(const Json& json, const std::string& file);
    static Result<Template> readTemplate(const Json& items, const Json& specials,
                                         const std::string& file);
    Status addBert(const Json& json, bool roberta, const std::string& file);

    Template m_single{{Item::Kind::First, 0, {}}};
    Template m_pair{{Item::Kind::First, 0, {}}, {Item::Kind::Second, 1, {}}};
    bool m_trimOffsets = false;
    bool m_trimFirstSpace = true;
};

}  // namespace pareto::text
