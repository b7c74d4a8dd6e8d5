#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "engine/records/profile.h"

namespace pareto::widgets {

/// What each layer took, moved and computed in one step of a profile, and how much of its roof that is. Sorts itself;
/// what was not counted stands last.
class LayerProfileModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        Layer,
        Time,
        Share,
        Size,
        Operations,
        Intensity,
        Rate,
        Bandwidth,
        RoofShare,
        Kernel,
        ColumnCount
    };
    enum Role { LayerRole = Qt::UserRole + 1 };

    explicit LayerProfileModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setStep(const ProfiledStep& step, const Roofs& roofs);
    void clear();
    int rowOfLayer(const QString& layer) const;  ///< -1: none

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    double figure(const ProfiledLayer& layer, int column) const;
    QString text(const ProfiledLayer& layer, int column) const;

    std::vector<ProfiledLayer> m_layers;
    Roofs m_roofs;
    std::vector<int> m_order;
};

/// "4.21 G": operations, in the numbers of the language.
QString operationsText(double operations);
/// Three digits where they are needed.
QString rateText(double value);

}  // namespace pareto::widgets
