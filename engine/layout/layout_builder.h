#pragma once

#include <string>

#include "engine/io/model_files.h"
#include "engine/spec/layers.h"

namespace pareto {

/// One layer to be added: where its weight lies and what shape it must have.
struct LayerSource {
    std::string name;          ///< canonical
    LayerRole role{};
    std::string module;        ///< in the files; ".weight" and ".bias" are appended
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    Transform transform = Transform::None;
    std::int64_t heads = 0;    ///< for Transform::UnpermuteRope
};

/// Puts a ModelLayout together and checks every tensor against the files. The first problem is kept;
/// finish() reports it.
class LayoutBuilder {
public:
    explicit LayoutBuilder(const io::ModelFiles& files) : m_files(files) {}

    ModelLayout layout;

    /// From now on layers and plain tensors belong to this block.
    void beginBlock(const std::string& name);
    /// From now on layers belong to this group of the current block.
    void beginGroup(const std::string& name, GroupKind kind, std::int64_t units);
    void endGroup() { m_group = -1; }
    void endBlock();

    void addLayer(const LayerSource& source);
    void addTied(const std::string& name, LayerRole role, const std::string& tiedTo);
    void addPlain(const std::string& name, const std::string& source, Shape shape);
    bool has(const std::string& tensor) const { return m_files.find(tensor) != nullptr; }
    void fail(Error error);

    Result<ModelLayout> finish();

private:
    void append(LayerInfo layer);
    WeightFormat formatOf(const LayerSource& source, std::string& typeName);
    WeightFormat quantizedFormat(const std::string& module);
    void bind(const LayerSource& source, const std::string& suffix, Shape shape);

    const io::ModelFiles& m_files;
    int m_block = -1;
    int m_group = -1;
    bool m_failed = false;
    Error m_error{};
};

/// The families; each adds its blocks, groups and layers.
void describeBert(const io::ModelFiles& files, LayoutBuilder& builder);
void describeLlamaHf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeLlamaGguf(const io::ModelFiles& files, LayoutBuilder& builder);

/// "gelu", "relu", "silu", … as config.json spells them; false when it is not known.
bool activationFromName(const std::string& name, Activation& out);

}  // namespace pareto
