#pragma once

#include "engine/io/onnx_file.h"

namespace pareto::io {

/// The weights of one ONNX graph under the names that PyTorch gave them. Nameless ones (constants that an
/// exporter has transposed or quantized) are called after the bias that is added behind them or after the
/// node that uses them, whose name is the module's path: "/encoder/layer.0/attention/self/query/MatMul".
struct OnnxWeights {
    std::map<std::string, TensorInfo> tensors;
    std::int64_t integers = 0;  ///< how many of them are kept as integers with scales
    std::int64_t heads = 0;     ///< of the first layer's attention, from its reshaping; 0: not said
};

/// `files`: the graph's own file is its last; files of external data are added.
/// FileCorrupt, FileMissing, FileUnsafe, FileTruncated, TensorShape, TensorType.
Result<OnnxWeights> nameOnnxWeights(const OnnxGraph& graph, std::vector<WeightFile>& files);

}  // namespace pareto::io
