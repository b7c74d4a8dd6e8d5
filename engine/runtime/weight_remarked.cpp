#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

class RemarkedWeight final : public Weight {
public:
    RemarkedWeight(std::shared_ptr<const Weight> held, std::string remark)
        : Weight(held->rows(), held->cols()), m_held(std::move(held)), m_remark(std::move(remark)) {}
    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        return m_held->multiply(x, epilogue);
    }
    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        return m_held->panelWork(x, epilogue, out);
    }
    at::Tensor lookup(std::span<const std::int32_t> ids) const override { return m_held->lookup(ids); }
    std::uint64_t bytes() const override { return m_held->bytes(); }
    std::string kernelName() const override { return m_held->kernelName() + m_remark; }

private:
    std::shared_ptr<const Weight> m_held;
    std::string m_remark;
};

}  // namespace

std::shared_ptr<const Weight> remarked(std::shared_ptr<const Weight> weight, std::string remark) {
    return remark.empty() ? std::move(weight) : std::make_shared<RemarkedWeight>(std::move(weight), std::move(remark));
}

}  // namespace pareto::runtime
