#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/kernel_table.h"

/// Kernels that libtorch has none of, behind plain data and function pointers: libpareto_cuda.so brings them for
/// CUDA devices, and the tests run the same bodies on the CPU.
///
/// Pointers are to memory of the device, matrices row-major. A launcher answers 0, or an error that
/// Table::errorText() knows; it only queues work on `stream` of the current device. What a launcher reads from
/// device memory (ids, positions) may change between replays of a graph; what it is told by value may not.
namespace pareto::kernels::cuda {

/// Grows with every change to what follows.
inline constexpr int kAbi = 2;

/// As kernels::Norm, for `rows` rows. sum may be x, residual or neither; out may be x.
struct NormRows : Norm {
    std::int64_t rows = 0;
};

/// gate = act(gate) · up; without `up` only the activation.
struct GateProduct {
    float* gate = nullptr;
    const float* up = nullptr;
    std::int64_t count = 0;
    Act act = Act::None;
};

/// As kernels::Rope, in place. Row r uses row positions[r] of the tables, row r where `positions` is null; positions
/// from `longFrom` on use the long tables where there are some.
struct RopeRows : Rope {
    std::int64_t rows = 0;
    const std::int32_t* positions = nullptr;
    const float* longCosines = nullptr;
    const float* longSines = nullptr;
    std::int64_t longFrom = 0;
};

/// out[i] = row ids[i] of the table, in fp32: [count][table.cols].
struct Lookup {
    WeightRows table;
    const std::int32_t* ids = nullptr;
    std::int64_t count = 0;
    float* out = nullptr;
};

/// Rows of x to signed codes, rounded as kernels::QuantizeRows rounds: codes[row][ldc] with zeros behind the columns,
/// scales[row][groups] and, where wanted, sums[row][groups] of the codes.
struct RoundRows {
    const float* x = nullptr;
    std::int64_t ldx = 0;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t groups = 1;
    std::int64_t groupSize = 0;  ///< columns of a group (the last may be shorter)
    bool oneScale = false;       ///< a row's groups share the scale of the whole row
    float fixedScale = 0.0F;     ///< above 0: every scale
    const float* largest = nullptr;  ///< [rows]: where it is there, the magnitudes that scales come from
    std::int8_t* codes = nullptr;
    std::int64_t ldc = 0;
    float* scales = nullptr;
    std::int32_t* sums = nullptr;
};

/// What follows an integer product of codes [m][n] with one scale a row of the weight and one a token:
/// act(weightScale · inputScale · (product − zero · Σ input codes) + bias).
struct FinishProduct : ProductOutput {
    const std::int32_t* products = nullptr;
    std::int64_t ldp = 0;
    std::int64_t n = 0;
    const float* weightScales = nullptr;  ///< [n], or [1] when perTensor
    bool perTensor = false;
    const std::int8_t* zeroPoints = nullptr;  ///< as weightScales; null when symmetric
    const float* inputScales = nullptr;       ///< [m]
    const std::int32_t* inputSums = nullptr;  ///< [m]; only with zero points
};

/// Rows [rowBegin, rowEnd) of a coded weight (F8, Int16 … Int2) in its logical form times few inputs. firstRow need
/// not divide anything.
struct RowsProduct : ProductOutput {
    WeightRows weight;
    std::int64_t rowBegin = 0;
    std::int64_t rowEnd = 0;
    const float* x = nullptr;              ///< [m][ldx]
    const std::uint16_t* halfX = nullptr;  ///< binary16 instead of x
    std::int64_t ldx = 0;
};

/// The same with inputs as RoundRows leaves them: act(Σ_g weightScale_g · inputScale_g · Σ (code − zero_g) · input +
/// bias). The weight is Int8, Int4, Int3 or Int2; inputs have one group, or the weight's groups. ldc is a multiple
/// of 8.
struct IntegerProduct : ProductOutput {
    WeightRows weight;
    std::int64_t rowBegin = 0;
    std::int64_t rowEnd = 0;
    const std::int8_t* codes = nullptr;  ///< [m][ldc]
    std::int64_t ldc = 0;
    const float* inputScales = nullptr;  ///< [m][inputGroups]
    std::int64_t inputGroups = 1;
};

/// Keys or values of a cache as runtime::BlockCache holds them on devices: [sequence][head][capacity][dim] in F32,
/// F16, Int8 (a scale a head and token) or Int4 (a scale every kHeldGroup values).
struct HeldRows {
    WeightKind kind = WeightKind::F32;
    void* values = nullptr;
    float* scales = nullptr;
    std::int64_t heads = 0;
    std::int64_t headDim = 0;
    std::int64_t capacity = 0;
};
inline constexpr std::int64_t kHeldGroup = 32;

/// Puts the heads of row r of x where token positions[r] of sequence sequences[r] is held.
struct CacheAppend {
    const float* x = nullptr;
    std::int64_t ldx = 0;
    std::int64_t rows = 0;
    HeldRows held;
    const std::int32_t* positions = nullptr;
    const std::int32_t* sequences = nullptr;
};

/// Row r attends to tokens 0 … positions[r] of its sequence, the last `window` of them where that is set:
/// softmax(cap(scale · q·k)) · v, as kernels::AttentionTile. With several splits the visible keys are divided among
/// them; each leaves its part and the logarithm of its sum, which are then joined.
struct TokenAttention {
    const float* q = nullptr;  ///< [rows][heads · headDim]
    std::int64_t rows = 0;
    std::int64_t heads = 0;  ///< a multiple of the key heads
    HeldRows keys;
    HeldRows values;
    const std::int32_t* positions = nullptr;
    const std::int32_t* sequences = nullptr;
    float scale = 1.0F;
    float softcap = 0.0F;
    std::int64_t window = 0;
    std::int64_t splits = 1;
    float* parts = nullptr;    ///< [splits][rows][heads][headDim]; with several splits only
    float* logSums = nullptr;  ///< [splits][rows][heads]; the same
    float* out = nullptr;      ///< [rows][heads · headDim]
};
/// Keys that are looked at together.
inline constexpr std::int64_t kTileKeys = 64;
/// Query heads that one block handles.
inline constexpr std::int64_t kBlockHeads = 8;
/// What a block's shared memory has room for.
inline constexpr std::int64_t kMostHeadDim = 512;
/// Into how many parts visible keys go: by the room alone, so that a token gets the same bits in every step.
static constexpr std::int64_t splitsOf(std::int64_t capacity, std::int64_t window) {
    const std::int64_t most = window > 0 && window < capacity ? window : capacity;
    const std::int64_t splits = most / (4 * kTileKeys);
    return splits < 1 ? 1 : splits > 32 ? 32 : splits;
}

inline constexpr std::size_t kReasonBytes = 512;
/// Why something could not be done, or empty.
struct Reason {
    char text[kReasonBytes] = {};
};

/// Work of a stream recorded once and replayed as a whole. Null pointers: nothing can be recorded.
struct GraphCalls {
    /// From here on the calling thread's work on `device` is recorded on a stream of its own instead of run; memory
    /// comes from a pool that the graph keeps. Null with the reason.
    void* (*begin)(int device, Reason* reason);
    /// The stream is the former one again. False: nothing usable was recorded; drop() what begin() gave all the same.
    bool (*end)(void* graph, Reason* reason);
    /// Queues the recorded work on the current stream.
    bool (*replay)(void* graph, Reason* reason);
    void (*drop)(void* graph);
};

struct Table {
    int abi;
    const char* name;
    int (*layerNorm)(const NormRows&, void* stream);
    int (*rmsNorm)(const NormRows&, void* stream);
    int (*gateProduct)(const GateProduct&, void* stream);
    int (*rope)(const RopeRows&, void* stream);
    int (*lookup)(const Lookup&, void* stream);
    int (*roundRows)(const RoundRows&, void* stream);
    int (*finishProduct)(const FinishProduct&, void* stream);
    int (*rowsProduct)(const RowsProduct&, void* stream);
    int (*integerProduct)(const IntegerProduct&, void* stream);
    int (*cacheAppend)(const CacheAppend&, void* stream);
    int (*tokenAttention)(const TokenAttention&, void* stream);
    const char* (*errorText)(int error);
    /// The one that libtorch's operations of this thread run on.
    void* (*currentStream)(int device);
    /// False with the reason where the kernels were not compiled for the device.
    bool (*runsOn)(int device, Reason* reason);
    GraphCalls graph;
};

/// The plugin's only symbol, "pareto_cuda_table": its table, or null when it has another ABI.
using TableEntry = const Table* (*)(int abi);

}  // namespace pareto::kernels::cuda
