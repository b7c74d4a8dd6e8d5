#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <QObject>

#include "app/studio/runs.h"

namespace pareto::studio {

/// Which comparable runs are the same but for recovery: from the run of a recipe to the run of that
/// recipe with recovery steps, on the same model. Found from the recipes of stored runs, which are
/// read one after the other where the summary says that a run trained; without the unrecovered run
/// there is no path. GUI thread.
class RecoveryPaths : public QObject {
    Q_OBJECT
public:
    using Paths = std::vector<std::pair<RunId, RunId>>;  ///< before, after

    explicit RecoveryPaths(Runs& runs, QObject* parent = nullptr);
    ~RecoveryPaths() override;

    const Paths& paths() const { return m_paths; }
    /// Whether a recipe's summary names a recovery step.
    static bool saysRecovery(const std::string& summary);

Q_SIGNALS:
    void changed();

private:
    void follow();
    void readNext();
    void derive();

    Runs& m_runs;
    Paths m_paths;
    /// Hash of a run's recipe without its recovery; empty: it has none. A run's recipe never
    /// changes.
    std::unordered_map<RunId, std::string> m_before;
    RunId m_reading = 0;
};

}  // namespace pareto::studio
