#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/studio/recipe_edit.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/models/layer_tree_model.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace Qt::StringLiterals;

class TestLayerTreeModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        m_info = test::tinyModel(m_folder.filePath(u"model"_s));
        QVERIFY(m_info != nullptr);
        m_layout = std::shared_ptr<const ModelLayout>(m_info, &m_info->layout);
    }

    void treeIsBlocksGroupsLayers() {
        LayerTreeModel model;
        QAbstractItemModelTester tester(&model,
                                        QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.setLayout(m_layout);
        show(model, {});
        const auto block = model.indexOf(QString::fromStdString(m_layout->blocks[0].name));
        QVERIFY(block.isValid());
        QCOMPARE(model.kindAt(block), LayerTreeModel::Kind::Block);
        QCOMPARE(model.rowCount(block), 2);
        const auto attention = model.index(0, 0, block);
        QCOMPARE(model.kindAt(attention), LayerTreeModel::Kind::Group);
        QCOMPARE(model.rowCount(attention), 4);
        QCOMPARE(model.index(0, LayerTreeModel::Shape, block).data().toString(), u"4 heads"_s);
    }

    void integersAndBoldFollowTheRecipe() {
        LayerTreeModel model;
        QAbstractItemModelTester tester(&model,
                                        QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.setLayout(m_layout);
        show(model, studio::withGroupRatio({}, *m_layout, {m_layout->groups[0].name}, 0.5));
        const auto group = model.indexOf(QString::fromStdString(m_layout->groups[0].name));
        QCOMPARE(group.siblingAtColumn(LayerTreeModel::Shape).data().toString(), u"4→2 heads"_s);
        QCOMPARE(group.siblingAtColumn(LayerTreeModel::Prune).data().toString(), u"50 %"_s);
        QVERIFY(
            group.siblingAtColumn(LayerTreeModel::Prune).data(Qt::FontRole).value<QFont>().bold());
        const auto other = model.indexOf(QString::fromStdString(m_layout->groups[2].name));
        QVERIFY(!other.siblingAtColumn(LayerTreeModel::Prune).data(Qt::FontRole).isValid());
    }

    void editsAreIntents() {
        LayerTreeModel model;
        model.setLayout(m_layout);
        show(model, {});
        const auto group = model.indexOf(QString::fromStdString(m_layout->groups[0].name));
        QSignalSpy ratios(&model, &LayerTreeModel::ratioRequested);
        QVERIFY(model.setData(group.siblingAtColumn(LayerTreeModel::Prune), 0.2));
        QCOMPARE(ratios.size(), 1);
        QCOMPARE(group.siblingAtColumn(LayerTreeModel::Prune).data().toString(), u"–"_s);
        QVERIFY(!model.setData(group.siblingAtColumn(LayerTreeModel::Bits), u"int8"_s));
        QVERIFY(!model.setData(group.siblingAtColumn(LayerTreeModel::Size), 3.0));
        QSignalSpy blocks(&model, &LayerTreeModel::blockRequested);
        const auto block = model.indexOf(QString::fromStdString(m_layout->blocks[0].name));
        QVERIFY(model.setData(block, Qt::Unchecked, Qt::CheckStateRole));
        QCOMPARE(blocks.first().at(1).toBool(), true);
    }

    void flatTableSortsAndFilters() {
        LayerTreeModel model;
        QAbstractItemModelTester tester(&model,
                                        QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.setLayout(m_layout);
        show(model, {});
        model.setGrouped(false);
        QCOMPARE(model.rowCount(), static_cast<int>(m_layout->layers.size()));
        model.sort(LayerTreeModel::Size, Qt::DescendingOrder);
        double last = 1e300;
        for (int row = 0; row < model.rowCount(); ++row) {
            const double size =
                model.index(row, LayerTreeModel::Size).data(LayerTreeModel::SortRole).toDouble();
            QVERIFY(size <= last);
            last = size;
        }
        QVERIFY(model.setFilter(u"/layer\\.1\\..*query$/"_s));
        QCOMPARE(model.rowCount(), 1);
        QVERIFY(!model.setFilter(u"/(/"_s));
        QCOMPARE(model.rowCount(), 1);
        QVERIFY(model.setFilter({}));
        model.setGrouped(true);
        QVERIFY(model.setFilter(u"query"_s));
        const auto query = model.index(0, 0, model.index(0, 0, model.index(0, 0)));
        QVERIFY(model.nameAt(query).endsWith(u"query"_s));
    }

private:
    void show(LayerTreeModel& model, const Recipe& recipe) {
        auto resolved = resolve(recipe, *m_layout);
        QVERIFY(resolved.ok());
        auto size = estimate(resolved.value(), *m_layout);
        model.setPlan(std::make_shared<const ResolvedRecipe>(resolved.value()),
                      std::make_shared<const SizeEstimate>(size));
    }

    QTemporaryDir m_folder;
    studio::ModelPtr m_info;
    std::shared_ptr<const ModelLayout> m_layout;
};

QTEST_MAIN(TestLayerTreeModel)
#include "tst_layer_tree_model.moc"
