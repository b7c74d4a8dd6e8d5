#pragma once

#include <string>

#include "engine/spec/layers.h"

namespace pareto::exporting {

/// The parameter's name in a transformers checkpoint, from its canonical name
/// ("encoder.layer.3.ffn.in.weight" -> "bert.encoder.layer.3.intermediate.dense.weight"). Empty for the
/// dense modules of sentence-transformers, which have files of their own.
std::string hfTensorName(const ModelLayout& layout, const std::string& canonical);

/// The same for a layer: the name of the module that holds its weight.
std::string hfModuleName(const ModelLayout& layout, const std::string& layer);

/// "bert." where the encoder sits inside a classifier, else empty.
std::string hfPrefix(const ModelLayout& layout);

/// Number of a sentence-transformers Dense module ("dense.1" -> 1), -1 for any other layer.
int denseNumber(const std::string& layer);

}  // namespace pareto::exporting
