#pragma once

#include <QWidget>

class QDoubleSpinBox;
class QSlider;

namespace pareto::widgets {

/// A share of 0…100 %: a slider and a spin box that say the same. `prefix` names the parts:
/// "recipeHeadsRatio" gives "recipeHeadsRatioSpin" and "recipeHeadsRatioSlider".
class RatioEditor : public QWidget {
    Q_OBJECT
public:
    RatioEditor(const QString& prefix, const QString& accessibleName, QWidget* parent = nullptr);

    double ratio() const;            ///< 0…1
    /// Shows a value that came from elsewhere; emits nothing.
    void setRatio(double ratio);
    /// Disabled with the reason as tooltip; an empty reason enables.
    void setUnavailable(const QString& reason);
    QDoubleSpinBox* spinBox() const { return m_spin; }
    QSlider* slider() const { return m_slider; }

Q_SIGNALS:
    /// The user changed the value. All changes of one drag carry the same gesture number, every other
    /// change a new one: changes of equal gesture are one undo step.
    void ratioEdited(double ratio, int gesture);

private:
    void sliderMoved(int percent);
    void spinChanged(double percent);

    QDoubleSpinBox* m_spin = nullptr;
    QSlider* m_slider = nullptr;
    int m_gesture = 0;
    bool m_showing = false;   ///< the parts are being set by code
};

}  // namespace pareto::widgets
