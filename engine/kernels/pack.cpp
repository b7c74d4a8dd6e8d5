#include "engine/kernels/pack.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

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

int bitsIn(WeightKind kind) {
    switch (kind) {
        case WeightKind::Int4: return 4;
        case WeightKind::Int3: return 3;
        case WeightKind::Int2: return 2;
        default: return 8;
    }
}

/// Where a code stands in PackedGroups::codes: its lowest `width` bits, and with 3 bits the highest one apart.
struct GroupPlace {
    std::int64_t byte = 0;
    int shift = 0;
    int width = 0;
    std::int64_t highByte = -1;
    int highShift = 0;
};

GroupPlace groupPlace(WeightKind kind, std::int64_t rows, std::int64_t cols, std::int64_t row, std::int64_t col) {
    const int bits = bitsIn(kind);
    const std::int64_t panel = row / kPanelRows;
    const std::int64_t plane = 4 * panelRows(rows, panel);  // bytes
    const std::int64_t first = panel * kPanelRows * cols * bits / 8 + 4 * (row % kPanelRows) + col % 4;
    if (kind == WeightKind::Int3) {
        const std::int64_t step = first + col / 32 * 3 * plane;
        const auto part = static_cast<int>(col % 32 / 4);
        return {step + part / 4 * plane, part % 4 * 2, 2, step + 2 * plane, part};
    }
    const std::int64_t columns = 4 * (8 / bits);  // of a plane
    return {first + col / columns * plane, static_cast<int>(col % columns / 4) * bits, bits};
}

}  // namespace

void unpackRow(const PackedFloats& weight, std::int64_t row, float* out) {
    const std::int64_t panel = row / kPanelRows;
    const std::int64_t height = panelRows(weight.rows, panel);
    const float* from = weight.values + panel * kPanelRows * weight.cols + row % kPanelRows;
    for (std::int64_t c = 0; c < weight.cols; ++c) {
        out[c] = from[c * height];
    }
}

void packGroupCodes(WeightKind kind, const std::uint8_t* codes, std::int64_t rows, std::int64_t cols,
                    std::uint8_t* out) {
    const int bits = bitsIn(kind);
    const std::int64_t rowBytes = cols * bits / 8;
    std::fill_n(out, rows * rowBytes, std::uint8_t{0});
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::uint8_t* from = codes + row * rowBytes;
        for (std::int64_t col = 0; col < cols; ++col) {
            const std::int64_t at = col * bits / 8;
            const auto shift = static_cast<int>(col * bits % 8);
            const unsigned two = from[at] | (shift + bits > 8 ? from[at + 1] << 8 : 0U);
            unsigned code = two >> shift & ((1U << bits) - 1U);
            code ^= kind == WeightKind::Int8 ? 0x80U : 0U;  // the logical form of 8 bits is signed
            const GroupPlace place = groupPlace(kind, rows, cols, row, col);
            out[place.byte] |= static_cast<std::uint8_t>((code & ((1U << place.width) - 1U)) << place.shift);
            if (place.highByte >= 0) {
                out[place.highByte] |= static_cast<std::uint8_t>(code >> 2 << place.highShift);
            }
        }
    }
}

int groupCode(const PackedGroups& weight, std::int64_t row, std::int64_t col) {
    const GroupPlace place = groupPlace(weight.kind, weight.rows, weight.cols, row, col);
    int stored = weight.codes[place.byte] >> place.shift & ((1 << place.width) - 1);
    if (place.highByte >= 0) {
        stored |= (weight.codes[place.highByte] >> place.highShift & 1) << 2;
    }
    return stored - (1 << (bitsIn(weight.kind) - 1));
}

std::uint64_t SparsePack::bytes() const {
    return masks.size() * sizeof(masks[0]) + starts.size() * sizeof(starts[0]) + values.size() - 64;
}

namespace {

/// Columns of an entry, filled up with zeros.
template <typename T>
struct Entry {
    static constexpr std::int64_t kColumns = 4 / sizeof(T);
    T values[kColumns] = {};

