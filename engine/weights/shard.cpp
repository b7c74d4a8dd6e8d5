#include "engine/weights/shard.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>

#include "engine/weights/select.h"

namespace pareto {
namespace {

constexpr const char* kWord = "embeddings.word";
/// Rows of a head are multiplied in panels of so many.
constexpr std::int64_t kVocabularyStep = 16;
/// Columns that keep patterns of pruning and vectors of kernels whole, where there are enough.
constexpr std::int64_t kColumnSteps[] = {32, 8, 1};

struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t size() const { return end - begin; }
};

/// Part `part` of `units` among `parts`, which begins and ends at multiples of `step`. Nothing where a part would be empty.
std::optional<Range> rangeOf(std::int64_t units, int parts, int part, std::int64_t step) {
    const auto at = [&](int i) -> std::int64_t {
        if (i == parts) {
            return units;
        }
        // The first parts get what is left over: 3 among 2 are 2 and 1.
        const std::int64_t steps = units / step;
        return step * (steps / parts * i + std::min<std::int64_t>(i, steps % parts));
    };
    for (int i = 0; i < parts; ++i) {
        if (at(i + 1) <= at(i)) {
            return std::nullopt;
        }
    }
    return Range{at(part), at(part + 1)};
}

/// Columns that one scale of a weight covers, which must stay together.
std::int64_t groupOf(const LayerInfo& layer) {
    const auto& format = layer.sourceFormat;
    return format.isCoded() && format.granularity == Granularity::Group ? format.groupSize : 1;
}

Error tooFew(const char* field, int size, const std::string& what) {
    return makeError(ErrorCode::TargetInvalid,
                     {{"field", field}, {"reason", "is " + std::to_string(size) + ", but " + what}});
}

/// Whether a layer has a row for each token.
bool overVocabulary(const LayerInfo& layer) {
    return layer.name == kWord || layer.tiedTo == kWord || layer.name == "lm_head" || layer.name == "mlm.decoder";
}

struct HeadRanges {
    Range query;     ///< heads
    Range keyValue;  ///< heads
};

class Cutter {
public:
    Cutter(const TensorSource& model, const ShardPlace& place, const std::vector<int>& starts)
        : m_model(model), m_layout(model.layout()), m_place(place), m_starts(starts) {}

    Result<Shard> cut() {
        auto& shard = m_out;
        shard.place = m_place;
        shard.encoderBlocks = static_cast<int>(std::count_if(m_layout.blocks.begin(), m_layout.blocks.end(), [&](const auto& block) {
            return m_layout.isSeq2Seq() && block.crossAttention < 0;
        }));
        shard.firstBlock = m_starts[static_cast<std::size_t>(m_place.stage())];
        shard.vocabularyBounds.push_back(0);
        for (int part = 0; part < m_place.tp; ++part) {
            const auto range = rangeOf(m_layout.vocabulary, m_place.tp, part, kVocabularyStep);
            if (!range) {
                return tooFew("tp", m_place.tp, "the vocabulary has " + std::to_string(m_layout.vocabulary) + " tokens");
            }
            shard.vocabularyBounds.push_back(range->end);
        }
        keep();
        shard.model.layout = m_layout;
        auto& layout = shard.model.layout;
        layout.bindings.clear();
        layout.blocks.clear();
        layout.groups.clear();
        layout.layers.clear();
        for (int i = shard.firstBlock; i < lastBlock(); ++i) {
            PARETO_CHECK(addBlock(i));
        }
        PARETO_CHECK(addLayers());
        PARETO_CHECK(addPlain());
        return std::move(m_out);
    }

private:
    int lastBlock() const {
        const auto next = static_cast<std::size_t>(m_place.stage()) + 1;
        return next < m_starts.size() ? m_starts[next] : static_cast<int>(m_layout.blocks.size());
    }
    Range vocabulary() const {
        const auto part = static_cast<std::size_t>(m_place.part());
        return {m_out.vocabularyBounds[part], m_out.vocabularyBounds[part + 1]};
    }
    bool hasBlock(int block) const { return block >= m_out.firstBlock && block < lastBlock(); }

