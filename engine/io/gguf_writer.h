#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "engine/core/buffer.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/core/shape.h"

namespace pareto::io {

/// A value of the metadata; the alternatives become GGUF's types BOOL, UINT32, INT32, FLOAT32, STRING and
/// arrays of BOOL, UINT8, INT32, UINT32, FLOAT32 and STRING.
using GgufValue =
    std::variant<bool, std::uint32_t, std::int32_t, float, std::string, std::vector<bool>,
                 std::vector<std::uint8_t>, std::vector<std::int32_t>, std::vector<std::uint32_t>,
                 std::vector<float>, std::vector<std::string>>;

struct GgufEntry {
    std::string key;
    GgufValue value;
};

struct GgufTensor {
    std::string name;             ///< at most 63 bytes
    Shape shape;                  ///< row-major, outermost first, rank 1 to 4; the last is the row
    std::uint32_t type = 0;       ///< id of the GGUF specification; its blocks divide the row
    /// Encoded bytes of rows [begin, begin + count) of all rows in order (rank 1: one row). Called for
    /// one stretch after the other, so that no more than a few megabytes need be in memory.
    std::function<Result<Buffer>(std::int64_t begin, std::int64_t count)> rows;
};

/// Bytes of one row of `cols` elements; 0 when the type is not known or its blocks do not divide the row.
std::uint64_t ggufRowBytes(std::uint32_t type, std::int64_t cols);

/// Writes `path` (which must not exist) as GGUF version 3 (ggml's docs/gguf.md), little-endian, aligned
/// to 32 bytes, and fsyncs it; the caller puts it in place. Entries and tensors stand in the order given.
/// On failure or cancel the file is removed. DiskFull, FileWriteDenied; ExportMismatch for a name, shape
/// or type the format cannot hold, or rows of another size than announced.
Status writeGguf(const std::string& path, const std::vector<GgufEntry>& entries,
                 const std::vector<GgufTensor>& tensors, Progress& progress, std::stop_token stop);

}  // namespace pareto::io
