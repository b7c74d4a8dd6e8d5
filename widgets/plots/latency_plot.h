#pragma once

#include <memory>
#include <vector>

#include <QWidget>

namespace pareto::widgets {

/// How long the passes of a run took, as the share of passes that were no slower (ECDF): shows what a
/// single median hides. The baseline's curve stands beside it. GUI thread.
class LatencyPlot : public QWidget {
    Q_OBJECT
public:
    explicit LatencyPlot(const QString& objectName, QWidget* parent = nullptr);
    ~LatencyPlot() override;

    /// Milliseconds in any order; empty: none.
    void setLatencies(std::vector<double> run, std::vector<double> baseline);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
