// What the tests of kernels share: random numbers and weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include <QtTest>

#include "engine/core/dtype.h"
#include "engine/kernels/choose.h"
#include "engine/kernels/pack.h"
#include "engine/kernels/tables.h"

Q_DECLARE_METATYPE(const pareto::kernels::KernelTable*)

namespace pareto::kernels::test {

inline const KernelTable& reference() { return referenceTable(); }

class Numbers {
public:
    explicit Numbers(unsigned seed) : m_engine(seed) {}
    float normal() { return m_normal(m_engine); }
    int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(m_engine); }
    /// `offset` values in front make rows start off every alignment.
    std::vector<float> floats(std::int64_t count) {
        std::vector<float> out(static_cast<std::size_t>(count));
        for (auto& value : out) {
            value = normal();
        }
        return out;
    }

private:
    std::mt19937 m_engine;
    std::normal_distribution<float> m_normal;
};

inline double worst(const std::vector<float>& a, const std::vector<float>& b) {
    double out = a.size() == b.size() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        out = std::isnan(d) ? INFINITY : std::max(out, d);
    }
    return out;
}

inline double largest(const std::vector<float>& a) {
    double out = 0.0;
    for (const float x : a) {
        out = std::max(out, std::fabs(static_cast<double>(x)));
    }
    return out;
}

inline constexpr float kGuard = 12345.0F;  // stands behind outputs and must still be there afterwards

inline constexpr WeightKind kKinds[] = {WeightKind::F32,  WeightKind::F16,  WeightKind::BF16,
                                 WeightKind::F8,   WeightKind::Int16, WeightKind::Int8,
                                 WeightKind::Int4, WeightKind::Int3, WeightKind::Int2};

inline bool isCoded(WeightKind kind) { return kind >= WeightKind::F8; }

inline int bitsOf(WeightKind kind) {
    constexpr int kBits[] = {32, 16, 16, 8, 16, 8, 4, 3, 2};
    return kBits[static_cast<int>(kind)];
}

/// Logical weights of any kind with random values, and what they point to.
struct Weights {
    WeightRows rows;
    std::vector<unsigned char> values;
    std::vector<float> scales;
    std::vector<std::int8_t> zeros;

    Weights(Numbers& numbers, WeightKind kind, std::int64_t n, std::int64_t k, std::int64_t group,
            bool asymmetric, bool perTensor) {
        rows.kind = kind;
        rows.rows = n;
        rows.cols = k;
        rows.groupSize = group == 0 ? k : group;
        rows.groups = perTensor ? 0 : (k + rows.groupSize - 1) / rows.groupSize;
        const std::int64_t bytes = n * ((k * bitsOf(kind) + 7) / 8);
        values.resize(static_cast<std::size_t>(bytes) + 3);
        unsigned char* data = values.data() + (isCoded(kind) ? 3 : 0);
        if (isCoded(kind)) {
            for (std::int64_t i = 0; i < bytes; ++i) {
                data[i] = static_cast<unsigned char>(numbers.integer(0, 255));
                // E4M3's two NaN are never held.
                data[i] &= kind == WeightKind::F8 && (data[i] & 0x7F) == 0x7F ? 0xF0 : 0xFF;
            }
        } else {
            for (std::int64_t i = 0; i < n * k; ++i) {
                const float x = numbers.normal();
                if (kind == WeightKind::F32) {
                    std::memcpy(data + 4 * i, &x, 4);
                } else {
                    const std::uint16_t bits = kind == WeightKind::F16 ? floatToHalf(x) : floatToBfloat(x);
                    std::memcpy(data + 2 * i, &bits, 2);
                }
            }
        }
        rows.values = data;
        const std::int64_t count = rows.groups == 0 ? 1 : n * rows.groups;
        for (std::int64_t i = 0; i < count; ++i) {
            scales.push_back(0.01F + 0.01F * std::fabs(numbers.normal()));
            const int half = 1 << (std::min(bitsOf(kind), 8) - 1);
            zeros.push_back(static_cast<std::int8_t>(numbers.integer(-half, half - 1)));
        }
        rows.scales = scales.data();
        const bool symmetricOnly = kind == WeightKind::F8 || kind == WeightKind::Int16;
        rows.zeroPoints = asymmetric && !symmetricOnly ? zeros.data() : nullptr;
    }
};

/// A row of data for every table that this processor runs and, where one is named, that has the kernel. The reference
/// has every kernel.
inline void addTables() {
    QTest::addColumn<const KernelTable*>("table");
    for (const auto* table : supportedTables()) {
        QTest::newRow(table->name) << table;
    }
}
template <typename Kernel>
void addTablesWith(Kernel KernelTable::* kernel) {
    QTest::addColumn<const KernelTable*>("table");
    for (const auto* table : supportedTables()) {
        if (table->*kernel != nullptr) {
            QTest::newRow(table->name) << table;
        }
    }
}

}  // namespace pareto::kernels::test
