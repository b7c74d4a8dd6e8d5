#include "engine/train/checkpoint.h"

#include <cstring>
#include <filesystem>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "engine/core/buffer.h"
#include "engine/core/file.h"
#include "engine/io/safetensors.h"
#include "engine/io/safetensors_writer.h"

namespace pareto::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "pareto_training";

Shape shapeOf(const at::Tensor& tensor) {
    const auto sizes = tensor.sizes();
    return Shape(std::vector<std::int64_t>(sizes.begin(), sizes.end()));
}

Result<Buffer> bytesOf(const at::Tensor& tensor) {
    const at::Tensor host = tensor.detach().to(at::kCPU).to(at::kFloat).contiguous();
    return Buffer::copyOf(
        std::span<const float>(host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel())));
}

}  // namespace

Status saveCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
    std::vector<io::TensorToWrite> tensors;
    for (const auto& [name, tensor] : checkpoint.tensors) {
        tensors.push_back({name, DType::F32, shapeOf(tensor), [&tensor] { return bytesOf(tensor); }});
    }
    const std::string beside = path + ".new";
    std::error_code ignored;
    fs::remove(beside, ignored);  // what a killed process left
    Progress silent;
    PARETO_CHECK(io::writeSafetensors(beside, std::move(tensors), {{kState, checkpoint.state.dump()}}, silent, {}));
    std::error_code problem;
    fs::rename(beside, path, problem);
    if (problem) {
        return makeError(ErrorCode::FileWriteDenied, {{"file", path}, {"reason", problem.message()}});
    }
    return Done{};
}

Result<std::optional<Checkpoint>> loadCheckpoint(const std::string& path, const std::string& key) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return std::optional<Checkpoint>();
    }
    PARETO_TRY(const auto file, InputFile::open(path));
    PARETO_TRY(const auto header, io::readSafetensorsHeader(*file));
    const auto found = header.metadata.find(kState);
    if (found == header.metadata.end()) {
        return makeError(ErrorCode::FileCorrupt,
                         {{"file", path}, {"offset", "0"}, {"reason", "it is no checkpoint of a training"}});
    }
    Checkpoint out;
    PARETO_TRY(out.state, parseJson(found->second, path));
    if (out.state.value("key", std::string()) != key) {
        return std::optional<Checkpoint>();
    }
    for (const auto& info : header.tensors) {
        at::Tensor tensor = at::empty(info.shape.sizes(), at::TensorOptions().dtype(at::kFloat));
        PARETO_CHECK(file->readAt(info.offset, {static_cast<std::byte*>(tensor.mutable_data_ptr()),
                                                static_cast<std::size_t>(info.bytes)}));
        out.tensors.emplace(info.name, std::move(tensor));
    }
    return std::optional<Checkpoint>(std::move(out));
}

}  // namespace pareto::train
