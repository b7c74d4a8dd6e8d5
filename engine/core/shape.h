#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace pareto {

/// Sizes of a tensor, outermost first (row-major). Rank 0 is a scalar with one element.
class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<std::int64_t> sizes) : m_sizes(sizes) {}
    explicit Shape(std::vector<std::int64_t> sizes) : m_sizes(std::move(sizes)) {}

    std::size_t rank() const { return m_sizes.size(); }
    std::int64_t operator[](std::size_t axis) const { return m_sizes[axis]; }
    const std::vector<std::int64_t>& sizes() const { return m_sizes; }

    /// Product of the sizes; the loaders have checked that it does not overflow.
    std::int64_t elements() const {
        std::int64_t product = 1;
        for (const auto size : m_sizes) {
            product *= size;
        }
        return product;
    }
    /// "384×1536"
    std::string text() const {
        std::string out;
        for (const auto size : m_sizes) {
            out += (out.empty() ? "" : "×") + std::to_string(size);
        }
        return out.empty() ? "scalar" : out;
    }
    bool operator==(const Shape&) const = default;

private:
    std::vector<std::int64_t> m_sizes;
};

}  // namespace pareto
