#include <cmath>

#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include "app/studio/actions.h"
#include "app/studio/pages/report_page.h"
#include "app/studio/store_thread.h"
#include "app/studio/workspace.h"
#include "tests/support/tiny_models.h"
#include "widgets/models/layer_report_model.h"
#include "widgets/models/layer_tree_model.h"
#include "widgets/plots/spectrum_plot.h"
#include "widgets/support/elided_label.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;
using widgets::LayerReportModel;

namespace {

struct LayerText {
    const char* name;
    double weightError;
    double outputError;  ///< below 0: not measured
};

RunRecord recordOf(const std::vector<LayerText>& layers) {
    RunRecord record;
    record.name = "run";
    record.startedAt = 1'700'000'000'000;
    record.finishedAt = record.startedAt + 1000;
    record.modelName = "tiny";
    record.modelHash = "hash";
    record.recipeSummary = "int4/gptq";
    record.recipeHash = "recipe";
    record.taskName = "task";
    record.taskKey = "task";
    record.targetKey = "target";
    Json report = Json::array();
    for (const auto& layer : layers) {
        LayerMeasurement measured;
        measured.name = layer.name;
        measured.rows = measured.cols = 16;
        measured.bytes = 128;
        measured.relativeError = layer.weightError;
        record.layers.push_back(measured);
        Json one{{"name", layer.name}, {"bits_per_weight", 4.5}};
        if (layer.outputError >= 0.0) {
            one["output_error"] = layer.outputError;
            one["output_cosine"] = std::sqrt(1.0 - layer.outputError);
        }
        report.push_back(one);
    }
    LayerMeasurement phase;  // has no weight
    phase.name = "encoder.layer.0.attention.scores";
    record.layers.push_back(phase);
    record.details = {{"compress",
                       {{"layers", report},
                        {"seconds", 75.0},
                        {"calibration", {{"samples", 128}, {"tokens", 65536}}},
                        {"spectra",
                         {{layers.front().name,
                           {{"ranks", {1, 2, 4}}, {"before", {9.0, 3.0, 1.0}}, {"after", {8.0, 3.0, 1.5}}}}}}}}};
    return record;
}

const std::vector<LayerText> kLayers{{"encoder.layer.0.attention.query", 0.01, 0.004},
                                     {"encoder.layer.0.ffn.in", 0.02, 0.0004},
                                     {"encoder.layer.0.ffn.out", 0.03, 0.04},
                                     {"embeddings.word", 0.0, -1.0}};

}  // namespace

/// The heat map's model, and the page on a real store with real clicks.
class TestReportPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void figuresAndOrder();
    void shades();
    void recordsWithoutCalibration();
    void pageFollowsRunAndSelection();
    void chosenLayersGetAFormat();
};

void TestReportPage::figuresAndOrder() {
    LayerReportModel model;
    model.setRows(widgets::layerReport(recordOf(kLayers)));
    QCOMPARE(model.rowCount(), 4);  // not the phase
    QCOMPARE(model.worstColumn(), static_cast<int>(LayerReportModel::OutputError));
    model.sort(LayerReportModel::OutputError, Qt::DescendingOrder);
    const auto layerAt = [&](int row) { return model.index(row, 0).data(LayerReportModel::LayerRole).toString(); };
    QCOMPARE(layerAt(0), u"encoder.layer.0.ffn.out"_s);
    QCOMPARE(layerAt(2), u"encoder.layer.0.ffn.in"_s);
    QCOMPARE(layerAt(3), u"embeddings.word"_s);  // not measured: last either way
    QCOMPARE(model.index(0, LayerReportModel::OutputError).data().toString(), u"4 %"_s);
    QCOMPARE(model.index(0, LayerReportModel::SignalToNoise).data().toString(), u"14.0 dB"_s);
    QCOMPARE(model.index(0, LayerReportModel::Cosine).data().toString(), u"0.97980"_s);
    QCOMPARE(model.index(3, LayerReportModel::OutputError).data().toString(), u"–"_s);
    model.sort(LayerReportModel::OutputError, Qt::AscendingOrder);
    QCOMPARE(layerAt(0), u"encoder.layer.0.ffn.in"_s);
    QCOMPARE(layerAt(3), u"embeddings.word"_s);
    QCOMPARE(model.rowOfLayer(u"encoder.layer.0.ffn.out"_s), 2);
}

/// By the logarithm: 0.004 stands in the middle between 0.0004 and 0.04.
void TestReportPage::shades() {
    LayerReportModel model;
    model.setRows(widgets::layerReport(recordOf(kLayers)));
    const auto heat = [&](int row, int column) { return model.index(row, column).data(LayerReportModel::HeatRole); };
    QVERIFY(std::fabs(heat(0, LayerReportModel::OutputError).toDouble() - 0.5) < 1e-9);
    QCOMPARE(heat(1, LayerReportModel::OutputError).toDouble(), 0.0);
    QCOMPARE(heat(2, LayerReportModel::OutputError).toDouble(), 1.0);
    QCOMPARE(heat(2, LayerReportModel::SignalToNoise).toDouble(), 1.0);  // the lowest ratio is the worst
    QVERIFY(!heat(3, LayerReportModel::OutputError).isValid());
    QVERIFY(!heat(0, LayerReportModel::Bits).isValid());
    QVERIFY(!model.index(1, LayerReportModel::OutputError).data(Qt::BackgroundRole).value<QBrush>().color().alpha());
    QVERIFY(model.index(2, LayerReportModel::OutputError).data(Qt::BackgroundRole).value<QBrush>().color().alpha() > 100);
}

