#include "engine/models/recompute.h"

#include <mutex>

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

namespace pareto::models {
namespace {

struct Held : torch::CustomClassHolder {
    std::function<at::Tensor(const at::Tensor&)> run;
    at::Tensor drawn;  ///< where the generator stood
};

at::Tensor exchangeState(const at::Device& device, const at::Tensor& state) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard lock(generator.mutex());
    const at::Tensor before = generator.get_state();
    if (state.defined()) {
        generator.set_state(state);
    }
    return before;
}

class Recomputed : public torch::autograd::Function<Recomputed> {
public:
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                              const c10::intrusive_ptr<Held>& held) {
        context->save_for_backward({x});
        context->saved_data["held"] = c10::IValue::make_capsule(held);
        held->drawn = exchangeState(x.device(), {});
        return held->run(x);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& gradients) {
        const auto capsule = context->saved_data["held"].toCapsule();
        auto* held = static_cast<Held*>(capsule.get());
        at::Tensor x = context->get_saved_variables().front().detach().requires_grad_(true);
        const at::Tensor now = exchangeState(x.device(), held->drawn);
        {
            const at::AutoGradMode graph(true);
            held->run(x).backward(gradients.front());
        }
        exchangeState(x.device(), now);
        return {x.grad(), at::Tensor()};
    }
};

}  // namespace

at::Tensor recomputed(const at::Tensor& x, std::function<at::Tensor(const at::Tensor& x)> run) {
    auto held = c10::make_intrusive<Held>();
    held->run = std::move(run);
    // Where nothing before is learned, the graph begins here.
    return Recomputed::apply(x.requires_grad() ? x : x.detach().requires_grad_(true), held);
}

}  // namespace pareto::models
