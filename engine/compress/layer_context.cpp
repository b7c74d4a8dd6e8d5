#include "engine/compress/layer_context.h"

namespace pareto::compress {

Error badValues(const TensorLabel& label, std::int64_t count, std::string reason) {
    return makeError(ErrorCode::TensorValues, {{"file", label.model},
                                               {"tensor", label.tensor},
                                               {"count", std::to_string(count)},
                                               {"reason", std::move(reason)}});
}

}  // namespace pareto::compress