    /// Tables are looked up in before the first block, and before a decoder's first; what is behind the last block ends it.
    bool uses(const LayerInfo& layer) const {
        if (layer.block >= 0) {
            return hasBlock(layer.block);
        }
        if (layer.isEmbedding() || layer.role == LayerRole::Projection) {
            return m_out.begins() || (m_layout.isSeq2Seq() && hasBlock(m_out.encoderBlocks));
        }
        return m_out.ends();
    }

    void keep() {
        for (const auto& layer : m_layout.layers) {
            if (uses(layer)) {
                m_kept.insert(layer.name);
                if (!layer.tiedTo.empty()) {
                    m_kept.insert(layer.tiedTo);
                }
            }
        }
    }

    const LayerInfo& layerOf(const BlockInfo& block, LayerRole role, int group) const {
        for (const int index : block.layers) {
            const auto& layer = m_layout.layers[static_cast<std::size_t>(index)];
            if (layer.role == role && layer.group == group) {
                return layer;
            }
        }
        return m_layout.layers[static_cast<std::size_t>(block.layers.front())];
    }

    Result<HeadRanges> headsOf(const BlockInfo& block, std::int64_t heads, std::int64_t kvHeads, int group) const {
        const int tp = m_place.tp;
        const int part = m_place.part();
        if (kvHeads < tp && tp % kvHeads == 0 && heads % tp == 0) {
            // Several parts share a key/value head, which each of them has.
            const std::int64_t sharing = tp / kvHeads;
            return HeadRanges{{heads / tp * part, heads / tp * (part + 1)}, {part / sharing, part / sharing + 1}};
        }
        const std::int64_t each = heads / kvHeads;
        const std::int64_t columns = each * m_layout.headDim;
        const std::int64_t together = groupOf(layerOf(block, LayerRole::AttentionOutput, group));
        const std::int64_t step = std::lcm(columns, together) / columns;
        const auto range = rangeOf(kvHeads, tp, part, step);
        if (!range) {
            return tooFew("tp", tp,
                          block.name + " has " + std::to_string(kvHeads) + " key/value heads" +
                              (step > 1 ? ", of which " + std::to_string(step) + " share scales of their output" : ""));
        }
        return HeadRanges{{range->begin * each, range->end * each}, *range};
    }

    Result<Range> neuronsOf(const BlockInfo& block) const {
        const std::int64_t together = std::max(groupOf(layerOf(block, LayerRole::FfnDown, block.feedForward)), std::int64_t{1});
        for (const std::int64_t step : kColumnSteps) {
            if (const auto range = rangeOf(block.neurons, m_place.tp, m_place.part(), std::lcm(together, step))) {
                return *range;
            }
        }
        return tooFew("tp", m_place.tp,
                      block.name + " has " + std::to_string(block.neurons) + " neurons" +
                          (together > 1 ? ", of which " + std::to_string(together) + " share scales" : ""));
    }

