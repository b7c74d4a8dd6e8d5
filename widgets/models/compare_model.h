#pragma once

#include <memory>
#include <vector>

#include <QAbstractTableModel>
#include <QColor>

#include "engine/records/metrics.h"
#include "engine/records/run_record.h"

namespace pareto::widgets {

enum class Verdict {
    None,            ///< the baseline itself, or nothing to compare with
    Exact,           ///< no interval: sizes and counts differ or are equal, that is all
    NotSignificant,
    Better,          ///< significant, in the metric's better direction
    Worse,
};

/// How a figure compares with the baseline's. Figures of the task are compared item by item (paired
/// bootstrap over the items both runs answered); others are significant when their 95 % intervals do
/// not overlap, which is the stricter test.
struct FigureComparison {
    double delta = 0.0;      ///< run / baseline − 1; NaN when there is nothing to divide by
    Verdict verdict = Verdict::None;
    bool paired = false;
};
FigureComparison compareFigure(const RunRecord& baseline, const RunRecord& run,
                               const MetricInfo& metric);

/// Runs side by side: differing settings first, then measurements, then the environment. Column 0 names
/// the row, column 1 + i is run i.
class CompareModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using RecordPtr = std::shared_ptr<const RunRecord>;
    /// SectionRole: true for a heading that spans the row. DiffersRole: true when runs differ in it.
    /// VerdictRole: an int of Verdict.
    enum Role { SectionRole = Qt::UserRole + 1, DiffersRole, VerdictRole };

    explicit CompareModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

    /// `baseline`: index into `runs` of the one the others are compared with.
    void setRuns(std::vector<RecordPtr> runs, int baseline);
    const std::vector<RecordPtr>& runs() const { return m_runs; }
    int baseline() const { return m_baseline; }
    /// Settings and environment on which all runs agree are left out.
    void setOnlyDiffering(bool only);
    bool onlyDiffering() const { return m_onlyDiffering; }
    void setVerdictColours(const QColor& better, const QColor& worse);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

private:
    struct Cell {
        QString text;
        QString toolTip;
        Verdict verdict = Verdict::None;
    };
    struct Row {
        QString label;
        bool section = false;
        bool differs = false;
        std::vector<Cell> cells;
    };

    void rebuild();
    void addSection(const QString& title, std::vector<Row> rows, bool alwaysAll);
    std::vector<Row> settingRows() const;
    Row disturbanceRow() const;
    std::vector<Row> gpuRows() const;
    std::vector<Row> measurementRows() const;
    std::vector<Row> environmentRows() const;
    Row textRow(const QString& label, const std::vector<QString>& texts) const;
    Cell figureCell(const MetricInfo& metric, std::size_t run) const;

    std::vector<RecordPtr> m_runs;
    std::vector<Row> m_rows;
    int m_baseline = 0;
    bool m_onlyDiffering = true;
    QColor m_better;
    QColor m_worse;
};

}  // namespace pareto::widgets
