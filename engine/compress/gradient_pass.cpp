#include "engine/compress/gradient_pass.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/block_pass.h"
#include "engine/compress/prune/fisher.h"
#include "engine/compress/prune/structure.h"

namespace pareto::compress {

namespace {

/// Neighbouring inputs whose weights are moved together: the authors' 50, less for memory's sake.
constexpr std::int64_t kFisherWidth = 32;

const LayerInfo& layerAt(const LoadedModel& model, int index) {
    return model.layout.layers[static_cast<std::size_t>(index)];
}

/// The output layer of a group and what became of its units' (Σ g·w)².
struct TaylorSums {
    int group = 0;
    std::int64_t cols = 0;
    std::vector<float> weight;
    std::vector<double> importance;

    void add(std::span<const float> gradient) {
        const auto width = static_cast<std::size_t>(cols) / importance.size();
        std::vector<double> sums(importance.size());
        for (std::size_t at = 0; at < weight.size(); ++at) {
            sums[at % static_cast<std::size_t>(cols) / width] += static_cast<double>(weight[at]) * gradient[at];
        }
        for (std::size_t unit = 0; unit < sums.size(); ++unit) {
            importance[unit] += sums[unit] * sums[unit];
        }
    }
};

/// One layer's sparsity in round `round` of `rounds`: the share that stays falls by the same factor each time.
double sparsityIn(int round, int rounds, double asked) {
    return round == rounds ? asked : 1.0 - std::pow(1.0 - asked, static_cast<double>(round) / rounds);
}

/// Layers whose information fits `limit` together; one at least.
std::vector<std::vector<int>> portionsOf(const LoadedModel& model, std::span<const int> layers, std::uint64_t limit) {
    std::vector<std::vector<int>> out;
    std::uint64_t held = 0;
    for (const int index : layers) {
        const Shape shape = model.weight(layerAt(model, index)).shape;
        const std::uint64_t bytes = BlockFisher::bytes(shape[0], shape[1], kFisherWidth);
        if (out.empty() || held + bytes > limit) {
            out.emplace_back();
            held = 0;
        }
        out.back().push_back(index);
        held += bytes;
    }
    return out;
}

class GradientPruning {
public:
    GradientPruning(LoadedModel& model, const ResolvedRecipe& resolved, WeightGradients& gradients, Progress& progress,
                    std::stop_token stop, const CompressTools& tools)
        : m_model(model),
          m_resolved(resolved),
          m_gradients(gradients),
          m_progress(progress),
          m_stop(std::move(stop)),
          m_tools(tools) {}

    Status run(std::span<const int> layers, std::uint64_t memoryLimit) {
        const auto portions = portionsOf(m_model, layers, memoryLimit);
        const int rounds = m_resolved.recomputations + 1;
        m_progress.begin(Stage::Pruning, m_gradients.samples() * static_cast<std::int64_t>(portions.size()) * rounds,
                         Unit::Samples);
        for (int round = 1; round <= rounds; ++round) {
            for (const auto& portion : portions) {
                PARETO_CHECK(pruneTogether(portion, round, rounds));
            }
        }
        return Done{};
    }

private:
    const LayerPlan& plan(int index) const { return m_resolved.layers[static_cast<std::size_t>(index)]; }

    Status pruneTogether(const std::vector<int>& portion, int round, int rounds) {
        std::map<std::string, BlockFisher> information;
        std::vector<std::string> names;
        for (const int index : portion) {
            const Shape shape = m_model.weight(layerAt(m_model, index)).shape;
            names.push_back(layerAt(m_model, index).name);
            information.emplace(names.back(), BlockFisher(shape[0], shape[1], kFisherWidth));
        }
        const auto receive = [&](const std::string& layer, std::span<const float> gradient) {
            information.at(layer).add(gradient, m_tools.parallel);
        };
        for (std::int64_t sample = 0; sample < m_gradients.samples(); ++sample) {
            PARETO_CHECK(m_gradients.differentiate(sample, names, receive, m_stop));
            m_progress.advance();
        }
        for (const int index : portion) {
            const LayerInfo& layer = layerAt(m_model, index);
            FisherOptions options;
            options.pattern = patternOf(plan(index));
            if (options.pattern.isGrouped() && round < rounds) {
                continue;  // N:M leaves no room for less
            }
            options.pattern.ratio = sparsityIn(round, rounds, options.pattern.ratio);
            const LayerContext context{{m_model.layout.name, layer.name + ".weight"}, m_tools.math, m_stop,
                                       m_tools.parallel};
            PARETO_TRY(Tensor pruned,
                       pruneByFisher(m_model.weight(layer), information.at(layer.name), options, context));
            PARETO_CHECK(m_gradients.replace(layer.name, pruned));
            m_model.tensors.insert_or_assign(layer.name + ".weight", std::move(pruned));
        }
        return Done{};
    }

    LoadedModel& m_model;
    const ResolvedRecipe& m_resolved;
    WeightGradients& m_gradients;
    Progress& m_progress;
    std::stop_token m_stop;
    const CompressTools& m_tools;
};

}  // namespace

Result<UnitImportance> taylorImportance(const LoadedModel& model, std::span<const int> groups,
                                        WeightGradients& gradients, Progress& progress, std::stop_token stop) {
    std::map<std::string, TaylorSums> sums;
    std::vector<std::string> names;
    for (const int group : groups) {
        const LayerInfo& layer = layerAt(model, outputLayer(model.layout, group));
        const std::int64_t units = model.layout.groups[static_cast<std::size_t>(group)].units;
        names.push_back(layer.name);
        sums[layer.name] = {group, layer.cols, dequantize(model.weight(layer)),
                            std::vector<double>(static_cast<std::size_t>(units))};
    }
    progress.begin(Stage::Calibrating, gradients.samples(), Unit::Samples);
    const auto receive = [&](const std::string& name, std::span<const float> gradient) { sums.at(name).add(gradient); };
    for (std::int64_t sample = 0; sample < gradients.samples(); ++sample) {
        PARETO_CHECK(gradients.differentiate(sample, names, receive, stop));
        progress.advance();
    }
    UnitImportance out;
    for (auto& [name, found] : sums) {
        for (double& value : found.importance) {
            value /= static_cast<double>(std::max<std::int64_t>(1, gradients.samples()));
        }
        if (!std::all_of(found.importance.begin(), found.importance.end(), [](double value) { return std::isfinite(value); })) {
            return badValues({model.layout.name, name + ".weight"}, 0, "its gradients are not finite");
        }
        out[found.group] = std::move(found.importance);
    }
    return out;
}

Status pruneByGradients(LoadedModel& model, std::span<const int> layers, const ResolvedRecipe& resolved,
                        WeightGradients& gradients, Progress& progress, std::stop_token stop,
                        const CompressTools& tools, std::uint64_t memoryLimit) {
    return GradientPruning(model, resolved, gradients, progress, std::move(stop), tools).run(layers, memoryLimit);
}

}  // namespace pareto::compress
