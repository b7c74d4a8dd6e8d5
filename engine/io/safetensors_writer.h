#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/buffer.h"
#include "engine/core/dtype.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/core/shape.h"

namespace pareto::io {

struct TensorToWrite {
    std::string name;
    DType dtype = DType::F32;
    Shape shape;
    /// Gives the bytes, row-major, little-endian. Called once, when its turn comes, so that no more
    /// than one tensor need be in memory.
    std::function<Result<Buffer>()> data;
};

/// Writes `path` (which must not exist) and fsyncs it; the caller puts it in place. Tensors are laid
/// out by falling alignment and then name, as the reference implementation does; `metadata` gets
/// format = "pt" unless it says otherwise. On failure or cancel the file is removed. DiskFull,
/// FileWriteDenied, ExportMismatch (a callback gave another number of bytes than announced).
Status writeSafetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                        std::map<std::string, std::string> metadata, Progress& progress,
                        std::stop_token stop);

}  // namespace pareto::io
