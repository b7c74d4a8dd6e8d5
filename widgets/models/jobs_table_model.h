#pragma once

#include <optional>
#include <vector>

#include <QAbstractTableModel>

namespace pareto::widgets {

/// One job as a table shows it. Texts are ready to show.
struct JobRow {
    int id = 0;
    QString title;
    QString state;          ///< "Running", "Failed: …"
    QString stage;          ///< "Evaluating 120 of 400"
    double share = -1.0;    ///< of the stage, 0…1; below 0: unknown
    QString timeLeft;       ///< "12 s"; empty: unknown
    QString toolTip;        ///< the whole error sentence, the reason for waiting
    bool active = false;    ///< running: a bar is drawn
    bool failed = false;
    bool operator==(const JobRow&) const = default;
};

class JobsTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Title, State, Stage, Progress, TimeLeft, ColumnCount };
    /// ShareRole: the progress as a double for ProgressDelegate, invalid when there is no bar.
    enum Role { JobIdRole = Qt::UserRole + 1, ShareRole };

    explicit JobsTableModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

    /// Rows are matched by id, so that selection stays while jobs come, move on and go.
    void setJobs(std::vector<JobRow> jobs);
    int jobAt(int row) const;      ///< 0: no such row
    int rowOfJob(int id) const;    ///< -1: none

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<JobRow> m_jobs;
};

}  // namespace pareto::widgets
