#include "widgets/editors/metric_chooser.h"

#include <QEvent>
#include <QStandardItemModel>

#include "engine/records/metrics.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

MetricChooser::MetricChooser(QWidget* parent) : QComboBox(parent) {
    for (const auto& metric : metricCatalogue()) {
        addItem(QString(),
                QString::fromUtf8(metric.key.data(), static_cast<qsizetype>(metric.key.size())));
    }
    retranslate();
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(14);
    connect(this, &QComboBox::activated, this, [this] { Q_EMIT metricChosen(metricKey()); });
}

void MetricChooser::retranslate() {
    int index = 0;
    for (const auto& metric : metricCatalogue()) {
        const bool lower = metric.better == Better::Lower;
        setItemText(index, metricTextWithUnit(metric)
                               + (lower ? QStringLiteral(" ↓") : QStringLiteral(" ↑")));
        setItemData(index, lower ? tr("Lower is better") : tr("Higher is better"), Qt::ToolTipRole);
        ++index;
    }
}

void MetricChooser::changeEvent(QEvent* event) {
    QComboBox::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
    }
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
