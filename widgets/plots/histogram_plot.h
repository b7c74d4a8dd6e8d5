#pragma once

#include <memory>
#include <optional>

#include <QWidget>

#include "engine/records/run_record.h"

namespace pareto::widgets {

/// The values of a layer's weight before (outline) and after (filled) as one histogram, counts on a
/// logarithmic axis: pruning makes a column of zeros, quantization a comb. GUI thread.
class HistogramPlot : public QWidget {
    Q_OBJECT
public:
    explicit HistogramPlot(const QString& objectName, QWidget* parent = nullptr);
    ~HistogramPlot() override;

    void setHistograms(std::optional<Histogram> before, std::optional<Histogram> after);
    /// "12.4 % zeros before, 50.0 % after; 3 values that are no numbers"
    QString summary() const;
    bool savePlot(const QString& path, QString* error);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