    Status addBlock(int index) {
        const auto& from = m_layout.blocks[static_cast<std::size_t>(index)];
        BlockInfo block = from;
        PARETO_TRY(const auto self, headsOf(from, from.heads, from.kvHeads, from.attention));
        HeadRanges cross;
        if (from.crossAttention >= 0) {
            PARETO_TRY(cross, headsOf(from, from.crossHeads, from.crossHeads, from.crossAttention));
        }
        PARETO_TRY(const auto neurons, neuronsOf(from));
        block.heads = self.query.size();
        block.kvHeads = self.keyValue.size();
        block.crossHeads = cross.query.size();
        block.neurons = neurons.size();
        block.sourceHeads.clear();
        for (std::int64_t head = self.query.begin; head < self.query.end; ++head) {
            block.sourceHeads.push_back(from.sourceHeads.empty() ? static_cast<int>(head)
                                                                 : from.sourceHeads[static_cast<std::size_t>(head)]);
        }
        block.attention = addGroup(from.attention, self.keyValue.size());
        block.crossAttention = from.crossAttention >= 0 ? addGroup(from.crossAttention, cross.keyValue.size()) : -1;
        block.feedForward = addGroup(from.feedForward, neurons.size());
        block.layers.clear();
        const auto blockHere = static_cast<int>(m_out.model.layout.blocks.size());
        for (const int number : from.layers) {
            const auto& layer = m_layout.layers[static_cast<std::size_t>(number)];
            const auto& heads = layer.group == from.crossAttention && from.crossAttention >= 0 ? cross : self;
            const std::int64_t dim = m_layout.headDim;
            const Range query{heads.query.begin * dim, heads.query.end * dim};
            const Range keyValue{heads.keyValue.begin * dim, heads.keyValue.end * dim};
            LayerInfo here = layer;
            here.block = blockHere;
            here.group = layer.group == from.attention        ? block.attention
                         : layer.group == from.feedForward    ? block.feedForward
                         : layer.group == from.crossAttention ? block.crossAttention
                                                              : -1;
            switch (layer.role) {
                case LayerRole::Query: PARETO_CHECK(addRows(here, query)); break;
                case LayerRole::Key:
                case LayerRole::Value: PARETO_CHECK(addRows(here, keyValue)); break;
                case LayerRole::FfnIn:
                case LayerRole::FfnGate:
                case LayerRole::FfnUp: PARETO_CHECK(addRows(here, neurons)); break;
                case LayerRole::AttentionOutput: PARETO_CHECK(addCols(here, query)); break;
                case LayerRole::FfnDown: PARETO_CHECK(addCols(here, neurons)); break;
                default: PARETO_CHECK(addWhole(here)); break;
            }
            block.layers.push_back(static_cast<int>(m_out.model.layout.layers.size()) - 1);
        }
        m_out.model.layout.blocks.push_back(std::move(block));
        return Done{};
    }

    int addGroup(int from, std::int64_t units) {
        if (from < 0) {
            return -1;
        }
        auto& groups = m_out.model.layout.groups;
        GroupInfo group = m_layout.groups[static_cast<std::size_t>(from)];
        group.units = units;
        group.block = static_cast<int>(m_out.model.layout.blocks.size());
        group.layers.clear();
        groups.push_back(std::move(group));
        return static_cast<int>(groups.size()) - 1;
    }

    void put(const std::string& name, Tensor tensor) { m_out.model.tensors.insert_or_assign(name, std::move(tensor)); }

    void addLayer(LayerInfo layer) {
        auto& layout = m_out.model.layout;
        if (layer.group >= 0) {
            layout.groups[static_cast<std::size_t>(layer.group)].layers.push_back(static_cast<int>(layout.layers.size()));
        }
        layout.layers.push_back(std::move(layer));
    }

    Status addRows(LayerInfo layer, const Range& rows) {
        const auto slice = [&](const std::string& name) -> Status {
            PARETO_TRY(const auto whole, m_model.tensor(name));
            put(name, sliceRows(whole, rows.begin, rows.end));
            releasePages(whole);
            return Done{};
        };
        if (layer.tiedTo.empty()) {
            PARETO_CHECK(slice(layer.name + ".weight"));
        }
        if (m_model.has(layer.name + ".bias")) {
            PARETO_CHECK(slice(layer.name + ".bias"));
        }
        layer.rows = rows.size();
        addLayer(std::move(layer));
        return Done{};
    }

    Status addCols(LayerInfo layer, const Range& cols) {
        PARETO_TRY(const auto whole, m_model.weight(layer));
        put(layer.name + ".weight", sliceCols(whole, cols.begin, cols.end));
        releasePages(whole);
        if (m_place.part() == 0) {
            PARETO_CHECK(putBias(layer));
        }
        layer.hasBias = layer.hasBias && m_place.part() == 0;
        layer.cols = cols.size();
        addLayer(std::move(layer));
        return Done{};
    }

    Status addWhole(LayerInfo layer) {
        if (layer.tiedTo.empty()) {
            PARETO_TRY(auto weight, m_model.weight(layer));
            put(layer.name + ".weight", std::move(weight));
        }
        PARETO_CHECK(putBias(layer));
        addLayer(std::move(layer));
        return Done{};
    }

    Status putBias(const LayerInfo& layer) {
        const std::string name = layer.name + ".bias";
        if (m_model.has(name)) {
            PARETO_TRY(auto bias, m_model.tensor(name));
            put(name, std::move(bias));
        }
        return Done{};
    }

