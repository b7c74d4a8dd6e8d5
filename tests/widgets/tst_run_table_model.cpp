#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QLocale>
#include <QSignalSpy>
#include <QTest>

#include "tests/widgets/run_fixture.h"
#include "widgets/models/run_table_model.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace pareto::widgets::test;

class TestRunTableModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { QLocale::setDefault(QLocale::c()); }
    void showsFiguresWithIntervals();
    void baselineAndDisturbanceAreMarked();
    void sortsEveryColumnBothWays();
    void missingFiguresComeLastBothWays();
    void filters();
    void headlineColumnNamesACommonMetric();
    void newRunIsOneInsertion();
    void selectionSurvivesSorting();
    void deletionIsOneRemoval();
    void editingEmitsIntents();
    void hundredThousandRows();

private:
    static std::vector<std::int64_t> shown(const RunTableModel& model);
};

std::vector<std::int64_t> TestRunTableModel::shown(const RunTableModel& model) {
    std::vector<std::int64_t> ids;
    for (int row = 0; row < model.rowCount(); ++row) {
        ids.push_back(model.runAt(row));
    }
    return ids;
}

void TestRunTableModel::showsFiguresWithIntervals() {
    RunTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setColumns(columnsOf(exampleRows()));
    model.sort(RunTableModel::Date, Qt::AscendingOrder);
    const auto text = [&](int row, int column) {
        return model.index(row, column).data().toString().replace(QChar(u'\x00a0'), QChar(u' '));
    };
    QCOMPARE(text(2, RunTableModel::Name), QStringLiteral("half-int8"));
    QCOMPARE(text(2, RunTableModel::LatencyP50), QStringLiteral("8.10 ± 0.08"));
    QCOMPARE(text(2, RunTableModel::Headline), QStringLiteral("69.40 ± 4.60"));
    QCOMPARE(text(2, RunTableModel::SizeMb), QStringLiteral("31.4"));
    QCOMPARE(text(2, RunTableModel::Delta), QStringLiteral("−58.2 %"));
    QCOMPARE(text(0, RunTableModel::Delta), QStringLiteral("–"));
    QCOMPARE(text(2, RunTableModel::Status), QStringLiteral("finished"));
}

void TestRunTableModel::baselineAndDisturbanceAreMarked() {
    auto rows = exampleRows();
    rows[1].disturbed = true;
    RunTableModel model;
    model.setColumns(columnsOf(rows));
    const auto shownAs = [&](std::int64_t run, int column) {
        return model.index(model.rowOfRun(run), column).data().toString();
    };
    QCOMPARE(shownAs(1, RunTableModel::Star), QStringLiteral("☆"));
    QCOMPARE(shownAs(2, RunTableModel::Star), QString());
    QVERIFY(shownAs(2, RunTableModel::LatencyP50).startsWith(QStringLiteral("⚠")));
    QVERIFY(!shownAs(1, RunTableModel::LatencyP50).contains(QStringLiteral("⚠")));
    const auto tip = model.index(model.rowOfRun(2), RunTableModel::LatencyP50)
                         .data(Qt::ToolTipRole).toString();
    QVERIFY(tip.contains(QStringLiteral("Other load")));
    rows[2].pinned = true;
    model.setColumns(columnsOf(rows));
    QCOMPARE(shownAs(1, RunTableModel::Star), QString());
    QCOMPARE(shownAs(3, RunTableModel::Star), QStringLiteral("★"));
}

void TestRunTableModel::sortsEveryColumnBothWays() {
    RunTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setColumns(columnsOf(exampleRows()));
    for (int column = 0; column < RunTableModel::ColumnCount; ++column) {
        for (const auto order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
            model.sort(column, order);
            QCOMPARE(model.rowCount(), 5);
        }
    }
    model.sort(RunTableModel::LatencyP50, Qt::AscendingOrder);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{3, 2, 5, 4, 1}));
    model.sort(RunTableModel::Headline, Qt::DescendingOrder);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{1, 2, 5, 3, 4}));
    model.sort(RunTableModel::Name, Qt::AscendingOrder);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{1, 5, 3, 4, 2}));
}

void TestRunTableModel::missingFiguresComeLastBothWays() {
    auto rows = exampleRows();
    rows[1].figures.clear();
    RunTableModel model;
    model.setColumns(columnsOf(rows));
    for (const auto order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
        model.sort(RunTableModel::LatencyP50, order);
        QCOMPARE(model.runAt(4), 2);
        QCOMPARE(model.index(4, RunTableModel::LatencyP50).data().toString(), QStringLiteral("–"));
    }
}

void TestRunTableModel::filters() {
    auto rows = exampleRows();
    rows[3].deleted = true;
    rows[4].modelHash = QStringLiteral("another");
    RunTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setColumns(columnsOf(rows));
    model.sort(RunTableModel::Date, Qt::AscendingOrder);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{1, 2, 3, 5}));
    RunTableFilter words;
    words.text = QStringLiteral("INT8 classifier");
    model.setFilter(words);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{2, 3}));
    RunTableFilter ofModel;
    ofModel.modelHash = QStringLiteral("classifier-hash");
    model.setFilter(ofModel);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{1, 2, 3}));
    RunTableFilter comparable;
    comparable.comparableOnly = true;
    comparable.comparable = {2, 5};
    model.setFilter(comparable);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{2, 5}));
    RunTableFilter deleted;
    deleted.deletedOnly = true;
    model.setFilter(deleted);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{4}));
    QVERIFY(!model.flags(model.index(0, RunTableModel::Name)).testFlag(Qt::ItemIsEditable));
}

