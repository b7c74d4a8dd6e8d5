#pragma once

#include <QDialogButtonBox>

namespace pareto::studio {

/// A button box "<dialog>Buttons" whose standard buttons have names ("<dialog>CloseButton") and whose
/// reject closes the dialog.
QDialogButtonBox* addButtons(QDialog* dialog, QDialogButtonBox::StandardButtons buttons);

}  // namespace pareto::studio
