#include "engine/train/optimizer.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

namespace pareto::train {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

}  // namespace

struct AdamW::Parameter {
    std::string name;
    at::Tensor value;
    at::Tensor first;
    at::Tensor second;
    double decay = 0.0;
    double rate = 1.0;
};

AdamW::AdamW() = default;
AdamW::~AdamW() = default;

void AdamW::add(const std::string& name, const at::Tensor& parameter, double weightDecay, double rate) {
    const at::NoGradGuard noGradients;
    // In the order of names, whenever they come: sums over all of them are then the same bits.
    const auto behind = std::find_if(m_parameters.begin(), m_parameters.end(),
                                     [&](const Parameter& other) { return other.name > name; });
    m_parameters.insert(behind, {name, parameter, at::zeros_like(parameter), at::zeros_like(parameter), weightDecay, rate});
}

std::vector<at::Tensor> AdamW::parameters() const {
    std::vector<at::Tensor> out;
    for (const auto& parameter : m_parameters) {
        out.push_back(parameter.value);
    }
    return out;
}

void AdamW::clearGradients() {
    for (auto& parameter : m_parameters) {
        parameter.value.mutable_grad() = at::Tensor();
    }
}

double AdamW::clipGradients(double most) {
    const at::NoGradGuard noGradients;
    std::vector<at::Tensor> norms;
    for (const auto& parameter : m_parameters) {
        if (parameter.value.grad().defined()) {
            norms.push_back(at::linalg_vector_norm(parameter.value.grad(), 2));
        }
    }
    if (norms.empty()) {
        return 0.0;
    }
    const auto norm = at::linalg_vector_norm(at::stack(norms), 2).item<double>();
    if (most > 0.0 && norm > most) {
        for (auto& parameter : m_parameters) {
            if (parameter.value.grad().defined()) {
                parameter.value.mutable_grad().mul_(most / (norm + 1e-6));
            }
        }
    }
    return norm;
}

void AdamW::step(double learningRate, std::int64_t count) {
    const at::NoGradGuard noGradients;
    // Parameters that share a decay and a rate are one call.
    std::map<std::pair<double, double>, std::vector<Parameter*>> alike;
    for (auto& parameter : m_parameters) {
        if (parameter.value.grad().defined()) {
            alike[{parameter.decay, parameter.rate}].push_back(&parameter);
        }
    }
    for (const auto& [key, parameters] : alike) {
        const auto [decay, rate] = key;
        std::vector<at::Tensor> values, gradients, first, second, steps;
        for (const Parameter* one : parameters) {
            values.push_back(one->value);
            gradients.push_back(one->value.grad());
            first.push_back(one->first);
            second.push_back(one->second);
            steps.push_back(at::full({}, static_cast<double>(count), one->value.options()));
        }
        at::_fused_adamw_(values, gradients, first, second, {}, steps, learningRate * rate, kBeta1, kBeta2, decay, kEpsilon,
                          false, false);
    }
}

std::map<std::string, at::Tensor> AdamW::state() const {
    std::map<std::string, at::Tensor> out;
    for (const auto& parameter : m_parameters) {
        out.emplace("m." + parameter.name, parameter.first);
        out.emplace("v." + parameter.name, parameter.second);
    }
    return out;
}

}  // namespace pareto::train
