#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <QObject>
#include <QPointer>
#include <QString>
#include <QThread>

#include "engine/store/store.h"

namespace pareto::studio {

/// The studio's only connection to the store, on a thread of its own. Work is done in the order it was
/// asked for; answers arrive on the GUI thread. Once a second it looks whether another process has
/// committed.
class StoreThread : public QObject {
    Q_OBJECT
public:
    explicit StoreThread(const QString& path, QObject* parent = nullptr);
    /// Finishes the work that was asked for, then closes.
    ~StoreThread() override;

    const QString& path() const { return m_path; }
    bool readOnly() const { return m_readOnly; }
    const std::optional<Error>& problem() const { return m_problem; }

    /// Runs `work` on the thread and `done` with its result on the GUI thread, unless `context` has
    /// been destroyed by then. Without an open store `done` gets the error of opening it.
    template <typename T>
    void ask(std::function<Result<T>(store::Store&)> work, QObject* context,
             std::function<void(Result<T>)> done) {
        const QPointer<QObject> guard(context);
        post([this, work = std::move(work), guard, done = std::move(done)](store::Store* store,
                                                                           const Error& problem) {
            auto result =
                std::make_shared<Result<T>>(store != nullptr ? work(*store) : Result<T>(problem));
            QMetaObject::invokeMethod(
                this,
                [guard, done, result] {
                    if (guard) {
                        done(std::move(*result));
                    }
                },
                Qt::QueuedConnection);
        });
    }

Q_SIGNALS:
    void opened();          ///< or failed to: see problem(), readOnly()
    void changedOutside();  ///< another process has committed

private:
    class Connection;
    using Work = std::function<void(store::Store*, const Error&)>;
    void post(Work work);

    QString m_path;
    QThread m_thread;
    Connection* m_connection = nullptr;  ///< lives on m_thread
    bool m_readOnly = false;
    std::optional<Error> m_problem;
};

}  // namespace pareto::studio
