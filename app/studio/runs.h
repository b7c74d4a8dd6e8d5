#pragma once

#include <functional>
#include <memory>

#include <QObject>

#include "app/studio/run_frame.h"
#include "engine/records/run_record.h"

namespace pareto::studio {

class StoreThread;
class Workspace;

using RunRecordPtr = std::shared_ptr<const RunRecord>;

/// The runs as the window sees them: the current frame, the comparable set for the task and target
/// chosen in the Workspace, and the intents that change runs. Everything goes through the store
/// thread; `changed` follows the commit. GUI thread.
class Runs : public QObject {
    Q_OBJECT
public:
    Runs(StoreThread& store, Workspace& workspace, QObject* parent = nullptr);
    ~Runs() override;

    const RunFramePtr& frame() const { return m_frame; }  ///< never null
    const ComparableSet& comparable() const { return m_comparable; }
    RunId baseline() const { return m_baseline; }  ///< of the comparable set; 0: none
    RunId baselineFor(RunId run) const;
    bool loaded() const { return m_loaded; }  ///< the store was read once

    /// The whole record (layers, histograms, raw timings, items): calls back on the GUI thread, at
    /// once when it is cached; not at all when the run is gone or `context` was destroyed.
    void fetch(RunId id, QObject* context, std::function<void(const RunRecordPtr&)> done);

    void rename(RunId id, const QString& name);
    void setNote(RunId id, const QString& note);
    void setPinned(RunId id, bool pinned);
    /// Hides runs or brings them back. Hiding emits `hidden` so that the window can offer Undo.
    void setDeleted(const std::vector<RunId>& ids, bool deleted);
    void emptyDeleted();
    void reload();

Q_SIGNALS:
    void changed();  ///< frame(), comparable() or baseline() is another
    void hidden(const std::vector<RunId>& ids);
    void failed(const pareto::Error& error);  ///< a read or a write did not succeed

private:
    void adopt(std::vector<store::RunSummary> rows);
    void compareAgain();
    void write(std::function<Status(store::Store&)> work, RunId forget);

    StoreThread& m_store;
    Workspace& m_workspace;
    RunFramePtr m_frame = std::make_shared<RunFrame>();
    ComparableSet m_comparable;
    RunId m_baseline = 0;
    bool m_loaded = false;
    bool m_reading = false;
    bool m_readAgain = false;
    std::vector<std::pair<RunId, RunRecordPtr>> m_records;  ///< least recently used first
};

}  // namespace pareto::studio
