#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace at {
class Tensor;
}

namespace pareto::train {

/// AdamW (Loshchilov & Hutter 2019) with β 0.9 and 0.999 and ε 1e-8 on libtorch's fused kernel. Parameters are leaves
/// that want gradients; one without a gradient in a step is left as it is.
class AdamW {
public:
    AdamW();
    ~AdamW();
    AdamW(const AdamW&) = delete;
    AdamW& operator=(const AdamW&) = delete;

    /// `rate`: what step()'s learning rate is multiplied with for this one.
    void add(const std::string& name, const at::Tensor& parameter, double weightDecay, double rate = 1.0);
    /// In the order of their names, which is the order of everything that sums over them.
    std::vector<at::Tensor> parameters() const;
    void clearGradients();
    /// Scales all gradients so that their common norm is at most `most` (0: anything); answers the norm before.
    double clipGradients(double most);
    /// `count`: how many steps this is, from 1 (Adam's correction of its first steps).
    void step(double learningRate, std::int64_t count);

    /// First and second moments as "m.<name>" and "v.<name>"; the tensors themselves, to be copied from or into.
    std::map<std::string, at::Tensor> state() const;

private:
    struct Parameter;
    std::vector<Parameter> m_parameters;
};

}  // namespace pareto::train
