#include <ATen/TensorOperators.h>
#include <ATen/ops/_weight_int4pack_mm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_or.h>
#include <ATen/ops/index.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>

#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

constexpr std::int64_t kRowsOfTile = 8;
constexpr std::int64_t kColsOfTile = 16;

/// [rows][bytes], the first column in the lower half, to [rows][2 · bytes].
at::Tensor nibblesOf(const at::Tensor& bytes) {
    return at::stack({bytes.bitwise_and(15), bytes.bitwise_right_shift(4)}, -1)
        .reshape({bytes.size(0), -1});
}

std::int64_t innerTilesOf(std::int64_t cols) {
    return cols % (8 * kColsOfTile) == 0 ? 8 : cols % (4 * kColsOfTile) == 0 ? 4 : 2;
}

/// int4 codes, the inputs fp32 rounded to bf16. libtorch has the product for CUDA alone: what is held is tested on
/// the CPU, multiplying never ran without a CUDA device.
class Int4PackWeight final : public DeviceWeight {
public:
    Int4PackWeight(const Tensor& tensor, const Device& device)
        : DeviceWeight(tensor, device, DeviceKernel::Int4Pack, formatName(tensor) + ", bf16"),
          m_group(int4PackGroup(tensor.format(), tensor.shape[1])) {
        const auto& q = tensor.quantized();
        const at::Tensor bytes = viewBuffer(q.codes, {rows(), cols() / 2}, at::kByte);
        const auto to = torchDevice(device);
        m_tiles = int4Tiles(nibblesOf(bytes), innerTilesOf(cols())).to(to);

        const bool perTensor = tensor.format().granularity == Granularity::Tensor;
        const std::int64_t groups = perTensor ? 1 : groupsPerRow(tensor.format(), cols());
        const std::int64_t scaleRows = perTensor ? 1 : rows();
        // [rows or 1][groups] to [groups of m_group columns][rows]
        const auto spread = [&](const at::Tensor& held) {
            const at::Tensor all = held.expand({rows(), groups}).t();
            return at::repeat_interleave(all, cols() / m_group / groups, 0);
        };
        const at::Tensor scales = viewBuffer(q.scales, {scaleRows, groups}, at::kFloat);
        // scale · (code − zero point) = code · scale + zero
        const at::Tensor zeros =
            q.zeroPoints.empty()
                ? scales * 0.0
                : viewBuffer(q.zeroPoints, {scaleRows, groups}, at::kChar).to(at::kFloat) *
                      scales.neg();
        m_scalesAndZeros =
            at::stack({spread(scales), spread(zeros)}, 2).to(at::kBFloat16).contiguous().to(to);
    }

    at::Tensor product(LinearInput& x, const Epilogue& epilogue) const override {
        // The kernel reads the weight once for every 16 tokens; beyond so many that costs more than unpacking.
        // Counted in bytes moved, not measured.
        constexpr std::int64_t kPackedTokens = 128;
        const auto input = halfInput(x, at::kBFloat16, kLargestHalfInput);
        if (x.m() > kPackedTokens) {
            return finished(
                inStrips(
                    epilogue.rowBegin, endOf(epilogue), cols(),
                    [&](std::int64_t begin, std::int64_t end) {
                        return halfProduct(
                            input.values,
                            valuesOf(at::arange(begin, end, m_tiles.options().dtype(at::kLong)))
                                .to(at::kBFloat16));
                    }),
                epilogue);
        }
        const std::int64_t first = epilogue.rowBegin / kRowsOfTile;
        const std::int64_t last = (endOf(epilogue) + kRowsOfTile - 1) / kRowsOfTile;
        const at::Tensor product = at::_weight_int4pack_mm(
            input.values.contiguous(), m_tiles.slice(0, first, last), m_group,
            m_scalesAndZeros.slice(1, first * kRowsOfTile, last * kRowsOfTile).contiguous());
        return finished(product.slice(1, 0, endOf(epilogue) - epilogue.rowBegin).to(at::kFloat),
                        epilogue);
    }

    at::Tensor rowsAt(std::span<const std::int32_t> ids) const override {
        return valuesOf(idsOnDevice(device(), ids));
    }

    std::uint64_t bytes() const override { return m_tiles.nbytes() + m_scalesAndZeros.nbytes(); }

private:
    /// fp32, with the scales that the product has.
    at::Tensor valuesOf(const at::Tensor& ids) const {
        const at::Tensor codes = int4Rows(m_tiles, ids).to(at::kFloat) - 8.0;
        const at::Tensor both = m_scalesAndZeros.index_select(1, ids).to(at::kFloat);
        const auto widened = [&](std::int64_t which) {
            return at::repeat_interleave(both.select(2, which).t(), m_group, 1);
        };
        return codes * widened(0) + widened(1);
    }

    std::int64_t m_group;
    at::Tensor m_tiles;           ///< see int4Tiles()
    at::Tensor m_scalesAndZeros;  ///< bf16 [groups][rows][2]
};

}  // namespace

// Columns of a row are counted as (outer, pair of tiles, tile of the pair, half of 8, lane of 4, parity), the
// nibbles of an int32 as (parity, tile of the pair, half).
at::Tensor int4Tiles(const at::Tensor& nibbles, std::int64_t innerTiles) {
    const std::int64_t outer = nibbles.size(1) / (kColsOfTile * innerTiles);
    const at::Tensor parts =
        nibbles
            .reshape(
                {nibbles.size(0) / kRowsOfTile, kRowsOfTile, outer, innerTiles / 2, 2, 2, 4, 2})
            .permute({0, 2, 1, 6, 3, 7, 4, 5})
            .reshape({nibbles.size(0) / kRowsOfTile, outer, 32, innerTiles / 2, 4, 2});
    const at::Tensor bytes =
        parts.select(-1, 0).bitwise_or(parts.select(-1, 1).bitwise_left_shift(4));
    return bytes.contiguous().view(at::kInt).squeeze(-1);
}

at::Tensor int4Rows(const at::Tensor& tiles, const at::Tensor& ids) {
    const std::int64_t outer = tiles.size(1);
    const std::int64_t pairs = tiles.size(3);
    const at::Tensor held = tiles.view({tiles.size(0), outer, kRowsOfTile, 4 * pairs});
    const at::Tensor tile = at::floor_divide(ids, kRowsOfTile);
    const at::Tensor row = ids - tile * kRowsOfTile;
    c10::List<std::optional<at::Tensor>> where;
    where.push_back(tile);
    where.push_back(std::optional<at::Tensor>());
    where.push_back(row);
    const at::Tensor bytes = at::index(held, where).contiguous().view(at::kByte);
    return nibblesOf(bytes.reshape({ids.size(0), -1}))
        .reshape({ids.size(0), outer, 4, pairs, 2, 2, 2})
        .permute({0, 1, 3, 5, 6, 2, 4})
        .reshape({ids.size(0), outer * pairs * 2 * kColsOfTile});
}

std::shared_ptr<const Weight> makeInt4PackWeight(const Tensor& tensor, const Device& device) {
    return std::make_shared<Int4PackWeight>(tensor, device);
}

}  // namespace pareto::runtime
