#include "widgets/editors/metric_chooser.h"

#include <QStandardItemModel>

#include "engine/records/metrics.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

MetricChooser::MetricChooser(QWidget* parent) : QComboBox(parent) {
    for (const auto& metric : metricCatalogue()) {
        const QString arrow = metric.better == Better::Lower ? QStringLiteral(" ↓")
                                                             : QStringLiteral(" ↑");
        addItem(metricTextWithUnit(metric) + arrow,
                QString::fromUtf8(metric.key.data(), static_cast<qsizetype>(metric.key.size())));
        setItemData(count() - 1,
                    metric.better == Better::Lower ? tr("Lower is better") : tr("Higher is better"),
                    Qt::ToolTipRole);
    }
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(14);
    connect(this, &QComboBox::activated, this, [this] { Q_EMIT metricChosen(metricKey()); });
}

QString MetricChooser::metricKey() const {
    return currentData().toString();
}

void MetricChooser::setMetricKey(const QString& key) {
    const int index = findData(key);
    if (index >= 0) {
        setCurrentIndex(index);
    }
}

void MetricChooser::setMeasured(const std::vector<bool>& measured) {
    auto* items = qobject_cast<QStandardItemModel*>(model());
    for (int i = 0; i < count() && i < static_cast<int>(measured.size()); ++i) {
        items->item(i)->setEnabled(measured[static_cast<std::size_t>(i)]);
    }
}

}  // namespace pareto::widgets