    /// `from`: the row; −0 counts as none.
    Entry(const T* from, std::int64_t cols, std::int64_t entry) {
        for (std::int64_t c = 0; c < kColumns && entry * kColumns + c < cols; ++c) {
            const T value = from[entry * kColumns + c];
            values[c] = value == T{} ? T{} : value;
        }
    }
    bool isZero() const {
        return std::all_of(std::begin(values), std::end(values), [](T value) { return value == T{}; });
    }
};

/// The entries of rows that share a mask which some row needs, an even number a word.
template <typename T>
std::vector<std::uint64_t> sharedMask(const T* rows, std::int64_t count, std::int64_t cols) {
    const std::int64_t entries = (cols + Entry<T>::kColumns - 1) / Entry<T>::kColumns;
    std::vector<std::uint64_t> out(static_cast<std::size_t>((entries + 63) / 64));
    for (std::int64_t row = 0; row < count; ++row) {
        for (std::int64_t entry = 0; entry < entries; ++entry) {
            if (!Entry<T>(rows + row * cols, cols, entry).isZero()) {
                out[static_cast<std::size_t>(entry / 64)] |= std::uint64_t{1} << (entry % 64);
            }
        }
    }
    for (auto& word : out) {
        if (std::popcount(word) % 2 != 0) {
            word |= std::uint64_t{1} << std::countr_one(word);
        }
    }
    return out;
}

void append(std::vector<std::byte>& out, const void* from, std::size_t bytes) {
    const auto* begin = static_cast<const std::byte*>(from);
    out.insert(out.end(), begin, begin + bytes);
}

}  // namespace

template <typename T>
std::int64_t sparseEntries(const T* values, std::int64_t rows, std::int64_t cols, std::int64_t maskRows) {
    std::int64_t out = 0;
    for (std::int64_t first = 0; first < rows; first += maskRows) {
        const std::int64_t count = std::min(maskRows, rows - first);
        for (const std::uint64_t word : sharedMask(values + first * cols, count, cols)) {
            out += count * std::popcount(word);
        }
    }
    return out;
}

template std::int64_t sparseEntries<float>(const float*, std::int64_t, std::int64_t, std::int64_t);
template std::int64_t sparseEntries<std::int8_t>(const std::int8_t*, std::int64_t, std::int64_t, std::int64_t);

template <typename T>
SparsePack packSparseRows(const T* values, std::int64_t rows, std::int64_t cols, std::int64_t maskRows) {
    SparsePack out;
    for (std::int64_t first = 0; first < rows; first += maskRows) {
        const auto mask = sharedMask(values + first * cols, std::min(maskRows, rows - first), cols);
        out.masks.insert(out.masks.end(), mask.begin(), mask.end());
        for (std::int64_t row = first; row < std::min(rows, first + maskRows); ++row) {
            out.starts.push_back(static_cast<std::uint32_t>(out.values.size() / 4));
            for (std::size_t word = 0; word < mask.size(); ++word) {
                for (std::uint64_t left = mask[word]; left != 0; left &= left - 1) {
                    const std::int64_t at = static_cast<std::int64_t>(word) * 64 + std::countr_zero(left);
                    append(out.values, Entry<T>(values + row * cols, cols, at).values, 4);
                }
            }
        }
    }
    out.starts.push_back(static_cast<std::uint32_t>(out.values.size() / 4));
    out.values.resize(out.values.size() + 64);
    return out;
}

template SparsePack packSparseRows<float>(const float*, std::int64_t, std::int64_t, std::int64_t);
template SparsePack packSparseRows<std::int8_t>(const std::int8_t*, std::int64_t, std::int64_t, std::int64_t);

std::uint64_t StepsPack::bytes() const {
    return entries.size() * sizeof(entries[0]) + places.size() * sizeof(places[0]) + starts.size() * sizeof(starts[0]);
}

