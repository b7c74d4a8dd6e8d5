#include "widgets/plots/bar_plot.h"

#include <QApplication>
#include <QEvent>
#include <QHeaderView>
#include <QPainter>
#include <QScopedValueRollback>
#include <QStyledItemDelegate>

#include "widgets/support/theme.h"

namespace pareto::widgets {

namespace {

class BarDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const PlotColours colours = plotColours(option.palette);
        const QRectF room = QRectF(option.rect).adjusted(3, 3, -3, -3);
        const double run = index.data(LayerTimesModel::BarRole).toDouble();
        const double baseline = index.data(LayerTimesModel::BaselineBarRole).toDouble();
        const double thin = 3.0;
        painter->save();
        painter->setPen(Qt::NoPen);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->setBrush(selected ? option.palette.color(QPalette::HighlightedText)
                                   : colours.series[0]);
        painter->drawRect(QRectF(room.left(), room.top(), room.width() * run,
                                 room.height() - (baseline > 0.0 ? thin + 1.0 : 0.0)));
        painter->setBrush(colours.front);
        painter->drawRect(QRectF(room.left(), room.bottom() - thin, room.width() * baseline, thin));
        painter->restore();
    }
};

}  // namespace

BarPlot::BarPlot(const QString& objectName, QWidget* parent)
    : QTableView(parent), m_model(new LayerTimesModel(this)) {
    setObjectName(objectName);
    setAccessibleName(tr("Time per layer"));
    setModel(m_model);
    setItemDelegateForColumn(LayerTimesModel::Bar, new BarDelegate(this));
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setShowGrid(false);
    setTabKeyNavigation(false);
    setWordWrap(false);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setObjectName(objectName + QStringLiteral("Header"));
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setSectionResizeMode(LayerTimesModel::Bar, QHeaderView::Stretch);
    horizontalHeader()->setMinimumSectionSize(36);
    setSortingEnabled(true);
    sortByColumn(-1, Qt::AscendingOrder);
    connect(this, &QTableView::clicked, this, [this](const QModelIndex& index) {
        Q_EMIT layerClicked(index.data(LayerTimesModel::LayerRole).toString());
    });
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
}

void BarPlot::setTimes(std::vector<LayerTime> times, bool hasBaseline) {
    const QScopedValueRollback showing(m_showing, true);
    m_model->setTimes(std::move(times), hasBaseline);
    setColumnHidden(LayerTimesModel::Baseline, !hasBaseline);
    setColumnHidden(LayerTimesModel::Delta, !hasBaseline);
    for (const int column : {LayerTimesModel::Time, LayerTimesModel::Baseline, LayerTimesModel::Delta}) {
        resizeColumnToContents(column);
    }
    const int names = sizeHintForColumn(LayerTimesModel::Layer);
    setColumnWidth(LayerTimesModel::Layer, qBound(60, names, 190));
}

void BarPlot::setCurrentLayer(const QString& layer) {
    const QScopedValueRollback showing(m_showing, true);
    const int row = m_model->rowOfLayer(layer);
    if (row < 0) {
        clearSelection();
        setCurrentIndex({});
        return;
    }
    if (currentIndex().row() != row) {
        setCurrentIndex(m_model->index(row, LayerTimesModel::Layer));
    }
}

std::optional<QPoint> BarPlot::pixelOf(const QString& layer) const {
    const int row = m_model->rowOfLayer(layer);
    if (row < 0) {
        return std::nullopt;
    }
    const QPoint centre = visualRect(m_model->index(row, LayerTimesModel::Bar)).center();
    return viewport()->rect().contains(centre) ? std::optional(centre) : std::nullopt;
}

void BarPlot::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
    QTableView::currentChanged(current, previous);
    // The keyboard moves the choice too; clicks arrive by clicked().
    if (!m_showing && current.isValid() && hasFocus()
        && QApplication::mouseButtons() == Qt::NoButton) {
        Q_EMIT layerClicked(current.data(LayerTimesModel::LayerRole).toString());
    }
}

void BarPlot::changeEvent(QEvent* event) {
    QTableView::changeEvent(event);
    if (event->type() == QEvent::FontChange) {
        verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    }
}

}  // namespace pareto::widgets
