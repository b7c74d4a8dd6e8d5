#include <QtTest>

#include <cstring>

#include "engine/core/file.h"
#include "engine/export/gguf_quantize.h"

using namespace pareto;

namespace {

constexpr std::size_t kColumns = 256;

std::string golden(const std::string& name) {
    return readTextFile(PARETO_SOURCE_DIR "/tests/golden/export/quantize_" + name + ".bin").value();
}

std::vector<float> input() {
    const auto bytes = golden("input");
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

}  // namespace

class TestGgufQuantize : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sameBytesAsGgml_data();
    void sameBytesAsGgml();
    void zerosStayZeros_data();
    void zerosStayZeros();
    void knownTypes();
};

void TestGgufQuantize::sameBytesAsGgml_data() {
    QTest::addColumn<int>("id");
    for (const int id : {1, 2, 3, 6, 7, 8, 12, 13, 14, 30}) {
        QTest::newRow(io::ggmlType(static_cast<std::uint32_t>(id))->name.data()) << id;
    }
}

void TestGgufQuantize::sameBytesAsGgml() {
    QFETCH(int, id);
    const auto& type = *io::ggmlType(static_cast<std::uint32_t>(id));
    const auto values = input();
    const auto expected = golden(std::string(type.name));
    std::vector<std::byte> bytes(values.size() / type.blockElements * type.blockBytes);
    QCOMPARE(bytes.size(), expected.size());
    exporting::encodeGguf(type, values, bytes);
    const std::size_t rowBytes = kColumns / type.blockElements * type.blockBytes;
    for (std::size_t row = 0; row * rowBytes < bytes.size(); ++row) {
        QVERIFY2(std::memcmp(bytes.data() + row * rowBytes, expected.data() + row * rowBytes,
                             rowBytes) == 0,
                 ("row " + std::to_string(row)).c_str());
    }
}

void TestGgufQuantize::zerosStayZeros_data() {
    QTest::addColumn<int>("id");
    for (const int id : {0, 1, 2, 6, 8, 14, 30}) {
        QTest::newRow(io::ggmlType(static_cast<std::uint32_t>(id))->name.data()) << id;
    }
}

/// Formats without a minimum have an exact zero, which pruned weights need.
void TestGgufQuantize::zerosStayZeros() {
    QFETCH(int, id);
    const auto& type = *io::ggmlType(static_cast<std::uint32_t>(id));
    std::vector<float> values(kColumns);
    for (std::size_t i = 0; i < kColumns; ++i) {
        values[i] = i % 3 == 0 ? 0.0F : std::sin(static_cast<float>(i));
    }
    std::vector<std::byte> bytes(kColumns / type.blockElements * type.blockBytes);
    exporting::encodeGguf(type, values, bytes);
    std::vector<float> back(kColumns);
    if (type.block) {
        io::dequantizeBlocks(type, bytes, back.data());
    } else if (type.dtype == DType::F32) {
        std::memcpy(back.data(), bytes.data(), bytes.size());
    } else {
        for (std::size_t i = 0; i < kColumns; ++i) {
            std::uint16_t bits = 0;
            std::memcpy(&bits, bytes.data() + 2 * i, sizeof bits);
            back[i] = type.dtype == DType::F16 ? halfToFloat(bits) : bfloatToFloat(bits);
        }
    }
    for (std::size_t i = 0; i < kColumns; ++i) {
        if (i % 3 == 0) {
            QCOMPARE(back[i], 0.0F);
        } else {
            QVERIFY(std::fabs(back[i] - values[i]) < 0.13F);
        }
    }
}

void TestGgufQuantize::knownTypes() {
    int known = 0;
    for (std::uint32_t id = 0; id < 64; ++id) {
        const auto* type = io::ggmlType(id);
        known += type != nullptr && exporting::encodesGguf(*type) ? 1 : 0;
    }
    QCOMPARE(known, 11);
    QVERIFY(!exporting::encodesGguf(*io::ggmlType(10)));
}

QTEST_GUILESS_MAIN(TestGgufQuantize)
#include "tst_gguf_quantize.moc"
