#pragma once

#include <vector>

#include <QWidget>

#include "app/studio/runs.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLabel;
class QPushButton;
class QStackedWidget;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class CompareModel;
class EmptyState;
}

namespace pareto::studio {

class Actions;
class Selection;

/// Two and more runs side by side against the baseline: settings, measurements, environment. A click on
/// a run's heading chooses it everywhere.
class ComparePage : public QWidget {
    Q_OBJECT
public:
    ComparePage(Runs& runs, Selection& selection, Actions& actions, QWidget* parent = nullptr);

    /// One run is compared with its baseline; without one, or with none, the empty state says what to
    /// do. Runs appear when all records have been read.
    void showRuns(std::vector<RunId> runs);
    const std::vector<RunId>& runs() const { return m_ids; }
    QTableView* view() const { return m_view; }
    /// Selected rows as tab-separated text with a header.
    void copy();

Q_SIGNALS:
    void itemsRequested(const std::vector<RunId>& runs);

protected:
    void changeEvent(QEvent* event) override;

private:
    void retranslate();
    void collect();
    void showRecords();
    void layoutRows();
    void applyColours();

    Runs& m_runs;
    Selection& m_selection;
    std::vector<RunId> m_ids;
    std::vector<RunRecordPtr> m_records;   ///< by position in m_ids; null: not read yet
    int m_ticket = 0;                      ///< answers for an older choice are passed over
    widgets::CompareModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    QCheckBox* m_onlyDiffering = nullptr;
    QLabel* m_summary = nullptr;
    QPushButton* m_items = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
};

}  // namespace pareto::studio
