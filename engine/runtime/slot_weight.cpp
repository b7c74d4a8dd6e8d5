#include "engine/runtime/slot_weight.h"

#include <stdexcept>

#include <ATen/core/Tensor.h>

namespace pareto::runtime {

SlotWeight::SlotWeight(std::shared_ptr<const Weight> held)
    : Weight(held->rows(), held->cols()), m_held(std::move(held)) {}

at::Tensor SlotWeight::multiply(LinearInput& x, const Epilogue& epilogue) const {
    if (m_held == nullptr) {
        throw std::logic_error("a block runs whose weights were let go");
    }
    if (m_tap) {
        m_tap(x);
    }
    return m_held->multiply(x, epilogue);
}

at::Tensor SlotWeight::lookup(std::span<const std::int32_t> ids) const { return m_held->lookup(ids); }

}  // namespace pareto::runtime
