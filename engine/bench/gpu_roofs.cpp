#include "engine/bench/gpu_roofs.h"

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include <ATen/ops/_int_mm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "engine/bench/roof_rounds.h"
#include "engine/runtime/failures.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::bench {

namespace {

constexpr std::uint64_t kLeastCopy = std::uint64_t{8} << 20;

at::TensorOptions on(const runtime::Device& device, at::ScalarType type) {
    return at::TensorOptions().dtype(type).device(runtime::torchDevice(device));
}

/// Moves `bytes` in all: half read, half written.
RoofSource copySource(const runtime::Device& device, std::uint64_t bytes) {
    const auto half = static_cast<std::int64_t>(std::max(bytes, kLeastCopy) / 2);
    const at::Tensor from = at::zeros({half}, on(device, at::kByte));
    at::Tensor to = at::empty({half}, on(device, at::kByte));
    return {2.0 * static_cast<double>(half), [=]() mutable { to.copy_(from); }};
}

double operations(std::int64_t n) {
    const auto side = static_cast<double>(n);
    return 2.0 * side * side * side;
}

RoofSource productSource(const runtime::Device& device, at::ScalarType type, std::int64_t n) {
    const at::Tensor a = at::ones({n, n}, on(device, type));
    const at::Tensor b = at::ones({n, n}, on(device, type));
    at::Tensor out = at::empty({n, n}, on(device, type));
    return {operations(n), [=]() mutable { at::mm_out(out, a, b); }};
}

/// The second operand column by column, as weights lie.
RoofSource integerSource(const runtime::Device& device, std::int64_t n) {
    const at::Tensor a = at::ones({n, n}, on(device, at::kChar));
    const at::Tensor b = at::ones({n, n}, on(device, at::kChar));
    at::Tensor out = at::empty({n, n}, on(device, at::kInt));
    return {operations(n), [=]() mutable { at::_int_mm_out(out, a, b.t()); }};
}

std::string squareText(const char* what, std::int64_t n) {
    const auto side = std::to_string(n);
    return std::string(what) + " " + side + "×" + side + "×" + side;
}

/// Adds the source if it runs once; else `way` becomes the reason. Nothing that a lost GPU throws is caught.
bool tried(std::vector<RoofSource>& sources, std::string& way,
           const std::function<RoofSource()>& make) {
    try {
        auto source = make();
        source.round();
        sources.push_back(std::move(source));
        return true;
    } catch (const c10::AcceleratorError&) {
        throw;
    } catch (const std::exception& problem) {
        way = "not available: " + runtime::firstLine(problem.what());
        return false;
    }
}

Result<Roofs> measured(const runtime::Device& device, const GpuRoofOptions& options,
                       Progress& progress, const std::stop_token& stop) {
    Roofs roofs;
    roofs.threads = device.threads;
    roofs.device = device.name;
    roofs.weightsBytes = options.weightBytes;
    roofs.memoryBytes = options.copyBytes;
    if (const auto memory = gpuMemory(device.cuda ? device.index : -1);
        memory && memory->free > 0) {
        roofs.memoryBytes =
            std::clamp(options.copyBytes, kLeastCopy, std::max(memory->free / 4, kLeastCopy));
    }
    std::vector<RoofSource> sources{copySource(device, roofs.memoryBytes),
                                    productSource(device, at::kFloat, options.square / 2)};
    roofs.fp32Way = squareText("libtorch mm, fp32", options.square / 2);
    const bool cached = options.weightBytes < roofs.memoryBytes;
    if (cached) {
        sources.push_back(copySource(device, options.weightBytes));
    }
    roofs.fp16Way = squareText("libtorch mm, fp16", options.square);
    const bool half = tried(sources, roofs.fp16Way,
                            [&] { return productSource(device, at::kHalf, options.square); });
    const auto halfAt = sources.size() - 1;
    roofs.int8Way = squareText("libtorch _int_mm", options.square);
    const bool integer =
        tried(sources, roofs.int8Way, [&] { return integerSource(device, options.square); });
    const auto integerAt = sources.size() - 1;
    const auto clock = device.cuda ? gpuClock(device.index) : wallClock();
    PARETO_CHECK(sweepRoofs(sources, *clock, options.seconds, options.rounds, progress, stop));
    roofs.memory = sources[0].roof();
    roofs.fp32 = sources[1].roof();
    roofs.weights =
        cached && sources[2].roof().best > roofs.memory.best ? sources[2].roof() : roofs.memory;
    roofs.fp16 = half ? sources[halfAt].roof() : Roof{};
    roofs.int8 = integer ? sources[integerAt].roof() : Roof{};
    return roofs;
}

}  // namespace

Result<Roofs> measureGpuRoofs(const runtime::Device& device, const GpuRoofOptions& options,
                              Progress& progress, std::stop_token stop) {
    return runtime::guarded("measuring the roofs",
                            [&] { return measured(device, options, progress, stop); });
}

}  // namespace pareto::bench
