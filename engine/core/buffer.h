#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "engine/core/lasting_memory.h"

namespace pareto {

/// Immutable bytes, shared by reference count: either owned (64-byte aligned) or a part of a mapped file.
/// Copying is cheap and shares the bytes.
class Buffer {
public:
    Buffer() = default;

    /// Bytes of a file mapped read-only, which `owner` unmaps.
    static Buffer mapped(std::shared_ptr<const void> owner, const std::byte* data, std::size_t size) {
        Buffer buffer = view(std::move(owner), data, size);
        buffer.m_mapped = true;
        return buffer;
    }
    /// Uninitialized bytes, to be filled through `fill` before anyone else sees the buffer.
    template <typename Fill>
    static Buffer create(std::size_t size, Fill&& fill) {
        return filled(allocate(size), size, fill);
    }
    /// The same for a model's weights; see lastingMemory().
    template <typename Fill>
    static Buffer createLasting(std::size_t size, Fill&& fill) {
        return filled(lastingMemory(size), size, fill);
    }
    template <typename T>
    static Buffer copyOf(std::span<const T> values) {
        return create(values.size_bytes(), [&](std::span<std::byte> out) {
            if (!out.empty()) {
                std::memcpy(out.data(), values.data(), out.size());
            }
        });
    }

    /// Bytes [offset, offset + size), which keep the whole alive.
    Buffer part(std::size_t offset, std::size_t size) const {
        Buffer out = *this;
        out.m_data += offset;
        out.m_size = size;
        return out;
    }
    /// Gives the memory of a mapped file's whole pages back to the system, which reads them again when they
    /// are next looked at. Bytes that are owned stay.
    void releasePages() const;

    const std::byte* data() const { return m_data; }
    std::size_t size() const { return m_size; }
    bool empty() const { return m_size == 0; }
    std::span<const std::byte> bytes() const { return {m_data, m_size}; }

    /// The bytes as values. The caller knows the type; owned buffers are always aligned for it,
    /// views are as aligned as their file (the readers refuse or copy what is not).
    template <typename T>
    std::span<const T> as() const {
        return {reinterpret_cast<const T*>(m_data), m_size / sizeof(T)};
    }

private:
    static Buffer view(std::shared_ptr<const void> owner, const std::byte* data, std::size_t size) {
        Buffer buffer;
        buffer.m_owner = std::move(owner);
        buffer.m_data = data;
        buffer.m_size = size;
        return buffer;
    }
    template <typename Fill>
    static Buffer filled(std::shared_ptr<std::byte> memory, std::size_t size, Fill& fill) {
        fill(std::span<std::byte>(memory.get(), size));
        auto* data = memory.get();
        return view(std::move(memory), data, size);
    }
    static std::shared_ptr<std::byte> allocate(std::size_t size) {
        constexpr std::size_t kAlignment = 64;
        const std::size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
        auto* memory = static_cast<std::byte*>(
            ::operator new(rounded == 0 ? kAlignment : rounded, std::align_val_t{kAlignment}));
        return {memory, [](std::byte* p) { ::operator delete(p, std::align_val_t{kAlignment}); }};
    }

    std::shared_ptr<const void> m_owner;
    const std::byte* m_data = nullptr;
    std::size_t m_size = 0;
    bool m_mapped = false;
};

}  // namespace pareto
