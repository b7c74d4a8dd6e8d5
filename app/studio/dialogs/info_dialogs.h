#pragma once

#include <QDialog>

#include "app/studio/recipe_document.h"

namespace pareto::studio {

class Actions;
class WorkerClient;

/// Versions of the program and of what it stands on.
class AboutDialog : public QDialog {
    Q_OBJECT
public:
    explicit AboutDialog(const WorkerClient& worker, QWidget* parent = nullptr);
    /// The same as plain text, for --version and "Copy".
    static QString versions(const WorkerClient* worker);
};

/// Every command with its keys, from the registry.
class ShortcutsDialog : public QDialog {
    Q_OBJECT
public:
    explicit ShortcutsDialog(const Actions& actions, QWidget* parent = nullptr);
};

/// What the opened model is: family, sizes, files.
class PropertiesDialog : public QDialog {
    Q_OBJECT
public:
    PropertiesDialog(const ModelInfo& model, const QString& hash, QWidget* parent = nullptr);
};

/// What each part of the window is for, in a page.
class HelpDialog : public QDialog {
    Q_OBJECT
public:
    explicit HelpDialog(QWidget* parent = nullptr);
};

}  // namespace pareto::studio
