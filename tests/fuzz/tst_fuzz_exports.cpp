// Deterministic mutations of CTranslate2, ONNX and Marian files; see tst_fuzz_loaders.cpp.

#include <QDir>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/core/file.h"
#include "engine/io/model_files.h"
#include "tests/fuzz/mutate.h"

using namespace pareto;
using namespace pareto::fuzz;

class TestFuzzExports : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mutations_data();
    void mutations();
};

void TestFuzzExports::mutations_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("file");
    QTest::newRow("ctranslate2") << "ctranslate2/tiny_bert/model.bin" << "model.bin";
    QTest::newRow("onnx") << "onnx/tiny_bert/model.onnx" << "model.onnx";
    QTest::newRow("onnx int8") << "onnx/tiny_bert_int8/model.onnx" << "model.onnx";
    QTest::newRow("marian") << "marian/model.npz" << "model.npz";
}

void TestFuzzExports::mutations() {
    QFETCH(QString, name);
    QFETCH(QString, file);
    QTemporaryDir folder;
    // Nothing beside the file and nothing above: config.json is looked for there.
    QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("model")));
    const auto path = folder.filePath(QStringLiteral("model/") + file).toStdString();
    const auto seed = readTextFile(PARETO_SOURCE_DIR "/tests/golden/exports/" + name.toStdString()).value();
    RandomStream random(15, name.toStdString());
    int accepted = 0;
    // A whole model is opened and read each time.
    for (int i = 0; i < fuzzCount() / 20; ++i) {
        overwrite(path, mutated(seed, random));
        QElapsedTimer timer;
        timer.start();
        const auto files = io::ModelFiles::open(path, io::Access::Read);
        checkFailure(files);
        if (files.ok()) {
            ++accepted;
            for (const auto& [tensor, info] : files.value()->tensors()) {
                const auto values = files.value()->floats(info);
                checkFailure(values);
                QVERIFY(!values.ok() ||
                        values.value().size() == static_cast<std::size_t>(info.shape.elements()) * sizeof(float));
            }
        }
        QVERIFY(timer.elapsed() < kLimitMs);
    }
    QVERIFY(accepted > 0);
}

QTEST_GUILESS_MAIN(TestFuzzExports)
#include "tst_fuzz_exports.moc"