void TestReportPage::recordsWithoutCalibration() {
    auto record = recordOf({{"encoder.layer.0.ffn.in", 0.02, -1.0}, {"encoder.layer.0.ffn.out", 0.03, -1.0}});
    LayerReportModel model;
    model.setRows(widgets::layerReport(record));
    QVERIFY(!model.hasColumn(LayerReportModel::OutputError));
    QCOMPARE(model.worstColumn(), static_cast<int>(LayerReportModel::WeightError));
    record.details = Json::object();  // an older version's record
    QCOMPARE(widgets::layerReport(record).size(), std::size_t{2});
}

void TestReportPage::pageFollowsRunAndSelection() {
    QTemporaryDir folder;
    RunId run = 0;
    {
        auto store = store::Store::open(folder.filePath(u"studio.db"_s).toStdString());
        QVERIFY(store.ok());
        run = store.value()->finishRun(recordOf(kLayers)).value();
    }
    Workspace workspace{QString()};
    StoreThread thread(folder.filePath(u"studio.db"_s));
    Runs runs(thread, workspace);
    Selection selection;
    Actions actions;
    ReportPage page(workspace, runs, selection, actions);
    page.resize(910, 460);
    page.show();
    QVERIFY(QTest::qWaitForWindowExposed(&page));
    QVERIFY(page.findChild<QLabel*>(u"reportEmptyText"_s)->isVisible());
    runs.reload();
    QTRY_VERIFY(runs.loaded());
    selection.setRun(run);
    QTRY_VERIFY(page.view()->isVisible());
    const auto summary = page.findChild<widgets::ElidedLabel*>(u"reportSummaryLabel"_s)->fullText();
    QVERIFY2(summary.contains(u"65,536"_s) && summary.contains(u"1 min 15 s"_s), qPrintable(summary));
    auto* model = page.view()->model();
    QCOMPARE(model->index(0, 0).data().toString(), u"encoder.layer.0.ffn.out"_s);
    QVERIFY(page.view()->isColumnHidden(LayerReportModel::Scaling));
    // A click chooses the layer everywhere, and a choice made elsewhere is shown.
    QTest::mouseClick(page.view()->viewport(), Qt::LeftButton, {}, page.view()->visualRect(model->index(1, 0)).center());
    QCOMPARE(selection.currentLayer(), u"encoder.layer.0.attention.query"_s);
    auto* spectrum = page.findChild<widgets::SpectrumPlot*>();
    QVERIFY(spectrum->isVisible());
    QCOMPARE(spectrum->spectrum().after, (std::vector<double>{8.0, 3.0, 1.5}));
    selection.setLayers({u"encoder.layer.0.ffn.in"_s});
    QCOMPARE(page.view()->currentIndex().row(), 2);
    QVERIFY(!spectrum->isVisible());  // none is stored for this layer
    auto* header = page.view()->horizontalHeader();
    QTest::mouseClick(header->viewport(), Qt::LeftButton, {},
                      QPoint(header->sectionViewportPosition(LayerReportModel::WeightError) + 12, header->height() / 2));
    QVERIFY(model->index(0, 0).data().toString() == u"embeddings.word"_s ||
            model->index(0, 0).data().toString() == u"encoder.layer.0.ffn.out"_s);
    selection.setRuns({});
    QTRY_VERIFY(!page.view()->isVisible());
}

void TestReportPage::chosenLayersGetAFormat() {
    QTemporaryDir folder;
    const auto path = test::writeTinyClassifier(folder.filePath(u"bert"_s).toStdString());
    RunId run = 0;
    {
        auto store = store::Store::open(folder.filePath(u"studio.db"_s).toStdString());
        QVERIFY(store.ok());
        run = store.value()->finishRun(recordOf(kLayers)).value();
    }
    Workspace workspace{QString()};
    StoreThread thread(folder.filePath(u"studio.db"_s));
    Runs runs(thread, workspace);
    Selection selection;
    Actions actions;
    ReportPage page(workspace, runs, selection, actions);
    page.resize(910, 460);
    page.show();
    workspace.openModel(QString::fromStdString(path));
    QTRY_VERIFY(workspace.model() != nullptr);
    runs.reload();
    QTRY_VERIFY(runs.loaded());
    selection.setRun(run);
    QTRY_VERIFY(page.view()->isVisible());
    auto* button = page.findChild<QPushButton*>(u"reportOverrideButton"_s);
    QVERIFY(!button->isEnabled());
    auto* model = page.view()->model();
    QTest::mouseClick(page.view()->viewport(), Qt::LeftButton, {}, page.view()->visualRect(model->index(0, 0)).center());
    QTRY_VERIFY(button->isEnabled());
    auto* formats = page.findChild<QComboBox*>(u"reportFormatCombo"_s);
    formats->setCurrentText(u"int4 g64"_s);
    QCOMPARE(formats->currentText(), u"int4 g64"_s);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(workspace.recipe().recipe().layers.size(), std::size_t{1});
    QCOMPARE(workspace.recipe().recipe().layers.front().match, std::string("encoder.layer.0.ffn.out"));
    workspace.recipe().undoStack().undo();
    QVERIFY(workspace.recipe().recipe().layers.empty());
}

QTEST_MAIN(TestReportPage)
#include "tst_report_page.moc"
