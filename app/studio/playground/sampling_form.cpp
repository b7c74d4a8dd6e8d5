#include "app/studio/playground/sampling_form.h"

#include <limits>

#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSpinBox>

namespace pareto::studio {

using namespace Qt::StringLiterals;

SamplingForm::SamplingForm(const QString& name, QWidget* parent)
    : ColumnScroll(parent), m_name(name) {
    setObjectName(name + u"Settings"_s);
    setAccessibleName(tr("How text is generated"));
    auto* content = new QWidget(this);
    content->setObjectName(name + u"SettingsContent"_s);
    m_form = new QFormLayout(content);
    m_form->setContentsMargins(0, 0, 4, 0);
    m_form->setSpacing(3);
    m_form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    const jobs::SamplingParams usual;
    m_maxTokens = addWhole("MaxTokensSpin", tr("At most tokens"), 1, 1 << 20);
    m_temperature = addReal("TemperatureSpin", tr("Temperature"), 0.0, 10.0);
    m_temperature->setSpecialValueText(tr("greedy"));
    m_topK = addWhole("TopKSpin", tr("Top-k"), 0, 1 << 20);
    m_topK->setSpecialValueText(tr("off"));
    m_topP = addReal("TopPSpin", tr("Top-p"), 0.0, 1.0);
    m_minP = addReal("MinPSpin", tr("Min-p"), 0.0, 1.0);
    m_penalty = addReal("PenaltySpin", tr("Repetition penalty"), 0.01, 10.0);
    m_seed = addWhole("SeedSpin", tr("Seed"), 0, std::numeric_limits<int>::max());
    m_stop = new QLineEdit(content);
    m_stop->setObjectName(name + u"StopEdit"_s);
    m_stop->setAccessibleName(tr("Stop texts"));
    m_stop->setToolTip(tr("The text ends before any of these; several are separated by |. "
                          "\\n stands for a line break."));
    m_stop->setMinimumWidth(m_seed->sizeHint().width() / 2);
    m_form->addRow(tr("Stop at"), m_stop);
    connect(m_stop, &QLineEdit::textChanged, this, &SamplingForm::changed);
    setValue(usual);
    setWidget(content);
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Preferred);
}

QSpinBox* SamplingForm::addWhole(const char* thing, const QString& title, int low, int high) {
    auto* spin = new QSpinBox(this);
    spin->setObjectName(m_name + QLatin1String(thing));
    spin->setAccessibleName(title);
    spin->setRange(low, high);
    m_form->addRow(title, spin);
    connect(spin, &QSpinBox::valueChanged, this, &SamplingForm::changed);
    return spin;
}

QDoubleSpinBox* SamplingForm::addReal(const char* thing, const QString& title, double low,
                                      double high) {
    auto* spin = new QDoubleSpinBox(this);
    spin->setObjectName(m_name + QLatin1String(thing));
    spin->setAccessibleName(title);
    spin->setRange(low, high);
    spin->setDecimals(2);
    spin->setSingleStep(0.05);
    m_form->addRow(title, spin);
    connect(spin, &QDoubleSpinBox::valueChanged, this, &SamplingForm::changed);
    return spin;
}

jobs::SamplingParams SamplingForm::value() const {
    jobs::SamplingParams out;
    out.maxTokens = m_maxTokens->value();
    out.temperature = m_temperature->value();
    out.topK = m_topK->value();
    out.topP = m_topP->value();
    out.minP = m_minP->value();
    out.repetitionPenalty = m_penalty->value();
    out.seed = static_cast<std::uint64_t>(m_seed->value());
    for (QString stop : m_stop->text().split(u'|', Qt::SkipEmptyParts)) {
        out.stopTexts.push_back(stop.replace(u"\\n"_s, u"\n"_s).toStdString());
    }
    return out;
}

void SamplingForm::setValue(const jobs::SamplingParams& value) {
    m_maxTokens->setValue(static_cast<int>(value.maxTokens));
    m_temperature->setValue(value.temperature);
    m_topK->setValue(value.topK);
    m_topP->setValue(value.topP);
    m_minP->setValue(value.minP);
    m_penalty->setValue(value.repetitionPenalty);
    m_seed->setValue(static_cast<int>(value.seed));
    QStringList stops;
    for (const auto& stop : value.stopTexts) {
        stops.append(QString::fromStdString(stop).replace(u"\n"_s, u"\\n"_s));
    }
    m_stop->setText(stops.join(u'|'));
}

}  // namespace pareto::studio
