#include "engine/kernels/vector/dense_gemm.h"
#include "engine/kernels/vector/float_kernels.h"
#include "engine/kernels/vector/rows_kernels.h"

#include "engine/kernels/integer_entries.h"
#include "engine/kernels/tables.h"

namespace pareto::kernels {
namespace {

// Constants: this file's code must not run where AVX-512 is missing, but its tables are named everywhere.
constexpr KernelTable kAvx512{
    "avx512",         quantizeRows, int8GemmAvx2, rowsGemm, floatGemm, dequantizeRows, normalize<true>,
    normalize<false>, activate,     activateMultiply, rope,     attention,      transposeFloats,
    "AVX2",           nullptr,      nullptr,      nullptr,  nullptr,        nullptr,
    nullptr,          nullptr};

constexpr KernelTable kVnni = [] {
    KernelTable table = kAvx512;
    table.name = "avx512_vnni";
    table.int8Gemm = int8GemmVnni;
    table.int8Name = "VNNI";
    table.groupGemm = groupGemmVnni;
    table.sparseGemm = sparseGemmVnni;
    table.sparseStepGemm = sparseStepGemmVnni;
    return table;
}();

constexpr KernelTable kVbmi2 = [] {
    KernelTable table = kVnni;
    table.name = "avx512_vbmi2";
    table.sparsePanelGemm = sparsePanelGemmVbmi2;
    table.expandPanels = expandPanelsVbmi2;
    return table;
}();

constexpr KernelTable kBf16 = [] {
    KernelTable table = kVbmi2;
    table.name = "avx512_bf16";
    table.pairRows = pairRowsBf16;
    table.attentionPairs = attentionPairsBf16;
    return table;
}();

}  // namespace

const KernelTable& avx512Table() { return kAvx512; }
const KernelTable& avx512VnniTable() { return kVnni; }
const KernelTable& avx512Vbmi2Table() { return kVbmi2; }
const KernelTable& avx512Bf16Table() { return kBf16; }

}  // namespace pareto::kernels
