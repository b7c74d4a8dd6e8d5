#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

#include "widgets/editors/progress_delegate.h"
#include "widgets/models/jobs_table_model.h"

using namespace pareto::widgets;

class TestJobsTableModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void rowsFollowIds();
    void progressChangesOneRow();
    void barIsDrawn();
};

namespace {

JobRow job(int id, double share = -1.0) {
    JobRow row;
    row.id = id;
    row.title = QStringLiteral("job %1").arg(id);
    row.state = QStringLiteral("queued");
    row.share = share;
    row.active = share >= 0.0;
    return row;
}

}  // namespace

void TestJobsTableModel::rowsFollowIds() {
    JobsTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setJobs({job(1), job(2), job(3)});
    const QPersistentModelIndex kept(model.index(2, 0));
    QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    model.setJobs({job(3), job(4), job(1)});
    QCOMPARE(reset.count(), 0);
    QCOMPARE(kept.row(), 0);
    QCOMPARE(model.jobAt(0), 3);
    QCOMPARE(model.jobAt(1), 4);
    QCOMPARE(model.jobAt(2), 1);
    QCOMPARE(model.rowOfJob(2), -1);
    model.setJobs({});
    QCOMPARE(model.rowCount(), 0);
    QVERIFY(!kept.isValid());
}

void TestJobsTableModel::progressChangesOneRow() {
    JobsTableModel model;
    model.setJobs({job(1, 0.1), job(2)});
    QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    model.setJobs({job(1, 0.129), job(2)});
    QCOMPARE(changed.count(), 1);
    QCOMPARE(changed.first().at(0).toModelIndex().row(), 0);
    QCOMPARE(model.index(0, JobsTableModel::Progress).data().toString(), QStringLiteral("12 %"));
    QCOMPARE(model.index(0, 0).data(JobsTableModel::ShareRole).toDouble(), 0.129);
    QVERIFY(!model.index(1, 0).data(JobsTableModel::ShareRole).isValid());
}

void TestJobsTableModel::barIsDrawn() {
    JobsTableModel model;
    model.setJobs({job(1, 0.75)});
    QTableView view;
    view.setModel(&model);
    view.setItemDelegateForColumn(JobsTableModel::Progress,
                                  new ProgressDelegate(JobsTableModel::ShareRole, &view));
    view.resize(600, 120);
    view.show();
    QVERIFY(QTest::qWaitForWindowExposed(&view));
    const QRect cell = view.visualRect(model.index(0, JobsTableModel::Progress));
    const auto pixels = [&] { return view.viewport()->grab(cell).toImage(); };
    const QImage wide = pixels();
    model.setJobs({job(1, 0.05)});
    QVERIFY(wide != pixels());
}

QTEST_MAIN(TestJobsTableModel)
#include "tst_jobs_table_model.moc"
