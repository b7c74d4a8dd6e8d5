#pragma once

// Seen by translation units that are compiled for one instruction set: plain data and function
// pointers only, no standard library (an inline function instantiated there could be the copy the
// linker keeps for everyone).
#include <cstddef>
#include <cstdint>

namespace pareto::kernels {

enum class Act : std::int32_t { None, Gelu, GeluTanh, Relu, Silu, Tanh };
enum class WeightKind : std::int32_t { F32, F16, BF16, F8, Int16, Int8, Int4, Int3, Int2 };

/// A weight in its logical form, row-major. Int16, Int8: signed, [rows][cols]; F8: E4M3 bits, no NaN. Int4,
/// Int3, Int2: code + 2^(b − 1), the bits of a row one behind the other, the first lowest,
/// uint8[rows][ceil(cols · b / 8)]. value = scale · (code − zeroPoint).
struct WeightRows {
    WeightKind kind = WeightKind::F32;
    const void* values = nullptr;
    const float* scales = nullptr;            ///< [rows][groups], or [1] when groups == 0
    const std::int8_t* zeroPoints = nullptr;  ///< as scales; null when symmetric
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t groups = 1;     ///< scales a row; 0: one scale for the whole tensor
    std::int64_t groupSize = 0;  ///< columns a scale covers (the last group may be shorter)
};

/// What every product does beside multiplying: out[i][r − firstRow] = act(… + bias[r]) for inputs i < m.
struct ProductOutput {
    std::int64_t m = 0;
    float* out = nullptr;
    std::int64_t ldo = 0;
    const float* bias = nullptr;  ///< [rows] or null
    Act act = Act::None;
    std::int64_t firstRow = 0;    ///< out's column 0; a multiple of kPanelRows where the weight lies in panels
};

/// act(Σ_c x[i][c] · w[r][c] + bias[r])
struct RowsGemm : ProductOutput {
    WeightRows weight;
    const float* x = nullptr;
    std::int64_t ldx = 0;
};

/// An fp32 weight packed for products, with exactly as many bytes as its logical form: panels of 16 rows (the last one shorter:
/// R rows), a panel column by column: [cols][R]. Panel p starts at value p · 16 · cols.
struct PackedFloats {
    const float* values = nullptr;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
};

/// act(Σ_c x[i][c] · w[r][c] + bias[r])
struct FloatGemm : ProductOutput {
    PackedFloats weight;
    const float* x = nullptr;
    std::int64_t ldx = 0;
};

/// Rows of x to unsigned codes: scale = max|x| / 127.5 over each group of columns, code =
/// clamp(round(x / scale), −128, 127) + 128 (compressed-tensors' symmetric int8, shifted for u8×s8
/// products). Columns k … ldc − 1 get 128. A group of zeros has scale 0. `fixedScale`, where it is above 0,
/// is every group's scale instead, `rowScales` ([m]), where it is there, that of every group of a row; what is beyond ±127.5
/// of it saturates. With `oneScale` a row's groups share
/// the scale of the whole row. With `sums` codes are signed (−128 … 127, 0 behind the columns),
/// sumFactor · Σ codes of every group is kept too, and what belongs to a group lies together.
struct QuantizeRows {
    const float* x = nullptr;
    std::int64_t k = 0;
    std::int64_t ldx = 0;
    std::int64_t groups = 1;
    std::int64_t groupSize = 0;
    std::uint8_t* codes = nullptr;
    std::int64_t ldc = 0;
    float* scales = nullptr;       ///< [m][groups]; of signed codes [groups][m]
    float fixedScale = 0.0F;
    const float* rowScales = nullptr;
    bool oneScale = false;
    std::int32_t* sums = nullptr;  ///< [groups][m], or null
    std::int32_t sumFactor = 1;
    std::int64_t m = 0;            ///< rows in all; of signed codes only
};

/// An int8 weight packed for u8×s8 products, with exactly as many bytes as its logical form. Panels
/// of 16 rows (the last one shorter: R rows); in a panel, for every 4 columns, R × 4 codes (row
/// outer), then the last k % 4 columns as R × (k % 4). Panel p starts at byte p · 16 · cols.
/// codeSums: for every panel, [activation groups][R].
struct PackedInt8 {
    const std::int8_t* codes = nullptr;
    const float* scales = nullptr;           ///< [rows], or [1] when perTensor
    const std::int32_t* codeSums = nullptr;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t groups = 1;     ///< activation groups
    std::int64_t groupSize = 0;  ///< columns of an activation group (the last may be shorter)
    bool perTensor = false;
};
inline constexpr std::int64_t kPanelRows = 16;

/// act(scaleW · Σ_g scaleA_g · (Σ u8·s8 − 128 · codeSum_g) + bias). Codes may be read up to the next
/// multiple of 4 columns: ldc covers that.
struct Int8Gemm : ProductOutput {
    PackedInt8 weight;
    const std::uint8_t* codes = nullptr;
    const float* scales = nullptr;  ///< [m][groups]
    std::int64_t ldc = 0;
};

/// A weight of 8, 4, 3 or 2 bits with a scale (and a zero point) for every row and group of columns, packed for
/// products with inputs of 8 bits, with exactly as many bytes as its logical form. Codes are stored unsigned
/// (code + 2^(b − 1)) in panels of 16 rows (the last one shorter: R rows); panel p starts at byte
/// p · 16 · cols · b / 8. A panel is steps of groupColumns(kind) columns, a step is planes of R × 4 bytes (row outer).
/// 8 bits: byte j holds column j. 4 bits: byte j holds column j in its low half and column j + 4 in its high one. 2 bits:
/// byte j holds columns j, j + 4, j + 8, j + 12 from its lowest bits up. 3 bits: the low two of columns 0 … 15 so, then
/// those of columns 16 … 31, then the high ones: bit i of byte j is column j + 4 · i's. Scales and zero points: for every
/// panel, [groups][R].
struct PackedGroups {
    WeightKind kind = WeightKind::Int4;
    const std::uint8_t* codes = nullptr;
    const float* scales = nullptr;
    const std::int8_t* zeroPoints = nullptr;  ///< null when symmetric
    std::int64_t rows = 0;
    std::int64_t cols = 0;       ///< a multiple of groupColumns(kind)
    std::int64_t groups = 1;
    std::int64_t groupSize = 0;  ///< a multiple of it, too
};
static constexpr std::int64_t groupColumns(WeightKind kind) {
    switch (kind) {
        case WeightKind::Int3: return 32;
        case WeightKind::Int2: return 16;
        default: return 8;
    }
}

/// act(Σ_g scaleW_g · scaleA_g · Σ (codeW − 2^(b − 1) − zero_g) · codeA + bias), inputs as QuantizeRows leaves them
/// with `sums`, in the weight's groups. 2^b · 128 · the columns of a group stay below 2^31.
struct GroupGemm : ProductOutput {
    PackedGroups weight;
    const std::int8_t* codes = nullptr;
    const float* scales = nullptr;       ///< [groups][m]
    const std::int32_t* sums = nullptr;  ///< [groups][m]: −2^(b − 1) · Σ codeA
    std::int64_t ldc = 0;
};

/// A weight of which only entries of 4 bytes that are not zero are stored, row after row: fp32 values, or blocks of
/// four neighbouring columns of signed codes with a scale a row. Bit e of word i of a mask says that entry 64·i + e is
/// stored; the entries of row r stand one behind the other from number starts[r] on. Neighbouring rows may share a
/// mask (tiles of rows and columns): inputs are then read once for all of them. A word has an even number of bits: a
/// zero is stored beside an odd one.
struct SparseRows {
    WeightKind kind = WeightKind::F32;      ///< F32 or Int8
    const std::uint64_t* masks = nullptr;   ///< [rows / maskRows][words]
    std::int64_t maskRows = 1;              ///< rows that share a mask: 1, or kMaskRows, which then divides `rows`
    const void* values = nullptr;           ///< entries; 64 bytes behind the last one can be read
    const std::uint32_t* starts = nullptr;  ///< [rows + 1]
    const float* scales = nullptr;          ///< Int8: [rows], or [1] when perTensor
    const std::int32_t* codeSums = nullptr; ///< Int8: [rows]
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t words = 0;  ///< of a row: ⌈entries / 64⌉
    bool perTensor = false;
};
inline constexpr std::int64_t kMaskRows = 4;
inline constexpr std::int64_t kTokenLanes = 16;
inline constexpr std::int64_t kTileTokens = 64;

/// act(scale · Σ_c x[i][c] · w[r][c] + bias[r])
struct SparseGemm : ProductOutput {
    SparseRows weight;
    /// fp32: float [m][ldx]. Int8: codes as QuantizeRows leaves them, [m][ldx] with ldx a multiple of 64.
    const void* x = nullptr;
    std::int64_t ldx = 0;
    /// With it neighbouring tokens stand side by side, for products that go through a weight's entries one by one:
    /// tiles of kTileTokens tokens (the last one of what is left, rounded up to kTokenLanes), each with an entry of 4
    /// bytes a token for every column (fp32; an even number of them) or four columns (codes, ldx / 4 of them). Tokens
    /// behind m and columns behind the last are zero.
    /// Null: few inputs, `x` is read.
    const void* panels = nullptr;
    const float* inputScales = nullptr; ///< Int8: [m]
};

/// A weight in PackedInt8's panels of which only codes that are not zero are stored. `dense` says everything but
/// its codes. Bit b of masks[panel · steps + s] says that byte b of step s (4 columns of the panel's R rows: 4 · R
/// bytes) is stored; those of a panel stand one behind the other from starts[panel] on. cols is a multiple of 4.
struct SparsePanels {
    PackedInt8 dense;
    const std::uint64_t* masks = nullptr;   ///< [panels][steps]
    const std::int8_t* codes = nullptr;     ///< 64 bytes behind the last one can be read
    const std::uint32_t* starts = nullptr;  ///< [panels + 1]
};

/// As Int8Gemm, whose `weight` is not looked at.
struct SparsePanelGemm {
    SparsePanels weight;
    Int8Gemm work;
};

/// A weight in panels of 16 rows (the last one shorter) of which only entries that are not zero are stored: 64 bytes for
/// a place, which is a column of fp32 values or four columns of signed codes: row by row 4 bytes of each of 16 rows, zeros
/// behind the last row and column. Places of a panel ascend. Codes are stored group by group of `dense`, which says
/// everything but the codes; of fp32 it says rows and cols alone, groups is 1. At most 65536 places.
struct SparseSteps {
    WeightKind kind = WeightKind::F32;      ///< F32 or Int8
    PackedInt8 dense;
    const void* entries = nullptr;          ///< on a cache line
    const std::uint16_t* places = nullptr;  ///< of every entry
    const std::uint32_t* starts = nullptr;  ///< [panels · groups + 1]: the first entry of a panel's group
};

/// act(scale · Σ_c x[i][c] · w[r][c] + bias[r]), codes as in Int8Gemm. groupSize is a multiple of 4 where there are
/// several groups.
struct SparseStepGemm : ProductOutput {
    SparseSteps weight;
    const void* x = nullptr;            ///< float [m][ldx], or codes [m][ldx] as in Int8Gemm
    std::int64_t ldx = 0;
    const float* inputScales = nullptr; ///< Int8: [m][groups]
};

/// out = norm(x + residual) · weight + bias, one row of `width` after the other. When `sum` is set,
/// x + residual is stored there too (it may be x or residual itself).
struct Norm {
    const float* x = nullptr;
    const float* residual = nullptr;  ///< or null
    const float* weight = nullptr;
    const float* bias = nullptr;      ///< LayerNorm only
    float* out = nullptr;
    float* sum = nullptr;             ///< or null
    std::int64_t width = 0;
    float epsilon = 0.0F;
};

/// Rotates the halves of each head: (a, b) → (a·cos − b·sin, b·cos + a·sin), Hugging Face's
/// rotate-half convention. Row t uses row t of the tables.
struct Rope {
    float* x = nullptr;
    std::int64_t ldx = 0;
    std::int64_t heads = 0;
    std::int64_t headDim = 0;
    const float* cosines = nullptr;  ///< [rows][headDim / 2]
    const float* sines = nullptr;
};

/// Keys that lie side by side where they are kept in pages.
inline constexpr std::int64_t kKeyPage = 64;

/// Softmax(cap(scale · q·k + bias)) · v for some rows of one head. Keys are transposed, in pages of kKeyPage:
/// dimension d of key j is keys[(j / kKeyPage) · pageStride + d · ldk + j % kKeyPage]. With `causal`, row r sees the
/// keys up to firstPosition + r, of which the last `window` ones if that is set. cap(x) = softcap · tanh(x / softcap),
/// or x when softcap is 0.
struct AttentionTile {
    const float* q = nullptr;
    std::int64_t ldq = 0;
    const float* keys = nullptr;
    std::int64_t ldk = 0;
    std::int64_t pageStride = kKeyPage;  ///< as it is: whole rows of keys, `ldk` apart
    const float* v = nullptr;
    std::int64_t ldv = 0;
    float* out = nullptr;
    std::int64_t ldo = 0;
    std::int64_t rows = 0;     ///< at most kAttentionRows
    std::int64_t length = 0;   ///< keys
    std::int64_t headDim = 0;
    float scale = 1.0F;
    const float* bias = nullptr;  ///< added to the scaled scores: [rows][length]; or null
    std::int64_t ldb = 0;         ///< may be negative (biases that depend on the distance alone)
    bool causal = false;
    std::int64_t firstPosition = 0;
    std::int64_t window = 0;   ///< 0: all; only with `causal`
    std::int64_t hidden = 0;   ///< the first so many keys are seen by no row
    float softcap = 0.0F;
    float* scores = nullptr;   ///< scratch: rows × attentionScratchColumns(length)
    float* logSums = nullptr;  ///< [rows], or null: log Σ exp of what a row's softmax saw, to join tiles of other keys
    float* queryPairs = nullptr;  ///< attentionPairs' scratch: kAttentionRows × headDim / 2
};
inline constexpr std::int64_t kAttentionRows = 8;
/// The first key and the one behind the last that row `row` sees.
static constexpr std::int64_t attentionBegin(const AttentionTile& a, std::int64_t row) {
    const std::int64_t begin = a.window > 0 ? a.firstPosition + row + 1 - a.window : 0;
    return begin > a.hidden ? begin : a.hidden;
}
static constexpr std::int64_t attentionEnd(const AttentionTile& a, std::int64_t row) {
    const std::int64_t end = a.causal ? a.firstPosition + row + 1 : a.length;
    return end < a.length ? end : a.length;
}
static constexpr std::int64_t keyPlace(const AttentionTile& a, std::int64_t key) {
    return key / kKeyPage * a.pageStride + key % kKeyPage;
}
static constexpr std::int64_t attentionScratchColumns(std::int64_t length) {
    return (length + 15) / 16 * 16;
}

/// The kernels of one instruction set. Every function works on the range it is given and touches
/// nothing outside it, so that ranges may run at the same time.
struct KernelTable {
    const char* name;
    void (*quantizeRows)(const QuantizeRows&, std::int64_t begin, std::int64_t end);
    void (*int8Gemm)(const Int8Gemm&, std::int64_t panelBegin, std::int64_t panelEnd);
    void (*rowsGemm)(const RowsGemm&, std::int64_t rowBegin, std::int64_t rowEnd);
    void (*floatGemm)(const FloatGemm&, std::int64_t panelBegin, std::int64_t panelEnd);
    /// Rows [begin, end) as fp32 to out + (row − begin) · ldo.
    void (*dequantizeRows)(const WeightRows&, std::int64_t begin, std::int64_t end, float* out,
                           std::int64_t ldo);
    void (*layerNorm)(const Norm&, std::int64_t begin, std::int64_t end);
    void (*rmsNorm)(const Norm&, std::int64_t begin, std::int64_t end);
    /// In place.
    void (*activate)(float* values, std::int64_t count, Act act);
    /// gate = act(gate) · up
    void (*activateMultiply)(float* gate, const float* up, std::int64_t count, Act act);
    void (*rope)(const Rope&, std::int64_t begin, std::int64_t end);
    void (*attention)(const AttentionTile&);
    /// out[c][r] = in[r][c]: `rows` rows of `cols`.
    void (*transpose)(const float* in, std::int64_t ldi, std::int64_t rows, std::int64_t cols,
                      float* out, std::int64_t ldo);
    const char* int8Name;  ///< how int8Gemm multiplies: "VNNI", "AVX2", "plain"
    /// Null where this instruction set has no kernel of the kind that would be worth having.
    void (*groupGemm)(const GroupGemm&, std::int64_t panelBegin, std::int64_t panelEnd);
    void (*sparseGemm)(const SparseGemm&, std::int64_t rowBegin, std::int64_t rowEnd);
    /// For few inputs: what is saved is reading.
    void (*sparsePanelGemm)(const SparsePanelGemm&, std::int64_t panelBegin, std::int64_t panelEnd);
    /// The codes of panels [begin, end) as PackedInt8 has them.
    void (*expandPanels)(const SparsePanels&, std::int64_t begin, std::int64_t end, std::int8_t* out);
    void (*sparseStepGemm)(const SparseStepGemm&, std::int64_t panelBegin, std::int64_t panelEnd);
    /// out[i] = (even[i], odd[i]) as a pair of bfloat16, rounded to nearest even, the even one in the low half; zeros where
    /// `odd` is null.
    void (*pairRows)(const float* even, const float* odd, std::int64_t count, float* out);
    /// `attention` by products of bfloat16 with sums in fp32: entries of `keys` are pairs of dimensions 2i and 2i + 1 of a key,
    /// those of `v` pairs of keys 2j and 2j + 1 (a last odd key beside zeros); ldk, pageStride and ldv count entries.
    /// headDim is even. Queries and what the softmax gives are rounded on the way.
    void (*attentionPairs)(const AttentionTile&);
};

}  // namespace pareto::kernels
