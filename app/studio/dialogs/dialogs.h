#pragma once

#include <functional>
#include <utility>
#include <vector>

#include <QString>
#include <QStringList>

#include "engine/core/error.h"

QT_BEGIN_NAMESPACE
class QDialog;
class QWidget;
QT_END_NAMESPACE

namespace pareto::studio {

struct FileRequest {
    enum class Kind { OpenFile, OpenFolder, SaveFile };
    Kind kind = Kind::OpenFile;
    QString id;  ///< objectName, and the key of the folder it begins in
    QString title;
    QString folder;       ///< where it begins; empty: where it last was
    QString name;         ///< suggestion when saving
    QStringList filters;  ///< "Recipes (*.json)"
    QString suffix;       ///< added when saving without one
};

struct Question {
    QString id;
    QString title;
    QString text;
    QString accept;  ///< text of the button that goes on
    QString reject;  ///< text of the button that does not; it is the default
};

/// The one place where dialogs are opened: window-modal and without a nested event loop, so that
/// nothing behind them stops.
class Dialogs {
public:
    virtual ~Dialogs() = default;
    /// Opens it; it deletes itself when it is closed.
    virtual void show(QDialog* dialog) = 0;
    virtual void chooseFile(const FileRequest& request,
                            std::function<void(const QString&)> chosen) = 0;
    virtual void ask(const Question& question, std::function<void()> accepted) = 0;
    /// What failed, with "Copy details".
    virtual void tell(const QString& title, const Error& error) = 0;
};

/// The real one: children of the window.
class WindowDialogs : public Dialogs {
public:
    explicit WindowDialogs(QWidget& window) : m_window(window) {}
    void show(QDialog* dialog) override;
    void chooseFile(const FileRequest& request,
                    std::function<void(const QString&)> chosen) override;
    void ask(const Question& question, std::function<void()> accepted) override;
    void tell(const QString& title, const Error& error) override;

private:
    QWidget& m_window;
    std::vector<std::pair<QString, QString>> m_folders;  ///< last folder by request id
};

}  // namespace pareto::studio
