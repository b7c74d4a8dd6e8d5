#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// Which heads or neurons to keep, seen from the linear that reads what they say: of W [rows][cols], unit u
/// owns the columns u · width … (u + 1) · width − 1, and cols is a multiple of width.

/// Columns of some units, in their order.
std::vector<std::int64_t> columnsOfUnits(std::span<const std::int64_t> units, std::int64_t width);

/// FLAP (An et al. 2023, arXiv 2312.11983): of each unit, Σ over its columns of var(x_j) · ‖W_:j‖², the
/// error that is left when the bias takes up the means (inputs taken as uncorrelated). Needs meanSquares
/// and means; a variance that is tiny beside the mean's square is as exact as their difference in fp32.
/// TensorShape, TensorValues.
Result<std::vector<double>> unitFluctuation(const Tensor& weight, std::int64_t width,
                                            const InputStatistics& statistics,
                                            const LayerContext& context);

struct SecondOrderUnits {
    std::int64_t width = 1;   ///< columns a unit owns
    std::int64_t remove = 0;  ///< units to remove; at least one stays
    double damping = 0.01;    ///< of the mean of H's diagonal
};

struct UnitSelection {
    std::vector<std::int64_t> kept;     ///< ascending
    std::vector<std::int64_t> removed;  ///< in the order of their removal
    std::vector<double> losses;         ///< what each added to tr(E·H·Eᵀ), H damped
    Tensor weight;                      ///< fp32 [rows][kept · width], making up for what is gone
};

/// ZipLM (Kurtic et al. 2023, arXiv 2302.04089): units are removed one by one, each time the one of least
///   tr(W_S · ([H⁻¹]_SS)⁻¹ · W_Sᵀ),
/// of equal ones the earlier, and after each W −= W_S · ([H⁻¹]_SS)⁻¹ · [H⁻¹]_S: and H⁻¹ loses S the same way.
///
/// W itself is not touched on the way: the scores need WᵀW alone, which is updated as H⁻¹ is, in rank-width
/// steps that are gathered and applied to the rest 64 columns at a time (fp32 products through MatrixMath;
/// the blocks that scores are made of are kept in fp64). The weight is found at the end by
/// compensateByLeastSquares, which is where the updates lead. A removal costs O(cols² · width), with
/// width 1 O(cols²), whatever rows are.
///
/// H is damped and dead columns are treated as in second_order.h. Needs the Hessian. The same bytes for any
/// way `parallel` cuts the work. Looks at the stop token a removal. TensorShape, TensorValues.
Result<UnitSelection> selectBySecondOrder(const Tensor& weight, const SecondOrderUnits& options,
                                          const InputStatistics& statistics,
                                          const LayerContext& context);

}  // namespace pareto::compress
