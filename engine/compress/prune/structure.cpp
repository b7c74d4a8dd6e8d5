#include "engine/compress/prune/structure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/weights/select.h"

namespace pareto::compress {

namespace {

/// Σ |w| of each row, or of each column.
std::vector<double> lineNorms(const Tensor& weight, bool columns) {
    const std::int64_t rows = weight.shape[0];
    const std::int64_t cols = weight.shape[1];
    std::vector<double> norms(static_cast<std::size_t>(columns ? cols : rows));
    std::vector<float> line(static_cast<std::size_t>(cols));
    for (std::int64_t row = 0; row < rows; ++row) {
        dequantizeRow(weight, row, line.data());
        for (std::size_t col = 0; col < line.size(); ++col) {
            norms[columns ? col : static_cast<std::size_t>(row)] +=
                std::fabs(static_cast<double>(line[col]));
        }
    }
    return norms;
}

void setTensor(LoadedModel& model, const std::string& name, Tensor tensor) {
    for (auto& binding : model.layout.bindings) {
        if (binding.name == name) {
            binding.shape = tensor.shape;
        }
    }
    model.tensors.insert_or_assign(name, std::move(tensor));
}

void cutLayer(LoadedModel& model, LayerInfo& layer, const UnitLines& cut) {
    const std::string name = layer.name + ".weight";
    const Tensor& weight = model.tensors.at(name);
    const auto count = static_cast<std::int64_t>(cut.lines.size());
    if (cut.columns) {
        setTensor(model, name, selectCols(weight, cut.lines));
        layer.cols = count;
        return;
    }
    setTensor(model, name, selectRows(weight, cut.lines));
    if (const Tensor* bias = model.bias(layer); bias != nullptr) {
        setTensor(model, layer.name + ".bias", selectRows(*bias, cut.lines));
    }
    layer.rows = count;
}

/// New numbers of what stays, -1 for what goes.
template <typename Keep>
std::vector<int> renumber(std::size_t count, Keep&& keep) {
    std::vector<int> numbers(count, -1);
    int next = 0;
    for (std::size_t at = 0; at < count; ++at) {
        if (keep(at)) {
            numbers[at] = next++;
        }
    }
    return numbers;
}

int mapped(const std::vector<int>& numbers, int old) {
    return old < 0 ? -1 : numbers[static_cast<std::size_t>(old)];
}

void mapAll(const std::vector<int>& numbers, std::vector<int>& list) {
    std::vector<int> out;
    for (const int old : list) {
        if (const int now = mapped(numbers, old); now >= 0) {
            out.push_back(now);
        }
    }
    list = std::move(out);
}

/// "encoder.layer.7" as block 3: "encoder.layer.3".
std::string blockName(const std::string& old, int number) {
    return old.substr(0, old.find_last_of('.') + 1) + std::to_string(number);
}

/// Remembers which heads of the source are left.
void keepSourceHeads(BlockInfo& block, std::int64_t units, const std::vector<std::int64_t>& kept) {
    const std::int64_t perUnit = block.heads / units;
    std::vector<int> heads;
    for (const std::int64_t unit : kept) {
        for (std::int64_t at = unit * perUnit; at < (unit + 1) * perUnit; ++at) {
            heads.push_back(block.sourceHeads.empty()
                                ? static_cast<int>(at)
                                : block.sourceHeads[static_cast<std::size_t>(at)]);
        }
    }
    block.sourceHeads = std::move(heads);
}

class BlockRemoval {
public:
    BlockRemoval(LoadedModel& model, const std::vector<bool>& removed)
        : m_model(model), m_layout(model.layout) {
        m_blocks = renumber(m_layout.blocks.size(), [&](std::size_t at) { return !removed[at]; });
        m_groups = renumber(m_layout.groups.size(), [&](std::size_t at) {
            return mapped(m_blocks, m_layout.groups[at].block) >= 0;
        });
        m_layers = renumber(m_layout.layers.size(),
                            [&](std::size_t at) { return stays(m_layout.layers[at].block); });
        for (std::size_t at = 0; at < m_layout.blocks.size(); ++at) {
            const std::string& name = m_layout.blocks[at].name;
            m_prefixes.emplace_back(name, m_blocks[at] < 0 ? "" : blockName(name, numberInSide(at)));
        }
    }

