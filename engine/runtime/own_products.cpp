#include "engine/runtime/own_products.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

kernels::WeightRows rowsOf(const CodedRows& weight) {
    kernels::WeightRows out;
    out.values = weight.codes.const_data_ptr();
    out.scales = weight.scales.const_data_ptr<float>();
    out.zeroPoints = weight.zeros.defined() ? weight.zeros.const_data_ptr<std::int8_t>() : nullptr;
    out.rows = weight.rows;
    out.cols = weight.cols;
    setFormat(out, weight.format);
    return out;
}

/// Held as codes.h says, row behind row.
bool isPlain(const CodedRows& weight) {
    return weight.codes.defined() && weight.codes.is_contiguous() &&
           weight.scales.is_contiguous() && weight.codes.size(0) >= weight.rows &&
           weight.codes.size(1) * weight.codes.element_size() ==
               codeBytes(weight.format.format, weight.cols);
}

bool hasIntegerProduct(NumberFormat format) {
    return format == NumberFormat::Int8 || format == NumberFormat::Int4 ||
           format == NumberFormat::Int3 || format == NumberFormat::Int2;
}

void integerProduct(const Device& device, const CodedRows& weight, LinearInput& input,
                    kernels::cuda::IntegerProduct& work) {
    const at::Tensor& x = input.tensor();
    kernels::cuda::RoundRows rounding;
    rounding.x = x.const_data_ptr<float>();
    rounding.rows = x.size(0);
    rounding.ldx = rounding.cols = x.size(1);
    rounding.groupSize =
        weight.format.activationGroup == 0 ? weight.cols : weight.format.activationGroup;
    rounding.groups = (weight.cols + rounding.groupSize - 1) / rounding.groupSize;
    rounding.fixedScale = weight.inputScale;
    const at::Tensor largest =
        input.largestOnDevice(weight.format.activationGroup, weight.inputScale);
    rounding.largest = largest.defined() ? largest.const_data_ptr<float>() : nullptr;
    rounding.ldc = (weight.cols + 7) / 8 * 8;
    const at::Tensor codes = at::empty({rounding.rows, rounding.ldc}, x.options().dtype(at::kChar));
    const at::Tensor scales = emptyFloats(device, {rounding.rows, rounding.groups});
    rounding.codes = codes.mutable_data_ptr<std::int8_t>();
    rounding.scales = scales.mutable_data_ptr<float>();
    launch(device, device.cudaTable->roundRows, rounding);
    work.codes = rounding.codes;
    work.ldc = rounding.ldc;
    work.inputScales = rounding.scales;
    work.inputGroups = rounding.groups;
    launch(device, device.cudaTable->integerProduct, work);
}

bool roundsInputs(const WeightFormat& format) {
    return format.activations == Activations::Int8Dynamic || format.activations == Activations::Int8Static;
}

}  // namespace

bool hasOwnProduct(const Device& device, const CodedRows& weight) {
    const WeightFormat& format = weight.format;
    return ownKernels(device) != nullptr && isPlain(weight) &&
           (format.activations == Activations::None ||
            (roundsInputs(format) && hasIntegerProduct(format.format)));
}

at::Tensor ownProduct(const Device& device, const CodedRows& weight, LinearInput& x,
                      const Epilogue& epilogue) {
    if (x.m() > kMostOwnTokens || !x.tensor().is_contiguous() || !hasOwnProduct(device, weight)) {
        return {};
    }
    const bool rounds = roundsInputs(weight.format);
    const std::int64_t end = epilogue.rowEnd < 0 ? weight.rows : epilogue.rowEnd;
    at::Tensor out = emptyFloats(device, {x.m(), end - epilogue.rowBegin});
    const auto filled = [&](auto work) {
        work.weight = rowsOf(weight);
        work.rowBegin = work.firstRow = epilogue.rowBegin;
        work.rowEnd = end;
        work.m = x.m();
        work.out = out.mutable_data_ptr<float>();
        work.ldo = out.size(1);
        work.bias =
            epilogue.bias != nullptr ? epilogue.bias->template const_data_ptr<float>() : nullptr;
        work.act = epilogue.act;
        return work;
    };
    if (rounds) {
        auto work = filled(kernels::cuda::IntegerProduct());
        integerProduct(device, weight, x, work);
    } else {
        auto work = filled(kernels::cuda::RowsProduct());
        work.x = x.tensor().const_data_ptr<float>();
        work.ldx = x.cols();
        launch(device, device.cudaTable->rowsProduct, work);
    }
    return out;
}

at::Tensor ownLookup(const Device& device, const CodedRows& weight,
                     std::span<const std::int32_t> ids) {
    if (ownKernels(device) == nullptr || !isPlain(weight)) {
        return {};
    }
    auto* data = const_cast<std::int32_t*>(ids.data());
    const auto count = static_cast<std::int64_t>(ids.size());
    const at::Tensor index =
        at::from_blob(data, {count}, at::TensorOptions().dtype(at::kInt)).to(torchDevice(device));
    at::Tensor out = emptyFloats(device, {count, weight.cols});
    const kernels::cuda::Lookup work{rowsOf(weight), index.const_data_ptr<std::int32_t>(), count,
                                     out.mutable_data_ptr<float>()};
    launch(device, device.cudaTable->lookup, work);
    return out;
}

}  // namespace pareto::runtime
