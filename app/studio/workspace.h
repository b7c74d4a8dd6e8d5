#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include <QObject>
#include <QString>

#include "app/studio/recipe_document.h"
#include "app/studio/run_frame.h"
#include "engine/core/error.h"
#include "engine/spec/layers.h"
#include "engine/spec/resolve.h"
#include "engine/spec/target.h"
#include "engine/spec/task.h"

namespace pareto::studio {

/// The work of one window: one model, one recipe, one task, one target. Owners of state hold it; a
/// widget says what is wanted (a setter here) and follows the signals. GUI thread.
class Workspace : public QObject {
    Q_OBJECT
public:
    explicit Workspace(QString draftFolder, QObject* parent = nullptr);
    ~Workspace() override;

    const ModelPtr& model() const { return m_model; }  ///< null: none is open
    bool opening() const { return m_opening != 0; }
    /// SHA-256 of the model's content as runs carry it; empty until it has been computed.
    const QString& modelHash() const { return m_modelHash; }

    RecipeDocument& recipe() { return m_recipe; }
    const RecipeDocument& recipe() const { return m_recipe; }

    const std::optional<Task>& task() const { return m_task; }
    const Target& target() const { return m_target; }
    /// What a run must agree in to be comparable with one started now.
    ComparisonKey comparison() const;

    /// Reads headers in the pool; `modelChanged` or `modelFailed` follows. The draft of the model's
    /// recipe is opened with it. A later call overtakes an earlier one.
    void openModel(const QString& path);
    void reloadModel();
    void closeModel();
    void setTask(std::optional<Task> task);
    void setTarget(const Target& target);
    /// MachineInfo::id of the target's machine; empty: not known, or there is but one.
    void setMachine(const QString& id);

Q_SIGNALS:
    void openingChanged();
    void modelChanged();
    void modelHashChanged();
    void modelFailed(const QString& path, const pareto::Error& error);
    void taskChanged();
    void targetChanged();

private:
    struct Opened;
    void finishOpen(int ticket, const QString& path, Opened opened);
    void hashContent(const QString& path);

    RecipeDocument m_recipe;
    ModelPtr m_model;
    QString m_modelHash;
    std::optional<Task> m_task;
    Target m_target;
    QString m_machine;
    int m_opening = 0;  ///< ticket of the open in progress
    int m_lastTicket = 0;
    std::stop_source m_hashStop;
};

}  // namespace pareto::studio