namespace {

/// The entry of place `place` of a panel's `count` rows; whether there is anything in it.
template <typename T>
bool readStep(const T* rows, std::int64_t count, std::int64_t cols, std::int64_t place, StepsPack::Entry& out) {
    bool any = false;
    for (std::int64_t row = 0; row < count; ++row) {
        const Entry<T> part(rows + row * cols, cols, place);
        any = any || !part.isZero();
        std::memcpy(out.bytes + 4 * row, part.values, 4);
    }
    return any;
}

template <typename T>
constexpr std::int64_t placesIn(std::int64_t cols) {
    return (cols + Entry<T>::kColumns - 1) / Entry<T>::kColumns;
}

}  // namespace

template <typename T>
StepsPack packSparseSteps(const T* values, std::int64_t rows, std::int64_t cols, std::int64_t groupSize) {
    StepsPack out;
    const std::int64_t step = groupSize == 0 ? cols : groupSize;
    for (std::int64_t panel = 0; panel < panelCount(rows); ++panel) {
        const T* first = values + panel * kPanelRows * cols;
        for (std::int64_t begin = 0; begin < cols; begin += step) {
            out.starts.push_back(static_cast<std::uint32_t>(out.entries.size()));
            const std::int64_t end = placesIn<T>(std::min(cols, begin + step));
            for (std::int64_t place = begin / Entry<T>::kColumns; place < end; ++place) {
                StepsPack::Entry entry;
                if (readStep(first, panelRows(rows, panel), cols, place, entry)) {
                    out.entries.push_back(entry);
                    out.places.push_back(static_cast<std::uint16_t>(place));
                }
            }
        }
    }
    out.starts.push_back(static_cast<std::uint32_t>(out.entries.size()));
    return out;
}

template StepsPack packSparseSteps<float>(const float*, std::int64_t, std::int64_t, std::int64_t);
template StepsPack packSparseSteps<std::int8_t>(const std::int8_t*, std::int64_t, std::int64_t, std::int64_t);

template <typename T>
double sparseStepShare(const T* values, std::int64_t rows, std::int64_t cols) {
    std::int64_t stored = 0;
    for (std::int64_t panel = 0; panel < panelCount(rows); ++panel) {
        for (std::int64_t place = 0; place < placesIn<T>(cols); ++place) {
            StepsPack::Entry entry;
            stored += readStep(values + panel * kPanelRows * cols, panelRows(rows, panel), cols, place, entry) ? 1 : 0;
        }
    }
    return static_cast<double>(stored) / static_cast<double>(std::max<std::int64_t>(1, panelCount(rows) * placesIn<T>(cols)));
}

template double sparseStepShare<float>(const float*, std::int64_t, std::int64_t);
template double sparseStepShare<std::int8_t>(const std::int8_t*, std::int64_t, std::int64_t);

SparsePack packSparsePanels(const std::int8_t* packed, std::int64_t rows, std::int64_t cols) {
    SparsePack out;
    std::vector<std::byte> kept(static_cast<std::size_t>(rows * cols) + 1);
    std::size_t count = 0;
    for (std::int64_t panel = 0; panel < panelCount(rows); ++panel) {
        out.starts.push_back(static_cast<std::uint32_t>(count));
        const std::int64_t bytes = 4 * panelRows(rows, panel);
        for (std::int64_t step = 0; step < cols / 4; ++step) {
            std::uint64_t mask = 0;
            for (std::int64_t byte = 0; byte < bytes; ++byte) {
                const std::int8_t code = packed[byte];
                const bool stored = code != 0;
                kept[count] = static_cast<std::byte>(code);  // the next one is written over a zero
                count += stored ? 1 : 0;
                mask |= static_cast<std::uint64_t>(stored) << byte;
            }
            packed += bytes;
            out.masks.push_back(mask);
        }
    }
    out.starts.push_back(static_cast<std::uint32_t>(count));
    kept.resize(count + 64);
    out.values.assign(kept.begin(), kept.end());  // without the room of the zeros
    return out;
}

void unpackRow(const PackedInt8& weight, std::int64_t row, std::int8_t* out) {
    for (std::int64_t col = 0; col < weight.cols; ++col) {
        out[col] = weight.codes[packedOffset(weight.rows, weight.cols, row, col)];
    }
}

}  // namespace pareto::kernels
