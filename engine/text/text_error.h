#pragma once

#include <string>

#include "engine/core/error.h"

namespace pareto::text {

inline Error tokenizerError(const std::string& file, std::string reason) {
    return makeError(ErrorCode::TokenizerInvalid, {{"file", file}, {"reason", std::move(reason)}});
}

}  // namespace pareto::text
