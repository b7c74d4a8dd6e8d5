#pragma once

#include <memory>

#include "engine/core/json.h"
#include "engine/text/unicode.h"

namespace pareto::text {

/// The "normalizer" of a tokenizer.json.
class Normalizer {
public:
    virtual ~Normalizer() = default;
    virtual Chars apply(Chars chars) const = 0;
};

/// Null for no normalizer. TokenizerInvalid names a kind that is not known.
Result<std::shared_ptr<const Normalizer>> makeNormalizer(const Json& json, const std::string& file);

}  // namespace pareto::text
