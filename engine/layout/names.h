#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/spec/layers.h"

namespace pareto {

/// One layer or norm as each kind of file names it: the module without ".weight" and ".bias". "{}"
/// stands for a block's number, "{p}" for the prefix of a checkpoint of transformers
/// (ModelLayout::hfPrefix). Empty: that kind of file has no such tensor. The first row that fits counts.
/// A tensor that lies elsewhere than its module may have a row of its own, with ".weight" or ".bias".
struct NameRow {
    std::string_view canonical;
    std::string_view hf;
    std::string_view gguf;
    /// The layer is the part-th of `parts` equal ones fused along the outputs of the file's tensor.
    int part = 0;
    int parts = 1;
    Transform hfTransform = Transform::None;    ///< between the file's values and the canonical ones
    Transform ggufTransform = Transform::None;
};

/// Which kind of file is meant.
enum class FileNames { HuggingFace, Gguf };

/// The row of a canonical layer or norm ("decoder.layer.3.ffn.norm"); null when the table has none.
const NameRow* findName(std::span<const NameRow> names, std::string_view canonical);
/// The file's name of a module: the row's with number and prefix put in; empty when it has none.
std::string nameInFile(const NameRow& row, std::string_view canonical, FileNames kind,
                       std::string_view prefix);

/// A parameter's name in a checkpoint of transformers or in a GGUF file, from its canonical name
/// ("encoder.layer.3.ffn.in.weight"); empty where that kind of file has none (the dense modules of
/// sentence-transformers have files of their own). `block` numbers are the layout's positions.
std::string hfTensorName(const ModelLayout& layout, const std::string& canonical);
std::string ggufTensorName(const ModelLayout& layout, const std::string& canonical);
/// The same for a layer: the module that holds its weight.
std::string hfModuleName(const ModelLayout& layout, const std::string& layer);
/// The family's names (layout/families.cpp).
std::span<const NameRow> namesOf(Family family);

}  // namespace pareto
