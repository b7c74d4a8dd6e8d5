#pragma once

#include <cstddef>
#include <memory_resource>
#include <type_traits>
#include <utility>

namespace pareto::runtime {

/// Memory of the calling thread for what lives as long as a step of a model: blocks of up to 4 MiB that are let go are kept for
/// the next of their size, so a loop over tokens does not ask the system's allocator again and again. What is taken is given
/// back by the same thread.
std::pmr::memory_resource& threadMemory();

/// Uninitialized values in memory of the thread, on a cache line.
template <typename T>
class ThreadArray {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit ThreadArray(std::size_t size)
        : m_values(static_cast<T*>(threadMemory().allocate(bytesOf(size), kLine))), m_size(size) {}
    ~ThreadArray() {
        if (m_values != nullptr) {
            threadMemory().deallocate(m_values, bytesOf(m_size), kLine);
        }
    }
    ThreadArray(ThreadArray&& other) noexcept
        : m_values(std::exchange(other.m_values, nullptr)), m_size(std::exchange(other.m_size, 0)) {}
    ThreadArray& operator=(ThreadArray&&) = delete;

    T* data() { return m_values; }
    const T* data() const { return m_values; }
    std::size_t size() const { return m_size; }
    const T* begin() const { return m_values; }
    const T* end() const { return m_values + m_size; }
    const T& operator[](std::size_t i) const { return m_values[i]; }

private:
    static constexpr std::size_t kLine = 64;
    /// Whole lines, at least one: the pools of GCC 12's library align blocks of other sizes by less than what is asked for.
    static std::size_t bytesOf(std::size_t size) { return (size * sizeof(T) + kLine) / kLine * kLine; }
    T* m_values;
    std::size_t m_size;
};

}  // namespace pareto::runtime
