// The confusion matrix as a table that can be read, heard and seen.
#include <QAbstractItemModelTester>
#include <QBrush>
#include <QSignalSpy>
#include <QTest>

#include "widgets/models/confusion_model.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace Qt::StringLiterals;

namespace {

ConfusionMatrix sample() { return {{"calm", "loud", "none"}, {{90, 10, 0}, {1, 3, 0}, {0, 0, 0}}}; }

}  // namespace

class TestConfusionModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cellsSayCountsAndShares() {
        ConfusionModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QCOMPARE(model.rowCount(), 0);
        model.setMatrix(sample());
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.columnCount(), 3);
        QCOMPARE(at(model, 0, 1).toString(), u"10"_s);
        QCOMPARE(at(model, 1, 0, Qt::ToolTipRole).toString(), u"loud taken for calm: 1 of 4 rows (25.0 %)"_s);
        QCOMPARE(at(model, 1, 0, Qt::AccessibleTextRole), at(model, 1, 0, Qt::ToolTipRole));
        QCOMPARE(at(model, 0, 0, ConfusionModel::ShareRole).toDouble(), 0.9);
        QVERIFY(!at(model, 2, 2, ConfusionModel::ShareRole).isValid());
        QCOMPARE(at(model, 2, 0, Qt::ToolTipRole).toString(), u"No row is of the class none."_s);
        QCOMPARE(model.headerData(1, Qt::Vertical, Qt::DisplayRole).toString(), u"loud"_s);
        QCOMPARE(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString(), u"loud"_s);
        QVERIFY(model.headerData(1, Qt::Vertical, Qt::ToolTipRole).toString().contains(u'4'));
        QVERIFY(model.headerData(1, Qt::Horizontal, Qt::ToolTipRole).toString().contains(u"13"_s));
    }

    /// A larger share is the stronger colour; hits and mistakes have colours of their own; nothing has none.
    void sharesAreSeen() {
        ConfusionModel model;
        model.setMatrix(sample());
        const auto colour = [&](int row, int column) {
            return at(model, row, column, Qt::BackgroundRole).value<QBrush>().color();
        };
        QVERIFY(colour(0, 0).alphaF() > colour(1, 1).alphaF());  // 90 % and 75 %
        QVERIFY(colour(1, 0).alphaF() > colour(0, 1).alphaF());  // 25 % and 10 %
        QVERIFY(colour(0, 0).rgb() == colour(1, 1).rgb());
        QVERIFY(colour(0, 0).rgb() != colour(0, 1).rgb());
        QVERIFY(!at(model, 0, 2, Qt::BackgroundRole).isValid());
    }

    void newCountsOfTheSameClassesChangeInPlace() {
        ConfusionModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.setMatrix(sample());
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        auto next = sample();
        next.counts[0] = {95, 5, 0};
        model.setMatrix(next);
        QCOMPARE(reset.count(), 0);
        QCOMPARE(changed.count(), 1);
        QCOMPARE(at(model, 0, 0).toString(), u"95"_s);
        model.setMatrix({{"a", "b"}, {{1, 0}, {0, 1}}});
        QCOMPARE(reset.count(), 1);
        model.setMatrix({});
        QCOMPARE(model.rowCount(), 0);
    }

private:
    static QVariant at(const ConfusionModel& model, int row, int column, int role = Qt::DisplayRole) {
        return model.index(row, column).data(role);
    }
};

QTEST_MAIN(TestConfusionModel)
#include "tst_confusion_model.moc"
