#pragma once

#include <functional>
#include <memory>

#include <QFutureWatcher>
#include <QObject>
#include <QtConcurrent>

namespace pareto::studio {

/// Runs `work` in the pool and `done` with what it made on the thread of `context`, unless that has been
/// destroyed by then. What a QFuture brings must be copyable; a Result is not always.
template <typename T, typename Work>
void inPool(QObject* context, Work work, std::function<void(T&)> done) {
    auto* watcher = new QFutureWatcher<std::shared_ptr<T>>(context);
    QObject::connect(watcher, &QFutureWatcherBase::finished, context,
                     [watcher, done = std::move(done)] {
                         watcher->deleteLater();
                         done(*watcher->result());
                     });
    watcher->setFuture(QtConcurrent::run(
        [work = std::move(work)]() mutable { return std::make_shared<T>(work()); }));
}

}  // namespace pareto::studio
