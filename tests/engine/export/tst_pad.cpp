#include <QtTest>

#include "engine/layout/names.h"
#include "engine/export/pad.h"
#include "engine/weights/quantize.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;
using namespace pareto::exporting;

class TestPad : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void addsZerosAndKeepsValues();
    void vectorsGrow();
    void oneScaleARow();
    void namesOfTransformers();
};

void TestPad::addsZerosAndKeepsValues() {
    const auto values = test::randomValues(6 * 11, 2);
    int formats = 0;
    for (const auto number : {NumberFormat::F32, NumberFormat::F16, NumberFormat::BF16,
                              NumberFormat::Int8, NumberFormat::Int4, NumberFormat::Int3,
                              NumberFormat::Int2, NumberFormat::Int16, NumberFormat::F8}) {
        for (const auto granularity :
             {Granularity::Tensor, Granularity::Channel, Granularity::Group}) {
            for (const bool symmetric : {true, false}) {
                WeightFormat format;
                format.format = number;
                if (format.isCoded()) {
                    format.granularity = granularity;
                    format.groupSize = granularity == Granularity::Group ? 4 : 0;
                    format.symmetric = symmetric || bitsOf(number) == 16 || number == NumberFormat::F8;
                    format.activations = number == NumberFormat::Int8 || number == NumberFormat::Int4
                                             ? Activations::Int8Dynamic
                                             : Activations::None;
                }
                const Tensor tensor = quantizeTensor(values, 6, 11, format);
                const auto before = dequantize(tensor);
                for (const auto& [rows, cols] : {std::pair{6, 11}, {6, 16}, {9, 11}, {8, 13}}) {
                    const Tensor padded = padTensor(tensor, rows, cols);
                    QCOMPARE(padded.shape, (Shape{rows, cols}));
                    QCOMPARE(padded.bytes(), weightBytes(format, rows, cols));
                    const auto after = dequantize(padded);
                    for (int row = 0; row < rows; ++row) {
                        for (int col = 0; col < cols; ++col) {
                            const auto at = static_cast<std::size_t>(row * cols + col);
                            const auto was = static_cast<std::size_t>(row * 11 + col);
                            QCOMPARE(after[at], row < 6 && col < 11 ? before[was] : 0.0F);
                        }
                    }
                    if (format.hasCodeSums()) {
                        const Buffer sums = sumCodes(padded.quantized(), rows, cols);
                        QVERIFY(
                            std::ranges::equal(padded.quantized().codeSums.bytes(), sums.bytes()));
                    }
                }
                ++formats;
            }
        }
    }
    QCOMPARE(formats, 54);
}

void TestPad::vectorsGrow() {
    const Tensor bias = denseTensor(Shape{3}, std::vector<float>{1, 2, 3});
    QCOMPARE(dequantize(padTensor(bias, 5)), (std::vector<float>{1, 2, 3, 0, 0}));
}

void TestPad::oneScaleARow() {
    const auto values = test::randomValues(4 * 6, 3);
    for (const auto granularity : {Granularity::Tensor, Granularity::Group}) {
        WeightFormat format;
        format.format = NumberFormat::Int8;
        format.granularity = granularity;
        format.groupSize = granularity == Granularity::Group ? 6 : 0;
        format.symmetric = false;
        const Tensor tensor = quantizeTensor(values, 4, 6, format);
        const Tensor rows = scalePerRow(tensor);
        QVERIFY(rows.format().granularity == Granularity::Channel);
        QCOMPARE(dequantize(rows), dequantize(tensor));
        QCOMPARE(rows.bytes(), weightBytes(rows.format(), 4, 6));
    }
}

void TestPad::namesOfTransformers() {
    ModelLayout bert;
    bert.family = Family::Bert;
    QCOMPARE(hfTensorName(bert, "encoder.layer.11.attention.norm.bias"),
             std::string("encoder.layer.11.attention.output.LayerNorm.bias"));
    QCOMPARE(hfTensorName(bert, "embeddings.type.weight"),
             std::string("embeddings.token_type_embeddings.weight"));
    QCOMPARE(hfTensorName(bert, "dense.1.weight"), std::string());
    bert.hfPrefix = "bert.";
    QCOMPARE(hfTensorName(bert, "pooler.weight"), std::string("bert.pooler.dense.weight"));
    QCOMPARE(hfTensorName(bert, "classifier.bias"), std::string("classifier.bias"));
    ModelLayout llama;
    llama.family = Family::Llama;
    llama.hfPrefix = "model.";
    QCOMPARE(hfTensorName(llama, "decoder.layer.3.ffn.norm.weight"),
             std::string("model.layers.3.post_attention_layernorm.weight"));
    QCOMPARE(hfTensorName(llama, "decoder.norm.weight"), std::string("model.norm.weight"));
    QCOMPARE(hfTensorName(llama, "lm_head.weight"), std::string("lm_head.weight"));
}

QTEST_GUILESS_MAIN(TestPad)
#include "tst_pad.moc"
