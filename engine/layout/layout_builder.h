#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "engine/io/model_files.h"
#include "engine/layout/names.h"
#include "engine/layout/packed_config.h"
#include "engine/spec/layers.h"

namespace pareto {

/// One layer to be added and the shape its weight must have. Where it lies in the files and how says
/// the family's table of names, unless `module` and `transform` do.
struct LayerSource {
    std::string name = {};  ///< canonical
    LayerRole role{};
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    Transform transform = Transform::None;
    std::int64_t heads = 0;   ///< for Transform::UnpermuteRope
    std::string module = {};  ///< in the files; ".weight" and ".bias" are appended
    std::string tieTo = {};   ///< share that layer's weight where the files have none
    bool biasApart = false;   ///< "<name>.bias" is a plain tensor
};

/// Puts a ModelLayout together and checks every tensor against the files. The first problem is kept;
/// finish() reports it.
class LayoutBuilder {
public:
    explicit LayoutBuilder(const io::ModelFiles& files);

    ModelLayout layout;

    /// How the files name things. The prefix of a transformers checkpoint is the layout's hfPrefix,
    /// which a describer sets before it adds anything.
    void setNames(std::span<const NameRow> names, FileNames kind);
    /// The module a canonical layer or norm lies in; empty when this kind of file has none.
    std::string sourceOf(const std::string& canonical) const;
    /// Sets hfPrefix to the first of `prefixes` under which the files hold `canonical`'s weight.
    void choosePrefix(const std::string& canonical,
                      std::initializer_list<std::string_view> prefixes);

    /// From now on layers and plain tensors belong to this block.
    void beginBlock(const std::string& name);
    /// From now on layers belong to this group of the current block. The second attention group of a
    /// block is the one to the encoder's output.
    void beginGroup(const std::string& name, GroupKind kind, std::int64_t units);
    void endGroup() { m_group = -1; }
    void endBlock();

    void addLayer(const LayerSource& source);
    void addTied(const std::string& name, LayerRole role, const std::string& tiedTo);
    /// A norm's or another plain tensor, named by its module and ".weight" or ".bias".
    void addPlain(const std::string& name, Shape shape, Transform transform = Transform::None);
    /// "<stem>.weight" and, for a LayerNorm with one, "<stem>.bias".
    void addNorm(const std::string& stem, std::int64_t width,
                 Transform transform = Transform::None);
    /// Whether the files hold a weight for the canonical layer, as values or as packed codes.
    bool hasWeight(const std::string& layer) const;
    /// Whether the files hold the canonical tensor ("…attention.query.bias").
    bool hasTensor(const std::string& canonical) const;
    /// Rows of the canonical tensor in the files; 0 when they do not hold it.
    std::int64_t fileRows(const std::string& canonical) const;
    /// Whether they hold a layer's weight, packed or not, and its rows; 0 without.
    bool hasLayer(const std::string& canonical) const { return weightOf(canonical) != nullptr; }
    std::int64_t rowsOf(const std::string& canonical) const;
    bool has(const std::string& tensor) const { return m_files.find(tensor) != nullptr; }
    void fail(Error error);

    Result<ModelLayout> finish();

private:
    void append(LayerInfo layer);
    WeightFormat formatOf(const std::string& module, std::int64_t cols, std::string& typeName);
    WeightFormat quantizedFormat(const std::string& module, std::int64_t cols,
                                 std::string& typeName);
    WeightFormat packedFormat(const std::string& module, std::int64_t cols, std::string& typeName);
    WeightFormat unlessScattered(const std::string& groups, std::int64_t cols, WeightFormat format);
    void addPlainFrom(const std::string& source, const std::string& name, Shape shape,
                      Transform transform);
    bool holdsCodes(const std::string& module) const;
    void bind(TensorBinding binding);
    std::string fileTensor(const std::string& canonical) const;
    Transform transformOf(const NameRow* row, Transform given) const;
    const io::TensorInfo* weightOf(const std::string& canonical) const;

    const io::ModelFiles& m_files;
    PackedConfig m_packed;
    int m_scattered = 0;  ///< linears whose groups are of scattered inputs
    int m_floatInputs = 0;  ///< linears whose inputs are to be 8-bit floats
    std::span<const NameRow> m_names;
    FileNames m_kind = FileNames::HuggingFace;
    int m_block = -1;
    int m_group = -1;
    bool m_failed = false;
    Error m_error{};
};

/// `known` when there is one for each class, else "LABEL_0", "LABEL_1", … as transformers does.
std::vector<std::string> labelsFor(std::int64_t classes, std::vector<std::string> known);

/// "gelu", "relu", "silu", … as config.json spells them; false when it is not known.
bool activationFromName(const std::string& name, Activation& out);

}  // namespace pareto
