#pragma once

#include <vector>

#include "engine/core/file.h"
#include "engine/io/model_files.h"

namespace pareto::io {

struct GgufHeader {
    GgufMetadata metadata;
    std::vector<TensorInfo> tensors;  ///< in file order; `file` is 0, offsets are absolute
    std::uint32_t alignment = 32;
    std::uint32_t version = 3;
};

/// Reads and checks the header of a GGUF file of version 2 or 3 (ggml's docs/gguf.md), in pieces of
/// bounded size. FileTruncated, FileCorrupt (with offset), FileFormatUnknown, TensorType.
Result<GgufHeader> readGgufHeader(const InputFile& file);

}  // namespace pareto::io
