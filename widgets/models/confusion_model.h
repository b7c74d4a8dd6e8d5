#pragma once

#include <QAbstractTableModel>

#include "engine/records/training.h"

namespace pareto::widgets {

/// A confusion matrix as a table: a row for each true class, a column for each predicted one. A cell
/// says its count and is shaded by its share of the row: hits in the colour of what is better, mistakes
/// in that of what is worse. Tooltip and accessible text say it in words.
class ConfusionModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role {
        ShareRole = Qt::UserRole + 1
    };  ///< of the true class; nothing where it has no rows

    explicit ConfusionModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    /// Counts of the same classes change in place: what is selected stays.
    void setMatrix(ConfusionMatrix matrix);
    const ConfusionMatrix& matrix() const { return m_matrix; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::int64_t count(int truth, int predicted) const;
    std::int64_t rowsOf(int truth) const;
    std::int64_t calledSo(int predicted) const;
    QString name(int index) const;
    QString sentence(int truth, int predicted) const;

    ConfusionMatrix m_matrix;
};

}  // namespace pareto::widgets
