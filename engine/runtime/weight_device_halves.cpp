#include <ATen/ops/_cslt_compress.h>
#include <ATen/ops/_cslt_sparse_mm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index_select.h>

#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"

namespace pareto::runtime {
namespace {

at::Tensor scaledBack(at::Tensor out, const at::Tensor& factors) {
    return factors.defined() ? out.mul_(factors) : out;
}

/// fp16 or bf16 values; inputs are rounded to that type.
class HalvesWeight final : public DeviceWeight {
public:
    HalvesWeight(const Tensor& tensor, const Device& device)
        : DeviceWeight(tensor, device, DeviceKernel::Halves, formatName(tensor)),
          m_values(denseOnDevice(tensor, device)) {}

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        const auto input = halfInput(x, m_values.scalar_type(), kLargestHalfInput);
        const at::Tensor out =
            halfProduct(input.values, m_values.slice(0, epilogue.rowBegin, endOf(epilogue)));
        return finished(scaledBack(out, input.factors), epilogue);
    }

    at::Tensor rowsAt(std::span<const std::int32_t> ids) const override {
        return m_values.index_select(0, idsOnDevice(device(), ids)).to(at::kFloat);
    }

    std::uint64_t bytes() const override { return m_values.nbytes(); }

private:
    at::Tensor m_values;
};

/// The same with two zeros in four values, compressed by cuSPARSELt. Never run without a CUDA device: libtorch has
/// no such operation on the CPU.
class SparseHalvesWeight final : public DeviceWeight {
public:
    SparseHalvesWeight(const Tensor& tensor, const Device& device)
        : DeviceWeight(tensor, device, DeviceKernel::SparseHalves, formatName(tensor) + ", 2:4") {
        const at::Tensor dense = denseOnDevice(tensor, device);
        // Results are fp16 too, which ends at 65504: |Σ x·w| ≤ max|x| · Σ|w|.
        const double most = dense.to(at::kFloat).abs().sum({1}).max().item<double>();
        constexpr double kLargestHalf = 65504.0;
        m_largestInput = std::min(kLargestHalfInput, kLargestHalf / std::max(most, 1.0));
        m_compressed = at::_cslt_compress(dense);
    }

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        constexpr std::int64_t kTokens = 8;
        const auto input = halfInput(x, m_compressed.scalar_type(), m_largestInput);
        const std::int64_t missing = (kTokens - x.m() % kTokens) % kTokens;
        const at::Tensor padded = at::constant_pad_nd(input.values, {0, 0, 0, missing});
        const at::Tensor out = at::_cslt_sparse_mm(m_compressed, padded.t(), {}, {}, {}, true);
        const at::Tensor part =
            out.slice(0, 0, x.m()).slice(1, epilogue.rowBegin, endOf(epilogue)).to(at::kFloat);
        return finished(scaledBack(part, input.factors), epilogue);
    }

    at::Tensor rowsAt(std::span<const std::int32_t>) const override {
        throw std::logic_error("a compressed sparse weight is not looked up");
    }

    std::uint64_t bytes() const override { return m_compressed.nbytes(); }

private:
    at::Tensor m_compressed;
    double m_largestInput = 0.0;
};

/// Codes of up to 8 bits with one scale a row: integers and E4M3 numbers are exact as fp16.
class HalfCodesWeight final : public DeviceWeight {
public:
    HalfCodesWeight(const Tensor& tensor, const Device& device)
        : DeviceWeight(tensor, device, DeviceKernel::HalfCodes, formatName(tensor) + ", as fp16"),
          m_codes(tensor, device) {}

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        const auto input = halfInput(x, at::kHalf, kLargestHalfInput);
        const at::Tensor out = inStrips(epilogue.rowBegin, endOf(epilogue), cols(),
                                        [&](std::int64_t begin, std::int64_t end) {
                                            return halfProduct(input.values, halves(begin, end))
                                                .mul_(m_codes.scalesOf(begin, end));
                                        });
        return finished(scaledBack(out, input.factors), epilogue);
    }

    at::Tensor rowsAt(std::span<const std::int32_t> ids) const override {
        return m_codes.lookup(idsOnDevice(device(), ids));
    }

    std::uint64_t bytes() const override { return m_codes.bytes(); }

protected:
    const DeviceCodes* plainCodes() const override { return &m_codes; }

private:
    /// code − zero point
    at::Tensor halves(std::int64_t begin, std::int64_t end) const {
        const at::Tensor held = m_codes.codes.slice(0, begin, end);
        const at::Tensor numbers =
            m_codes.format.format == NumberFormat::F8 ? held.view(at::kFloat8_e4m3fn).to(at::kHalf)
            : m_codes.format.format == NumberFormat::Int8 ? held.to(at::kHalf)
                                                          : m_codes.numbersOf(held).to(at::kHalf);
        return m_codes.zeros.defined() ? numbers - m_codes.zerosOf(begin, end).t().to(at::kHalf)
                                       : numbers;
    }

    DeviceCodes m_codes;
};

}  // namespace

std::shared_ptr<const Weight> makeHalvesWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<HalvesWeight>(tensor, device);
}

std::shared_ptr<const Weight> makeSparseHalvesWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<SparseHalvesWeight>(tensor, device);
}

std::shared_ptr<const Weight> makeHalfCodesWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<HalfCodesWeight>(tensor, device);
}

}  // namespace pareto::runtime
