#include "app/studio/dialogs/preferences_dialog.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QSpinBox>

#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/settings.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

PreferencesDialog::PreferencesDialog(Settings& settings, QWidget* parent) : QDialog(parent) {
    setObjectName(u"preferencesDialog"_s);
    setWindowTitle(tr("Preferences"));
    auto* font = new QSpinBox(this);
    font->setObjectName(u"preferencesFontSpin"_s);
    font->setAccessibleName(tr("Text size"));
    font->setRange(7, 24);
    font->setSpecialValueText(tr("as the system"));
    font->setSuffix(tr(" pt"));
    font->setValue(settings.fontSize() == 0 ? 7 : settings.fontSize());
    auto* seconds = new QDoubleSpinBox(this);
    seconds->setObjectName(u"preferencesTimingSpin"_s);
    seconds->setAccessibleName(tr("Time a latency for at least"));
    seconds->setRange(0.1, 600.0);
    seconds->setDecimals(1);
    seconds->setSuffix(tr(" s"));
    seconds->setValue(settings.timingSeconds());
    auto* paired = new QCheckBox(tr("Time the untouched model again with every run"), this);
    paired->setObjectName(u"preferencesPairedCheck"_s);
    paired->setAccessibleName(paired->text());
    paired->setToolTip(
        tr("Interleaved (A-B-B-A): the ratio is then free of slow changes of the machine"));
    paired->setChecked(settings.pairedBaseline());
    auto* buttons = addButtons(this, QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    auto* form = new QFormLayout(this);
    form->addRow(tr("Text size"), font);
    form->addRow(tr("Time a latency for at least"), seconds);
    form->addRow(paired);
    form->addRow(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, [this, &settings, font, seconds, paired] {
        const int points = font->value() == font->minimum() ? 0 : font->value();
        settings.setTimingSeconds(seconds->value());
        settings.setPairedBaseline(paired->isChecked());
        if (points != settings.fontSize()) {
            settings.setFontSize(points);
            Q_EMIT fontSizeChanged();
        }
        accept();
    });
}

}  // namespace pareto::studio
