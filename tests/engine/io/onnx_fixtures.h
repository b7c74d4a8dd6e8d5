#pragma once

#include <string>

// Writes protocol buffers of onnx.proto3 field by field.
namespace pareto::fixtures {

inline std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) {
        out += static_cast<char>(value | 0x80);
    }
    return out + static_cast<char>(value);
}
inline std::string protoNumber(unsigned field, std::uint64_t value) {
    return varint(field << 3U) + varint(value);
}
inline std::string protoBytes(unsigned field, const std::string& bytes) {
    return varint((field << 3U) | 2U) + varint(bytes.size()) + bytes;
}

/// TensorProto of fp32 values.
inline std::string onnxTensor(const std::string& name, std::vector<std::uint64_t> sizes,
                              const std::string& data) {
    std::string out;
    for (const auto size : sizes) {
        out += protoNumber(1, size);
    }
    return out + protoNumber(2, 1) + protoBytes(8, name) + protoBytes(9, data);
}
inline std::string onnxExternal(const std::string& name, std::uint64_t size, const std::string& location,
                                const std::string& offset = "0") {
    const auto entry = [](const std::string& key, const std::string& value) {
        return protoBytes(13, protoBytes(1, key) + protoBytes(2, value));
    };
    return protoNumber(1, size) + protoNumber(2, 1) + protoBytes(8, name) + entry("location", location) +
           entry("offset", offset) + protoNumber(14, 1);
}
inline std::string onnxModel(const std::string& graph) {
    return protoNumber(1, 8) + protoBytes(2, "test") + protoBytes(7, graph);
}

}  // namespace pareto::fixtures
