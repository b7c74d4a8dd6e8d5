#pragma once

#include <string>
#include <vector>

#include "engine/core/file.h"
#include "engine/io/content.h"
#include "engine/io/model_files.h"

namespace pareto::io {

struct TorchHeader {
    std::vector<TensorInfo> tensors;   ///< by name; `file` is 0, offsets are absolute
    std::vector<std::string> notices;  ///< what of the file was left out. English
};

/// Reads where the tensors of a PyTorch state dict lie: the zip archives that torch.save writes since 1.6
/// and the sequence of pickles before. Of a checkpoint {"model": {…}, "optimizer": {…}, …} the first of
/// state_dict, model_state_dict, model, module, net and params that holds tensors is taken; dictionaries
/// inside it put their names before those of their tensors ("encoder.weight"). Storages may be shared.
/// `content`: what contentOf() says of the file, Zip or Pickle. Nothing in the file is run, see pickle.h.
/// FileUnsafe names what is no state dict (TorchScript, pickled objects); FileTruncated, FileCorrupt,
/// FileFormatUnknown (no tensors, big-endian), TensorType (values not in row-major order).
Result<TorchHeader> readTorchFile(const InputFile& file, Content content);

}  // namespace pareto::io
