#include "engine/export/hf_plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "engine/export/compressed_tensors_writer.h"
#include "engine/export/head_places.h"
#include "engine/export/hf_names.h"
#include "engine/export/hf_tensors.h"
#include "engine/export/note_names.h"
#include "engine/export/pad.h"
#include "engine/layout/names.h"
#include "engine/weights/codes.h"

namespace pareto::exporting {

namespace {

class Planner {
public:
    Planner(const ModelLayout& layout, const std::vector<WeightFormat>& formats)
        : m_layout(layout), m_formats(formats) {}

    HfPlan run() {
        for (const auto& block : m_layout.blocks) {
            m_plan.heads = std::max({m_plan.heads, block.heads, block.crossHeads});
            m_plan.kvHeads = std::max(m_plan.kvHeads, block.kvHeads);
            m_plan.neurons = std::max(m_plan.neurons, block.neurons);
        }
        planHeads();
        planNeurons();
        for (std::size_t at = 0; at < m_layout.layers.size(); ++at) {
            m_plan.layers.push_back(treat(m_layout.layers[at], m_formats[at]));
        }
        joinFused();
        noteFloats();
        return std::move(m_plan);
    }

private:
    /// The format has no field for the size of a head.
    bool headsFollowWidth() const {
        return m_layout.isEncoder() || m_layout.family == Family::Gpt2;
    }

    void planHeads() {
        if (headsFollowWidth()) {
            m_plan.heads = m_layout.hidden / m_layout.headDim;
            m_plan.kvHeads = m_plan.heads;
        }
        if (m_layout.isSeq2Seq()) {
            m_plan.heads = m_plan.kvHeads = headsOfSource();
        }
        const auto padded = std::count_if(
            m_layout.blocks.begin(), m_layout.blocks.end(), [&](const BlockInfo& block) {
                return block.heads < m_plan.heads ||
                       (block.crossAttention >= 0 && block.crossHeads < m_plan.heads);
            });
        if (padded == 0) {
            return;
        }
        const std::string blocks =
            std::to_string(padded) + " of " + std::to_string(m_layout.blocks.size()) + " blocks";
        m_plan.notes.push_back(
            headsFollowWidth()
                ? "The format fixes the number of heads at hidden size / head size: the heads "
                  "removed from " +
                      blocks + " are written as zeros. Outputs are the same, bytes are not smaller."
                : "The format knows one number of heads for all blocks: " + blocks +
                      " are filled up with zeros to " + std::to_string(m_plan.heads) +
                      " heads. Outputs are the same, bytes are not smaller.");
    }

    /// Encoder-decoder models: the tables of relative positions have a column a head; without them the
    /// size of a head follows from the width.
    std::int64_t headsOfSource() const {
        for (const auto& plain : m_layout.plain) {
            if (plain.name == "encoder.relative_bias.weight") {
                return plain.shape[1];
            }
        }
        return m_layout.hidden / m_layout.headDim;
    }

    /// Scales over groups of columns must divide the columns (compressed-tensors refuses others), so the
    /// width all blocks share is rounded up to whole groups.
    void planNeurons() {
        const std::int64_t widest = m_plan.neurons;
        std::int64_t step = 1;
        for (std::size_t at = 0; at < m_layout.layers.size(); ++at) {
            const auto& format = m_formats[at];
            if (m_layout.layers[at].role == LayerRole::FfnDown && format.isCoded() &&
                format.format != NumberFormat::Int16 &&
                format.granularity == Granularity::Group && format.groupSize <= widest) {
                step = std::lcm(step, format.groupSize);
            }
        }
        if (step <= widest) {
            m_plan.neurons = (widest + step - 1) / step * step;
        }
        const auto padded =
            std::count_if(m_layout.blocks.begin(), m_layout.blocks.end(),
                          [&](const BlockInfo& block) { return block.neurons < m_plan.neurons; });
        if (padded > 0) {
            m_plan.notes.push_back(
                "The format knows one feed-forward width for all blocks, in whole groups: " +
                std::to_string(padded) + " of " + std::to_string(m_layout.blocks.size()) +
                " blocks are filled up with zeros to " + std::to_string(m_plan.neurons) +
                " neurons. Outputs are the same, bytes are not smaller.");
        }
    }

    std::int64_t exportedCols(const LayerInfo& layer) const {
        switch (layer.role) {
        case LayerRole::AttentionOutput:
            return m_plan.heads * m_layout.headDim;
        case LayerRole::FfnDown:
            return m_plan.neurons;
        default:
            return layer.cols;
        }
    }

