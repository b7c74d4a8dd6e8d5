#include "engine/io/safetensors_writer.h"

#include <algorithm>
#include <set>

#include "engine/core/json.h"
#include "engine/io/output_file.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::size_t kHeaderAlignment = 8;

std::uint64_t bytesOf(const TensorToWrite& tensor) {
    return static_cast<std::uint64_t>(tensor.shape.elements()) * dtypeBytes(tensor.dtype);
}

Error exportMismatch(const std::string& path, const std::string& tensor, std::string reason) {
    return makeError(ErrorCode::ExportMismatch,
                     {{"file", path}, {"tensor", tensor}, {"reason", std::move(reason)}});
}

Result<std::string> headerText(const std::string& path, const std::vector<TensorToWrite>& tensors,
                               const std::map<std::string, std::string>& metadata) {
    // An ordered header: the same tensors give the same bytes.
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    header["__metadata__"] = metadata;
    std::uint64_t at = 0;
    std::set<std::string> names;
    for (const auto& tensor : tensors) {
        if (tensor.name.empty() || tensor.name == "__metadata__" || !isUtf8(tensor.name) ||
            !names.insert(tensor.name).second) {
            return exportMismatch(path, tensor.name, "the name is empty, reserved or used twice");
        }
        header[tensor.name] = {{"dtype", dtypeName(tensor.dtype)},
                               {"shape", tensor.shape.sizes()},
                               {"data_offsets", {at, at + bytesOf(tensor)}}};
        at += bytesOf(tensor);
    }
    std::string text =
        header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
    return text;
}

}  // namespace

Status writeSafetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                        std::map<std::string, std::string> metadata, Progress& progress,
                        std::stop_token stop) {
    metadata.emplace("format", "pt");
    // Wide elements first keeps every tensor aligned to its element.
    std::sort(tensors.begin(), tensors.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
        const auto left = dtypeBytes(a.dtype);
        const auto right = dtypeBytes(b.dtype);
        return left != right ? left > right : a.name < b.name;
    });
    PARETO_TRY(const std::string header, headerText(path, tensors, metadata));
    const std::uint64_t headerBytes = header.size();
    std::uint64_t total = sizeof(headerBytes) + headerBytes;
    for (const auto& tensor : tensors) {
        total += bytesOf(tensor);
    }
    progress.begin(Stage::Writing, static_cast<std::int64_t>(total), Unit::Bytes);
    OutputFile file(path);
    PARETO_CHECK(file.create(total));
    PARETO_CHECK(file.write(std::as_bytes(std::span(&headerBytes, 1))));
    PARETO_CHECK(file.write(std::as_bytes(std::span(header))));
    progress.advance(static_cast<std::int64_t>(sizeof(headerBytes) + headerBytes));
    for (auto& tensor : tensors) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_TRY(const Buffer data, tensor.data());
        if (data.size() != bytesOf(tensor)) {
            return exportMismatch(path, tensor.name,
                            std::to_string(data.size()) + " bytes instead of " +
                                std::to_string(bytesOf(tensor)));
        }
        for (std::size_t at = 0; at < data.size(); at += OutputFile::kPiece) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            const auto part = data.bytes().subspan(at, std::min(OutputFile::kPiece, data.size() - at));
            PARETO_CHECK(file.write(part));
            progress.advance(static_cast<std::int64_t>(part.size()));
        }
    }
    return file.finish();
}

}  // namespace pareto::io
