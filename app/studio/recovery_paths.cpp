#include "app/studio/recovery_paths.h"

#include <algorithm>

#include "engine/spec/recipe.h"

namespace pareto::studio {

RecoveryPaths::RecoveryPaths(Runs& runs, QObject* parent) : QObject(parent), m_runs(runs) {
    connect(&runs, &Runs::changed, this, &RecoveryPaths::follow);
    follow();
}

RecoveryPaths::~RecoveryPaths() = default;

bool RecoveryPaths::saysRecovery(const std::string& summary) {
    std::size_t begin = 0;
    while (begin < summary.size()) {
        const auto end = std::min(summary.find(' ', begin), summary.size());
        const auto word = summary.substr(begin, end - begin);
        const auto kind = word.substr(0, word.find('/'));
        if (kind == "train" || kind == "distil" || kind == nameOf(RecoverMethod::Reconstruct)) {
            return true;
        }
        begin = end + 1;
    }
    return false;
}

void RecoveryPaths::follow() {
    if (m_reading != 0 && m_runs.frame()->find(m_reading) == nullptr) {
        m_reading = 0;  // it is gone: no answer comes
    }
    derive();
    readNext();
}

void RecoveryPaths::readNext() {
    if (m_reading != 0) {
        return;
    }
    for (const RunId id : m_runs.comparable().comparable) {
        const auto* run = m_runs.frame()->find(id);
        if (run == nullptr || m_before.count(id) > 0 || !saysRecovery(run->recipeSummary)) {
            continue;
        }
        m_reading = id;
        m_before[id].clear();  // asked once, whatever comes
        m_runs.fetch(id, this, [this, id](const RunRecordPtr& record) {
            m_reading = 0;
            if (auto recipe = recipeFromJson(record->recipe);
                recipe.ok() && !recipe->recover.empty()) {
                recipe->recover.clear();
                m_before[id] = recipeHash(recipe.value());
            }
            follow();
        });
        return;
    }
}

/// The newest run of the recipe without recovery is where the path begins.
void RecoveryPaths::derive() {
    Paths paths;
    const auto& frame = *m_runs.frame();
    const auto& comparable = m_runs.comparable().comparable;
    std::unordered_map<std::string, RunId> newest;  // model and recipe
    const auto keyOf = [](const store::RunSummary& run, const std::string& recipe) {
        return run.modelHash + '/' + recipe;
    };
    for (const RunId id : comparable) {
        if (const auto* run = frame.find(id)) {
            newest[keyOf(*run, run->recipeHash)] = id;
        }
    }
    for (const RunId id : comparable) {
        const auto before = m_before.find(id);
        const auto* run = frame.find(id);
        if (before == m_before.end() || before->second.empty() || run == nullptr) {
            continue;
        }
        const auto found = newest.find(keyOf(*run, before->second));
        if (found != newest.end() && found->second != id) {
            paths.emplace_back(found->second, id);
        }
    }
    if (paths != m_paths) {
        m_paths = std::move(paths);
        Q_EMIT changed();
    }
}

}  // namespace pareto::studio
