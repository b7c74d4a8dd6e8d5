#include <cmath>

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAccessible>
#include <QAction>
#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTest>
#include <QToolButton>
#include <QTranslator>

#include "app/studio/actions.h"
#include "app/studio/dialogs/export_dialog.h"
#include "app/studio/dialogs/grid_dialog.h"
#include "app/studio/dialogs/info_dialogs.h"
#include "app/studio/dialogs/new_project_dialog.h"
#include "app/studio/dialogs/preferences_dialog.h"
#include "app/studio/dialogs/sweep_dialog.h"
#include "app/studio/main_window.h"
#include "app/studio/playground/trial_panel.h"
#include "app/studio/services.h"
#include "app/studio/sweeps.h"
#include "app/studio/settings.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

/// Makes every text 40 % longer, as a language with long words would.
class LongTexts : public QTranslator {
public:
    bool isEmpty() const override { return false; }
    QString translate(const char* /*context*/, const char* source, const char* /*comment*/,
                      int n) const override {
        QString text = QString::fromUtf8(source);
        if (n >= 0) {
            text.replace(u"%n"_s, QString::number(n));
            text.replace(u"%Ln"_s, QString::number(n));
        }
        if (text.startsWith(u'<')) {
            return text;
        }
        const auto extra = (text.size() * 2 + 4) / 5;
        return text + QString(extra, u'ö').left(extra);
    }
};

/// Qt's own parts (scroll bars, line edits inside spin boxes) carry Qt's names.
bool isOwn(const QWidget* widget) {
    return !widget->objectName().startsWith(u"qt_"_s) &&
           !QByteArray(widget->metaObject()->className()).startsWith("Q") &&
           widget->parentWidget() != nullptr;
}

bool partOfQtWidget(const QWidget* widget) {
    for (const auto* parent = widget->parentWidget(); parent != nullptr;
         parent = parent->parentWidget()) {
        if (qobject_cast<const QComboBox*>(parent) || parent->inherits("QAbstractSpinBox") ||
            parent->inherits("QAbstractScrollArea") || parent->inherits("QLineEdit") ||
            parent->inherits("QMenu") || parent->inherits("QDockWidgetTitleButton") ||
            parent->inherits("QTabBar") || parent->inherits("QMenuBar") ||
            parent->inherits("QToolBar")) {
            return true;
        }
    }
    return false;
}

QString describe(const QWidget* widget) {
    QStringList path;
    for (const auto* at = widget; at != nullptr; at = at->parentWidget()) {
        path.prepend(at->objectName().isEmpty() ? QString::fromLatin1(at->metaObject()->className())
                                                : at->objectName());
    }
    return path.join(u" > "_s);
}

QString accessibleName(QWidget* widget) {
    auto* interface = QAccessible::queryAccessibleInterface(widget);
    return interface == nullptr ? widget->accessibleName() : interface->text(QAccessible::Name);
}

/// Widgets that show a text which is wider than they are.
QStringList clipped(QWidget* window) {
    QStringList out;
    for (auto* widget : window->findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(window) || widget->visibleRegion().isEmpty()) {
            continue;
        }
        int needed = 0;
        if (auto* button = qobject_cast<QAbstractButton*>(widget);
            button != nullptr && !button->text().isEmpty() &&
            !button->objectName().startsWith(u"qt_"_s)) {
            const auto* tool = qobject_cast<QToolButton*>(widget);
            if (tool != nullptr && tool->toolButtonStyle() == Qt::ToolButtonIconOnly) {
                continue;
            }
            needed =
                button->fontMetrics().horizontalAdvance(QString(button->text()).remove(u'&')) + 4;
        } else if (auto* label = qobject_cast<QLabel*>(widget);
                   label != nullptr && !label->wordWrap() && label->textFormat() != Qt::RichText) {
            needed = label->fontMetrics().horizontalAdvance(QString(label->text()).remove(u'&'));
        }
        if (needed > widget->width()) {
            out.append(
                u"%1: %2 px for %3"_s.arg(describe(widget)).arg(widget->width()).arg(needed));
        }
    }
    return out;
}

void walkNames(QWidget* window) {
    QHash<QString, QWidget*> seen;
    for (auto* widget : window->findChildren<QWidget*>()) {
        if (widget->objectName().startsWith(u"qt_"_s) || partOfQtWidget(widget)) {
            continue;
        }
        const bool interactive = widget->focusPolicy() != Qt::NoFocus || isOwn(widget);
        if (interactive) {
            QVERIFY2(!widget->objectName().isEmpty(),
                     qPrintable(u"no name: "_s + describe(widget)));
            QVERIFY2(!seen.contains(widget->objectName()),
                     qPrintable(u"twice: %1 and %2"_s.arg(
                         describe(widget), describe(seen.value(widget->objectName())))));
            seen.insert(widget->objectName(), widget);
        }
        if (widget->focusPolicy() != Qt::NoFocus) {
            QVERIFY2(!accessibleName(widget).isEmpty(),
                     qPrintable(u"no accessible name: "_s + describe(widget)));
        }
    }
    QVERIFY(seen.size() > 0);
}

}  // namespace

