#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace pareto::fixtures {

inline void writeBytes(const std::string& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

template <typename T>
std::string littleEndian(T value) {
    std::string out(sizeof value, '\0');
    std::memcpy(out.data(), &value, sizeof value);
    return out;
}

/// A safetensors file of this header and so many bytes of data.
inline std::string safetensors(const std::string& header, std::size_t dataBytes) {
    return littleEndian<std::uint64_t>(header.size()) + header + std::string(dataBytes, '\1');
}

inline std::string tensorEntry(const std::string& dtype, const std::string& shape,
                               const std::string& offsets) {
    return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

/// Two tensors and metadata: 24 bytes of data.
inline std::string validSafetensors() {
    return safetensors(R"({"__metadata__":{"format":"pt"},"a":)" +
                           tensorEntry("\"F32\"", "[2,2]", "[0,16]") + ",\"b\":" +
                           tensorEntry("\"F16\"", "[4]", "[16,24]") + "}",
                       24);
}

/// Writes GGUF records one after the other; mark() remembers where the next one begins.
class GgufWriter {
public:
    GgufWriter(std::uint64_t tensors, std::uint64_t pairs, std::uint32_t version = 3) {
        m_bytes = "GGUF";
        u32(version).u64(tensors).u64(pairs);
    }
    GgufWriter& u8(std::uint8_t value) { return raw(littleEndian(value)); }
    GgufWriter& u32(std::uint32_t value) { return raw(littleEndian(value)); }
    GgufWriter& u64(std::uint64_t value) { return raw(littleEndian(value)); }
    GgufWriter& raw(const std::string& bytes) {
        m_boundaries.push_back(m_bytes.size());
        m_bytes += bytes;
        return *this;
    }
    GgufWriter& text(const std::string& value) { return u64(value.size()).raw(value); }
    GgufWriter& mark() {
        m_mark = m_bytes.size();
        return *this;
    }
    GgufWriter& number(const std::string& key, std::uint32_t value) {
        return text(key).u32(4).u32(value);
    }
    GgufWriter& words(const std::string& key, const std::vector<std::string>& values) {
        text(key).u32(9).u32(8).u64(values.size());
        for (const auto& value : values) {
            text(value);
        }
        return *this;
    }
    GgufWriter& tensor(const std::string& name, const std::vector<std::uint64_t>& sizes,
                       std::uint32_t type, std::uint64_t offset) {
        text(name).u32(static_cast<std::uint32_t>(sizes.size()));
        for (const auto size : sizes) {
            u64(size);
        }
        return u32(type).u64(offset);
    }
    GgufWriter& data(std::size_t bytes, std::size_t alignment = 32) {
        m_bytes.resize((m_bytes.size() + alignment - 1) / alignment * alignment);
        m_boundaries.push_back(m_bytes.size());
        m_bytes.append(bytes, '\1');
        return *this;
    }
    const std::string& bytes() const { return m_bytes; }
    std::size_t marked() const { return m_mark; }
    const std::vector<std::size_t>& boundaries() const { return m_boundaries; }

private:
    std::string m_bytes;
    std::size_t m_mark = 0;
    std::vector<std::size_t> m_boundaries;
};

/// Metadata of several kinds and an F32 and a Q4_0 tensor.
inline GgufWriter validGguf() {
    GgufWriter out(2, 4);
    out.text("general.architecture").u32(8).text("llama");
    out.number("general.alignment", 32);
    out.words("tokenizer.ggml.tokens", {"a", "b", "ab"});
    out.text("tokenizer.ggml.token_type").u32(9).u32(5).u64(3).u32(1).u32(1).u32(3);
    out.tensor("x.weight", {8, 2}, 0, 0);
    out.tensor("y.weight", {32, 3}, 2, 64);
    out.data(64 + 54);
    return out;
}

template <typename T>
std::string describe(const Result<T>& result) {
    return result.ok() ? "accepted"
                       : std::string(errorName(result.error().code)) + ": " +
                             errorMessage(result.error()) + " " + result.error().detail;
}

}  // namespace pareto::fixtures
