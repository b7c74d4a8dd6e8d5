#pragma once

#include "engine/kernels/kernel_table.h"

namespace pareto::kernels {

// What is compiled for more instructions than the rest of a table; see KernelTable. Each is named after them.
void int8GemmAvx2(const Int8Gemm& work, std::int64_t panelBegin, std::int64_t panelEnd);
void int8GemmVnni(const Int8Gemm& work, std::int64_t panelBegin, std::int64_t panelEnd);
void groupGemmVnni(const GroupGemm& work, std::int64_t panelBegin, std::int64_t panelEnd);
void sparseGemmVnni(const SparseGemm& work, std::int64_t rowBegin, std::int64_t rowEnd);
void sparseStepGemmVnni(const SparseStepGemm& work, std::int64_t panelBegin, std::int64_t panelEnd);
void sparsePanelGemmVbmi2(const SparsePanelGemm& work, std::int64_t panelBegin, std::int64_t panelEnd);
void expandPanelsVbmi2(const SparsePanels& weight, std::int64_t begin, std::int64_t end, std::int8_t* out);
void pairRowsBf16(const float* even, const float* odd, std::int64_t count, float* out);
void attentionPairsBf16(const AttentionTile& work);

}  // namespace pareto::kernels
