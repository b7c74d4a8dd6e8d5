#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/sin.h>

#include "engine/runtime/failures.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/torch_device_weight.h"
#include "engine/runtime/torch_ops.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// Rows of the weight that are compared: the first, the last and some in between.
std::vector<std::int32_t> probedRows(std::int64_t rows) {
    constexpr std::int64_t kProbes = 16;
    std::vector<std::int32_t> out;
    const std::int64_t count = std::min(rows, kProbes);
    for (std::int64_t i = 0; i < count; ++i) {
        out.push_back(static_cast<std::int32_t>(count == 1 ? 0 : i * (rows - 1) / (count - 1)));
    }
    return out;
}

bool isClose(const at::Tensor& found, const at::Tensor& expected) {
    // 16-bit floats and scales are off by less than 1 %, a wrong arrangement by more than the whole.
    constexpr double kTolerance = 0.02;
    return at::norm(found - expected).item<double>() <=
           kTolerance * at::norm(expected).item<double>();
}

/// Runs the weight with few and with many tokens, as far as it can be compared with the tensor's values: the
/// reason why it cannot be used, or empty.
std::string problemOf(const Weight& weight, const Tensor& tensor, const Device& device,
                      bool lookedUp) {
    const WeightFormat format = tensor.format();
    const auto rows = probedRows(weight.rows());
    at::Tensor host =
        at::empty({static_cast<std::int64_t>(rows.size()), weight.cols()}, at::kFloat);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        dequantizeRow(
            tensor, rows[i],
            host.mutable_data_ptr<float>() + static_cast<std::int64_t>(i) * weight.cols());
    }
    const at::Tensor values = host.to(torchDevice(device));
    for (const std::int64_t tokens : {5, 130}) {
        const at::Tensor x = at::sin(at::arange(tokens * weight.cols(), floatOptions(device)) * 0.7)
                                 .reshape({tokens, weight.cols()});
        const at::Tensor rounded =
            format.isInt8Product()
                ? roundActivations(x, format.activationGroup, 8, tensor.quantized().inputScale)
                : x;
        LinearInput input(device, x);
        const at::Tensor found =
            weight.multiply(input, {}).index_select(1, idsOnDevice(device, rows));
        if (!isClose(found, at::linear(rounded, values))) {
            return "its product is wrong on this device";
        }
    }
    return lookedUp && !isClose(weight.lookup(rows), values) ? "its rows are wrong on this device"
                                                             : "";
}

/// Null with the reason where the kernel does not work; memory that runs out is none.
std::shared_ptr<const Weight> checkedWeight(const Tensor& tensor, const Device& device,
                                            DeviceKernel kernel, bool lookedUp, std::string& problem) {
    try {
        auto weight = makeDeviceWeight(tensor, device, kernel);
        problem = problemOf(*weight, tensor, device, lookedUp);
        return problem.empty() ? weight : nullptr;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const c10::OutOfMemoryError&) {
        throw;
    } catch (const std::exception& thrown) {
        problem = firstLine(thrown.what());
    }
    return nullptr;
}

}  // namespace

std::shared_ptr<const Weight> makeDeviceWeight(const Tensor& tensor, const Device& device,
                                               DeviceKernel kernel) {
    switch (kernel) {
    case DeviceKernel::Floats:
        break;
    case DeviceKernel::Halves:
        return makeHalvesWeight(tensor, device);
    case DeviceKernel::HalfCodes:
        return makeHalfCodesWeight(tensor, device);
    case DeviceKernel::IntMm:
        return makeIntMmWeight(tensor, device, false);
    case DeviceKernel::Int4Pack:
        return makeInt4PackWeight(tensor, device);
    case DeviceKernel::ScaledMm:
        return makeScaledMmWeight(tensor, device);
    case DeviceKernel::SparseHalves:
        return makeSparseHalvesWeight(tensor, device);
    case DeviceKernel::SparseIntMm:
        return makeIntMmWeight(tensor, device, true);
    }
    return makeFloatsWeight(tensor, device);
}

std::shared_ptr<const Weight> makeCheckedWeight(const Tensor& tensor, const Device& device,
                                                DeviceKernel kernel, bool lookedUp) {
    const bool own = ownKernels(device) != nullptr && !tensor.isDense();
    Device plain = device;
    plain.cudaTable = nullptr;
    std::string remarks;
    // What is left at the end, fp32 in libtorch, needs no check.
    for (; own || kernel != DeviceKernel::Floats; kernel = fallbackOf(kernel, tensor.format())) {
        std::string problem;
        if (auto weight = checkedWeight(tensor, device, kernel, lookedUp, problem)) {
            return remarked(std::move(weight), remarks);
        }
        std::string alone;
        if (kernel == DeviceKernel::Floats ||
            (own && checkedWeight(tensor, plain, kernel, lookedUp, alone) != nullptr)) {
            remarks += ", not " + std::string(device.cudaTable->name) + ": " + problem;
            break;
        }
        remarks += ", not " + std::string(opOf(kernel)) + ": " + problem;
    }
    return remarked(makeDeviceWeight(tensor, plain, kernel), remarks);
}

std::shared_ptr<const Weight> makeDeviceWeight(const Tensor& tensor, const Device& device,
                                               bool lookedUp) {
    DeviceQuestion question;
    question.format = tensor.format();
    question.rows = tensor.shape[0];
    question.cols = tensor.shape[1];
    question.capability = device.cuda ? device.capability : 0;
    question.lookedUp = lookedUp;
    question.twoOfFour = question.capability > 0 && !lookedUp && holdsTwoOfFour(tensor);
    return makeCheckedWeight(tensor, device, chooseDeviceKernel(question), lookedUp);
}

}  // namespace pareto::runtime
