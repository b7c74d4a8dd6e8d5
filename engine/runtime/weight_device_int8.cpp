#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/_cslt_compress.h>
#include <ATen/ops/_cslt_sparse_mm.h>
#include <ATen/ops/_int_mm.h>
#include <ATen/ops/constant_pad_nd.h>

#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"

namespace pareto::runtime {
namespace {

std::int64_t multipleOf(std::int64_t count, std::int64_t of) { return (count + of - 1) / of * of; }

at::Tensor filledUp(const at::Tensor& codes, std::int64_t rows, std::int64_t cols) {
    const bool whole = codes.size(0) == rows && codes.size(1) == cols;
    return whole ? codes
                 : at::constant_pad_nd(codes, {0, cols - codes.size(1), 0, rows - codes.size(0)});
}

/// Codes of up to 8 bits, inputs of 8 bits. _int_mm on CUDA wants more than 16 tokens and multiples of 8 rows and
/// columns: zeros fill up. y[m][n] = Σ_g s_x[m][g] · s_w[n][g] · (Σ_k c_x c_w − z[n][g] · Σ_k c_x), k over the
/// columns of group g.
class IntMmWeight final : public DeviceWeight {
public:
    IntMmWeight(const Tensor& tensor, const Device& device, bool sparse)
        : DeviceWeight(
              tensor, device, sparse ? DeviceKernel::SparseIntMm : DeviceKernel::IntMm,
              formatName(tensor) + (sparse ? ", 2:4" : "") +
                  (intMmGroup(tensor.format(), tensor.shape[1]) < tensor.shape[1] ? ", groups"
                                                                                  : "")),
          m_codes(tensor, device),
          m_alignment(sparse ? 32 : 16),
          m_group(intMmGroup(tensor.format(), cols())),
          m_inputScale(tensor.quantized().inputScale) {
        m_filledCols = multipleOf(cols(), m_alignment);
        if (m_codes.format.format == NumberFormat::Int8) {
            m_codes.codes = filledUp(m_codes.codes, multipleOf(rows(), m_alignment), m_filledCols);
        }
        if (sparse) {
            m_compressed = at::_cslt_compress(m_codes.codes);
            m_codes.codes = at::Tensor();
        }
    }

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        const Input input = inputOf(x);
        if (m_compressed.defined()) {
            // Exact sums as int32; never run without a CUDA device, as libtorch has no such operation on the CPU.
            const at::Tensor sums =
                at::_cslt_sparse_mm(m_compressed, input.codes.t(), {}, {}, at::kInt, true);
            const at::Tensor part =
                sums.slice(0, 0, x.m()).slice(1, epilogue.rowBegin, endOf(epilogue));
            return finished(scaled(part, input, 0, epilogue.rowBegin, endOf(epilogue)), epilogue);
        }
        return finished(inStrips(epilogue.rowBegin, endOf(epilogue),
                                 m_codes.format.format == NumberFormat::Int8 ? 0 : cols(),
                                 [&](std::int64_t begin, std::int64_t end) {
                                     return strip(input, x.m(), begin, end);
                                 }),
                        epilogue);
    }

    at::Tensor rowsAt(std::span<const std::int32_t> ids) const override {
        if (m_compressed.defined()) {
            throw std::logic_error("a compressed sparse weight is not looked up");
        }
        return m_codes.lookup(idsOnDevice(device(), ids));
    }

    std::uint64_t bytes() const override {
        return m_compressed.defined() ? m_compressed.nbytes() + m_codes.scales.nbytes()
                                      : m_codes.bytes();
    }

protected:
    const DeviceCodes* plainCodes() const override { return m_compressed.defined() ? nullptr : &m_codes; }

private:
    struct Input {
        at::Tensor codes;   ///< int8 [tokens filled up][columns filled up]
        at::Tensor scales;  ///< [m][groups or 1]
    };

    Input inputOf(LinearInput& x) const {
        constexpr std::int64_t kTokens = 32;
        const std::int64_t group = m_codes.format.activationGroup;
        const std::string key =
            roundingKey("codes", static_cast<int>(m_alignment), group, m_inputScale);
        const auto& made = x.derived(key, [&] {
            const auto rounded =
                activationCodes(x.tensor(), group, 8, m_inputScale, x.largestOnDevice(group, m_inputScale));
            return std::vector<at::Tensor>{
                filledUp(rounded.codes.to(at::kChar), multipleOf(x.m(), kTokens), m_filledCols),
                rounded.scales};
        });
        return {made[0], made[1]};
    }

    /// Rows [begin, end) of the weight as int8, zeros behind rows and columns.
    at::Tensor codesOf(std::int64_t begin, std::int64_t end) const {
        const std::int64_t filled = multipleOf(end - begin, m_alignment);
        if (m_codes.format.format == NumberFormat::Int8) {
            return m_codes.codes.slice(0, begin, begin + filled);
        }
        return filledUp(m_codes.numbers(begin, end).to(at::kChar), filled, m_filledCols);
    }

    at::Tensor strip(const Input& input, std::int64_t m, std::int64_t begin,
                     std::int64_t end) const {
        const at::Tensor weight = codesOf(begin, end);
        at::Tensor out;
        for (std::int64_t first = 0; first < m_filledCols; first += m_group) {
            const std::int64_t last =
                m_group < cols() ? std::min(first + m_group, m_filledCols) : m_filledCols;
            const at::Tensor x = input.codes.slice(1, first, last);
            const at::Tensor sums = at::_int_mm(x, weight.slice(1, first, last).t())
                                        .slice(0, 0, m)
                                        .slice(1, 0, end - begin);
            const std::int64_t group = first / m_group;
            const at::Tensor part = scaled(withoutZeros(sums, x.slice(0, 0, m), group, begin, end),
                                           input, group, begin, end);
            out = out.defined() ? out.add_(part) : part;
            if (last == m_filledCols) {
                break;
            }
        }
        return out;
    }

    at::Tensor withoutZeros(const at::Tensor& sums, const at::Tensor& x, std::int64_t group,
                            std::int64_t begin, std::int64_t end) const {
        if (!m_codes.zeros.defined()) {
            return sums;
        }
        const at::Tensor zeros = m_codes.zerosOf(begin, end, group).to(at::kInt);
        return sums - x.sum({1}, true, at::kInt) * zeros;
    }

    at::Tensor scaled(const at::Tensor& sums, const Input& input, std::int64_t group,
                      std::int64_t begin, std::int64_t end) const {
        const std::int64_t column = input.scales.size(1) == 1 ? 0 : group;
        return sums.to(at::kFloat)
            .mul_(input.scales.slice(1, column, column + 1))
            .mul_(m_codes.scalesOf(begin, end, group));
    }

    DeviceCodes m_codes;
    at::Tensor m_compressed;
    std::int64_t m_alignment;
    std::int64_t m_group;
    std::int64_t m_filledCols = 0;
    float m_inputScale;
};

}  // namespace

std::shared_ptr<const Weight> makeIntMmWeight(const Tensor& tensor, const Device& device,
                                              bool sparse) {
    return std::make_shared<IntMmWeight>(tensor, device, sparse);
}

}  // namespace pareto::runtime
