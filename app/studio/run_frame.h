#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "app/studio/selection.h"
#include "engine/store/store.h"

namespace pareto::studio {

/// The headline figures of all stored runs, immutable once made; the table, the plots and Compare
/// share one. Rows are ordered by id, oldest first; deleted (hidden) runs are in it, marked.
class RunFrame {
public:
    RunFrame() = default;
    explicit RunFrame(std::vector<store::RunSummary> rows);

    const std::vector<store::RunSummary>& rows() const { return m_rows; }
    const store::RunSummary* find(RunId id) const;

private:
    std::vector<store::RunSummary> m_rows;
    std::unordered_map<RunId, std::size_t> m_index;
};
using RunFramePtr = std::shared_ptr<const RunFrame>;

/// What runs must agree in to be compared: the settings of the task and the target now chosen. Stored
/// keys begin with these and go on with what only a run knows (the data's hash, the machine).
struct ComparisonKey {
    std::string task;    ///< pareto::taskKey(task); empty: no task is chosen
    std::string target;  ///< pareto::targetKey(target, decoder)
    bool operator==(const ComparisonKey&) const = default;
};

/// The runs that may be compared now, and those that may not.
struct ComparableSet {
    std::vector<RunId> comparable;  ///< finished, not deleted, same full task and target key
    std::vector<RunId> hidden;      ///< the other finished runs that are not deleted
    std::string taskKey;            ///< full keys of the set: those of the newest run that matches
    std::string targetKey;
    bool contains(RunId id) const;
};
ComparableSet comparableRuns(const RunFrame& frame, const ComparisonKey& key);

/// True when both were measured with the same task, data, target and machine.
bool areComparable(const store::RunSummary& a, const store::RunSummary& b);

/// What a run is compared with: the pinned run of its comparable set, else the newest finished run of
/// the same model with the empty recipe in that set; 0 when there is none.
RunId baselineFor(const RunFrame& frame, const store::RunSummary& run);
/// The baseline of the set as a whole (the plot's diamond): the pinned run, else the newest run with
/// the empty recipe, of the model `modelHash` when one is given and has one.
RunId baselineOf(const RunFrame& frame, const ComparableSet& set, const std::string& modelHash);

}  // namespace pareto::studio
