#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/linear.h"

namespace pareto::runtime {

/// A weight that may be exchanged for another of the same shape, and that tells what it is multiplied with.
/// Not for inference: a call more a layer.
class SlotWeight final : public Weight {
public:
    using Tap = std::function<void(const LinearInput& x)>;

    explicit SlotWeight(std::shared_ptr<const Weight> held);
    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override;
    at::Tensor lookup(std::span<const std::int32_t> ids) const override;
    std::uint64_t bytes() const override { return m_held->bytes(); }
    std::string kernelName() const override { return m_held->kernelName(); }

    void put(std::shared_ptr<const Weight> weight) { m_held = std::move(weight); }
    /// Takes the place of the bias that products come with; [rows].
    void setBias(const std::vector<float>& bias);
    void setTap(Tap tap) { m_tap = std::move(tap); }

private:
    struct Bias;
    std::shared_ptr<const Weight> m_held;
    std::shared_ptr<const Bias> m_bias;
    Tap m_tap;
};

/// By the name of the layer.
using Slots = std::map<std::string, std::shared_ptr<SlotWeight>>;

}  // namespace pareto::runtime
