#include "app/studio/selection.h"

#include <algorithm>

namespace pareto::studio {

bool Selection::containsRun(RunId id) const {
    return std::find(m_runs.begin(), m_runs.end(), id) != m_runs.end();
}

void Selection::setRuns(std::vector<RunId> ids, RunId current) {
    if (std::find(ids.begin(), ids.end(), current) == ids.end()) {
        current = ids.empty() ? 0 : ids.back();
    }
    if (ids == m_runs && current == m_currentRun) {
        return;
    }
    m_runs = std::move(ids);
    m_currentRun = current;
    Q_EMIT runsChanged();
}

void Selection::toggleRun(RunId id) {
    auto ids = m_runs;
    const auto found = std::find(ids.begin(), ids.end(), id);
    if (found == ids.end()) {
        ids.push_back(id);
        setRuns(std::move(ids), id);
    } else {
        ids.erase(found);
        setRuns(std::move(ids));
    }
}

void Selection::setLayers(QStringList names, QString current) {
    if (!names.contains(current)) {
        current = names.isEmpty() ? QString() : names.last();
    }
    if (names == m_layers && current == m_currentLayer) {
        return;
    }
    m_layers = std::move(names);
    m_currentLayer = std::move(current);
    Q_EMIT layersChanged();
}

}  // namespace pareto::studio
