#include "widgets/editors/ratio_editor.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QScopedValueRollback>
#include <QSlider>

#include "widgets/editors/undo_keys.h"

namespace pareto::widgets {

namespace {

// Gestures are counted over all editors, so that two editors never share a number.
int nextGesture() {
    static int gesture = 0;
    return ++gesture;
}

}  // namespace

RatioEditor::RatioEditor(const QString& prefix, const QString& accessibleName, QWidget* parent)
    : QWidget(parent) {
    setObjectName(prefix + QStringLiteral("Editor"));
    m_slider = new QSlider(Qt::Horizontal, this);
    m_slider->setObjectName(prefix + QStringLiteral("Slider"));
    m_slider->setAccessibleName(tr("%1, slider").arg(accessibleName));
    m_slider->setRange(0, 100);
    m_slider->setPageStep(10);
    m_slider->setMinimumWidth(48);
    m_spin = new QDoubleSpinBox(this);
    m_spin->setObjectName(prefix + QStringLiteral("Spin"));
    m_spin->setAccessibleName(accessibleName);
    m_spin->setRange(0.0, 100.0);
    m_spin->setDecimals(1);
    m_spin->setSingleStep(5.0);
    m_spin->setSuffix(tr(" %", "percent, after the number"));
    m_spin->setKeyboardTracking(false);
    m_spin->setAlignment(Qt::AlignRight);
    UndoKeysPassOn::install(m_spin);
    setFocusProxy(m_spin);

    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_slider, 1);
    layout->addWidget(m_spin);
    connect(m_slider, &QSlider::sliderPressed, this, [this] { m_gesture = nextGesture(); });
    connect(m_slider, &QSlider::valueChanged, this, &RatioEditor::sliderMoved);
    connect(m_spin, &QDoubleSpinBox::valueChanged, this, &RatioEditor::spinChanged);
}

double RatioEditor::ratio() const {
    return m_spin->value() / 100.0;
}

void RatioEditor::setRatio(double ratio) {
    const QScopedValueRollback showing(m_showing, true);
    m_spin->setValue(ratio * 100.0);
    // A drag in progress keeps its handle where the mouse is.
    if (!m_slider->isSliderDown()) {
        m_slider->setValue(qRound(ratio * 100.0));
    }
}

void RatioEditor::setUnavailable(const QString& reason) {
    setEnabled(reason.isEmpty());
    setToolTip(reason);
}

void RatioEditor::sliderMoved(int percent) {
    if (m_showing) {
        return;
    }
    if (!m_slider->isSliderDown()) {
        m_gesture = nextGesture();
    }
    {
        const QScopedValueRollback showing(m_showing, true);
        m_spin->setValue(percent);
    }
    Q_EMIT ratioEdited(ratio(), m_gesture);
}

void RatioEditor::spinChanged(double percent) {
    if (m_showing) {
        return;
    }
    m_gesture = nextGesture();
    {
        const QScopedValueRollback showing(m_showing, true);
        m_slider->setValue(qRound(percent));
    }
    Q_EMIT ratioEdited(ratio(), m_gesture);
}

}  // namespace pareto::widgets