    /// A table that a tied head uses as a linear, too, is still a table for the readers.
    Treatment treat(const LayerInfo& layer, const WeightFormat& format) {
        if (!format.isCoded() || !layer.tiedTo.empty()) {
            return Treatment::Keep;
        }
        if (layer.isEmbedding() || denseNumber(layer.name) >= 0 || reshapedInHf(m_layout, layer)) {
            m_tables.push_back(layer.name);
            return Treatment::ToFloat;
        }
        if (format.format == NumberFormat::Int16) {
            m_int16.push_back(layer.name);
            return Treatment::ToFloat;
        }
        // Groups as wide as a row are one scale a row.
        const bool grouped =
            format.granularity == Granularity::Group && format.groupSize < exportedCols(layer);
        if (grouped && exportedCols(layer) % format.groupSize != 0) {
            m_ragged.push_back(layer.name);
            return Treatment::ToFloat;
        }
        const bool cross =
            layer.group >= 0 && m_layout.groups[static_cast<std::size_t>(layer.group)].cross;
        if (grouped && !cross && layer.role == LayerRole::AttentionOutput &&
            headsMove(m_layout, m_layout.blocks[static_cast<std::size_t>(layer.block)])) {
            m_moved.push_back(layer.name);
            return Treatment::ToFloat;
        }
        const bool few = bitsOf(format.format) < 8;
        if (few && isIntQuantized(format)) {
            m_wide.push_back(layer.name);
        } else if (few && format.format != NumberFormat::Int4) {
            m_four.push_back(layer.name);
        }
        if (format.activations == Activations::Int16Dynamic) {
            m_inputs.push_back(layer.name);
        }
        return grouped || format.granularity == Granularity::Channel ? Treatment::Keep
                                                                     : Treatment::ScalePerRow;
    }

    /// Matrices that are written as one have one number format.
    void joinFused() {
        std::map<std::string, std::vector<std::size_t>> byModule;
        for (std::size_t at = 0; at < m_layout.layers.size(); ++at) {
            byModule[hfModuleName(m_layout, m_layout.layers[at].name)].push_back(at);
        }
        for (const auto& [module, members] : byModule) {
            const auto held = [&](std::size_t at) {
                return m_plan.layers[at] == Treatment::ToFloat ? NumberFormat::F32 : m_formats[at].format;
            };
            const bool same = std::all_of(members.begin(), members.end(), [&](std::size_t at) {
                return held(at) == held(members.front());
            });
            for (const std::size_t at : members) {
                if (!same && !module.empty()) {
                    m_plan.layers[at] = Treatment::ToFloat;
                }
            }
        }
    }

    void noteFloats() {
        if (!m_tables.empty()) {
            m_plan.notes.push_back(
                "The format holds coded weights in plain linear layers only: " + joined(m_tables) +
                " are written as fp32 with the same values, in more bytes.");
        }
        if (!m_wide.empty()) {
            m_plan.notes.push_back(
                "transformers loads int4 and less with zero points only as a byte a value: " +
                joined(m_wide) +
                " are written so, with the same values. Symmetric int4 is packed.");
        }
        if (!m_four.empty()) {
            m_plan.notes.push_back("Readers of the format pack 4 or 8 bits: the codes and scales of " +
                                   joined(m_four) +
                                   " are written as int4, with the same values, in more bytes.");
        }
        if (!m_int16.empty()) {
            m_plan.notes.push_back("The format has no int16 weights: " + joined(m_int16) +
                                   " are written as fp32 with the same values, in more bytes.");
        }
        if (!m_inputs.empty()) {
            m_plan.notes.push_back("The format does not say that inputs are rounded to 16 bits: those of " +
                                   joined(m_inputs) + " stay as they are.");
        }
        if (!m_moved.empty()) {
            m_plan.notes.push_back(
                "The heads that are left go back to their columns of the relative position bias, "
                "across groups of columns: " +
                joined(m_moved) + " are written as fp32 with the same values, in more bytes.");
        }
        if (!m_ragged.empty()) {
            m_plan.notes.push_back(
                "The format needs groups that divide the columns: " + joined(m_ragged) +
                " are written as fp32 with the same values, in more bytes.");
        }
    }

    const ModelLayout& m_layout;
    const std::vector<WeightFormat>& m_formats;
    HfPlan m_plan;
    std::vector<std::string> m_tables;
    std::vector<std::string> m_ragged;
    std::vector<std::string> m_moved;
    std::vector<std::string> m_wide;
    std::vector<std::string> m_four;
    std::vector<std::string> m_int16;
    std::vector<std::string> m_inputs;
};

class Preparer {
public:
    Preparer(const LoadedModel& model, const HfPlan& plan) : m_plan(plan), m_out(model) {}

    /// Structure alone: the model has no tensors.
    ModelLayout resized() {
        for (auto& layer : m_out.layout.layers) {
            resize(layer);
        }
        resizeStructure();
        return std::move(m_out.layout);
    }

