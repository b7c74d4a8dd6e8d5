#pragma once

#include <vector>

#include <QObject>
#include <QString>

#include "engine/spec/layers.h"
#include "engine/spec/task.h"

namespace pareto::studio {

class Settings;

struct TaskChoice {
    Task task;
    QString title;     ///< "prompt-injection · accuracy · 400 of 2,101" without counts of rows
    QString reason;    ///< why it cannot be chosen; empty: it can
    bool own = false;  ///< made by the user
};

/// The tasks the window offers: those that come with the program and those of the user. GUI thread.
class TaskCatalogue : public QObject {
    Q_OBJECT
public:
    explicit TaskCatalogue(Settings& settings, QObject* parent = nullptr);

    /// Those that fit `layout` first; without a model none can be chosen.
    std::vector<TaskChoice> choices(const ModelLayout* layout) const;
    void addOwn(const Task& task);
    void removeOwn(const QString& name);
    /// What to choose when a model is opened: the first that fits; nullopt: none does.
    std::optional<Task> suggestion(const ModelLayout& layout) const;
    static QString titleOf(const Task& task);

Q_SIGNALS:
    void changed();

private:
    std::vector<Task> ownTasks() const;
    Settings& m_settings;
};

}  // namespace pareto::studio
