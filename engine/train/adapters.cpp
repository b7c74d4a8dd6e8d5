#include "engine/train/adapters.h"

#include <cmath>
#include <regex>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include "engine/core/random.h"

namespace pareto::train {
namespace {

Error invalid(const std::string& reason) {
    return makeError(ErrorCode::RecipeInvalid,
                     {{"file", "recipe"}, {"field", "recover.adapters.layers"}, {"reason", reason}});
}

bool isAdapted(const LayerInfo& layer) { return layer.block >= 0 && !layer.isEmbedding() && layer.tiedTo.empty(); }

}  // namespace

struct Adapters::Pair {
    at::Tensor a;
    at::Tensor b;
};

Adapters::Adapters(const AdapterSpec& spec) : m_spec(spec) {}
Adapters::~Adapters() = default;

Result<std::vector<std::string>> Adapters::layersOf(const AdapterSpec& spec, const ModelLayout& layout) {
    std::regex expression;
    try {
        expression = std::regex(spec.layers.empty() ? ".*" : spec.layers, std::regex::ECMAScript);
    } catch (const std::regex_error& problem) {
        return invalid("is no regular expression: " + std::string(problem.what()));
    }
    std::vector<std::string> out;
    for (const auto& layer : layout.layers) {
        if (isAdapted(layer) && std::regex_match(layer.name, expression)) {
            out.push_back(layer.name);
        }
    }
    if (out.empty()) {
        return invalid("fits no linear layer of a block of this model");
    }
    return out;
}

void Adapters::add(const std::string& layer, const at::Tensor& values, std::uint64_t seed) {
    const std::int64_t cols = values.size(1);
    RandomStream random(seed, "train.adapter." + layer);
    std::vector<float> first(static_cast<std::size_t>(m_spec.rank * cols));
    const double bound = 1.0 / std::sqrt(static_cast<double>(cols));
    for (auto& value : first) {
        value = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
    }
    auto pair = std::make_unique<Pair>();
    pair->a = at::from_blob(first.data(), {m_spec.rank, cols}, at::TensorOptions().dtype(at::kFloat))
                  .clone()
                  .to(values.device())
                  .requires_grad_(true);
    pair->b = at::zeros({values.size(0), m_spec.rank}, values.options().requires_grad(false)).requires_grad_(true);
    m_pairs.emplace(layer, std::move(pair));
}

bool Adapters::has(const std::string& layer) const { return m_pairs.contains(layer); }

at::Tensor Adapters::beside(const std::string& layer, const at::Tensor& input) const {
    const Pair& pair = *m_pairs.at(layer);
    const at::Tensor read = m_spec.dropout > 0.0 && m_drops ? at::dropout(input, m_spec.dropout, true) : input;
    return at::linear(at::linear(read, pair.a), pair.b) * (m_spec.alpha / m_spec.rank);
}

at::Tensor Adapters::product(const std::string& layer) const {
    const Pair& pair = *m_pairs.at(layer);
    return at::matmul(pair.b, pair.a) * (m_spec.alpha / m_spec.rank);
}

void Adapters::setTraining(bool drops) { m_drops = drops; }

std::map<std::string, at::Tensor> Adapters::parameters() const {
    std::map<std::string, at::Tensor> out;
    for (const auto& [layer, pair] : m_pairs) {
        out.emplace("adapter." + layer + ".a", pair->a);
        out.emplace("adapter." + layer + ".b", pair->b);
    }
    return out;
}

}  // namespace pareto::train
