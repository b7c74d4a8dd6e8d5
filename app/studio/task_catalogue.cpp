#include "app/studio/task_catalogue.h"

#include <algorithm>

#include "app/studio/settings.h"
#include "app/studio/texts.h"

namespace pareto::studio {

TaskCatalogue::TaskCatalogue(Settings& settings, QObject* parent)
    : QObject(parent), m_settings(settings) {}

QString TaskCatalogue::titleOf(const Task& task) {
    QString title = fromUtf8(task.name);
    if (const auto* metric = findMetric(headlineMetric(task.kind))) {
        title += QStringLiteral(" · ") + metricText(*metric);
    }
    if (task.limit > 0) {
        title += QStringLiteral(" · ") + tr("%n row(s)", nullptr, static_cast<int>(task.limit));
    }
    return title;
}

std::vector<Task> TaskCatalogue::ownTasks() const {
    std::vector<Task> out;
    for (const auto& text : m_settings.ownTasks()) {
        auto task = loadTask(text.toStdString());
        if (task.ok()) {
            out.push_back(std::move(task).value());
        }
    }
    return out;
}

std::vector<TaskChoice> TaskCatalogue::choices(const ModelLayout* layout) const {
    std::vector<TaskChoice> out;
    const auto add = [&](const Task& task, bool available, bool own) {
        TaskChoice choice{task, titleOf(task), {}, own};
        if (layout == nullptr) {
            choice.reason = tr("open a model first");
        } else if (const QString reason = whyUnfitText(task, *layout); !reason.isEmpty()) {
            choice.reason = reason;
        } else if (!available) {
            choice.reason = tr("its data is not on this machine; ./dev setup fetches it");
        }
        out.push_back(std::move(choice));
    };
    for (const auto& task : builtInTasks()) {
        add(task.task, task.available, false);
    }
    for (const auto& task : ownTasks()) {
        add(task, true, true);
    }
    std::stable_partition(out.begin(), out.end(),
                          [](const auto& choice) { return choice.reason.isEmpty(); });
    return out;
}

void TaskCatalogue::addOwn(const Task& task) {
    auto tasks = ownTasks();
    std::erase_if(tasks, [&](const Task& other) { return other.name == task.name; });
    tasks.push_back(task);
    QStringList texts;
    for (const auto& each : tasks) {
        texts.append(QString::fromStdString(taskToJson(each).dump()));
    }
    m_settings.setOwnTasks(texts);
    Q_EMIT changed();
}

void TaskCatalogue::removeOwn(const QString& name) {
    auto tasks = ownTasks();
    std::erase_if(tasks, [&](const Task& other) { return fromUtf8(other.name) == name; });
    QStringList texts;
    for (const auto& each : tasks) {
        texts.append(QString::fromStdString(taskToJson(each).dump()));
    }
    m_settings.setOwnTasks(texts);
    Q_EMIT changed();
}

std::optional<Task> TaskCatalogue::suggestion(const ModelLayout& layout) const {
    const auto all = choices(&layout);
    if (all.empty() || !all.front().reason.isEmpty()) {
        return std::nullopt;
    }
    return all.front().task;
}

}  // namespace pareto::studio
