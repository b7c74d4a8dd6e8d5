// Models that other programs wrote (ONNX, CTranslate2, Marian), without loss: they compute what the
// checkpoint computes that they were made of (tests/golden/exports/make_exports.py), and as Hugging Face
// folders too.
#include <filesystem>

#include <QtTest>

#include "engine/export/exporter.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using models::Matrix;

namespace {

/// What a model makes of a few ids: hidden states, or logits.
Result<Matrix> outputsOf(const std::string& path) {
    PARETO_TRY(const auto runnable, test::prepare(path, 1));
    const std::vector<std::int32_t> ids{3, 5, 8, 2, 9, 11, 4};
    if (runnable.encoder) {
        return runnable.encoder->hiddenStates({{ids}, {}}, {});
    }
    if (runnable.decoder) {
        return runnable.decoder->logits(ids, {});
    }
    return runnable.seq2seq->logits(ids, {0, 7, 3, 12}, {});
}

/// Over the first `columns`.
double difference(const Matrix& found, const Matrix& wanted, std::int64_t columns) {
    if (found.rows != wanted.rows || found.rows == 0 || found.cols < columns || wanted.cols < columns) {
        return INFINITY;
    }
    double worst = 0.0;
    for (std::int64_t row = 0; row < found.rows; ++row) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(columns); ++i) {
            const double off = std::fabs(static_cast<double>(found.row(row)[i]) - static_cast<double>(wanted.row(row)[i]));
            worst = std::isnan(off) ? INFINITY : std::max(worst, off);
        }
    }
    return worst;
}

}  // namespace

class TestForeignFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void computeTheSame_data();
    void computeTheSame();
};

void TestForeignFiles::computeTheSame_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("source");
    for (const auto& [file, source] :
         {std::pair{"onnx/tiny_bert", "tiny_bert"}, std::pair{"onnx/external", "tiny_bert"},
          std::pair{"onnx/distilbert_bare", "encoders/distilbert_bare"}, std::pair{"onnx/mpnet_bare", "encoders/mpnet_bare"},
          std::pair{"onnx/qwen3", "decoders/qwen3"}, std::pair{"onnx/gpt2", "decoders/gpt2"},
          std::pair{"onnx/tiny_llama", "tiny_llama"}, std::pair{"onnx/tiny_t5", "tiny_t5"},
          std::pair{"onnx/tiny_t5_wrapped", "tiny_t5"},
          std::pair{"ctranslate2/roberta_bare", "encoders/roberta_bare"},
          std::pair{"ctranslate2/tiny_t5", "tiny_t5"}, std::pair{"marian/model.npz", "tiny_marian"}}) {
        QTest::newRow(file) << QString::fromLatin1(file) << QString::fromLatin1(source);
    }
}

void TestForeignFiles::computeTheSame() {
    QFETCH(QString, file);
    QFETCH(QString, source);
    const auto path = std::string(PARETO_SOURCE_DIR "/tests/golden/exports/") + file.toStdString();
    const auto wanted = outputsOf(test::kGolden + source.toStdString());
    CHECK_OK(wanted);
    const auto found = outputsOf(path);
    CHECK_OK(found);
    // Marian does not keep the last word of transformers, which is padding.
    const auto columns = wanted.value().cols - (source.contains(QStringLiteral("marian")) ? 1 : 0);
    const double off = difference(found.value(), wanted.value(), columns);
    QVERIFY2(off < 1e-5, qPrintable(QString::number(off)));

    QTemporaryDir folder;
    const auto target = folder.filePath(QStringLiteral("exported")).toStdString();
    const auto files = io::ModelFiles::open(path);
    CHECK_OK(files);
    const auto model = test::openModel(path);
    CHECK_OK(model);
    Progress progress;
    exporting::ExportRequest request;
    request.target = target;
    const auto written = exporting::exportModel(model.value(), *files.value(), request, progress, {});
    CHECK_OK(written);
    QVERIFY(written.value().verified);
    const auto again = outputsOf(target);
    CHECK_OK(again);
    QVERIFY(difference(again.value(), found.value(), found.value().cols) < 1e-6);
}

QTEST_GUILESS_MAIN(TestForeignFiles)
#include "tst_foreign_files.moc"