class TestWindowWalk : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void namesAreThereAndUnique() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        walkNames(&application->window());
        for (auto* action : application->services().actions.all()) {
            QVERIFY(!action->text().isEmpty());
        }
    }

    void docksAndPagesAreNamed() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        for (const auto& name :
             {u"recipeDock"_s, u"layersDock"_s, u"runsDock"_s, u"jobsDock"_s, u"detailsDock"_s}) {
            QVERIFY2(application->window().findChild<QDockWidget*>(name) != nullptr,
                     qPrintable(name));
        }
        for (const auto& name :
             {u"paretoPage"_s, u"comparePage"_s, u"reportPage"_s, u"profilePage"_s, u"trainingPage"_s,
              u"itemsPage"_s, u"playgroundPage"_s,
              u"dataPage"_s, u"layersTree"_s, u"recipeHeadsRatioSpin"_s}) {
            QVERIFY2(application->window().findChild<QWidget*>(name) != nullptr, qPrintable(name));
        }
    }

    void docksKeepTheirSizesOverRestarts() {
        test::StudioFixture fixture;
        const std::vector<QString> names{u"recipeDock"_s, u"layersDock"_s, u"runsDock"_s,
                                         u"detailsDock"_s};
        std::vector<QSize> first;
        for (int start = 0; start < 3; ++start) {
            auto application = fixture.start();
            auto& window = application->window();
            if (start == 0) {
                window.resize(1366, 728);
            }
            QTest::qWait(100);
            std::vector<QSize> sizes;
            for (const auto& name : names) {
                sizes.push_back(window.findChild<QDockWidget*>(name)->size());
            }
            if (start == 0) {
                first = sizes;
                QVERIFY2(std::abs(sizes[0].width() - 450) <= 10,
                         qPrintable(QString::number(sizes[0].width())));
                QVERIFY2(std::abs(sizes[2].height() - 230) <= 30,
                         qPrintable(QString::number(sizes[2].height())));
            }
            for (std::size_t i = 0; i < names.size(); ++i) {
                QVERIFY2(sizes[i] == first[i],
                         qPrintable(u"%1, start %2: %3×%4, at first %5×%6"_s.arg(names[i])
                                        .arg(start)
                                        .arg(sizes[i].width())
                                        .arg(sizes[i].height())
                                        .arg(first[i].width())
                                        .arg(first[i].height())));
            }
            window.close();
        }
    }

    void exportFoldersHavePlainNames() {
        QCOMPARE(ExportDialog::folderName(u"injection-classifier"_s,
                                          u"50 % heads and neurons + int8"_s),
                 u"injection-classifier-50-heads-and-neurons-int8"_s);
        QCOMPARE(ExportDialog::folderName(u"m"_s, u"../W50 +1 (edited)"_s),
                 u"m-W50-1-edited"_s);
    }

    void nothingIsClipped_data() {
        QTest::addColumn<QString>("language");
        QTest::addColumn<bool>("longer");
        QTest::newRow("English") << u"en"_s << false;
        QTest::newRow("Chinese") << u"zh_CN"_s << false;
        QTest::newRow("40 % longer") << u"en"_s << true;
    }

    void nothingIsClipped() {
        QFETCH(QString, language);
        QFETCH(bool, longer);
        LongTexts texts;
        test::StudioFixture fixture(language);
        auto application = fixture.start();
        if (longer) {
            QCoreApplication::installTranslator(&texts);
            application->rebuildWindow();
        }
        application->window().resize(1366, 728);
        const auto empty = clipped(&application->window());
        QVERIFY2(empty.isEmpty(), qPrintable(empty.join(u'\n')));
        QVERIFY(fixture.open(*application));
        QTest::qWait(50);
        auto* pages = application->window().findChild<QTabWidget*>(u"pages"_s);
        for (int page = 0; page < pages->count(); ++page) {
            pages->setCurrentIndex(page);
            QTest::qWait(20);
            const auto open = clipped(&application->window());
            QVERIFY2(open.isEmpty(), qPrintable(open.join(u'\n')));
        }
        const auto* centre = application->window().findChild<QWidget*>(u"centre"_s);
        QVERIFY2(centre->width() >= 600 && centre->height() >= 300,
                 qPrintable(u"%1×%2"_s.arg(centre->width()).arg(centre->height())));
        QVERIFY2(application->window().width() <= 1366, "the window needs more than the screen");
        QCoreApplication::removeTranslator(&texts);
    }

    /// What the playground offers for other models than the one that is open.
    void noPanelOfThePlaygroundIsClipped_data() { nothingIsClipped_data(); }
    void noPanelOfThePlaygroundIsClipped() {
        QFETCH(QString, language);
        QFETCH(bool, longer);
        LongTexts texts;
        test::StudioFixture fixture(language);
        auto application = fixture.start();
        if (longer) {
            QCoreApplication::installTranslator(&texts);
        }
        for (const auto kind : kTrialKinds) {
            QWidget host;
            host.setObjectName(u"host"_s);
            auto* panel = makeTrialPanel(kind, &host);
            QVERIFY2(panel->minimumSizeHint().width() <= 850,
                     qPrintable(u"%1: %2"_s.arg(titleOf(kind)).arg(
                         panel->minimumSizeHint().width())));
            QVERIFY(panel->minimumSizeHint().height() <= 300);
            host.resize(880, 340);
            panel->resize(host.size());
            host.show();
            QVERIFY(QTest::qWaitForWindowExposed(&host));
            walkNames(&host);
            const auto cut = clipped(&host);
            QVERIFY2(cut.isEmpty(), qPrintable(cut.join(u'\n')));
        }
        QCoreApplication::removeTranslator(&texts);
    }

    void chineseIsShown() {
        test::StudioFixture fixture(u"zh_CN"_s);
        auto application = fixture.start();
        QCOMPARE(application->window().findChild<QDockWidget*>(u"recipeDock"_s)->windowTitle(),
                 u"配方"_s);
        application->useLanguage(u"en"_s);
        QCOMPARE(application->window().findChild<QDockWidget*>(u"recipeDock"_s)->windowTitle(),
                 u"Recipe"_s);
        QCOMPARE(application->services().actions[kActionOpen]->text(), u"&Open Model…"_s);
    }

    void everyPaneHasItsEmptyState() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        const auto shown = [&](const QString& name) {
            auto* widget = application->window().findChild<QWidget*>(name);
            return widget != nullptr && widget->isVisibleTo(widget->parentWidget());
        };
        for (const auto& name :
             {u"layersEmpty"_s, u"jobsEmpty"_s, u"paretoEmpty"_s, u"runsEmpty"_s}) {
            QVERIFY2(shown(name), qPrintable(name));
        }
        QCOMPARE(application->window().findChild<QLabel*>(u"layersEmptyText"_s)->text(),
                 u"Open a model to see its layers."_s);
        QCOMPARE(application->window().findChild<QLabel*>(u"jobsEmptyText"_s)->text(),
                 u"No jobs. F5 runs the recipe."_s);
    }

    void disabledActionsSayWhy() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto* run = application->services().actions[kActionRun];
        QVERIFY(!run->isEnabled());
        QVERIFY(run->toolTip().contains(u"open a model first"_s));
        QVERIFY(fixture.open(*application));
        QVERIFY(run->isEnabled());
    }

    void dialogsAreNamedToo() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        auto& window = application->window();
        const auto walk = [&](QDialog* dialog) {
            window.dialogs().show(dialog);
            QVERIFY(QTest::qWaitForWindowExposed(dialog));
            walkNames(dialog);
            const auto cut = clipped(dialog);
            QVERIFY2(cut.isEmpty(), qPrintable(cut.join(u'\n')));
            dialog->reject();
        };
        walk(new AboutDialog(services.worker, &window));
        walk(new ShortcutsDialog(services.actions, &window));
        walk(new PropertiesDialog(*services.workspace.model(), services.workspace.modelHash(),
                                  &window));
        walk(new PreferencesDialog(services.settings, &window));
        walk(new GridDialog({}, &window));
        const QString folder = fixture.file(u"a sweep with a name"_s);
        jobs::RunParams run;
        run.model = fixture.tinyClassifier().toStdString();
        QVERIFY(jobs::Sweep::create(folder.toStdString(), "a sweep", {run}).ok());
        const int sweep = services.sweeps.open(folder);
        QTRY_VERIFY(services.sweeps.find(sweep)->sweep != nullptr);
        walk(new SweepDialog(services.sweeps, sweep, &window));
        walk(new HelpDialog(&window));
        walk(new NewProjectDialog({}, window.dialogs(), &window));
    }

    void themesAreReadable() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        const auto contrast = [](const QColor& a, const QColor& b) {
            const auto luminance = [](const QColor& colour) {
                const auto channel = [](double v) {
                    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
                };
                return 0.2126 * channel(colour.redF()) + 0.7152 * channel(colour.greenF()) +
                       0.0722 * channel(colour.blueF());
            };
            const double high = std::max(luminance(a), luminance(b));
            const double low = std::min(luminance(a), luminance(b));
            return (high + 0.05) / (low + 0.05);
        };
        for (const auto theme : {ThemeChoice::Light, ThemeChoice::Dark}) {
            application->services().settings.setTheme(theme);
            Q_EMIT application->window().themeChosen();
            const auto palette = QApplication::palette();
            QVERIFY(contrast(palette.color(QPalette::Text), palette.color(QPalette::Base)) >= 4.5);
            QVERIFY(contrast(palette.color(QPalette::WindowText),
                             palette.color(QPalette::Window)) >= 4.5);
            QVERIFY(contrast(palette.color(QPalette::HighlightedText),
                             palette.color(QPalette::Highlight)) >= 4.5);
        }
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestWindowWalk walk;
    return QTest::qExec(&walk, argc, argv);
}
#include "tst_window_walk.moc"
