#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/hf_folder.h"

namespace pareto::io {

/// TensorProto of onnx.proto3: where the values lie, not the values, but for whole numbers of small constants.
struct OnnxTensor {
    std::string name;
    std::vector<std::int64_t> sizes;
    int type = 0;              ///< TensorProto.DataType
    std::uint64_t at = 0;      ///< of the message, for errors
    std::uint64_t offset = 0;  ///< of raw_data or packed float_data
    std::uint64_t bytes = 0;
    bool hasData = false;
    bool external = false;     ///< in another file, below
    std::string location;
    std::uint64_t externalOffset = 0;
    std::optional<std::uint64_t> externalBytes;
    std::vector<std::int64_t> numbers;  ///< int32_data, int64_data
};

struct OnnxNode {
    std::string name;
    std::string op;
    std::string domain;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::map<std::string, std::int64_t> integers;  ///< attributes of one whole number
    std::map<std::string, float> floats;
    std::optional<OnnxTensor> value;               ///< of a Constant
};

struct OnnxGraph {
    std::string producer;
    std::vector<OnnxNode> nodes;
    std::vector<OnnxTensor> initializers;
};

/// Reads the graph of an ONNX model. A protocol buffer reader of our own: lengths are checked against the
/// message they are in, nesting is as deep as the format's and no deeper (graphs inside nodes are passed
/// over), and what is kept is bounded.
/// FileTruncated, FileCorrupt (with offset), FileFormatUnknown (no graph).
Result<OnnxGraph> readOnnxGraph(const InputFile& file);

/// An ONNX export of a known family as a model of transformers: weights by their names, nameless ones by
/// where the graph uses them. Of an encoder-decoder in two files either opens both.
/// config.json is looked for beside the file and one folder above; BERT does without.
/// Besides: FamilyUnknown, ConfigInvalid, TensorType, TensorMissing, TensorShape, FileUnsafe (external data
/// outside the folder).
Result<ModelContents> openOnnx(const std::string& path, std::shared_ptr<InputFile> file);

}  // namespace pareto::io
