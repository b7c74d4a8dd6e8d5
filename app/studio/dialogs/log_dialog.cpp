#include "app/studio/dialogs/log_dialog.h"

#include <QDialogButtonBox>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/job_queue.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

LogDialog::LogDialog(const Job* job, const QString& log, QWidget* parent) : QDialog(parent) {
    setObjectName(u"logDialog"_s);
    setWindowTitle(job == nullptr ? tr("Log") : tr("Log of %1").arg(job->title));
    resize(720, 420);
    QString shown;
    if (job != nullptr && job->error) {
        shown += text(*job->error) + u"\n\n"_s + technicalText(*job->error) + u"\n\n"_s;
    }
    if (job != nullptr && !job->result.is_null()) {
        shown += QString::fromStdString(
                     job->result.dump(2, ' ', false, Json::error_handler_t::replace)) +
                 u"\n\n"_s;
    }
    shown += log.isEmpty() ? tr("The worker wrote nothing.") : log;
    auto* view = new QPlainTextEdit(shown, this);
    view->setObjectName(u"logText"_s);
    view->setAccessibleName(tr("Log"));
    view->setReadOnly(true);
    view->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    auto* buttons = addButtons(this, QDialogButtonBox::Close);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(view);
    layout->addWidget(buttons);
}

}  // namespace pareto::studio
