#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "engine/core/progress.h"
#include "engine/io/model_files.h"
#include "engine/spec/layers.h"
#include "engine/weights/quantized_source.h"

namespace pareto::jobs {

/// Reads the values of a model's tensors piece by piece, so that memory stays bounded however large a
/// tensor is (integer checkpoints: one whole tensor at a time).
class WeightValues {
public:
    static Result<WeightValues> open(std::shared_ptr<const io::ModelFiles> files,
                                     const ModelLayout& layout);

    using Visit = std::function<void(std::span<const float>)>;
    /// Calls `visit` with all values of the canonical tensor `name` ("<layer>.weight"), in the order of
    /// the file; progress advances by their number. TensorMissing when the layout binds no such tensor.
    Status forEach(const std::string& name, const Visit& visit, Progress& progress,
                   const std::stop_token& stop) const;

private:
    WeightValues() = default;
    Status forEachDense(const io::TensorInfo& tensor, const TensorBinding& binding,
                        const Visit& visit, Progress& progress, const std::stop_token& stop) const;
    Status forEachQuantized(const TensorBinding& binding, const Visit& visit, Progress& progress,
                            const std::stop_token& stop) const;

    std::shared_ptr<const io::ModelFiles> m_files;
    std::map<std::string, TensorBinding> m_bindings;
    QuantizedSource m_quantized;
};

}  // namespace pareto::jobs
