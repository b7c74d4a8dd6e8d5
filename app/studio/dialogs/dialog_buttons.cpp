#include "app/studio/dialogs/dialog_buttons.h"

#include <QDialog>
#include <QPushButton>

namespace pareto::studio {

using namespace Qt::StringLiterals;

QDialogButtonBox* addButtons(QDialog* dialog, QDialogButtonBox::StandardButtons buttons) {
    auto* box = new QDialogButtonBox(buttons, dialog);
    box->setObjectName(dialog->objectName() + u"Buttons"_s);
    const std::pair<QDialogButtonBox::StandardButton, QString> names[] = {
        {QDialogButtonBox::Ok, u"OkButton"_s},
        {QDialogButtonBox::Cancel, u"CancelButton"_s},
        {QDialogButtonBox::Close, u"CloseButton"_s},
    };
    for (const auto& [kind, name] : names) {
        if (auto* button = box->button(kind)) {
            button->setObjectName(dialog->objectName() + name);
        }
    }
    QObject::connect(box, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    return box;
}

}  // namespace pareto::studio
