#include "engine/jobs/run/torch_math.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cholesky_inverse.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <c10/core/InferenceMode.h>

namespace pareto::jobs {
namespace {

/// libtorch has no read-only tensors: nothing writes to a and b.
at::Tensor view(const float* values, std::int64_t rows, std::int64_t cols, std::int64_t stride) {
    return at::from_blob(const_cast<float*>(values), {rows, cols}, {stride, 1},
                         at::TensorOptions().dtype(at::kFloat));
}

/// The bits of a product depend on how memory is aligned: the same everywhere here.
at::Tensor aligned(const float* values, std::int64_t rows, std::int64_t cols, std::int64_t stride) {
    return view(values, rows, cols, stride).clone(at::MemoryFormat::Contiguous);
}

class TorchMath final : public compress::MatrixMath {
public:
    void multiply(const compress::MatrixProduct& p) const override {
        const c10::InferenceMode inference(true);
        at::Tensor sum = aligned(p.c, p.rows, p.cols, p.strideC);
        sum.addmm_(aligned(p.a, p.rows, p.depth, p.strideA), aligned(p.b, p.depth, p.cols, p.strideB), p.beta, p.alpha);
        view(p.c, p.rows, p.cols, p.strideC).copy_(sum);
    }

    bool inverseFactor(std::span<double> h, std::int64_t n) const override {
        const c10::InferenceMode inference(true);
        at::Tensor matrix = at::from_blob(h.data(), {n, n}, at::TensorOptions().dtype(at::kDouble));
        const auto [lower, failed] = at::linalg_cholesky_ex(matrix.clone());
        if (failed.item<int>() != 0) {
            return false;
        }
        const auto [upper, alsoFailed] = at::linalg_cholesky_ex(at::cholesky_inverse(lower), true);
        if (alsoFailed.item<int>() != 0 || !upper.isfinite().all().item<bool>()) {
            return false;
        }
        matrix.copy_(upper.triu());
        return true;
    }

    std::vector<double> singularValues(std::span<const float> a, std::int64_t rows,
                                       std::int64_t cols) const override {
        const c10::InferenceMode inference(true);
        const at::Tensor wide = aligned(a.data(), rows, cols, cols).to(at::kDouble);
        const at::Tensor product = rows <= cols ? wide.mm(wide.t()) : wide.t().mm(wide);
        const at::Tensor values = at::linalg_eigvalsh(product).clamp_min(0.0).sqrt().contiguous();
        const double* from = values.const_data_ptr<double>();
        std::vector<double> out(from, from + values.numel());
        std::reverse(out.begin(), out.end());  // they come rising
        return out;
    }

    std::vector<double> eigenvectors(std::span<double> a, std::int64_t n) const override {
        const c10::InferenceMode inference(true);
        const at::Tensor matrix = at::from_blob(a.data(), {n, n}, at::TensorOptions().dtype(at::kDouble));
        const auto [values, vectors] = at::linalg_eigh(matrix.clone());
        matrix.copy_(vectors);
        const at::Tensor flat = values.contiguous();
        const double* from = flat.const_data_ptr<double>();
        return compress::inEigenOrder({from, from + n}, a, n);
    }
};

}  // namespace

const compress::MatrixMath& torchMath() {
    static const TorchMath math;
    return math;
}

}  // namespace pareto::jobs
