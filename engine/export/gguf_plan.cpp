// Architectures as llama.cpp builds them (src/models/*.cpp): what its graphs cannot say is padded or left
// out here, and said in the notes.
#include "engine/export/gguf_plan.h"

#include <algorithm>
#include <map>

#include "engine/export/note_names.h"

namespace pareto::exporting {

namespace {

/// llama.cpp's architecture for a family and what it can express.
struct Architecture {
    Family family;
    std::string_view name;
    std::string_view perBlock;  ///< the architecture for blocks of different sizes; empty: none
    bool headsFixed;            ///< query rows = hidden size, whatever the heads
};

constexpr Architecture kArchitectures[] = {
    {Family::Bert, "bert", "", true},      {Family::Roberta, "bert", "", true},
    {Family::DistilBert, "bert", "", true}, {Family::Gpt2, "gpt2", "", true},
    {Family::Llama, "llama", "deci", false}, {Family::Mistral, "llama", "deci", false},
    {Family::Qwen2, "qwen2", "", true},    {Family::Qwen3, "qwen3", "", false},
    {Family::Gemma2, "gemma2", "", false}, {Family::Gemma3, "gemma3", "", false},
    {Family::T5, "t5", "", false},
};

std::string knownArchitectures() {
    std::string out;
    for (const auto& row : kArchitectures) {
        out += (out.empty() ? "" : ", ") + familyName(row.family);
    }
    return out;
}

std::string moduleOf(const std::string& canonical) {
    return canonical.substr(0, canonical.find_last_of('.'));
}

class Planner {
public:
    Planner(const ModelLayout& layout, const std::vector<WeightFormat>& formats, GgufType type)
        : m_layout(layout), m_formats(formats), m_type(type) {}

    Result<GgufPlan> run() {
        const auto known = std::find_if(
            std::begin(kArchitectures), std::end(kArchitectures),
            [&](const Architecture& row) { return row.family == m_layout.family; });
        if (known == std::end(kArchitectures)) {
            return makeError(ErrorCode::FamilyUnknown, {{"file", "GGUF"},
                                                        {"family", familyName(m_layout.family)},
                                                        {"known", knownArchitectures()}});
        }
        planSizes(*known);
        for (auto& tensor : ggufTensors(m_layout)) {
            if (tensor.name.empty()) {
                m_leftOut.push_back(moduleOf(tensor.sources.front()));
            } else {
                planTensor(std::move(tensor));
            }
        }
        note();
        return std::move(m_plan);
    }

private:
    bool blocksAre(std::int64_t heads, std::int64_t neurons) const {
        return std::all_of(m_layout.blocks.begin(), m_layout.blocks.end(),
                           [&](const BlockInfo& block) {
                               return block.heads == heads && block.neurons == neurons &&
                                      (block.crossAttention < 0 || block.crossHeads == heads);
                           });
    }

    void planSizes(const Architecture& architecture) {
        m_plan.architecture = architecture.name;
        const BlockInfo& first = m_layout.blocks.front();
        const std::int64_t full = m_layout.hidden / m_layout.headDim;
        if (blocksAre(architecture.headsFixed ? full : first.heads, first.neurons)) {
            return;
        }
        if (!architecture.perBlock.empty()) {
            m_plan.architecture = architecture.perBlock;
            m_plan.notes.push_back("Blocks differ in heads or neurons: the file says so for each, as "
                                   "the architecture \"" +
                                   m_plan.architecture + "\" of llama.cpp.");
            return;
        }
        // The widths of a checkpoint of transformers, with weights that need no whole groups.
        HfPlan padding = planHf(m_layout, std::vector<WeightFormat>(m_layout.layers.size()));
        if (architecture.headsFixed && padding.heads < full) {
            padding.kvHeads = full / (padding.heads / padding.kvHeads);
            padding.heads = full;
            padding.notes.push_back("llama.cpp wants as many heads as the hidden size has room for: "
                                    "removed ones are written as zeros.");
        }
        m_plan.notes = padding.notes;
        m_layout = resizedLayout(m_layout, padding);
        m_plan.padding = std::move(padding);
    }

