#include "engine/runtime/slot_weight.h"

#include <stdexcept>

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

namespace pareto::runtime {

struct SlotWeight::Bias {
    at::Tensor values;
};

SlotWeight::SlotWeight(std::shared_ptr<const Weight> held)
    : Weight(held->rows(), held->cols()), m_held(std::move(held)) {}

at::Tensor SlotWeight::multiply(LinearInput& x, const Epilogue& epilogue) const {
    if (m_held == nullptr) {
        throw std::logic_error("a block runs whose weights were let go");
    }
    if (m_tap) {
        m_tap(x);
    }
    if (m_bias == nullptr) {
        return m_held->multiply(x, epilogue);
    }
    Epilogue changed = epilogue;
    changed.bias = &m_bias->values;
    return m_held->multiply(x, changed);
}

void SlotWeight::setBias(const std::vector<float>& bias) {
    m_bias = std::make_shared<const Bias>(
        Bias{at::tensor(at::ArrayRef<float>(bias.data(), bias.size()), at::TensorOptions().dtype(at::kFloat))});
}

at::Tensor SlotWeight::lookup(std::span<const std::int32_t> ids) const { return m_held->lookup(ids); }

}  // namespace pareto::runtime
