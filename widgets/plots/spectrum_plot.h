#pragma once

#include <memory>
#include <vector>

#include <QWidget>

namespace pareto::widgets {

/// Some singular values of a weight, falling, at ranks of 1 and up.
struct Spectrum {
    std::vector<double> ranks;
    std::vector<double> before;
    std::vector<double> after;   ///< of the same ranks
    bool isEmpty() const { return ranks.empty(); }
};

/// Singular values of a layer's weight before and after, on logarithmic axes: pruning and rounding lift the tail
/// or cut it off. GUI thread.
class SpectrumPlot : public QWidget {
    Q_OBJECT
public:
    explicit SpectrumPlot(const QString& objectName, QWidget* parent = nullptr);
    ~SpectrumPlot() override;

    void setSpectrum(Spectrum spectrum);
    const Spectrum& spectrum() const;
    bool savePlot(const QString& path, QString* error);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
