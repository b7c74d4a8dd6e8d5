#include <QtTest>

#include <algorithm>

#include "engine/weights/quantize.h"
#include "engine/weights/select.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;

namespace {

std::vector<WeightFormat> allFormats() {
    std::vector<WeightFormat> formats;
    for (const auto number : {NumberFormat::F32, NumberFormat::F16, NumberFormat::BF16}) {
        formats.emplace_back().format = number;
    }
    for (const auto number : {NumberFormat::Int8, NumberFormat::Int4}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                WeightFormat format;
                format.format = number;
                format.granularity = granularity;
                format.groupSize = granularity == Granularity::Group ? 6 : 0;
                format.symmetric = symmetric;
                formats.push_back(format);
                format.activations = Activations::Int8Dynamic;
                formats.push_back(format);
                format.activationGroup = 4;
                formats.push_back(format);
            }
        }
    }
    for (const auto number :
         {NumberFormat::F8, NumberFormat::Int16, NumberFormat::Int3, NumberFormat::Int2}) {
        for (const auto granularity : {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                WeightFormat format;
                format.format = number;
                format.granularity = granularity;
                format.groupSize = granularity == Granularity::Group ? 5 : 0;
                format.symmetric = symmetric || bitsOf(number) >= 8;
                formats.push_back(format);
            }
        }
    }
    WeightFormat activations;
    activations.format = NumberFormat::Int8;
    activations.activations = Activations::Int8Static;
    formats.push_back(activations);
    activations.activations = Activations::Int16Dynamic;
    formats.push_back(activations);
    activations.format = NumberFormat::Int16;
    formats.push_back(activations);
    return formats;
}

/// Rounding a group of normal values again moves none of them further.
double roundedAgain(NumberFormat format) {
    switch (format) {
        case NumberFormat::Int2: return 4.0;
        case NumberFormat::Int3: return 1.6;
        case NumberFormat::Int4: return 0.6;
        case NumberFormat::F8: return 0.4;
        default: return 0.05;
    }
}

constexpr std::int64_t kRows = 9;
constexpr std::int64_t kCols = 15;  // odd: the last nibble of a row stands alone

Tensor example(const WeightFormat& format) {
    return quantizeTensor(test::randomValues(kRows * kCols, 3), kRows, kCols, format);
}

}  // namespace

class TestTensor : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void bytesAreTheFormula();
    void formatIsKept();
    void rowsAndWholeAgree();
    void selectedRowsKeepTheirValues();
    void selectedColumnsKeepTheirValues();
    void zeroedValuesAreZeroAndOthersStay();
    void sumsFollowEveryChange();
    void zerosAreCounted();
    void hashTellsWeightsApart();
    void inputScaleStays();
};

void TestTensor::bytesAreTheFormula() {
    for (const auto& format : allFormats()) {
        QCOMPARE(example(format).bytes(), weightBytes(format, kRows, kCols));
    }
}

void TestTensor::formatIsKept() {
    for (const auto& format : allFormats()) {
        QVERIFY(example(format).format() == format);
    }
}

void TestTensor::rowsAndWholeAgree() {
    for (const auto& format : allFormats()) {
        const Tensor tensor = example(format);
        const auto whole = dequantize(tensor, test::scatteredFor());
        std::vector<float> row(kCols);
        for (std::int64_t at = 0; at < kRows; ++at) {
            dequantizeRow(tensor, at, row.data());
            QVERIFY(std::equal(row.begin(), row.end(), whole.begin() + at * kCols));
        }
    }
}

void TestTensor::selectedRowsKeepTheirValues() {
    const std::vector<std::int64_t> rows{0, 3, 4, 8};
    for (const auto& format : allFormats()) {
        const Tensor tensor = example(format);
        const auto before = dequantize(tensor);
        const Tensor cut = selectRows(tensor, rows);
        const auto after = dequantize(cut);
        QCOMPARE(cut.shape, (Shape{4, kCols}));
        QCOMPARE(cut.bytes(), weightBytes(format, 4, kCols));
        for (std::size_t at = 0; at < rows.size(); ++at) {
            QVERIFY(std::equal(after.begin() + static_cast<std::int64_t>(at) * kCols,
                               after.begin() + static_cast<std::int64_t>(at + 1) * kCols,
                               before.begin() + rows[at] * kCols));
        }
    }
    const Tensor bias = denseTensor(Shape{5}, std::vector<float>{1, 2, 3, 4, 5});
    QCOMPARE(dequantize(selectRows(bias, std::vector<std::int64_t>{1, 4})),
             (std::vector<float>{2, 5}));
}

