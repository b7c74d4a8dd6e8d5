#include "app/studio/workspace.h"

#include <stop_token>

#include <QFutureWatcher>
#include <QtConcurrent>

#include "app/studio/model_opener.h"

namespace pareto::studio {

struct Workspace::Opened {
    Result<ModelPtr> model;
};

Workspace::Workspace(QString draftFolder, QObject* parent)
    : QObject(parent), m_recipe(std::move(draftFolder)) {}

Workspace::~Workspace() { m_hashStop.request_stop(); }

ComparisonKey Workspace::comparison() const {
    ComparisonKey key;
    if (m_task) {
        key.task = taskKey(*m_task);
    }
    key.target = targetKey(m_target, m_model && m_model->generates());
    if (!m_machine.isEmpty()) {
        key.target += " machine=" + m_machine.toStdString();
    }
    return key;
}

void Workspace::openModel(const QString& path) {
    const int ticket = ++m_lastTicket;
    m_opening = ticket;
    Q_EMIT openingChanged();
    auto* watcher = new QFutureWatcher<std::shared_ptr<Opened>>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, ticket, path] {
        watcher->deleteLater();
        finishOpen(ticket, path, *watcher->result());
    });
    watcher->setFuture(
        QtConcurrent::run([path] { return std::make_shared<Opened>(Opened{readModel(path)}); }));
}

void Workspace::finishOpen(int ticket, const QString& path, Opened opened) {
    if (ticket != m_opening) {
        return;
    }
    m_opening = 0;
    Q_EMIT openingChanged();
    if (!opened.model.ok()) {
        if (!opened.model.cancelled()) {
            Q_EMIT modelFailed(path, opened.model.error());
        }
        return;
    }
    const bool same = m_model && m_model->path == opened.model.value()->path;
    m_model = std::move(opened.model).value();
    m_modelHash.clear();
    m_recipe.setModel(m_model, same);
    if (m_task && !whyUnfit(*m_task, m_model->layout).empty()) {
        m_task.reset();
    }
    Q_EMIT modelChanged();
    Q_EMIT taskChanged();
    hashContent(m_model->path);
}

void Workspace::hashContent(const QString& path) {
    m_hashStop.request_stop();
    m_hashStop = std::stop_source();
    auto* watcher = new QFutureWatcher<QString>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, path] {
        watcher->deleteLater();
        if (m_model && m_model->path == path && !watcher->result().isEmpty()) {
            m_modelHash = watcher->result();
            Q_EMIT modelHashChanged();
        }
    });
    watcher->setFuture(QtConcurrent::run([path, stop = m_hashStop.get_token()] {
        auto hash = readContentHash(path, stop);
        return hash.ok() ? std::move(hash).value() : QString();
    }));
}

void Workspace::reloadModel() {
    if (m_model) {
        openModel(m_model->path);
    }
}

void Workspace::closeModel() {
    m_opening = 0;
    m_hashStop.request_stop();
    m_model.reset();
    m_modelHash.clear();
    m_recipe.setModel({}, false);
    Q_EMIT openingChanged();
    Q_EMIT modelChanged();
}

void Workspace::setTask(std::optional<Task> task) {
    if (task == m_task) {
        return;
    }
    m_task = std::move(task);
    Q_EMIT taskChanged();
}

void Workspace::setMachine(const QString& id) {
    if (id != m_machine) {
        m_machine = id;
        Q_EMIT targetChanged();
    }
}

void Workspace::setTarget(const Target& target) {
    if (target == m_target) {
        return;
    }
    m_target = target;
    Q_EMIT targetChanged();
}

}  // namespace pareto::studio
