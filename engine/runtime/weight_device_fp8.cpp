#include <ATen/TensorOperators.h>
#include <ATen/ops/_scaled_mm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"

namespace pareto::runtime {
namespace {

/// E4M3 codes with one scale a row. A recipe's fp8 rounds weights alone, but the tensor cores multiply fp8 with
/// fp8. So an input x is given as h + l/16, both E4M3: h = round(x), l = round(16 (x − h)), which keeps 8 bits of
/// it, as bf16 would. h and l are rows of one product, so that the weight is read once. Scales stand outside of
/// it, which every card and every version of _scaled_mm can do.
class ScaledMmWeight final : public DeviceWeight {
public:
    ScaledMmWeight(const Tensor& tensor, const Device& device)
        : DeviceWeight(tensor, device, DeviceKernel::ScaledMm,
                       formatName(tensor) + ", inputs as two fp8"),
          m_codes(tensor, device),
          m_one(at::ones({}, m_codes.scales.options())) {}

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        const auto& input = x.derived("two fp8", [&] { return split(x.tensor()); });
        const at::Tensor weight =
            m_codes.codes.slice(0, epilogue.rowBegin, filledEnd(epilogue)).view(at::kFloat8_e4m3fn);
        const at::Tensor both =
            at::_scaled_mm(input[0], weight.t(), m_one, m_one, {}, {}, at::kFloat)
                .slice(1, 0, endOf(epilogue) - epilogue.rowBegin);
        const at::Tensor out = both.slice(0, 0, x.m())
                                   .add(both.slice(0, x.m(), 2 * x.m()), 1.0 / kFiner)
                                   .mul_(input[1])
                                   .mul_(m_codes.scalesOf(epilogue.rowBegin, endOf(epilogue)));
        return finished(out, epilogue);
    }

    at::Tensor rowsAt(std::span<const std::int32_t> ids) const override {
        return m_codes.lookup(idsOnDevice(device(), ids));
    }

    std::uint64_t bytes() const override { return m_codes.bytes() + m_one.nbytes(); }

private:
    /// Half a step of an E4M3 number is at most a sixteenth of it.
    static constexpr double kFiner = 16.0;

    /// h over l, [2m][cols], and the scale of each row, [m][1].
    static std::vector<at::Tensor> split(const at::Tensor& x) {
        constexpr double kLargest = 448.0;
        const at::Tensor most = x.abs().amax({1}, true) / kLargest;
        const at::Tensor scales = at::where(most > 0, most, at::ones_like(most));
        const at::Tensor exact = x / scales;
        const at::Tensor high = exact.clamp(-kLargest, kLargest).to(at::kFloat8_e4m3fn);
        const at::Tensor low = ((exact - high.to(at::kFloat)) * kFiner).to(at::kFloat8_e4m3fn);
        return {at::cat({high.view(at::kByte), low.view(at::kByte)}, 0).view(at::kFloat8_e4m3fn),
                scales};
    }

    /// The operation wants multiples of 16 rows, which the whole weight is.
    std::int64_t filledEnd(const Epilogue& epilogue) const {
        return (endOf(epilogue) + 15) / 16 * 16;
    }

    DeviceCodes m_codes;
    at::Tensor m_one;
};

}  // namespace

std::shared_ptr<const Weight> makeScaledMmWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<ScaledMmWeight>(tensor, device);
}

}  // namespace pareto::runtime
