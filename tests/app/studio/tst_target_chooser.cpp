#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QMenu>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QTest>
#include <QToolButton>

#include "app/studio/main_window.h"
#include "app/studio/toolbar/target_chooser.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

/// Which devices can be chosen, as the worker greets.
class TestTargetChooser : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cleanup() { qunsetenv("PARETO_FAKE_WORKER"); }

    void gpusAreListedAndChosen() {
        qputenv("PARETO_FAKE_WORKER", "gpus");
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto* devices = opened(*application);
        QTRY_COMPARE(devices->count(), 3);
        QCOMPARE(devices->itemText(2), u"cuda:1 NVIDIA Test (sm_89, 8.0 GB)"_s);
        QVERIFY(!reason(*application)->isVisibleTo(reason(*application)->parentWidget()));
        devices->setCurrentIndex(2);
        Q_EMIT devices->activated(2);
        QCOMPARE(application->services().workspace.target().device, std::string("cuda:1"));
    }

    void whyThereIsNoneIsSaid() {
        qputenv("PARETO_FAKE_WORKER", "old-driver");
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(reason(*application)->text().contains(u"until the worker has started"_s));
        auto* devices = opened(*application);
        QTRY_VERIFY2(reason(*application)->text().contains(u"knows CUDA 12.4"_s),
                     qPrintable(reason(*application)->text()));
        QVERIFY(reason(*application)->text().contains(u"cuda:0"_s));
        QCOMPARE(devices->count(), 2);
        QVERIFY(!qobject_cast<QStandardItemModel*>(devices->model())->item(1)->isEnabled());
        QVERIFY(devices->itemData(1, Qt::ToolTipRole)
                    .toString()
                    .contains(u"Update the driver to 580"_s));
    }

    /// Each process keeps to its part of the cores, and a GPU takes none.
    void aModelInParts() {
        qputenv("PARETO_FAKE_WORKER", "gpus");
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto* devices = opened(*application);
        QTRY_COMPARE(devices->count(), 3);
        auto* button = application->window().findChild<QToolButton*>(u"targetChooser"_s);
        const auto spin = [button](const QString& name) { return button->menu()->findChild<QSpinBox*>(name); };
        const auto& target = application->services().workspace.target();
        spin(u"targetThreadsSpin"_s)->setValue(TargetChooser::availableThreads());
        spin(u"targetTensorSpin"_s)->setValue(2);
        QCOMPARE(target.tensorParallel, 2);
        QCOMPARE(target.threads, std::max(1, TargetChooser::availableThreads() / 2));
        QVERIFY2(button->text().contains(u"tp 2"_s), qPrintable(button->text()));
        spin(u"targetPipelineSpin"_s)->setValue(3);
        QCOMPARE(target.processes(), 6);
        QVERIFY(button->text().contains(u"pp 3"_s));
        devices->setCurrentIndex(1);
        Q_EMIT devices->activated(1);
        QCOMPARE(target.processes(), 1);
        QVERIFY(!spin(u"targetTensorSpin"_s)->isVisibleTo(button->menu()));
    }

    void theWholeReasonIsSeen() {
        qputenv("PARETO_FAKE_WORKER", "old-driver");
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto* menu = application->window().findChild<QToolButton*>(u"targetChooser"_s)->menu();
        menu->popup(QPoint(0, 0));  // the worker answers while it is open
        auto* label = reason(*application);
        QTRY_VERIFY(label->text().contains(u"knows CUDA 12.4"_s));
        QTRY_COMPARE(label->height(), label->heightForWidth(label->width()));
        auto* last = menu->findChild<QWidget*>(u"targetSequenceSpin"_s);
        QTRY_VERIFY(menu->rect().contains(QRect(last->mapTo(menu, QPoint()), last->size())));
        QVERIFY(label->mapTo(menu, QPoint(0, label->height())).y() <= last->mapTo(menu, QPoint()).y());
        menu->hide();
    }

private:
    /// The list of devices after the menu was asked for, which starts the worker.
    static QComboBox* opened(Application& application) {
        auto* button = application.window().findChild<QToolButton*>(u"targetChooser"_s);
        Q_EMIT button->menu()->aboutToShow();
        return button->menu()->findChild<QComboBox*>(u"targetDeviceCombo"_s);
    }
    static QLabel* reason(Application& application) {
        return application.window().findChild<QLabel*>(u"targetDeviceReason"_s);
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestTargetChooser chooser;
    return QTest::qExec(&chooser, argc, argv);
}
#include "tst_target_chooser.moc"
