#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/core/file.h"
#include "engine/io/model_files.h"

namespace pareto::io {

struct SafetensorsHeader {
    std::vector<TensorInfo> tensors;  ///< by offset; `file` is 0, offsets are absolute in the file
    std::map<std::string, std::string> metadata;
    std::vector<TensorInfo> unusable;  ///< of types the engine has no use for ("U32")
};

/// Reads and checks the header: every tensor's bytes are inside the file, agree with type and shape,
/// and together fill it without hole or overlap. Nothing is allocated beyond the bytes really there. TensorType
/// for a type the format does not know.
/// FileTruncated, FileCorrupt (with offset), TensorType.
Result<SafetensorsHeader> readSafetensorsHeader(const InputFile& file);

}  // namespace pareto::io
