#include "app/studio/store_thread.h"

#include <QTimer>

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {
constexpr int kWatchMs = 1000;
}

/// Lives on the store thread; nobody else touches the store.
class StoreThread::Connection : public QObject {
public:
    Connection(QString path, StoreThread* owner) : m_path(std::move(path)), m_owner(owner) {}

    void open() {
        auto opened = store::Store::open(m_path.toStdString());
        if (!opened.ok() && opened.error().code != ErrorCode::StoreForeign) {
            m_problem = opened.error();
            auto readable = store::Store::openReadOnly(m_path.toStdString());
            if (readable.ok()) {
                m_store = std::move(readable).value();
            }
        } else if (!opened.ok()) {
            m_problem = opened.error();
        } else {
            m_store = std::move(opened).value();
            (void)m_store->markInterrupted();
        }
        const bool readOnly = m_store && m_store->readOnly();
        const std::optional<Error> problem = m_problem;
        QMetaObject::invokeMethod(
            m_owner,
            [owner = m_owner, readOnly, problem] {
                owner->m_readOnly = readOnly;
                owner->m_problem = problem;
                Q_EMIT owner->opened();
            },
            Qt::QueuedConnection);
        if (m_store) {
            rememberVersion();
            m_watch = new QTimer(this);
            connect(m_watch, &QTimer::timeout, this, &Connection::watch);
            m_watch->start(kWatchMs);
        }
    }

    void run(const Work& work) {
        static const Error none =
            makeError(ErrorCode::StoreFailure, {{"file", ""}, {"reason", "not open"}});
        work(m_store.get(), m_problem ? *m_problem : none);
    }

private:
    void rememberVersion() {
        const auto version = m_store->dataVersion();
        if (version.ok()) {
            m_version = version.value();
        }
    }

    void watch() {
        const auto version = m_store->dataVersion();
        if (version.ok() && version.value() != m_version) {
            m_version = version.value();
            QMetaObject::invokeMethod(
                m_owner, [owner = m_owner] { Q_EMIT owner->changedOutside(); },
                Qt::QueuedConnection);
        }
    }

    QString m_path;
    StoreThread* m_owner;
    std::unique_ptr<store::Store> m_store;
    std::optional<Error> m_problem;
    QTimer* m_watch = nullptr;
    std::int64_t m_version = 0;
};

StoreThread::StoreThread(const QString& path, QObject* parent)
    : QObject(parent), m_path(path), m_connection(new Connection(path, this)) {
    m_thread.setObjectName(u"store"_s);
    m_connection->moveToThread(&m_thread);
    connect(&m_thread, &QThread::started, m_connection, [this] { m_connection->open(); });
    connect(&m_thread, &QThread::finished, m_connection, &QObject::deleteLater);
    m_thread.start();
}

StoreThread::~StoreThread() {
    // Queued behind all work that was posted before.
    QMetaObject::invokeMethod(
        m_connection, [this] { m_thread.quit(); }, Qt::QueuedConnection);
    m_thread.wait();
}

void StoreThread::post(Work work) {
    QMetaObject::invokeMethod(
        m_connection, [this, work = std::move(work)] { m_connection->run(work); },
        Qt::QueuedConnection);
}

}  // namespace pareto::studio
