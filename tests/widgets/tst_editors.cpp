#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QMainWindow>
#include <QSignalSpy>
#include <QSlider>
#include <QStandardItemModel>
#include <QStyle>
#include <QStyleOptionSlider>
#include <QTest>
#include <QVBoxLayout>

#include "widgets/editors/format_chooser.h"
#include "widgets/editors/metric_chooser.h"
#include "widgets/editors/rate_spin.h"
#include "widgets/editors/ratio_editor.h"

using namespace pareto;
using namespace pareto::widgets;

Q_DECLARE_METATYPE(pareto::widgets::FormatChoice)

class TestEditors : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void typedRatioIsCommittedOnce();
    void settingFromElsewhereEmitsNothing();
    void oneDragIsOneGesture();
    void undoKeysReachTheWindow();
    void undoKeysInsideALineEditStay();
    void formatChoiceRoundTrip();
    void formatChosenByKeyboard();
    void groupOnlyForCodes();
    void unavailableSaysWhy();
    void metricChooserGreysWhatNobodyMeasured();
    void ratesOfAnyMagnitude();
};

void TestEditors::ratesOfAnyMagnitude() {
    RateSpin spin;
    spin.setLocale(QLocale::c());
    spin.show();
    spin.setValue(5e-5);
    QCOMPARE(spin.text(), QStringLiteral("5e-05"));
    const auto stepped = [&spin](int steps) {
        spin.stepBy(steps);
        return spin.value();
    };
    QCOMPARE(stepped(1), 1e-4);
    QCOMPARE(stepped(1), 2e-4);
    QCOMPARE(stepped(2), 1e-3);
    QCOMPARE(stepped(-1), 5e-4);
    QCOMPARE(stepped(-3), 5e-5);
    spin.setValue(3e-4);  // between two of them
    QCOMPARE(stepped(1), 5e-4);
    spin.setValue(3e-4);
    QCOMPARE(stepped(-1), 2e-4);
    QCOMPARE(stepped(99), 10.0);
    spin.setValue(0.0);
    QCOMPARE(stepped(-1), 0.0);
    QCOMPARE(stepped(1), 1e-6);
    QSignalSpy changed(&spin, &QDoubleSpinBox::valueChanged);
    const auto typed = [&spin](const QString& text) {
        spin.setFocus();
        spin.selectAll();
        QTest::keyClicks(&spin, text);
        QTest::keyClick(&spin, Qt::Key_Return);
        return spin.value();
    };
    QCOMPARE(typed(QStringLiteral("3.5e-6")), 3.5e-6);
    QCOMPARE(changed.count(), 1);
    QCOMPARE(typed(QStringLiteral("0.02")), 0.02);
    QCOMPARE(typed(QStringLiteral("e-")), 0.02);    // no number
    QCOMPARE(typed(QStringLiteral("4e9")), 0.02);   // out of range
}

void TestEditors::typedRatioIsCommittedOnce() {
    RatioEditor editor(QStringLiteral("recipeHeadsRatio"), QStringLiteral("Heads to remove"));
    editor.show();
    QSignalSpy edited(&editor, &RatioEditor::ratioEdited);
    auto* spin = editor.findChild<QDoubleSpinBox*>(QStringLiteral("recipeHeadsRatioSpin"));
    QVERIFY(spin);
    spin->setFocus();
    spin->selectAll();
    QTest::keyClicks(spin, QStringLiteral("20"));
    QCOMPARE(edited.count(), 0);  // not while typing
    QTest::keyClick(spin, Qt::Key_Return);
    QCOMPARE(edited.count(), 1);
    QCOMPARE(edited.first().at(0).toDouble(), 0.2);
    QCOMPARE(editor.slider()->value(), 20);
}

void TestEditors::settingFromElsewhereEmitsNothing() {
    RatioEditor editor(QStringLiteral("x"), QStringLiteral("x"));
    QSignalSpy edited(&editor, &RatioEditor::ratioEdited);
    editor.setRatio(0.375);
    QCOMPARE(edited.count(), 0);
    QCOMPARE(editor.ratio(), 0.375);
    QCOMPARE(editor.slider()->value(), 38);
}

void TestEditors::oneDragIsOneGesture() {
    RatioEditor editor(QStringLiteral("x"), QStringLiteral("x"));
    editor.resize(400, 40);
    editor.show();
    QVERIFY(QTest::qWaitForWindowExposed(&editor));
    QSignalSpy edited(&editor, &RatioEditor::ratioEdited);
    QSlider* slider = editor.slider();
    QStyleOptionSlider option;
    option.initFrom(slider);
    option.orientation = Qt::Horizontal;
    option.minimum = 0;
    option.maximum = 100;
    const QRect handle = slider->style()->subControlRect(QStyle::CC_Slider, &option,
                                                         QStyle::SC_SliderHandle, slider);
    const QPoint start = handle.center();
    for (int drag = 0; drag < 2; ++drag) {
        const QPoint from = drag == 0 ? start : start + QPoint(80, 0);
        QTest::mousePress(slider, Qt::LeftButton, {}, from);
        for (int step = 1; step <= 4; ++step) {
            QTest::mouseMove(slider, from + QPoint(20 * step, 0));
        }
        QTest::mouseRelease(slider, Qt::LeftButton, {}, from + QPoint(80, 0));
    }
    QVERIFY(edited.count() >= 4);
    QSet<int> gestures;
    for (const auto& change : edited) {
        gestures.insert(change.at(1).toInt());
    }
    QCOMPARE(gestures.size(), 2);
    // Keys are steps of their own.
    const int before = static_cast<int>(edited.count());
    QTest::keyClick(slider, Qt::Key_Right);
    QTest::keyClick(slider, Qt::Key_Right);
    QCOMPARE(edited.count(), before + 2);
    QVERIFY(edited.at(before).at(1).toInt() != edited.at(before + 1).at(1).toInt());
}

