#include "app/studio/commands/view_commands.h"

#include <QAction>
#include <QActionGroup>
#include <QDockWidget>
#include <QMenu>
#include <QTabWidget>

#include "app/studio/actions.h"
#include "app/studio/main_window.h"
#include "app/studio/settings.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

ViewCommands::ViewCommands(const Services& services, MainWindow& window)
    : QObject(&window), m_services(services), m_window(window) {
    addPages();
    addPanes();
    addThemes();
    addLanguages();
    connect(services.actions["view.resetLayout"], &QAction::triggered, &window,
            &MainWindow::resetLayout);
}

ViewCommands::~ViewCommands() {
    for (const char* id : {"view.pages", "view.panes", "view.theme", "view.language"}) {
        m_services.actions[id]->setMenu(static_cast<QMenu*>(nullptr));
    }
}

QMenu* ViewCommands::addMenu(const char* action, const QString& name) {
    auto* menu = new QMenu(&m_window);
    menu->setObjectName(name);
    m_services.actions[action]->setMenu(menu);
    return menu;
}

void ViewCommands::addPages() {
    auto* menu = addMenu("view.pages", u"pagesMenu"_s);
    auto* pages = m_window.findChild<QTabWidget*>(u"pages"_s);
    for (int i = 0; i < pages->count(); ++i) {
        auto* action = menu->addAction(pages->tabText(i));
        action->setObjectName(u"view.page%1"_s.arg(i + 1));
        action->setShortcut(QKeySequence(u"Alt+%1"_s.arg(i + 1)));
        connect(action, &QAction::triggered, pages, [pages, i] { pages->setCurrentIndex(i); });
    }
}

void ViewCommands::addPanes() {
    auto* menu = addMenu("view.panes", u"panesMenu"_s);
    for (auto* dock : m_window.findChildren<QDockWidget*>()) {
        menu->addAction(dock->toggleViewAction());
    }
}

void ViewCommands::addThemes() {
    auto* menu = addMenu("view.theme", u"themeMenu"_s);
    auto* group = new QActionGroup(menu);
    const std::pair<ThemeChoice, QString> themes[] = {{ThemeChoice::System, tr("&System")},
                                                      {ThemeChoice::Light, tr("&Light")},
                                                      {ThemeChoice::Dark, tr("&Dark")}};
    for (const auto& [theme, title] : themes) {
        auto* action = menu->addAction(title);
        action->setObjectName(u"theme.%1"_s.arg(static_cast<int>(theme)));
        action->setCheckable(true);
        action->setActionGroup(group);
        action->setChecked(m_services.settings.theme() == theme);
        connect(action, &QAction::triggered, this, [this, theme = theme] {
            m_services.settings.setTheme(theme);
            Q_EMIT m_window.themeChosen();
        });
    }
}

void ViewCommands::addLanguages() {
    auto* menu = addMenu("view.language", u"languageMenu"_s);
    auto* group = new QActionGroup(menu);
    // Languages are named in themselves, so that everybody finds their own.
    const std::pair<QString, QString> languages[] = {
        {QString(), tr("&System")}, {u"en"_s, u"English"_s}, {u"zh_CN"_s, u"简体中文"_s}};
    for (const auto& [code, title] : languages) {
        auto* action = menu->addAction(title);
        action->setObjectName(u"language."_s + (code.isEmpty() ? u"system"_s : code));
        action->setCheckable(true);
        action->setActionGroup(group);
        action->setChecked(m_services.settings.language() == code);
        connect(action, &QAction::triggered, this,
                [this, code = code] { Q_EMIT m_window.languageChosen(code); });
    }
}

}  // namespace pareto::studio
