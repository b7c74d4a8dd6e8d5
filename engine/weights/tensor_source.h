#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto {

/// A model's tensors, one at a time: in memory already, or read when they are asked for and held by whoever asks. So a
/// process that keeps a part of a model never holds the whole. Not changed by being asked; one user at a time.
class TensorSource {
public:
    virtual ~TensorSource() = default;
    virtual const ModelLayout& layout() const = 0;
    virtual std::vector<std::string> names() const = 0;  ///< ascending
    virtual bool has(const std::string& name) const = 0;
    /// TensorMissing where there is none of that name; what reading it says.
    virtual Result<Tensor> tensor(const std::string& name) const = 0;

    Result<Tensor> weight(const LayerInfo& layer) const;  ///< follows tiedTo
};

/// Of a model in memory, which must stay there.
class HeldTensors : public TensorSource {
public:
    explicit HeldTensors(const LoadedModel& model) : m_model(model) {}
    const ModelLayout& layout() const override { return m_model.layout; }
    std::vector<std::string> names() const override;
    bool has(const std::string& name) const override { return m_model.tensors.contains(name); }
    Result<Tensor> tensor(const std::string& name) const override;

private:
    const LoadedModel& m_model;
};

/// All of them in memory.
Result<LoadedModel> holdAll(const TensorSource& source);

}  // namespace pareto
