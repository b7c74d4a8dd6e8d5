#pragma once

#include <cstdint>
#include <vector>

#include <QObject>
#include <QString>
#include <QStringList>

namespace pareto::studio {

using RunId = std::int64_t;  ///< as in the store; 0: none

/// Which runs and which layers are chosen, everywhere at once: ids, never rows or items. Each set has
/// a current member (the one Details shows); it is always one of the set, or none. GUI thread.
class Selection : public QObject {
    Q_OBJECT
public:
    explicit Selection(QObject* parent = nullptr) : QObject(parent) {}

    const std::vector<RunId>& runs() const { return m_runs; }
    RunId currentRun() const { return m_currentRun; }
    bool containsRun(RunId id) const;
    /// `current` 0: the last of `ids`.
    void setRuns(std::vector<RunId> ids, RunId current = 0);
    void setRun(RunId id) { setRuns(id == 0 ? std::vector<RunId>{} : std::vector<RunId>{id}, id); }
    /// Adds the run, or takes it away when it was chosen (Ctrl+click).
    void toggleRun(RunId id);

    /// Names of layers, groups ("….attention") or blocks.
    const QStringList& layers() const { return m_layers; }
    const QString& currentLayer() const { return m_currentLayer; }
    void setLayers(QStringList names, QString current = {});

Q_SIGNALS:
    void runsChanged();
    void layersChanged();

private:
    std::vector<RunId> m_runs;
    RunId m_currentRun = 0;
    QStringList m_layers;
    QString m_currentLayer;
};

}  // namespace pareto::studio
