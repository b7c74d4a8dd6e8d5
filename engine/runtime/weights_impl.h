#pragma once

#include "engine/runtime/device_choice.h"
#include "engine/runtime/linear.h"

namespace pareto::runtime {

/// fp32, packed.
std::shared_ptr<const Weight> makeDenseWeight(const Tensor& tensor, const Device& device);
/// Whatever there is, where it lies: dequantized in the product.
std::shared_ptr<const Weight> makeRowsWeight(const Tensor& tensor, const Device& device);
/// int8 weights and inputs, one scale a row: a packed integer product.
bool hasInt8Kernel(const Tensor& tensor);
std::shared_ptr<const Weight> makeInt8Weight(const Tensor& tensor, const Device& device);
/// Codes of 8, 4, 3 or 2 bits in groups, or asymmetric ones, with inputs of 8 bits, where the table has a kernel.
bool hasGroupKernel(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeGroupWeight(const Tensor& tensor, const Device& device);
/// fp32, and what hasInt8Kernel() says, without zeros; null where the table has no kernel.
std::shared_ptr<const Weight> makeSparseRows(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeSparsePanels(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeSparseSteps(const Tensor& tensor, const Device& device);
/// On a device that libtorch drives: what chooseDeviceKernel() says. It is run once here; where it fails or its
/// product is wrong, the weight is multiplied in fp32 instead, and its kernelName() says why. `lookedUp`: lookup()
/// will be called.
std::shared_ptr<const Weight> makeDeviceWeight(const Tensor& tensor, const Device& device, bool lookedUp = true);
/// The same with this kernel, whatever the device.
std::shared_ptr<const Weight> makeCheckedWeight(const Tensor& tensor, const Device& device, DeviceKernel kernel,
                                                bool lookedUp);
/// The same without running it.
std::shared_ptr<const Weight> makeDeviceWeight(const Tensor& tensor, const Device& device, DeviceKernel kernel);

/// The tensor with its fp32 values on their boundary: itself where they are, or holds none.
Tensor aligned(const Tensor& tensor);

/// The rows with these numbers, each of which read(id, out) puts where it is told: [ids][cols].
at::Tensor lookedUp(const Device& device, std::span<const std::int32_t> ids, std::int64_t cols,
                    const std::function<void(std::int32_t, float*)>& read);

/// Makes `out` and says where a product with `x` puts what; answers the row behind the last one of `epilogue`.
std::int64_t openProduct(const Device& device, const LinearInput& x, const Epilogue& epilogue, std::int64_t rows,
                         at::Tensor& out, kernels::ProductOutput& work);
/// What hasInt8Kernel() says, as its packed product takes it, without codes, scales and sums; and these sums in
/// panels.
kernels::PackedInt8 int8Shape(const Tensor& tensor);
Buffer int8Sums(const Tensor& tensor);
/// How a coded weight's inputs are rounded.
InputRounding roundingOf(const Tensor& tensor);
/// "int8 static" or "int8 dynamic"
std::string withInputs(const std::string& weights, const InputRounding& rounding);

/// `run` over the panels of rows [epilogue.rowBegin, rowEnd).
template <typename Run>
PanelWork panelWorkOf(const Epilogue& epilogue, std::int64_t rowEnd, const Run& run) {
    return {epilogue.rowBegin / kernels::kPanelRows, (rowEnd + kernels::kPanelRows - 1) / kernels::kPanelRows, run};
}

/// A product with few tokens that reads the logical form where it lies; `device` and what `weight` points to
/// outlive the work.
PanelWork rowsWork(const Device& device, const kernels::WeightRows& weight, LinearInput& x, const Epilogue& epilogue,
                   at::Tensor& out);
/// Runs it on the pool: such products are bound by reading, so a few rows are worth a thread.
void runRows(const PanelWork& work, std::int64_t cols);

kernels::WeightKind kindOf(NumberFormat format);
/// Sets kind, groups and groupSize of coded `rows`, whose cols are set.
void setFormat(kernels::WeightRows& rows, const WeightFormat& format);
/// The logical form as kernels take it; points into `tensor`'s buffers.
kernels::WeightRows weightRows(const Tensor& tensor);

/// Inputs of −1 … 1, and a product with them, in seconds.
at::Tensor someInput(const Device& device, std::int64_t tokens, std::int64_t cols);
double secondsOf(const Weight& weight, const Device& device, const at::Tensor& x);

/// The weight with something said about it behind its kernel's name; itself where there is nothing to say.
std::shared_ptr<const Weight> remarked(std::shared_ptr<const Weight> weight, std::string remark);

}  // namespace pareto::runtime