void TestEditors::undoKeysReachTheWindow() {
    QMainWindow window;
    QAction undo;
    undo.setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Z));
    QAction redo;
    redo.setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z));
    window.addAction(&undo);
    window.addAction(&redo);
    auto* editor = new RatioEditor(QStringLiteral("x"), QStringLiteral("x"));
    window.setCentralWidget(editor);
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QSignalSpy undone(&undo, &QAction::triggered);
    QSignalSpy redone(&redo, &QAction::triggered);
    editor->spinBox()->setFocus();
    QTest::keyClicks(editor->spinBox(), QStringLiteral("5"));
    QTest::keyClick(editor->spinBox(), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(undone.count(), 1);
    QTest::keyClick(editor->spinBox(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(redone.count(), 1);
}

void TestEditors::undoKeysInsideALineEditStay() {
    // The control experiment: without the filter Qt's line edit takes Ctrl+Z.
    QMainWindow window;
    QAction undo;
    undo.setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Z));
    window.addAction(&undo);
    auto* name = new QLineEdit;
    window.setCentralWidget(name);
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QSignalSpy undone(&undo, &QAction::triggered);
    name->setFocus();
    QTest::keyClicks(name, QStringLiteral("abc"));
    QTest::keyClick(name, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(undone.count(), 0);
    QVERIFY(name->text() != QStringLiteral("abc"));
}

void TestEditors::formatChoiceRoundTrip() {
    FormatChooser chooser(QStringLiteral("recipe"), QStringLiteral("Bits"));
    QSignalSpy edited(&chooser, &FormatChooser::choiceEdited);
    const FormatChoice choices[] = {{std::nullopt, Granularity::Channel, 64},
                                    {NumberFormat::Int8, Granularity::Tensor, 64},
                                    {NumberFormat::Int4, Granularity::Group, 64},
                                    {NumberFormat::Int4, Granularity::Group, 48},
                                    {NumberFormat::F8, Granularity::Channel, 64},
                                    {NumberFormat::Int16, Granularity::Tensor, 64},
                                    {NumberFormat::Int3, Granularity::Group, 32},
                                    {NumberFormat::Int2, Granularity::Group, 32}};
    for (const auto& choice : choices) {
        chooser.setChoice(choice);
        QVERIFY(chooser.choice() == choice);
    }
    QCOMPARE(edited.count(), 0);
}

void TestEditors::formatChosenByKeyboard() {
    FormatChooser chooser(QStringLiteral("recipe"), QStringLiteral("Bits"));
    chooser.show();
    QSignalSpy edited(&chooser, &FormatChooser::choiceEdited);
    auto* bits = chooser.findChild<QComboBox*>(QStringLiteral("recipeBitsCombo"));
    QVERIFY(bits);
    bits->setFocus();
    QTest::keyClick(bits, Qt::Key_End);
    QCOMPARE(edited.count(), 1);
    QVERIFY(chooser.choice().weights == NumberFormat::Int2);
    // Each format says what it is for; "as in the file" needs no words.
    for (int row = 1; row < bits->count(); ++row) {
        QVERIFY(!bits->itemData(row, Qt::ToolTipRole).toString().isEmpty());
    }
}

void TestEditors::groupOnlyForCodes() {
    FormatChooser chooser(QStringLiteral("recipe"), QStringLiteral("Bits"));
    auto* group = chooser.findChild<QComboBox*>(QStringLiteral("recipeGroupCombo"));
    QVERIFY(!group->isEnabled());
    chooser.setChoice({NumberFormat::Int8, Granularity::Channel, 64});
    QVERIFY(group->isEnabled());
    chooser.setChoice({NumberFormat::BF16, Granularity::Channel, 64});
    QVERIFY(!group->isEnabled());
    chooser.setChoice({NumberFormat::F8, Granularity::Channel, 64});
    QVERIFY(group->isEnabled());
}

void TestEditors::unavailableSaysWhy() {
    RatioEditor editor(QStringLiteral("x"), QStringLiteral("x"));
    editor.setUnavailable(QStringLiteral("This model has no attention heads."));
    QVERIFY(!editor.isEnabled());
    QCOMPARE(editor.toolTip(), QStringLiteral("This model has no attention heads."));
    editor.setUnavailable({});
    QVERIFY(editor.isEnabled());
}

void TestEditors::metricChooserGreysWhatNobodyMeasured() {
    MetricChooser chooser;
    chooser.setMetricKey(QStringLiteral("accuracy"));
    QCOMPARE(chooser.metricKey(), QStringLiteral("accuracy"));
    chooser.setMetricKey(QStringLiteral("nonsense"));
    QCOMPARE(chooser.metricKey(), QStringLiteral("accuracy"));
    std::vector<bool> measured(static_cast<std::size_t>(chooser.count()), true);
    measured[0] = false;
    chooser.setMeasured(measured);
    auto* items = qobject_cast<QStandardItemModel*>(chooser.model());
    QVERIFY(!items->item(0)->isEnabled());
    QVERIFY(items->item(1)->isEnabled());
    QSignalSpy chosen(&chooser, &MetricChooser::metricChosen);
    chooser.show();
    chooser.setFocus();
    QTest::keyClick(&chooser, Qt::Key_Down);
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(chosen.first().first().toString(), QStringLiteral("f1_macro"));
}

QTEST_MAIN(TestEditors)
#include "tst_editors.moc"
