#include "engine/kernels/pack.h"

#include <bit>
#include <cstring>
#include <utility>

namespace pareto::kernels {

std::int64_t packedOffset(std::int64_t rows, std::int64_t cols, std::int64_t row, std::int64_t col) {
    const std::int64_t panel = row / kPanelRows;
    const std::int64_t height = panelRows(rows, panel);
    const std::int64_t lane = row - panel * kPanelRows;
    const std::int64_t whole = cols / 4 * 4;
    const std::int64_t start = panel * kPanelRows * cols;
    if (col < whole) {
        return start + col / 4 * 4 * height + lane * 4 + col % 4;
    }
    return start + whole * height + lane * (cols - whole) + (col - whole);
}

void packCodes(const std::int8_t* codes, std::int64_t rows, std::int64_t cols, std::int8_t* out) {
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            out[packedOffset(rows, cols, row, col)] = codes[row * cols + col];
        }
    }
}

void packSums(const std::int32_t* sums, std::int64_t rows, std::int64_t groups, std::int32_t* out) {
    packGroupValues(sums, rows, groups, out);
}

namespace {

/// Byte of (row, col) in PackedGroups::codes.
std::int64_t groupOffset(WeightKind kind, std::int64_t rows, std::int64_t cols, std::int64_t row, std::int64_t col) {
    const std::int64_t panel = row / kPanelRows;
    const std::int64_t parts = kind == WeightKind::Int4 ? 2 : 1;
    const std::int64_t step = col / (4 * parts);
    return panel * kPanelRows * cols / parts + (step * panelRows(rows, panel) + row % kPanelRows) * 4 + col % 4;
}

}  // namespace

void packGroupCodes(WeightKind kind, const std::uint8_t* codes, std::int64_t rows, std::int64_t cols,
                    std::uint8_t* out) {
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            auto& to = out[groupOffset(kind, rows, cols, row, col)];
            if (kind == WeightKind::Int8) {
                to = static_cast<std::uint8_t>(codes[row * cols + col] ^ 0x80U);
            } else {
                const unsigned code = codes[(row * cols + col) / 2] >> (4 * (col % 2)) & 15U;
                to = static_cast<std::uint8_t>(col % 8 < 4 ? code : to | code << 4);
            }
        }
    }
}

int groupCode(const PackedGroups& weight, std::int64_t row, std::int64_t col) {
    const int stored = weight.codes[groupOffset(weight.kind, weight.rows, weight.cols, row, col)];
    if (weight.kind == WeightKind::Int8) {
        return stored - 128;
    }
    return (col % 8 < 4 ? stored & 15 : stored >> 4) - 8;
}

std::uint64_t SparsePack::bytes() const {
    return masks.size() * sizeof(masks[0]) + starts.size() * sizeof(starts[0]) + values.size() - 64;
}

namespace {

/// Adds runs of `bytes` one by one, skipping what is zero.
class SparseBuilder {
public:
    /// `words`: of a row or panel.
    SparseBuilder(std::int64_t lines, std::int64_t words, std::size_t bytes) : m_words(words), m_bytes(bytes) {
        m_pack.masks.resize(static_cast<std::size_t>(lines * words));
        m_pack.starts.reserve(static_cast<std::size_t>(lines) + 1);
    }
    /// So that bits 64·i … of a line are an even number.
    void evenOut(std::int64_t line, std::int64_t word) {
        std::uint64_t& mask = m_pack.masks[static_cast<std::size_t>(line * m_words + word)];
        const int entries = std::popcount(mask);
        if (entries % 2 == 0) {
            return;
        }
        // The lowest place that is free: how many entries stand before it is its number as well.
        const int free = std::countr_one(mask);
        mask |= std::uint64_t{1} << free;
        const auto at = static_cast<std::ptrdiff_t>((m_count - static_cast<std::size_t>(entries - free)) * m_bytes);
        m_pack.values.insert(m_pack.values.begin() + at, m_bytes, std::byte{});
        ++m_count;
    }
    void line() { m_pack.starts.push_back(static_cast<std::uint32_t>(m_count)); }
    void add(std::int64_t line, std::int64_t bit, const void* from) {
        static constexpr std::byte kZeros[4] = {};
        if (std::memcmp(from, kZeros, m_bytes) != 0) {
            m_pack.masks[static_cast<std::size_t>(line * m_words + bit / 64)] |= std::uint64_t{1} << (bit % 64);
            const auto* bytes = static_cast<const std::byte*>(from);
            m_pack.values.insert(m_pack.values.end(), bytes, bytes + m_bytes);
            ++m_count;
        }
    }
    SparsePack done() {
        line();
        m_pack.values.resize(m_pack.values.size() + 64);
        return std::move(m_pack);
    }

private:
    SparsePack m_pack;
    std::int64_t m_words;
    std::size_t m_bytes;
    std::size_t m_count = 0;
};

}  // namespace

template <typename T>
SparsePack packSparseRows(const T* values, std::int64_t rows, std::int64_t cols) {
    constexpr std::int64_t kColumns = 4 / sizeof(T);  // of an entry
    const std::int64_t entries = (cols + kColumns - 1) / kColumns;
    SparseBuilder builder(rows, (entries + 63) / 64, 4);
    for (std::int64_t row = 0; row < rows; ++row) {
        builder.line();
        for (std::int64_t entry = 0; entry < entries; ++entry) {
            T block[kColumns] = {};
            for (std::int64_t c = 0; c < kColumns && entry * kColumns + c < cols; ++c) {
                const T value = values[row * cols + entry * kColumns + c];
                block[c] = value == T{} ? T{} : value;  // −0 is none either
            }
            builder.add(row, entry, block);
            if (entry % 64 == 63 || entry + 1 == entries) {
                builder.evenOut(row, entry / 64);
            }
        }
    }
    return builder.done();
}

template SparsePack packSparseRows<float>(const float*, std::int64_t, std::int64_t);
template SparsePack packSparseRows<std::int8_t>(const std::int8_t*, std::int64_t, std::int64_t);

SparsePack packSparsePanels(const std::int8_t* packed, std::int64_t rows, std::int64_t cols) {
    const std::int64_t steps = cols / 4;
    SparseBuilder builder(panelCount(rows), steps, 1);
    for (std::int64_t panel = 0; panel < panelCount(rows); ++panel) {
        builder.line();
        for (std::int64_t step = 0; step < steps; ++step) {
            for (std::int64_t byte = 0; byte < 4 * panelRows(rows, panel); ++byte) {
                builder.add(panel, 64 * step + byte, packed++);
            }
        }
    }
    return builder.done();
}

void unpackRow(const PackedInt8& weight, std::int64_t row, std::int8_t* out) {
    for (std::int64_t col = 0; col < weight.cols; ++col) {
        out[col] = weight.codes[packedOffset(weight.rows, weight.cols, row, col)];
    }
}

}  // namespace pareto::kernels
