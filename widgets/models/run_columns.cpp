#include "widgets/models/run_columns.h"

#include <QHash>

namespace pareto::widgets {

namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

QString setKey(const RunColumns& columns, std::size_t row) {
    return columns.taskKey[row] + QChar(u'\x1f') + columns.targetKey[row];
}

}  // namespace

RunColumns::RunColumns() : metrics(metricCatalogue().size()) {}

void RunColumns::reserve(std::size_t rows) {
    const auto each = [rows](auto&... columns) { (columns.reserve(rows), ...); };
    each(id, name, note, status, startedAt, modelName, modelHash, recipe, recipeHash, taskName,
         taskKey, target, targetKey, headline, baseline, pinned, deleted, disturbed);
    for (auto& metric : metrics) {
        each(metric.value, metric.low, metric.high);
    }
    m_rowOf.reserve(rows);
}

void RunColumns::append(const RunRow& row) {
    m_rowOf[row.id] = size();
    id.push_back(row.id);
    name.push_back(row.name);
    note.push_back(row.note);
    status.push_back(row.status);
    startedAt.push_back(row.startedAt);
    modelName.push_back(row.modelName);
    modelHash.push_back(row.modelHash);
    recipe.push_back(row.recipe);
    recipeHash.push_back(row.recipeHash);
    taskName.push_back(row.taskName);
    taskKey.push_back(row.taskKey);
    target.push_back(row.target);
    targetKey.push_back(row.targetKey);
    headline.push_back(metricIndex(row.headlineKey.toStdString()));
    baseline.push_back(row.baseline ? 1 : 0);
    pinned.push_back(row.pinned ? 1 : 0);
    deleted.push_back(row.deleted ? 1 : 0);
    disturbed.push_back(row.disturbed ? 1 : 0);
    for (auto& metric : metrics) {
        metric.value.push_back(kAbsent);
        metric.low.push_back(kAbsent);
        metric.high.push_back(kAbsent);
    }
    for (const auto& figure : row.figures) {
        const int index = metricIndex(figure.key);
        if (index >= 0) {
            auto& metric = metrics[static_cast<std::size_t>(index)];
            metric.value.back() = figure.value;
            metric.low.back() = figure.low.value_or(kAbsent);
            metric.high.back() = figure.high.value_or(kAbsent);
        }
    }
}

void RunColumns::finish() {
    QHash<QString, int> pinnedOf;
    QHash<QString, int> baselineOf;  // by set and model
    for (std::size_t row = 0; row < id.size(); ++row) {
        if (deleted[row] || status[row] != RunStatus::Finished) {
            continue;
        }
        const QString key = setKey(*this, row);
        if (pinned[row]) {
            pinnedOf[key] = static_cast<int>(row);
        }
        if (baseline[row]) {
            const QString ofModel = key + QChar(u'\x1f') + modelHash[row];
            const auto known = baselineOf.constFind(ofModel);
            if (known == baselineOf.constEnd()
                || startedAt[static_cast<std::size_t>(*known)] <= startedAt[row]) {
                baselineOf[ofModel] = static_cast<int>(row);
            }
        }
    }
    baselineRow.assign(id.size(), -1);
    for (std::size_t row = 0; row < id.size(); ++row) {
        const QString key = setKey(*this, row);
        const auto chosen = pinnedOf.constFind(key);
        baselineRow[row] = chosen != pinnedOf.constEnd()
                               ? *chosen
                               : baselineOf.value(key + QChar(u'\x1f') + modelHash[row], -1);
    }
}

int RunColumns::rowOf(std::int64_t runId) const {
    const auto found = m_rowOf.find(runId);
    return found == m_rowOf.end() ? -1 : found->second;
}

bool RunColumns::comparable(int a, int b) const {
    const auto i = static_cast<std::size_t>(a);
    const auto j = static_cast<std::size_t>(b);
    return taskKey[i] == taskKey[j] && targetKey[i] == targetKey[j];
}

int RunColumns::metricIndex(std::string_view key) {
    const auto& catalogue = metricCatalogue();
    for (std::size_t i = 0; i < catalogue.size(); ++i) {
        if (catalogue[i].key == key) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

}  // namespace pareto::widgets
