#include <algorithm>
#include <cmath>

#include <QAction>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/theme.h"

using namespace pareto::widgets;

class TestEmptyState : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void buttonsFollowTheirActions();
    void menuActionsOpenTheirMenu();
    void narrowLabelsEndInDots();
    void textStandsOutInBothThemes();
};

void TestEmptyState::buttonsFollowTheirActions() {
    QAction action(QStringLiteral("Measure &Baseline"));
    action.setObjectName(QStringLiteral("run.baseline"));
    EmptyState state;
    state.setObjectName(QStringLiteral("paretoEmpty"));
    state.setText(QStringLiteral("Nothing measured yet."));
    auto* button = state.addButton(&action);
    QCOMPARE(button->objectName(), QStringLiteral("paretoEmptyRunBaselineButton"));
    QCOMPARE(button->accessibleName(), QStringLiteral("Measure Baseline"));
    state.show();
    QSignalSpy triggered(&action, &QAction::triggered);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(triggered.count(), 1);
    action.setEnabled(false);
    QVERIFY(!button->isEnabled());
    action.setText(QStringLiteral("Messen"));
    QCOMPARE(button->text(), QStringLiteral("Messen"));
}

void TestEmptyState::menuActionsOpenTheirMenu() {
    QMenu menu(QStringLiteral("Open sample"));
    menu.menuAction()->setObjectName(QStringLiteral("help.sample"));
    EmptyState state;
    auto* button = state.addButton(menu.menuAction());
    QCOMPARE(button->menu(), &menu);
}

void TestEmptyState::narrowLabelsEndInDots() {
    ElidedLabel label;
    label.setFullText(QStringLiteral("/home/somebody/models/a-model-with-a-long-name"));
    label.resize(90, 20);
    label.show();
    QVERIFY(QTest::qWaitForWindowExposed(&label));
    label.resize(90, 20);
    QVERIFY(label.text().endsWith(QChar(u'…')));
    QCOMPARE(label.toolTip(), label.fullText());
    QCOMPARE(label.accessibleName(), label.fullText());
    label.resize(900, 20);
    QCoreApplication::processEvents();
    QCOMPARE(label.text(), label.fullText());
    QVERIFY(label.toolTip().isEmpty());
}

void TestEmptyState::textStandsOutInBothThemes() {
    // WCAG 2.1: contrast of at least 4.5 for text, 3 for marks.
    const auto luminance = [](const QColor& colour) {
        const auto part = [](double value) {
            return value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
        };
        return 0.2126 * part(colour.redF()) + 0.7152 * part(colour.greenF())
               + 0.0722 * part(colour.blueF());
    };
    const auto contrast = [&](const QColor& a, const QColor& b) {
        const double x = luminance(a);
        const double y = luminance(b);
        return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
    };
    for (const auto& palette : {lightPalette(), darkPalette()}) {
        const PlotColours colours = plotColours(palette);
        for (const auto& text : {colours.text, colours.mutedText, colours.better, colours.worse}) {
            QVERIFY2(contrast(text, colours.background) >= 4.5, qPrintable(text.name()));
        }
        for (const auto& mark : colours.series) {
            QVERIFY2(contrast(mark, colours.background) >= 3.0, qPrintable(mark.name()));
        }
        QVERIFY(contrast(palette.color(QPalette::HighlightedText), palette.color(QPalette::Highlight))
                >= 4.0);
    }
}

QTEST_MAIN(TestEmptyState)
#include "tst_empty_state.moc"
