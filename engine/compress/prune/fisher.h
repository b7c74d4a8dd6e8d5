#pragma once

#include <span>
#include <vector>

#include "engine/compress/layer_context.h"
#include "engine/compress/prune/pattern.h"
#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// The Fisher information of a weight [rows][cols], F = Σ g·gᵀ / samples, of which only square blocks of
/// `width` neighbouring inputs of a row are kept (oBERT, Kurtic et al. 2022, arXiv 2203.07259; WoodFisher,
/// Singh & Alistarh 2020). The last block of a row may be narrower.
class BlockFisher {
public:
    BlockFisher(std::int64_t rows, std::int64_t cols, std::int64_t width);

    /// Adds g·gᵀ of one sample's gradient [rows][cols].
    void add(std::span<const float> gradient, const ParallelFor& parallel = serialFor);

    std::int64_t rows() const { return m_rows; }
    std::int64_t cols() const { return m_cols; }
    std::int64_t width() const { return m_width; }
    std::int64_t samples() const { return m_samples; }
    /// Mean of F's diagonal.
    double meanDiagonal() const;
    /// F + damping of the block at `col` (a multiple of the width) of a row, [n][n] into `out`; answers n.
    std::int64_t block(std::int64_t row, std::int64_t col, double damping, std::vector<double>& out) const;

    static std::uint64_t bytes(std::int64_t rows, std::int64_t cols, std::int64_t width);

private:
    std::int64_t m_rows;
    std::int64_t m_cols;
    std::int64_t m_width;
    std::int64_t m_samples = 0;
    std::vector<float> m_sums;  ///< [rows][cols][width]: line j of a block holds F_j·, not yet divided
};

struct FisherOptions {
    SparsityPattern pattern;
    double damping = 0.01;  ///< of F's mean diagonal, added to it
};

/// Optimal Brain Surgeon by blocks: values of least ρ = w² / (2 [F⁻¹]_qq) fall (of tiles, least Σ ρ; N:M within
/// each group), and those of the block that stay move by F_SS⁻¹·F_SQ·w_Q, which is what costs the loss least to
/// second order. Zeros have ρ = 0 and fall first. Gives fp32 values. TensorShape; TensorValues when gradients are
/// not finite or none reached the weight.
Result<Tensor> pruneByFisher(const Tensor& weight, const BlockFisher& fisher, const FisherOptions& options,
                             const LayerContext& context);

}  // namespace pareto::compress
