#include "engine/kernels/vector/float_kernels.h"
#include "engine/kernels/vector/rows_kernels.h"

#include "engine/kernels/int8_entry.h"
#include "engine/kernels/tables.h"

namespace pareto::kernels {

const KernelTable& avx512Table() {
    static constexpr KernelTable kTable{
        "avx512",         quantizeRows, int8GemmAvx2, rowsGemm, dequantizeRows, normalize<true>,
        normalize<false>, activate,     activateMultiply, rope,     attention,      transpose,
        "AVX2"};
    return kTable;
}

const KernelTable& avx512VnniTable() {
    static constexpr KernelTable kTable{
        "avx512_vnni",    quantizeRows, int8GemmVnni, rowsGemm, dequantizeRows, normalize<true>,
        normalize<false>, activate,     activateMultiply, rope,     attention,      transpose,
        "VNNI"};
    return kTable;
}

}  // namespace pareto::kernels
