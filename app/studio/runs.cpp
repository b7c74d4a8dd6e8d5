#include "app/studio/runs.h"

#include <algorithm>

#include "app/studio/store_thread.h"
#include "app/studio/workspace.h"

namespace pareto::studio {
namespace {

constexpr int kPage = 5000;           ///< rows a read: a long SELECT locks writers out
constexpr std::size_t kRecords = 16;  ///< whole records kept

Result<std::vector<store::RunSummary>> readAll(store::Store& store) {
    std::vector<store::RunSummary> all;
    store::RunFilter filter;
    filter.includeDeleted = true;
    filter.limit = kPage;
    for (;;) {
        PARETO_TRY(auto page, store.runs(filter));
        if (page.empty()) {
            return all;
        }
        for (auto& row : page) {
            filter.afterId = std::max(filter.afterId, row.id);
            all.push_back(std::move(row));
        }
        if (static_cast<int>(page.size()) < kPage) {
            return all;
        }
    }
}

}  // namespace

Runs::Runs(StoreThread& store, Workspace& workspace, QObject* parent)
    : QObject(parent), m_store(store), m_workspace(workspace) {
    connect(&store, &StoreThread::changedOutside, this, &Runs::reload);
    connect(&store, &StoreThread::opened, this, &Runs::reload);
    for (const auto signal : {&Workspace::taskChanged, &Workspace::targetChanged,
                              &Workspace::modelChanged, &Workspace::modelHashChanged}) {
        connect(&workspace, signal, this, &Runs::compareAgain);
    }
}

Runs::~Runs() = default;

RunId Runs::baselineFor(RunId run) const {
    const auto* summary = m_frame->find(run);
    return summary == nullptr ? 0 : studio::baselineFor(*m_frame, *summary);
}

void Runs::reload() {
    if (m_reading) {
        m_readAgain = true;
        return;
    }
    m_reading = true;
    m_store.ask<std::vector<store::RunSummary>>(readAll, this, [this](auto result) {
        m_reading = false;
        if (result.ok()) {
            adopt(std::move(result).value());
        } else if (!result.cancelled()) {
            Q_EMIT failed(result.error());
        }
        if (std::exchange(m_readAgain, false)) {
            reload();
        }
    });
}

void Runs::adopt(std::vector<store::RunSummary> rows) {
    m_frame = std::make_shared<const RunFrame>(std::move(rows));
    m_loaded = true;
    std::erase_if(m_records,
                  [this](const auto& entry) { return m_frame->find(entry.first) == nullptr; });
    compareAgain();
}

void Runs::compareAgain() {
    m_comparable = comparableRuns(*m_frame, m_workspace.comparison());
    m_baseline = baselineOf(*m_frame, m_comparable, m_workspace.modelHash().toStdString());
    Q_EMIT changed();
}

void Runs::fetch(RunId id, QObject* context, std::function<void(const RunRecordPtr&)> done) {
    const auto found = std::find_if(m_records.begin(), m_records.end(),
                                    [id](const auto& entry) { return entry.first == id; });
    if (found != m_records.end()) {
        std::rotate(found, std::next(found), m_records.end());
        done(m_records.back().second);
        return;
    }
    const QPointer<QObject> guard(context);
    m_store.ask<RunRecord>([id](store::Store& store) { return store.run(id); }, this,
                           [this, id, guard, done = std::move(done)](Result<RunRecord> result) {
                               if (!result.ok()) {
                                   return;
                               }
                               auto record =
                                   std::make_shared<const RunRecord>(std::move(result).value());
                               if (record->status == RunStatus::Finished) {
                                   m_records.emplace_back(id, record);
                                   if (m_records.size() > kRecords) {
                                       m_records.erase(m_records.begin());
                                   }
                               }
                               if (guard) {
                                   done(record);
                               }
                           });
}

void Runs::write(std::function<Status(store::Store&)> work, RunId forget) {
    std::erase_if(m_records, [forget](const auto& entry) { return entry.first == forget; });
    m_store.ask<Done>(std::move(work), this, [this](Result<Done> result) {
        if (!result.ok() && !result.cancelled()) {
            Q_EMIT failed(result.error());
        }
        reload();
    });
}

void Runs::rename(RunId id, const QString& name) {
    write([id, text = name.toStdString()](store::Store& store) { return store.rename(id, text); },
          id);
}

void Runs::setNote(RunId id, const QString& note) {
    write([id, text = note.toStdString()](store::Store& store) { return store.setNote(id, text); },
          id);
}

void Runs::setPinned(RunId id, bool pinned) {
    write([id, pinned](store::Store& store) { return store.setPinned(id, pinned); }, 0);
}

void Runs::setDeleted(const std::vector<RunId>& ids, bool deleted) {
    if (ids.empty()) {
        return;
    }
    write([ids, deleted](store::Store& store) { return store.setDeleted(ids, deleted); }, 0);
    if (deleted) {
        Q_EMIT hidden(ids);
    }
}

void Runs::emptyDeleted() {
    write([](store::Store& store) { return store.emptyDeleted(); }, 0);
}

}  // namespace pareto::studio