    /// Tables beside the vocabulary and the heads of encoders are small and read as fp32.
    bool isTyped(const LayerInfo& layer) const {
        switch (layer.role) {
        case LayerRole::Embedding:
            return layer.rows == m_layout.vocabulary;
        case LayerRole::Pooler:
            return false;
        case LayerRole::Head:
            return m_layout.generates();
        default:
            return true;
        }
    }

    void planTensor(GgufTensor tensor) {
        const auto layerOf = [&](int at) -> const LayerInfo& {
            return m_layout.layers[static_cast<std::size_t>(at)];
        };
        const auto formatOf = [&](int at) -> const WeightFormat& {
            return m_formats[static_cast<std::size_t>(at)];
        };
        GgufTensorPlan plan{std::move(tensor), io::ggmlType(0), false};
        const auto& layers = plan.tensor.layers;
        if (!layers.empty() && isTyped(layerOf(layers.front()))) {
            const auto cols = plan.tensor.shape[1];
            const WeightFormat& held = formatOf(layers.front());
            const auto& wanted = ggmlTypeFor(m_type, held);
            plan.type = &fittingType(wanted, cols);
            plan.codes = std::all_of(layers.begin(), layers.end(), [&](int at) {
                return carriesCodes(*plan.type, formatOf(at), cols);
            });
            sort(plan, wanted, held);
        }
        m_plan.tensors.push_back(std::move(plan));
    }

    void sort(const GgufTensorPlan& plan, const io::GgmlType& wanted, const WeightFormat& held) {
        const std::string name = moduleOf(plan.tensor.sources.front());
        const std::string type(plan.type->name);
        if (plan.type != &wanted) {
            m_fallback[std::string(wanted.name) + " needs rows of whole blocks of " +
                       std::to_string(wanted.blockElements) + " values. As llama.cpp does, " + type +
                       " is used instead for: "]
                .push_back(name);
        }
        if (held.isCoded()) {
            const std::string from(nameOf(held.format));
            if (plan.codes) {
                m_kept.push_back(name);
                if (bitsOf(held.format) < 4) {
                    m_wider[from + " weights have no block type of so few bits: their codes take the place "
                                   "of int4's in " + type + ", in more bytes: "].push_back(name);
                }
            } else if (plan.type->name == "F16" &&
                       (held.format == NumberFormat::F8 || held.format == NumberFormat::Int16)) {
                m_again[from + " weights are rounded to half precision (F16): "].push_back(name);
            } else if (plan.type->block) {
                m_again[from + " weights are rounded a second time, from their values to " + type +
                        ": "]
                    .push_back(name);
            } else {
                m_again[from + " weights are written as " + type + ", in more bytes: "].push_back(
                    name);
            }
        }
        m_values[plan.type] += plan.tensor.shape.elements();
    }

    void note() {
        for (const auto* lists : {&m_fallback, &m_again, &m_wider}) {
            for (const auto& [sentence, names] : *lists) {
                m_plan.notes.push_back(sentence + joined(names) + ".");
            }
        }
        if (!m_kept.empty()) {
            m_plan.notes.push_back("Integer weights keep their codes; only scales are rounded, to half "
                                   "precision: " +
                                   joined(m_kept) + ".");
        }
        if (!m_leftOut.empty()) {
            std::vector<std::string> once;
            std::unique_copy(m_leftOut.begin(), m_leftOut.end(), std::back_inserter(once));
            m_plan.notes.push_back("The format has no place for " + joined(once) +
                                   ": left out. What comes before is written.");
        }
        const auto most = std::max_element(
            m_values.begin(), m_values.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
        m_plan.fileType = most == m_values.end() ? 0 : ggufFileType(*most->first);
    }

    ModelLayout m_layout;
    const std::vector<WeightFormat>& m_formats;
    GgufType m_type;
    GgufPlan m_plan;
    std::map<std::string, std::vector<std::string>> m_fallback;
    std::map<std::string, std::vector<std::string>> m_again;
    std::map<std::string, std::vector<std::string>> m_wider;
    std::vector<std::string> m_kept;
    std::vector<std::string> m_leftOut;
    std::map<const io::GgmlType*, std::int64_t> m_values;  ///< by type
};

}  // namespace

Result<GgufPlan> planGguf(const ModelLayout& layout, const std::vector<WeightFormat>& formats,
                          GgufType type) {
    return Planner(layout, formats, type).run();
}

}  // namespace pareto::exporting
