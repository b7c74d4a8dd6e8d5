#pragma once

#include <vector>

#include <QComboBox>

namespace pareto::widgets {

/// One metric of the catalogue: "Latency p50, ms ↓" (the arrow says which direction is better).
class MetricChooser : public QComboBox {
    Q_OBJECT
public:
    explicit MetricChooser(QWidget* parent = nullptr);

    QString metricKey() const;
    /// Shows a key that came from elsewhere; emits nothing. An unknown key changes nothing.
    void setMetricKey(const QString& key);
    /// Metrics without any value among the runs shown are greyed; one entry a catalogue entry.
    void setMeasured(const std::vector<bool>& measured);

Q_SIGNALS:
    void metricChosen(const QString& key);

protected:
    void changeEvent(QEvent* event) override;

private:
    void retranslate();
};

}  // namespace pareto::widgets
