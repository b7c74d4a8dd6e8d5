#include "engine/bench/scaling.h"

#include <algorithm>
#include <cmath>

#include "engine/models/shard_run.h"
#include "engine/weights/shard.h"

namespace pareto::bench {
namespace {

constexpr double kFloat = 4.0;
/// Neurons and rows of the vocabulary that stay together; see weights/shard.h.
constexpr std::int64_t kNeuronStep = 32;
constexpr std::int64_t kVocabularyStep = 16;
/// Of the time: what more processes must bring.
constexpr double kWorthMore = 0.99;

bool startsWith(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }
bool endsWith(const std::string& text, const std::string& with) {
    return text.size() >= with.size() && text.compare(text.size() - with.size(), with.size(), with) == 0;
}

int blockOf(const ModelLayout& layout, const std::string& phase) {
    for (std::size_t i = 0; i < layout.blocks.size(); ++i) {
        if (startsWith(phase, layout.blocks[i].name + ".")) {
            return static_cast<int>(i);
        }
    }
    return startsWith(phase, "embeddings") ? -1 : static_cast<int>(layout.blocks.size());
}

Divided dividedBy(const ModelLayout& layout, const std::string& phase) {
    if (const auto* layer = layout.findLayer(phase)) {
        switch (layer->role) {
            case LayerRole::Query:
            case LayerRole::Key:
            case LayerRole::Value:
            case LayerRole::AttentionOutput: return Divided::Heads;
            case LayerRole::FfnIn:
            case LayerRole::FfnGate:
            case LayerRole::FfnUp:
            case LayerRole::FfnDown: return Divided::Neurons;
            case LayerRole::Head: return layer->rows == layout.vocabulary ? Divided::Vocabulary : Divided::Nothing;
            default: return Divided::Nothing;
        }
    }
    return endsWith(phase, ".scores") ? Divided::Heads : endsWith(phase, ".product") ? Divided::Neurons : Divided::Nothing;
}

/// The largest part of `units` that go in steps.
double largestShare(std::int64_t units, std::int64_t step, int parts) {
    const std::int64_t steps = std::max<std::int64_t>(1, units / step);
    const std::int64_t most = (steps + parts - 1) / parts;
    return std::min(1.0, static_cast<double>(most) / static_cast<double>(steps));
}

double shareOf(const ModelLayout& layout, const StepCost::Phase& phase, int tp) {
    const auto last = static_cast<int>(layout.blocks.size()) - 1;
    const auto& block = layout.blocks[static_cast<std::size_t>(std::clamp(phase.block, 0, last))];
    switch (phase.divided) {
        case Divided::Heads: return largestShare(std::max<std::int64_t>(block.kvHeads, tp), 1, tp);
        case Divided::Neurons: return largestShare(block.neurons, block.neurons >= kNeuronStep * tp ? kNeuronStep : 1, tp);
        case Divided::Vocabulary: return largestShare(layout.vocabulary, kVocabularyStep, tp);
        case Divided::Nothing: return 1.0;
    }
    return 1.0;
}

double sumSeconds(const Link& link, double bytes, int tp) {
    if (tp == 1) {
        return 0.0;
    }
    const auto parts = static_cast<double>(tp);
    return std::ceil(std::log2(parts)) * link.latency + 2.0 * (parts - 1.0) / parts * bytes / link.bandwidth;
}

/// Of one piece with `rows` tokens in one block.
double blockSums(const ModelLayout& layout, const StepCost& cost, const BlockInfo& block, const Link& link, double rows, int tp) {
    const double sublayers = block.crossHeads > 0 ? 3.0 : 2.0;
    const double one = sumSeconds(link, rows * static_cast<double>(layout.hidden) * kFloat, tp) +
                       (cost.roundsRows ? sumSeconds(link, rows * kFloat, tp) : 0.0);
    return sublayers * static_cast<double>(block.repeats) * one;
}

}  // namespace

StepCost stepCost(const ModelLayout& layout, const Target& target, const ProfiledStep& watched, double seconds) {
    StepCost out;
    out.name = watched.name;
    out.seconds = seconds;
    out.rows = watched.tokens;
    if (watched.name == "pass") {
        models::TokenBatch batch;
        batch.ids.assign(static_cast<std::size_t>(target.batch),
                         std::vector<std::int32_t>(static_cast<std::size_t>(target.sequence)));
        out.pieces = static_cast<std::int64_t>(models::piecesOf(batch, 2).size());
    } else if (layout.isDecoder()) {
        out.pieces = target.batch;
    }
    double sum = 0.0;
    for (const auto& layer : watched.layers) {
        sum += layer.ms / 1000.0;
        out.roundsRows = out.roundsRows || layer.arithmetic == Arithmetic::Int8;
    }
    for (const auto& layer : watched.layers) {
        out.phases.push_back({layer.ms / 1000.0 * (sum > 0.0 ? seconds / sum : 0.0), blockOf(layout, layer.name),
                              dividedBy(layout, layer.name)});
    }
    return out;
}

std::vector<double> blockSeconds(const ModelLayout& layout, const Target& target, const std::vector<ProfiledStep>& steps) {
    std::vector<double> out(layout.blocks.size(), 0.0);
    const int last = static_cast<int>(out.size()) - 1;
    for (const auto& step : steps) {
        const double times = step.name == "decode" ? static_cast<double>(std::max<std::int64_t>(0, target.generate - 1)) : 1.0;
        for (const auto& layer : step.layers) {
            out[static_cast<std::size_t>(std::clamp(blockOf(layout, layer.name), 0, last))] += times * layer.ms / 1000.0;
        }
    }
    return out;
}

bool canDivide(const ModelLayout& layout, int tp, int pp) {
    if (pp > static_cast<int>(layout.blocks.size())) {
        return false;
    }
    return std::all_of(layout.blocks.begin(), layout.blocks.end(), [tp](const BlockInfo& block) {
        const bool shares = block.kvHeads < tp && tp % block.kvHeads == 0 && block.heads % tp == 0;
        return (block.kvHeads >= tp || shares) && block.neurons >= tp && (block.crossHeads == 0 || block.crossHeads >= tp);
    });
}

Prediction predict(const ModelLayout& layout, const StepCost& cost, const Link& link, int tp, int pp,
                   const std::vector<double>& seconds) {
    const auto blocks = static_cast<int>(layout.blocks.size());
    auto starts = stageStarts(seconds.empty() ? blockCosts(layout) : seconds, pp);
    starts.push_back(blocks);
    const auto pieces = pp > 1 ? std::max<std::int64_t>(1, cost.pieces) : 1;
    const double rows = static_cast<double>(cost.rows) / static_cast<double>(pieces);
    std::vector<double> compute(static_cast<std::size_t>(pp), 0.0);
    for (const auto& phase : cost.phases) {
        const int block = std::clamp(phase.block, 0, blocks - 1);
        std::size_t stage = 0;
        while (block >= starts[stage + 1]) {
            ++stage;
        }
        compute[stage] += phase.seconds * shareOf(layout, phase, tp) / static_cast<double>(pieces);
    }
    std::vector<double> sums(static_cast<std::size_t>(pp), 0.0);
    for (std::size_t stage = 0; stage < sums.size(); ++stage) {
        for (int block = starts[stage]; block < starts[stage + 1]; ++block) {
            sums[stage] += blockSums(layout, cost, layout.blocks[static_cast<std::size_t>(block)], link, rows, tp);
        }
    }
    sums.front() += sumSeconds(link, rows * static_cast<double>(layout.hidden) * kFloat, tp);  // the token table
    if (layout.generates()) {
        sums.back() += sumSeconds(link, static_cast<double>(layout.vocabulary) * kFloat, tp);
    }
    Prediction out{tp, pp, 1};
    double all = 0.0;
    double slowest = 0.0;
    for (std::size_t stage = 0; stage < sums.size(); ++stage) {
        const double one = compute[stage] + sums[stage];
        all += one;
        slowest = std::max(slowest, one);
        out.sums += sums[stage] * static_cast<double>(pieces);
    }
    if (pp > 1) {
        const double state = link.latency + rows * static_cast<double>(layout.hidden) * kFloat / link.bandwidth;
        out.handing = static_cast<double>(pp - 1) * state + link.latency;
    }
    out.seconds = all + static_cast<double>(pieces - 1) * slowest + out.handing;
    out.bubble = 1.0 - all * static_cast<double>(pieces) / (static_cast<double>(pp) * out.seconds);
    return out;
}

Prediction fastest(const ModelLayout& layout, const StepCost& cost, const Link& link, int processes,
                   const std::vector<double>& seconds) {
    Prediction best = predict(layout, cost, link, 1, 1, seconds);
    for (int parts = 2; parts <= processes; ++parts) {
        for (int tp = 1; processes % parts == 0 && tp <= parts; ++tp) {
            if (parts % tp == 0 && canDivide(layout, tp, parts / tp)) {
                const auto one = predict(layout, cost, link, tp, parts / tp, seconds);
                best = one.seconds < kWorthMore * best.seconds ? one : best;
            }
        }
    }
    best.replicas = processes / (best.tp * best.pp);
    return best;
}

}  // namespace pareto::bench