    LoadedModel run() {
        for (std::size_t at = 0; at < m_out.layout.layers.size(); ++at) {
            LayerInfo& layer = m_out.layout.layers[at];
            if (!layer.tiedTo.empty()) {
                continue;
            }
            Tensor weight = treated(m_out.weight(layer), m_plan.layers[at]);
            resize(layer);
            weight = padTensor(weight, layer.rows, layer.cols);
            if (const Tensor* bias = m_out.bias(layer); bias != nullptr) {
                set(layer.name + ".bias", padTensor(*bias, layer.rows));
            }
            set(layer.name + ".weight", std::move(weight));
        }
        resizeStructure();
        putHeadsBack(m_out);
        foldLogitScale();
        for (auto& layer : m_out.layout.layers) {
            layer.sourceFormat = m_out.weight(layer).format();
        }
        return std::move(m_out);
    }

private:
    static Tensor treated(const Tensor& weight, Treatment treatment) {
        switch (treatment) {
        case Treatment::ToFloat:
            return denseTensor(weight.shape, dequantize(weight));
        case Treatment::ScalePerRow:
            return scalePerRow(asWritten(weight));
        case Treatment::Keep:
            break;
        }
        return asWritten(weight);
    }

    void set(const std::string& name, Tensor tensor) {
        m_out.tensors.insert_or_assign(name, std::move(tensor));
    }

    /// transformers scales the hidden state for a head that shares the table, and for no other: the norm
    /// before the head takes the factor.
    void foldLogitScale() {
        const LayerInfo* head = m_out.layout.findLayer("lm_head");
        if (m_out.layout.logitScale == 1.0 || head == nullptr || !head->tiedTo.empty()) {
            return;
        }
        Tensor& norm = m_out.tensors.at("decoder.norm.weight");
        std::vector<float> values = dequantize(norm);
        for (float& value : values) {
            value *= static_cast<float>(m_out.layout.logitScale);
        }
        norm = denseTensor(norm.shape, std::span<const float>(values));
        m_out.layout.logitScale = 1.0;
    }

    void resize(LayerInfo& layer) const {
        const std::int64_t dim = m_out.layout.headDim;
        switch (layer.role) {
        case LayerRole::Query:
            layer.rows = m_plan.heads * dim;
            break;
        case LayerRole::Key:
        case LayerRole::Value:
            layer.rows = m_plan.kvHeads * dim;
            break;
        case LayerRole::AttentionOutput:
            layer.cols = m_plan.heads * dim;
            break;
        case LayerRole::FfnIn:
        case LayerRole::FfnGate:
        case LayerRole::FfnUp:
            layer.rows = m_plan.neurons;
            break;
        case LayerRole::FfnDown:
            layer.cols = m_plan.neurons;
            break;
        default:
            break;
        }
    }

    void resizeStructure() {
        for (auto& block : m_out.layout.blocks) {
            auto& attention = m_out.layout.groups[static_cast<std::size_t>(block.attention)];
            attention.units = m_plan.kvHeads;
            m_out.layout.groups[static_cast<std::size_t>(block.feedForward)].units = m_plan.neurons;
            if (block.crossAttention >= 0) {
                m_out.layout.groups[static_cast<std::size_t>(block.crossAttention)].units =
                    m_plan.heads;
                block.crossHeads = m_plan.heads;
            }
            block.heads = m_plan.heads;
            block.kvHeads = m_plan.kvHeads;
            block.neurons = m_plan.neurons;
        }
    }

    const HfPlan& m_plan;
    LoadedModel m_out;
};

}  // namespace

Tensor asWritten(const Tensor& weight) {
    if (weight.isDense()) {
        return weight;
    }
    QuantizedValues out = weight.quantized();
    if (out.format.activations == Activations::Int16Dynamic) {
        out.format.activations = Activations::None;
    }
    if (out.format.activations == Activations::Int8Static && !(out.inputScale > 0.0F)) {
        out.format.activations = Activations::Int8Dynamic;
    }
    const NumberFormat held = out.format.format;
    if (held == NumberFormat::Int3 || held == NumberFormat::Int2) {
        const std::int64_t cols = weight.shape[1];
        const std::int64_t stride = codeBytes(NumberFormat::Int4, cols);
        const auto* from = reinterpret_cast<const std::uint8_t*>(out.codes.data());
        std::vector<std::uint8_t> codes(static_cast<std::size_t>(weight.shape[0] * stride));
        std::vector<std::int16_t> row(static_cast<std::size_t>(cols));
        for (std::int64_t at = 0; at < weight.shape[0]; ++at) {
            codes::read(held, from + at * codeBytes(held, cols), 0, cols, row.data());
            codes::write(NumberFormat::Int4, row.data(), cols, codes.data() + at * stride);
        }
        out.codes = Buffer::copyOf(std::span<const std::uint8_t>(codes));
        out.format.format = NumberFormat::Int4;
    }
    return {weight.shape, std::move(out)};
}

HfPlan planHf(const ModelLayout& layout, const std::vector<WeightFormat>& formats) {
    return Planner(layout, formats).run();
}

ModelLayout resizedLayout(const ModelLayout& layout, const HfPlan& plan) {
    return Preparer({layout, {}}, plan).resized();
}

LoadedModel applyPlan(const LoadedModel& model, const HfPlan& plan) {
    return Preparer(model, plan).run();
}

}  // namespace pareto::exporting
