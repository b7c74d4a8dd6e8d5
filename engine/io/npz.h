#pragma once

#include <map>
#include <string>

#include "engine/io/hf_folder.h"

namespace pareto::io {

/// Whether a zip archive is one that numpy.savez writes: every entry is an array (.npy).
bool isNpz(const InputFile& file);

/// The arrays of a NumPy archive by name (without ".npy"); text arrays as U8. Stored entries stay where they
/// lie; what is compressed is refused by name. `files`: the open file alone.
/// FileTruncated, FileCorrupt (with offset), FileUnsafe, FileFormatUnknown (compressed), TensorType.
Result<std::map<std::string, TensorInfo>> readNpz(const std::vector<WeightFile>& files);

/// A model that Marian wrote (marian-nmt, an .npz with special:model.yml in it) as one of transformers:
/// convert_marian_to_pytorch.py, a row of zeros for its padding token at the end of the embedding.
/// Besides: ConfigInvalid (settings that change the computation), TensorMissing, TensorShape.
Result<ModelContents> openMarian(const std::string& path, std::shared_ptr<InputFile> file);

}  // namespace pareto::io
