#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/io/file_cursor.h"

namespace pareto::io {

/// Bytes that a pickle says lie elsewhere in its file, under a key.
struct PickledStorage {
    DType dtype = DType::U8;
    std::uint64_t bytes = 0;
};

/// A tensor as torch._utils._rebuild_tensor_v2 and _v3 describe it. Everything it reaches is inside its
/// storage, sizes and strides (in elements) are >= 0 and as many.
struct PickledTensor {
    std::string storage;  ///< key
    DType dtype = DType::F32;
    std::uint64_t offset = 0;  ///< in elements
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> strides;
};

/// What a state dict may be made of.
struct PickleValue {
    enum class Kind { None, Bool, Int, Float, Text, Tuple, List, Dict, Name, Storage, Tensor };
    Kind kind = Kind::None;
    std::int64_t number = 0;  ///< Bool, Int; Name: which one; Tensor: index into Pickle::tensors
    std::string text;         ///< Text; Name: "torch.FloatStorage"; Storage: its key
    std::vector<const PickleValue*> items;  ///< Tuple, List; Dict: key, value, key, value, …

    bool is(Kind wanted) const { return kind == wanted; }
    /// The value under a text key of a Dict; null when there is none.
    const PickleValue* find(std::string_view key) const;
};

/// One pickle. Values may be shared and may even contain themselves: they live as long as this.
struct Pickle {
    std::deque<PickleValue> values;
    std::vector<PickledTensor> tensors;
    std::map<std::string, PickledStorage> storages;
    const PickleValue* root = nullptr;
};

/// Interprets the pickle at the cursor and leaves the cursor behind it. It is no unpickler: it knows the
/// instructions that build numbers, text, tuples, lists and dictionaries, and the names
/// collections.OrderedDict, torch.Size, the storages and dtypes of torch and the three functions that
/// rebuild tensors and parameters, whose arguments it writes down. It imports, calls and runs nothing.
/// FileUnsafe names any other instruction or name that is met; FileCorrupt (with offset), FileTruncated.
/// Format: CPython's pickletools.py; torch/serialization.py for what torch puts in.
Result<Pickle> readPickle(FileCursor& cursor);

/// A sentence for messages: how to turn a file that is refused into one that is not.
std::string pickleAdvice();

}  // namespace pareto::io
