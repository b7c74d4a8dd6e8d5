#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QStandardItemModel>
#include <QTableView>
#include <QTest>

#include "widgets/support/tsv.h"

using namespace pareto::widgets;

class TestTsv : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void roundTrip();
    void pastedFromASpreadsheet();
    void copiesSelectedRowsOfVisibleColumns();
};

void TestTsv::roundTrip() {
    const QList<QStringList> rows{{QStringLiteral("a\tb"), QStringLiteral("say \"x\"")},
                                  {QString(), QStringLiteral("two\nlines")}};
    QCOMPARE(fromTsv(toTsv(rows)), rows);
}

void TestTsv::pastedFromASpreadsheet() {
    const QList<QStringList> wanted{{QStringLiteral("20"), QStringLiteral("int8")},
                                    {QStringLiteral("30"), QStringLiteral("int4")}};
    QCOMPARE(fromTsv(QStringLiteral("20\tint8\r\n30\tint4\r\n")), wanted);
    QCOMPARE(fromTsv(QStringLiteral("20\tint8\n30\tint4")), wanted);
}

void TestTsv::copiesSelectedRowsOfVisibleColumns() {
    QStandardItemModel model(3, 3);
    for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < 3; ++column) {
            model.setItem(row, column,
                          new QStandardItem(QStringLiteral("%1.%2").arg(row).arg(column)));
        }
    }
    model.setHorizontalHeaderLabels({QStringLiteral("A"), QStringLiteral("B"), QStringLiteral("C")});
    QTableView view;
    view.setModel(&model);
    view.setSelectionBehavior(QAbstractItemView::SelectRows);
    QVERIFY(!copySelectedRows(view));
    view.setColumnHidden(1, true);
    view.horizontalHeader()->moveSection(2, 0);
    view.selectionModel()->select(model.index(2, 0),
                                  QItemSelectionModel::Select | QItemSelectionModel::Rows);
    view.selectionModel()->select(model.index(0, 0),
                                  QItemSelectionModel::Select | QItemSelectionModel::Rows);
    QVERIFY(copySelectedRows(view));
    QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("C\tA\n0.2\t0.0\n2.2\t2.0\n"));
}

QTEST_MAIN(TestTsv)
#include "tst_tsv.moc"
