#pragma once

#include "engine/jobs/api/jobs.h"
#include "widgets/support/column_scroll.h"

QT_BEGIN_NAMESPACE
class QDoubleSpinBox;
class QFormLayout;
class QLineEdit;
class QSpinBox;
QT_END_NAMESPACE

namespace pareto::studio {

/// How text is generated: a column of settings.
class SamplingForm : public widgets::ColumnScroll {
    Q_OBJECT
public:
    /// `name` begins the names of its controls.
    SamplingForm(const QString& name, QWidget* parent);
    jobs::SamplingParams value() const;
    void setValue(const jobs::SamplingParams& value);

Q_SIGNALS:
    void changed();

private:
    QSpinBox* addWhole(const char* thing, const QString& title, int low, int high);
    QDoubleSpinBox* addReal(const char* thing, const QString& title, double low, double high);

    QString m_name;
    QFormLayout* m_form = nullptr;
    QSpinBox* m_maxTokens = nullptr;
    QDoubleSpinBox* m_temperature = nullptr;
    QSpinBox* m_topK = nullptr;
    QDoubleSpinBox* m_topP = nullptr;
    QDoubleSpinBox* m_minP = nullptr;
    QDoubleSpinBox* m_penalty = nullptr;
    QSpinBox* m_seed = nullptr;
    QLineEdit* m_stop = nullptr;
};

}  // namespace pareto::studio
