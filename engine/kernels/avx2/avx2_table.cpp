#include "engine/kernels/vector/dense_gemm.h"
#include "engine/kernels/vector/float_kernels.h"
#include "engine/kernels/vector/rows_kernels.h"

#include "engine/kernels/integer_entries.h"
#include "engine/kernels/tables.h"

namespace pareto::kernels {

const KernelTable& avx2Table() {
    static constexpr KernelTable kTable{
        "avx2",           quantizeRows, int8GemmAvx2, rowsGemm, floatGemm, dequantizeRows, normalize<true>,
        normalize<false>, activate,     activateMultiply, rope,     attention,      transposeFloats,
        "AVX2",           nullptr,      nullptr,      nullptr,  nullptr,        nullptr,
        nullptr,          nullptr};
    return kTable;
}

}  // namespace pareto::kernels