void TestRunTableModel::headlineColumnNamesACommonMetric() {
    RunTableModel model;
    const auto header = [&] {
        return model.headerData(RunTableModel::Headline, Qt::Horizontal, Qt::DisplayRole).toString();
    };
    auto rows = exampleRows();
    rows[1].headlineKey.clear();
    model.setColumns(columnsOf(rows));
    QCOMPARE(header(), QStringLiteral("Accuracy, %"));
    QSignalSpy changed(&model, &QAbstractItemModel::headerDataChanged);
    rows[2].headlineKey = QStringLiteral("perplexity");
    model.setColumns(columnsOf(rows));
    QCOMPARE(header(), QStringLiteral("Quality"));
    QCOMPARE(changed.count(), 1);
}

void TestRunTableModel::newRunIsOneInsertion() {
    RunTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setColumns(columnsOf(exampleRows()));
    model.sort(RunTableModel::LatencyP50, Qt::AscendingOrder);
    const QPersistentModelIndex kept(model.index(model.rowOfRun(4), 0));
    QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    auto rows = exampleRows();
    rows.push_back(rowOf({6, QStringLiteral("new"), 11.0, 0.7, 40.0}));
    model.setColumns(columnsOf(rows));
    QCOMPARE(inserted.count(), 1);
    QCOMPARE(reset.count(), 0);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{3, 2, 6, 5, 4, 1}));
    QCOMPARE(model.runAt(kept.row()), 4);
}

void TestRunTableModel::selectionSurvivesSorting() {
    RunTableModel model;
    model.setColumns(columnsOf(exampleRows()));
    const QPersistentModelIndex kept(model.index(model.rowOfRun(5), RunTableModel::Name));
    model.sort(RunTableModel::SizeMb, Qt::DescendingOrder);
    QCOMPARE(model.runAt(kept.row()), 5);
    QCOMPARE(kept.column(), static_cast<int>(RunTableModel::Name));
}

void TestRunTableModel::deletionIsOneRemoval() {
    RunTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setColumns(columnsOf(exampleRows()));
    model.sort(RunTableModel::Date, Qt::AscendingOrder);
    QSignalSpy removed(&model, &QAbstractItemModel::rowsRemoved);
    auto rows = exampleRows();
    rows[1].deleted = true;
    rows[2].deleted = true;
    model.setColumns(columnsOf(rows));
    QCOMPARE(removed.count(), 1);
    QCOMPARE(shown(model), (std::vector<std::int64_t>{1, 4, 5}));
}

void TestRunTableModel::editingEmitsIntents() {
    RunTableModel model;
    model.setColumns(columnsOf(exampleRows()));
    QSignalSpy renamed(&model, &RunTableModel::renameRequested);
    QSignalSpy noted(&model, &RunTableModel::noteRequested);
    const int row = model.rowOfRun(3);
    QVERIFY(!model.setData(model.index(row, RunTableModel::Name), QStringLiteral("  "), Qt::EditRole));
    QVERIFY(!model.setData(model.index(row, RunTableModel::Recipe), QStringLiteral("x"), Qt::EditRole));
    QVERIFY(model.setData(model.index(row, RunTableModel::Name), QStringLiteral(" best "), Qt::EditRole));
    QVERIFY(model.setData(model.index(row, RunTableModel::Note), QStringLiteral("why"), Qt::EditRole));
    QCOMPARE(renamed.count(), 1);
    QCOMPARE(renamed.first().at(0).toLongLong(), 3);
    QCOMPARE(renamed.first().at(1).toString(), QStringLiteral("best"));
    QCOMPARE(noted.first().at(1).toString(), QStringLiteral("why"));
    // The owner changes, the model only shows.
    QCOMPARE(model.index(row, RunTableModel::Name).data().toString(), QStringLiteral("half-int8"));
}

void TestRunTableModel::hundredThousandRows() {
    constexpr int kRuns = 100'000;
    std::vector<RunRow> rows;
    rows.reserve(kRuns);
    for (int i = 0; i < kRuns; ++i) {
        const int mixed = static_cast<int>((static_cast<std::int64_t>(i) * 7919) % kRuns);
        rows.push_back(rowOf({i + 1, QStringLiteral("run %1").arg(mixed), 5.0 + mixed * 1e-3,
                              0.5 + i * 1e-6, 20.0}));
    }
    RunTableModel model;
    model.setColumns(columnsOf(rows));
    QCOMPARE(model.rowCount(), kRuns);
    QElapsedTimer timer;
    timer.start();
    model.sort(RunTableModel::LatencyP50, Qt::AscendingOrder);
    const qint64 sorted = timer.restart();
    QCOMPARE(model.runAt(0), 1);
    QCOMPARE(model.index(kRuns - 1, RunTableModel::Name).data().toString(),
             QStringLiteral("run 99999"));
    model.sort(RunTableModel::Name, Qt::AscendingOrder);
    const qint64 sortedByName = timer.restart();
    RunTableFilter words;
    words.text = QStringLiteral("run 7777");
    model.setFilter(words);
    const qint64 filtered = timer.restart();
    qInfo("100,000 runs: sort by number %lld ms, by text %lld ms, filter %lld ms", sorted,
          sortedByName, filtered);
    QCOMPARE(model.rowCount(), 19);
    // The aim is 300 ms; a busy test machine gets room.
    QVERIFY(sorted < 1500);
    QCOMPARE(model.index(0, RunTableModel::Name).data().toString(), QStringLiteral("run 17777"));
    QVERIFY(sortedByName < 1500);
    QVERIFY(filtered < 1500);
}

QTEST_MAIN(TestRunTableModel)
#include "tst_run_table_model.moc"
