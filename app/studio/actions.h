#pragma once

#include <vector>

#include <QHash>
#include <QKeySequence>
#include <QObject>
#include <QString>

QT_BEGIN_NAMESPACE
class QAction;
QT_END_NAMESPACE

namespace pareto::studio {

/// One line a command of the program: id (= objectName), menu, English text (translated in the
/// context "Actions"), shortcut, icon name and whether it can be checked.
struct ActionSpec {
    const char* id;
    const char* menu;  ///< "file", "edit", …; a row with an empty id is a separator
    const char* text;
    const char* shortcut;  ///< portable text; empty: none
    const char* icon;      ///< file under :/icons; empty: none
    bool checkable;
};

/// The one registry of commands: menus, toolbar, context menus and the list of shortcuts are all made
/// from it. Whoever carries a command out connects to its QAction; whoever owns the state that it
/// depends on enables it. GUI thread.
class Actions : public QObject {
    Q_OBJECT
public:
    explicit Actions(QObject* parent = nullptr);

    /// Exists for every id of the table; asking for another one is a programming error (asserts).
    QAction* action(const QString& id) const;
    QAction* operator[](const char* id) const { return action(QString::fromLatin1(id)); }
    /// Actions of a menu in order; a null entry is a separator.
    std::vector<QAction*> menu(const QString& menu) const;
    std::vector<QAction*> all() const;
    static const std::vector<ActionSpec>& table();
    /// Enables or disables; a disabled action says why in its tooltip and status tip.
    void setEnabled(const char* id, bool enabled, const QString& reason = {});
    /// Puts the texts of the present language in.
    void retranslate();

private:
    QHash<QString, QAction*> m_actions;
};

// Ids that pages and panes use:
inline constexpr const char* kActionRun = "run.start";
inline constexpr const char* kActionMeasureBaseline = "run.baseline";
inline constexpr const char* kActionRunPresets = "run.presets";
inline constexpr const char* kActionGrid = "run.grid";
inline constexpr const char* kActionOpenSweep = "run.openSweep";
inline constexpr const char* kActionProfile = "run.profile";
inline constexpr const char* kActionScaling = "run.scaling";
inline constexpr const char* kActionStop = "run.stop";
inline constexpr const char* kActionHold = "run.hold";
inline constexpr const char* kActionPin = "run.pin";
inline constexpr const char* kActionCompare = "run.compare";
inline constexpr const char* kActionItems = "run.items";
inline constexpr const char* kActionTry = "run.try";
inline constexpr const char* kActionUseRecipe = "run.useRecipe";
inline constexpr const char* kActionRerun = "run.again";
inline constexpr const char* kActionDelete = "run.delete";
inline constexpr const char* kActionCopyCommand = "run.copyCommand";
inline constexpr const char* kActionOpen = "file.open";
inline constexpr const char* kActionNewProject = "file.newProject";
inline constexpr const char* kActionOpenProject = "file.openProject";
inline constexpr const char* kActionSavePlot = "file.savePlot";
inline constexpr const char* kActionExport = "file.export";
inline constexpr const char* kActionFilter = "edit.filter";
inline constexpr const char* kActionSample = "help.sample";  ///< a menu of samples hangs on it

}  // namespace pareto::studio
