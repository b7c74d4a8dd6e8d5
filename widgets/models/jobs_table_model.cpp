#include "widgets/models/jobs_table_model.h"

#include <algorithm>
#include <cmath>

#include "widgets/support/number_format.h"

namespace pareto::widgets {

void JobsTableModel::setJobs(std::vector<JobRow> jobs) {
    const auto isWanted = [&jobs](int id) {
        return std::any_of(jobs.begin(), jobs.end(), [id](const JobRow& job) { return job.id == id; });
    };
    for (int row = rowCount() - 1; row >= 0; --row) {
        if (!isWanted(m_jobs[static_cast<std::size_t>(row)].id)) {
            beginRemoveRows({}, row, row);
            m_jobs.erase(m_jobs.begin() + row);
            endRemoveRows();
        }
    }
    for (int row = 0; row < static_cast<int>(jobs.size()); ++row) {
        const auto at = static_cast<std::size_t>(row);
        const int present = rowOfJob(jobs[at].id);
        if (present < 0) {
            beginInsertRows({}, row, row);
            m_jobs.insert(m_jobs.begin() + row, jobs[at]);
            endInsertRows();
        } else if (present != row) {
            beginMoveRows({}, present, present, {}, row);
            std::rotate(m_jobs.begin() + row, m_jobs.begin() + present,
                        m_jobs.begin() + present + 1);
            endMoveRows();
        }
        if (m_jobs[at] != jobs[at]) {
            m_jobs[at] = jobs[at];
            Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
        }
    }
}

int JobsTableModel::jobAt(int row) const {
    return row < 0 || row >= rowCount() ? 0 : m_jobs[static_cast<std::size_t>(row)].id;
}

int JobsTableModel::rowOfJob(int id) const {
    const auto found = std::find_if(m_jobs.begin(), m_jobs.end(),
                                    [id](const JobRow& job) { return job.id == id; });
    return found == m_jobs.end() ? -1 : static_cast<int>(found - m_jobs.begin());
}

int JobsTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_jobs.size());
}

int JobsTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant JobsTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const JobRow& job = m_jobs[static_cast<std::size_t>(index.row())];
    switch (role) {
    case JobIdRole: return job.id;
    case ShareRole: return job.active ? QVariant(job.share) : QVariant();
    case Qt::ToolTipRole: return job.toolTip.isEmpty() ? QVariant() : QVariant(job.toolTip);
    case Qt::DisplayRole: break;
    default: return {};
    }
    switch (index.column()) {
    case Title: return job.title;
    case State: return job.state;
    case Stage: return job.stage;
    case Progress:
        return job.active && job.share >= 0.0
                   ? tr("%1 %").arg(static_cast<int>(std::floor(job.share * 100.0)))
                   : QString();
    case TimeLeft: return job.timeLeft;
    default: return {};
    }
}

QVariant JobsTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Title: return tr("Job");
    case State: return tr("State");
    case Stage: return tr("Stage");
    case Progress: return tr("Progress");
    case TimeLeft: return tr("Time left");
    default: return {};
    }
}

}  // namespace pareto::widgets
