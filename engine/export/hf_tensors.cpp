#include "engine/export/hf_tensors.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/export/compressed_tensors_writer.h"
#include "engine/layout/names.h"

namespace pareto::exporting {

namespace {

constexpr std::string_view kWeight = ".weight";

const NameRow* rowOf(const ModelLayout& layout, const std::string& tensor) {
    return findName(namesOf(layout.family),
                    std::string_view(tensor).substr(0, tensor.find_last_of('.')));
}

/// The parts one behind the other.
Buffer joined(const std::vector<Tensor>& parts) {
    if (parts.size() == 1) {
        return parts.front().dense().values;
    }
    std::size_t bytes = 0;
    for (const auto& part : parts) {
        bytes += part.dense().values.size();
    }
    return Buffer::create(bytes, [&](std::span<std::byte> out) {
        std::byte* to = out.data();
        for (const auto& part : parts) {
            const Buffer& values = part.dense().values;
            std::memcpy(to, values.data(), values.size());
            to += values.size();
        }
    });
}

Buffer transposed(const Buffer& values, std::int64_t rows, std::int64_t cols,
                  std::size_t valueBytes) {
    return Buffer::create(values.size(), [&](std::span<std::byte> out) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t col = 0; col < cols; ++col) {
                std::memcpy(out.data() + static_cast<std::size_t>(col * rows + row) * valueBytes,
                            values.data() + static_cast<std::size_t>(row * cols + col) * valueBytes,
                            valueBytes);
            }
        }
    });
}

Buffer minusOne(const Buffer& values) {
    std::vector<float> out(values.as<float>().begin(), values.as<float>().end());
    for (float& value : out) {
        value -= 1.0F;
    }
    return Buffer::copyOf(std::span<const float>(out));
}

io::TensorToWrite denseToWrite(std::string name, std::vector<Tensor> parts, Transform transform) {
    std::vector<std::int64_t> sizes = parts.front().shape.sizes();
    const DType type = parts.front().dense().dtype;
    sizes[0] = 0;
    for (const auto& part : parts) {
        sizes[0] += part.shape[0];
    }
    const bool turned = transform == Transform::Transpose && sizes.size() == 2;
    const auto make = [parts = std::move(parts), transform, turned, sizes,
                       type]() -> Result<Buffer> {
        const Buffer values = joined(parts);
        return turned ? transposed(values, sizes[0], sizes[1], dtypeBytes(type))
               : transform == Transform::AddOne ? minusOne(values)
                                                : values;
    };
    if (turned) {
        std::swap(sizes[0], sizes[1]);
    }
    return {std::move(name), type, Shape(std::move(sizes)), make};
}

}  // namespace

bool reshapedInHf(const ModelLayout& layout, const LayerInfo& layer) {
    const NameRow* row = findName(namesOf(layout.family), layer.name);
    return row != nullptr && (row->parts > 1 || row->hfTransform != Transform::None);
}

std::vector<io::TensorToWrite> hfTensors(const LoadedModel& model) {
    std::vector<io::TensorToWrite> out;
    std::map<std::string, std::map<int, Tensor>> fused;
    std::map<std::string, Transform> transforms;
    for (const auto& [name, tensor] : model.tensors) {
        const std::string theirs = hfTensorName(model.layout, name);
        if (theirs.empty()) {
            continue;  // a dense module's: it has a file of its own
        }
        const NameRow* row = rowOf(model.layout, name);
        if (!tensor.isDense()) {
            auto parts =
                compressedTensors(theirs.substr(0, theirs.size() - kWeight.size()), tensor);
            std::move(parts.begin(), parts.end(), std::back_inserter(out));
            continue;
        }
        fused[theirs].emplace(row->part, tensor);
        transforms[theirs] = row->hfTransform;
    }
    for (auto& [name, byNumber] : fused) {
        std::vector<Tensor> parts;
        for (auto& [number, part] : byNumber) {
            parts.push_back(std::move(part));
        }
        out.push_back(denseToWrite(name, std::move(parts), transforms[name]));
    }
    return out;
}

}  // namespace pareto::exporting
