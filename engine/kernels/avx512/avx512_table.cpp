#include "engine/kernels/vector/float_kernels.h"
#include "engine/kernels/vector/rows_kernels.h"

#include "engine/kernels/integer_entries.h"
#include "engine/kernels/tables.h"

namespace pareto::kernels {

const KernelTable& avx512Table() {
    static constexpr KernelTable kTable{
        "avx512",         quantizeRows, int8GemmAvx2, rowsGemm, dequantizeRows, normalize<true>,
        normalize<false>, activate,     activateMultiply, rope,     attention,      transposeFloats,
        "AVX2",           nullptr,      nullptr,      nullptr,  nullptr};
    return kTable;
}

const KernelTable& avx512VnniTable() {
    static constexpr KernelTable kTable{
        "avx512_vnni",    quantizeRows,  int8GemmVnni, rowsGemm, dequantizeRows, normalize<true>,
        normalize<false>, activate,      activateMultiply, rope,     attention,      transposeFloats,
        "VNNI",           groupGemmVnni, sparseGemmVnni, nullptr,  nullptr};
    return kTable;
}

const KernelTable& avx512Vbmi2Table() {
    static constexpr KernelTable kTable{
        "avx512_vbmi2",   quantizeRows,  int8GemmVnni,     rowsGemm,            dequantizeRows, normalize<true>,
        normalize<false>, activate,      activateMultiply, rope,                attention,      transposeFloats,
        "VNNI",           groupGemmVnni, sparseGemmVnni, sparsePanelGemmVbmi2, expandPanelsVbmi2};
    return kTable;
}

}  // namespace pareto::kernels
