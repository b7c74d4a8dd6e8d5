#include "app/studio/run_frame.h"

#include <algorithm>
#include <cctype>

namespace pareto::studio {
namespace {

bool finished(const store::RunSummary& run) {
    return run.status == RunStatus::Finished && !run.deleted;
}

/// Stored keys begin with the settings and go on, behind a separator, with what only a run knows.
bool startsWith(const std::string& key, const std::string& settings) {
    if (key.compare(0, settings.size(), settings) != 0) {
        return false;
    }
    return key.size() == settings.size() ||
           std::isalnum(static_cast<unsigned char>(key[settings.size()])) == 0;
}

bool matches(const store::RunSummary& run, const ComparisonKey& key) {
    const bool sameTask =
        key.task.empty() ? run.taskKey.empty() : startsWith(run.taskKey, key.task);
    return sameTask && startsWith(run.targetKey, key.target);
}

}  // namespace

RunFrame::RunFrame(std::vector<store::RunSummary> rows) : m_rows(std::move(rows)) {
    std::sort(m_rows.begin(), m_rows.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    m_index.reserve(m_rows.size());
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        m_index.emplace(m_rows[i].id, i);
    }
}

const store::RunSummary* RunFrame::find(RunId id) const {
    const auto found = m_index.find(id);
    return found == m_index.end() ? nullptr : &m_rows[found->second];
}

bool ComparableSet::contains(RunId id) const {
    return std::binary_search(comparable.begin(), comparable.end(), id);
}

ComparableSet comparableRuns(const RunFrame& frame, const ComparisonKey& key) {
    ComparableSet set;
    const auto& rows = frame.rows();
    const auto newest = std::find_if(rows.rbegin(), rows.rend(), [&](const auto& run) {
        return finished(run) && matches(run, key);
    });
    if (newest != rows.rend()) {
        set.taskKey = newest->taskKey;
        set.targetKey = newest->targetKey;
    }
    for (const auto& run : rows) {
        if (finished(run)) {
            const bool same = newest != rows.rend() && areComparable(run, *newest);
            (same ? set.comparable : set.hidden).push_back(run.id);
        }
    }
    return set;
}

bool areComparable(const store::RunSummary& a, const store::RunSummary& b) {
    return a.taskKey == b.taskKey && a.targetKey == b.targetKey;
}

RunId baselineFor(const RunFrame& frame, const store::RunSummary& run) {
    RunId newest = 0;
    for (const auto& other : frame.rows()) {
        if (!finished(other) || !areComparable(other, run)) {
            continue;
        }
        if (other.pinned) {
            return other.id;
        }
        if (other.baseline && other.modelHash == run.modelHash) {
            newest = other.id;
        }
    }
    return newest;
}

RunId baselineOf(const RunFrame& frame, const ComparableSet& set, const std::string& modelHash) {
    RunId newest = 0;
    RunId newestOfModel = 0;
    for (const auto id : set.comparable) {
        const auto* run = frame.find(id);
        if (run->pinned) {
            return id;
        }
        if (run->baseline) {
            newest = id;
            if (run->modelHash == modelHash) {
                newestOfModel = id;
            }
        }
    }
    return newestOfModel != 0 ? newestOfModel : newest;
}

}  // namespace pareto::studio