void TestTensor::selectedColumnsKeepTheirValues() {
    const std::vector<std::int64_t> cols{1, 2, 7, 10, 14};
    for (const auto& format : allFormats()) {
        const Tensor tensor = example(format);
        const auto before = dequantize(tensor);
        const Tensor cut = selectCols(tensor, cols);
        const auto after = dequantize(cut);
        QCOMPARE(cut.shape, (Shape{kRows, 5}));
        QCOMPARE(cut.bytes(), weightBytes(format, kRows, 5));
        QVERIFY(cut.format() == format);
        // Groups of columns are rounded again; everything else keeps every value.
        const bool again = format.isCoded() && format.granularity == Granularity::Group;
        const double step = again ? roundedAgain(format.format) : 0.0;
        for (std::int64_t row = 0; row < kRows; ++row) {
            for (std::size_t at = 0; at < cols.size(); ++at) {
                const float was = before[static_cast<std::size_t>(row * kCols + cols[at])];
                const float is = after[static_cast<std::size_t>(row) * 5 + at];
                QVERIFY(std::abs(static_cast<double>(was) - is) <= step);
            }
        }
    }
}

void TestTensor::zeroedValuesAreZeroAndOthersStay() {
    const std::vector<std::int64_t> places{0, 1, 14, 15, 29, 77, 134};
    for (const auto& format : allFormats()) {
        const Tensor tensor = example(format);
        const auto before = dequantize(tensor);
        const auto after = dequantize(zeroValues(tensor, places));
        for (std::size_t at = 0; at < before.size(); ++at) {
            const bool zeroed =
                std::binary_search(places.begin(), places.end(), static_cast<std::int64_t>(at));
            QCOMPARE(after[at], zeroed ? 0.0F : before[at]);
        }
        QVERIFY(dequantize(tensor) == before);  // the original is untouched
    }
}

void TestTensor::sumsFollowEveryChange() {
    const std::vector<std::int64_t> lines{0, 2, 5, 6};
    for (const auto& format : allFormats()) {
        if (!format.hasCodeSums()) {
            continue;
        }
        const Tensor tensor = example(format);
        for (const Tensor& changed :
             {selectRows(tensor, lines), selectCols(tensor, lines), zeroValues(tensor, lines)}) {
            const Buffer expected =
                sumCodes(changed.quantized(), changed.shape[0], changed.shape[1]);
            QVERIFY(std::ranges::equal(changed.quantized().codeSums.bytes(), expected.bytes()));
        }
    }
}

void TestTensor::zerosAreCounted() {
    for (const auto& format : allFormats()) {
        const Tensor tensor = example(format);
        const auto values = dequantize(tensor);
        const auto zeros = std::count(values.begin(), values.end(), 0.0F);
        QCOMPARE(countZeros(tensor), static_cast<std::int64_t>(zeros));
        QCOMPARE(countZeros(tensor, test::scatteredFor()), static_cast<std::int64_t>(zeros));
    }
    const Tensor negative = denseTensor(Shape{1, 3}, std::vector<float>{-0.0F, 0.0F, 1e-45F});
    QCOMPARE(countZeros(negative), std::int64_t{2});
}

void TestTensor::hashTellsWeightsApart() {
    LoadedModel model;
    model.tensors.emplace("a.weight", example(allFormats()[0]));
    model.tensors.emplace("b.weight", example(allFormats()[5]));
    const std::string hash = weightsHash(model);
    QCOMPARE(hash.size(), std::size_t{64});
    QCOMPARE(weightsHash(model), hash);

    LoadedModel renamed = model;
    renamed.tensors.erase("b.weight");
    renamed.tensors.emplace("c.weight", example(allFormats()[5]));
    QVERIFY(weightsHash(renamed) != hash);

    LoadedModel changed = model;
    changed.tensors.insert_or_assign(
        "b.weight", zeroValues(model.tensors.at("b.weight"), std::vector<std::int64_t>{4}));
    QVERIFY(weightsHash(changed) != hash);
}

void TestTensor::inputScaleStays() {
    WeightFormat format;
    format.format = NumberFormat::Int8;
    format.activations = Activations::Int8Static;
    const Tensor before = example(format);
    QuantizedValues values = before.quantized();
    values.inputScale = 0.125F;
    const Tensor tensor{before.shape, values};
    QCOMPARE(tensor.bytes(), before.bytes());
    const std::vector<std::int64_t> lines{1, 3};
    for (const Tensor& changed :
         {selectRows(tensor, lines), selectCols(tensor, lines), zeroValues(tensor, lines)}) {
        QCOMPARE(changed.quantized().inputScale, 0.125F);
    }
    LoadedModel a;
    LoadedModel b;
    a.tensors.emplace("a.weight", before);
    b.tensors.emplace("a.weight", tensor);
    QVERIFY(weightsHash(a) != weightsHash(b));
}

QTEST_GUILESS_MAIN(TestTensor)
#include "tst_tensor.moc"