    Status addLayers() {
        for (const auto& layer : m_layout.layers) {
            if (layer.block >= 0 || !m_kept.contains(layer.name)) {
                continue;
            }
            PARETO_CHECK(overVocabulary(layer) ? addRows(layer, vocabulary()) : addWhole(layer));
        }
        return Done{};
    }

    bool usesPlain(const PlainTensor& plain) const {
        if (plain.block >= 0 && !hasBlock(plain.block)) {
            return false;
        }
        const auto* layer = m_layout.findLayer(plain.name.substr(0, plain.name.rfind('.')));
        return layer == nullptr || m_kept.contains(layer->name);
    }

    /// Biases of layers that are tied to another one, and Marian's of its logits, lie among the plain tensors.
    Status addPlain() {
        auto& plains = m_out.model.layout.plain;
        std::erase_if(plains, [&](const PlainTensor& plain) { return !usesPlain(plain); });
        for (auto& plain : plains) {
            plain.block = plain.block >= 0 ? plain.block - m_out.firstBlock : -1;
            if (!m_out.model.tensors.contains(plain.name)) {
                PARETO_TRY(auto whole, m_model.tensor(plain.name));
                const bool logits = plain.name == "logits_bias";
                put(plain.name, logits ? sliceCols(whole, vocabulary().begin, vocabulary().end) : std::move(whole));
            }
            plain.shape = m_out.model.tensors.at(plain.name).shape;
        }
        return Done{};
    }

    const TensorSource& m_model;
    const ModelLayout& m_layout;
    ShardPlace m_place;
    const std::vector<int>& m_starts;
    std::set<std::string> m_kept;
    Shard m_out;
};

}  // namespace

std::vector<double> blockCosts(const ModelLayout& layout) {
    std::vector<double> out(layout.blocks.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        for (const int index : layout.blocks[i].layers) {
            const auto& layer = layout.layers[static_cast<std::size_t>(index)];
            out[i] += static_cast<double>(layer.rows * layer.cols * layout.blocks[i].repeats);
        }
    }
    for (const auto& layer : layout.layers) {
        if (layer.role == LayerRole::Head && layout.generates() && !out.empty()) {
            out.back() += static_cast<double>(layer.rows * layer.cols);
        }
    }
    return out;
}

std::vector<int> stageStarts(const std::vector<double>& seconds, int stages) {
    const auto blocks = seconds.size();
    const auto count = static_cast<std::size_t>(stages);
    std::vector<double> before(blocks + 1, 0.0);
    std::partial_sum(seconds.begin(), seconds.end(), before.begin() + 1);
    // longest[s][b]: of the first b blocks in s stages; from[s][b]: where the last of these begins.
    std::vector<std::vector<double>> longest(count + 1, std::vector<double>(blocks + 1, std::numeric_limits<double>::infinity()));
    std::vector<std::vector<std::size_t>> from(count + 1, std::vector<std::size_t>(blocks + 1, 0));
    longest[0][0] = 0.0;
    for (std::size_t s = 1; s <= count; ++s) {
        for (std::size_t b = s; b <= blocks; ++b) {
            for (std::size_t begin = s - 1; begin < b; ++begin) {
                const double most = std::max(longest[s - 1][begin], before[b] - before[begin]);
                if (most < longest[s][b]) {
                    longest[s][b] = most;
                    from[s][b] = begin;
                }
            }
        }
    }
    std::vector<int> out(count, 0);
    std::size_t end = blocks;
    for (std::size_t s = count; s > 0; --s) {
        end = from[s][end];
        out[s - 1] = static_cast<int>(end);
    }
    return out;
}

Result<Shard> shardOf(const TensorSource& model, const ShardPlace& place, const std::vector<int>& stageStarts) {
    const auto blocks = model.layout().blocks.size();
    if (static_cast<std::size_t>(place.pp) > blocks) {
        return tooFew("pp", place.pp, "the model has " + std::to_string(blocks) + " blocks");
    }
    return Cutter(model, place, stageStarts).cut();
}

Result<Shard> shardOf(const LoadedModel& model, const ShardPlace& place, const std::vector<int>& stageStarts) {
    return shardOf(HeldTensors(model), place, stageStarts);
}

}  // namespace pareto
