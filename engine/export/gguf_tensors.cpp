#include "engine/export/gguf_tensors.h"

#include <algorithm>

#include "engine/layout/names.h"

namespace pareto::exporting {

namespace {

std::string_view moduleOf(std::string_view canonical) {
    return canonical.substr(0, canonical.find_last_of('.'));
}

class Collector {
public:
    explicit Collector(const ModelLayout& layout) : m_layout(layout) {}

    std::vector<GgufTensor> run() {
        for (std::size_t at = 0; at < m_layout.layers.size(); ++at) {
            const LayerInfo& layer = m_layout.layers[at];
            if (!layer.tiedTo.empty()) {
                continue;
            }
            GgufTensor weight = tensorOf(layer.name + ".weight", Shape{layer.rows, layer.cols});
            weight.layers = {static_cast<int>(at)};
            weight.pairedHeads = pairedHeads(layer);
            if (layer.name == "embeddings.position") {
                weight.skippedRows = m_layout.positionOffset;
                weight.shape = Shape{layer.rows - weight.skippedRows, layer.cols};
            }
            add(std::move(weight));
            if (layer.hasBias) {
                GgufTensor bias = tensorOf(layer.name + ".bias", Shape{layer.rows});
                bias.pairedHeads = pairedHeads(layer);
                add(std::move(bias));
            }
        }
        for (const auto& plain : m_layout.plain) {
            add(tensorOf(plain.name, plain.shape));
        }
        return std::move(m_out);
    }

private:
    GgufTensor tensorOf(const std::string& canonical, Shape shape) const {
        GgufTensor out;
        out.name = ggufTensorName(m_layout, canonical);
        out.sources = {canonical};
        out.shape = std::move(shape);
        return out;
    }

    std::int64_t pairedHeads(const LayerInfo& layer) const {
        const NameRow* row = findName(namesOf(m_layout.family), layer.name);
        const bool paired = row != nullptr && row->ggufTransform == Transform::UnpermuteRope;
        return paired ? layer.rows / m_layout.headDim : 0;
    }

    /// Parts of a fused tensor stand in the file's order in every family's table and layout.
    void add(GgufTensor tensor) {
        const NameRow* row = findName(namesOf(m_layout.family), moduleOf(tensor.sources.front()));
        const bool fused = row != nullptr && row->parts > 1;
        const auto whole = !fused || tensor.name.empty()
                               ? m_out.end()
                               : std::find_if(m_out.begin(), m_out.end(), [&](const auto& other) {
                                     return other.name == tensor.name;
                                 });
        if (whole == m_out.end()) {
            m_out.push_back(std::move(tensor));
            return;
        }
        whole->sources.push_back(tensor.sources.front());
        whole->layers.insert(whole->layers.end(), tensor.layers.begin(), tensor.layers.end());
        std::vector<std::int64_t> sizes = whole->shape.sizes();
        sizes.front() += tensor.shape[0];
        whole->shape = Shape(std::move(sizes));
    }

    const ModelLayout& m_layout;
    std::vector<GgufTensor> m_out;
};

}  // namespace

std::vector<GgufTensor> ggufTensors(const ModelLayout& layout) { return Collector(layout).run(); }

}  // namespace pareto::exporting