    void run() {
        moveTensors();
        moveLayers();
        moveGroups();
        moveBlocks();
    }

private:
    /// Encoder and decoder of one model number their blocks each on its own.
    int numberInSide(std::size_t block) const {
        const bool decoder = m_layout.blocks[block].crossAttention >= 0;
        int number = 0;
        for (std::size_t at = 0; at < block; ++at) {
            const bool same = (m_layout.blocks[at].crossAttention >= 0) == decoder;
            number += same && m_blocks[at] >= 0 ? 1 : 0;
        }
        return number;
    }

    bool stays(int block) const { return block < 0 || mapped(m_blocks, block) >= 0; }

    /// The new name of something inside a block, itself outside, empty when it goes.
    std::string renamed(const std::string& name) const {
        for (const auto& [before, after] : m_prefixes) {
            const bool inside = name.starts_with(before) &&
                                (name.size() == before.size() || name[before.size()] == '.');
            if (inside) {
                return after.empty() ? std::string() : after + name.substr(before.size());
            }
        }
        return name;
    }

    void moveTensors() {
        std::map<std::string, Tensor> tensors;
        for (auto& [name, tensor] : m_model.tensors) {
            if (auto now = renamed(name); !now.empty()) {
                tensors.emplace(std::move(now), std::move(tensor));
            }
        }
        m_model.tensors = std::move(tensors);
        std::erase_if(m_layout.bindings, [&](TensorBinding& binding) {
            binding.name = renamed(binding.name);
            return binding.name.empty();
        });
        std::erase_if(m_layout.plain, [&](PlainTensor& plain) {
            plain.name = renamed(plain.name);
            plain.block = mapped(m_blocks, plain.block);
            return plain.name.empty();
        });
    }

    void moveLayers() {
        std::erase_if(m_layout.layers, [&](LayerInfo& layer) {
            layer.name = renamed(layer.name);
            layer.block = mapped(m_blocks, layer.block);
            layer.group = mapped(m_groups, layer.group);
            return layer.name.empty();
        });
    }

    void moveGroups() {
        std::erase_if(m_layout.groups, [&](GroupInfo& group) {
            group.name = renamed(group.name);
            group.block = mapped(m_blocks, group.block);
            mapAll(m_layers, group.layers);
            return group.name.empty();
        });
    }

    void moveBlocks() {
        std::erase_if(m_layout.blocks, [&](BlockInfo& block) {
            block.name = renamed(block.name);
            block.attention = mapped(m_groups, block.attention);
            block.crossAttention = mapped(m_groups, block.crossAttention);
            block.feedForward = mapped(m_groups, block.feedForward);
            mapAll(m_layers, block.layers);
            return block.name.empty();
        });
    }

    LoadedModel& m_model;
    ModelLayout& m_layout;
    std::vector<int> m_blocks;
    std::vector<int> m_groups;
    std::vector<int> m_layers;
    std::vector<std::pair<std::string, std::string>> m_prefixes;
};

}  // namespace

std::vector<double> unitImportance(const LoadedModel& model, int group) {
    const GroupInfo& info = model.layout.groups[static_cast<std::size_t>(group)];
    std::vector<double> importance(static_cast<std::size_t>(info.units));
    for (const int index : info.layers) {
        const LayerInfo& layer = model.layout.layers[static_cast<std::size_t>(index)];
        const auto norms = lineNorms(model.weight(layer), writesStream(layer.role));
        const std::size_t perUnit = norms.size() / importance.size();
        for (std::size_t line = 0; line < norms.size(); ++line) {
            importance[line / perUnit] += norms[line];
        }
    }
    return importance;
}

double blockImportance(const LoadedModel& model, int block) {
    double sum = 0.0;
    for (const int index : model.layout.blocks[static_cast<std::size_t>(block)].layers) {
        const auto norms =
            lineNorms(model.weight(model.layout.layers[static_cast<std::size_t>(index)]), false);
        sum = std::accumulate(norms.begin(), norms.end(), sum);
    }
    return sum;
}

std::vector<std::int64_t> keepStrongest(const std::vector<double>& importance,
                                        std::int64_t remove) {
    std::vector<std::int64_t> order(importance.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return importance[static_cast<std::size_t>(a)] < importance[static_cast<std::size_t>(b)];
    });
    order.erase(order.begin(), order.begin() + remove);
    std::sort(order.begin(), order.end());
    return order;
}

