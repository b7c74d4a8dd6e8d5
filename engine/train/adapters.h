#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "engine/core/result.h"
#include "engine/spec/layers.h"
#include "engine/spec/recover.h"

namespace at {
class Tensor;
}

/// Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685): a layer computes x·Wᵀ + alpha / rank · x·Aᵀ·Bᵀ, of which
/// A [rank][cols] begins as kaiming_uniform(√5) does, U(±1/√cols), and B [rows][rank] as 0.
namespace pareto::train {

class Adapters {
public:
    explicit Adapters(const AdapterSpec& spec);
    ~Adapters();
    Adapters(const Adapters&) = delete;
    Adapters& operator=(const Adapters&) = delete;

    /// The names of the layers of a block that get adapters. RecipeInvalid: a bad expression, or one that no layer fits.
    static Result<std::vector<std::string>> layersOf(const AdapterSpec& spec, const ModelLayout& layout);

    /// `values`: the layer's weight, [rows][cols]. What A begins with depends on the seed and the layer's name.
    void add(const std::string& layer, const at::Tensor& values, std::uint64_t seed);
    bool has(const std::string& layer) const;
    /// What comes to the product of inputs [tokens][cols].
    at::Tensor beside(const std::string& layer, const at::Tensor& input) const;
    /// alpha / rank · B·A, [rows][cols].
    at::Tensor product(const std::string& layer) const;
    void setTraining(bool drops);
    /// "adapter.<layer>.a" and ".b": leaves for an optimizer.
    std::map<std::string, at::Tensor> parameters() const;

private:
    struct Pair;
    AdapterSpec m_spec;
    bool m_drops = false;
    std::map<std::string, std::unique_ptr<Pair>> m_pairs;
};

}  // namespace pareto::train