std::vector<std::int64_t> keepStrongest(const LoadedModel& model, int group, const UnitImportance& known,
                                        std::int64_t remove) {
    const auto found = known.find(group);
    return keepStrongest(found != known.end() ? found->second : unitImportance(model, group), remove);
}

int outputLayer(const ModelLayout& layout, int group) {
    const auto& layers = layout.groups[static_cast<std::size_t>(group)].layers;
    return *std::find_if(layers.begin(), layers.end(), [&](int index) {
        return writesStream(layout.layers[static_cast<std::size_t>(index)].role);
    });
}

UnitLines linesOfUnits(const LayerInfo& layer, std::int64_t units,
                       const std::vector<std::int64_t>& kept) {
    UnitLines out;
    out.columns = writesStream(layer.role);
    const std::int64_t perUnit = (out.columns ? layer.cols : layer.rows) / units;
    out.lines.reserve(kept.size() * static_cast<std::size_t>(perUnit));
    for (const std::int64_t unit : kept) {
        for (std::int64_t line = 0; line < perUnit; ++line) {
            out.lines.push_back(unit * perUnit + line);
        }
    }
    return out;
}

void cutGroup(LoadedModel& model, int group, const std::vector<std::int64_t>& kept) {
    GroupInfo& info = model.layout.groups[static_cast<std::size_t>(group)];
    for (const int index : info.layers) {
        LayerInfo& layer = model.layout.layers[static_cast<std::size_t>(index)];
        cutLayer(model, layer, linesOfUnits(layer, info.units, kept));
    }
    BlockInfo& block = model.layout.blocks[static_cast<std::size_t>(info.block)];
    const auto left = static_cast<std::int64_t>(kept.size());
    if (info.cross) {
        block.crossHeads = left;
    } else if (info.kind == GroupKind::Attention) {
        keepSourceHeads(block, info.units, kept);
        block.heads = block.heads / info.units * left;
        block.kvHeads = block.kvHeads / info.units * left;
    } else {
        block.neurons = left;
    }
    info.units = left;
}

void cutWidth(LoadedModel& model, std::int64_t kept) {
    std::vector<std::int64_t> lines(static_cast<std::size_t>(kept));
    std::iota(lines.begin(), lines.end(), std::int64_t{0});
    for (LayerInfo& layer : model.layout.layers) {
        if (layer.tiedTo.empty()) {
            const std::string name = layer.name + ".weight";
            const Tensor& weight = model.tensors.at(name);
            setTensor(model, name, writesStream(layer.role) ? selectRows(weight, lines) : selectCols(weight, lines));
        }
        if (const Tensor* bias = model.bias(layer); bias != nullptr && writesStream(layer.role)) {
            setTensor(model, layer.name + ".bias", selectRows(*bias, lines));
        }
        (writesStream(layer.role) ? layer.rows : layer.cols) = kept;
    }
    const auto scale =
        static_cast<float>(std::sqrt(static_cast<double>(kept) / static_cast<double>(model.layout.hidden)));
    const std::vector<float> norm(static_cast<std::size_t>(kept), scale);
    for (PlainTensor& plain : model.layout.plain) {
        if (plain.shape == Shape{model.layout.hidden} && plain.name.ends_with(".norm.weight")) {
            plain.shape = Shape{kept};
            setTensor(model, plain.name, denseTensor(Shape{kept}, norm));
        }
    }
    model.layout.hidden = kept;
}

void removeBlocks(LoadedModel& model, const std::vector<bool>& removed) {
    BlockRemoval(model, removed).run();
}

}  // namespace pareto::compress
