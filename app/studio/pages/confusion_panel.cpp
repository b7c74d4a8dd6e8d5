#include "app/studio/pages/confusion_panel.h"

#include <algorithm>

#include <QEvent>
#include <QHeaderView>
#include <QLabel>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/pages/panel_labels.h"
#include "widgets/models/confusion_model.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

ConfusionPanel::ConfusionPanel(QWidget* parent) : QWidget(parent) {
    setObjectName(u"confusionPanel"_s);
    m_title = panelTitle(u"confusionTitleLabel"_s, this);
    m_axes = plainLabel(u"confusionAxesLabel"_s, this);
    m_model = new widgets::ConfusionModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"confusionTable"_s);
    m_view->setModel(m_model);
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setTabKeyNavigation(false);
    m_view->setWordWrap(false);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->setMinimumSize(120, 60);
    for (auto* header : {m_view->horizontalHeader(), m_view->verticalHeader()}) {
        header->setHighlightSections(false);
    }
    m_view->horizontalHeader()->setObjectName(u"confusionTableHeader"_s);
    m_view->horizontalHeader()->setMinimumSectionSize(36);
    m_view->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_view->verticalHeader()->setObjectName(u"confusionTableRows"_s);
    m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 10);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 4, 8, 4);
    layout->setSpacing(3);
    layout->addWidget(m_title);
    layout->addWidget(m_axes);
    layout->addWidget(m_view, 1);
    hide();
    retranslate();
}

void ConfusionPanel::setValidations(const std::vector<ValidationPoint>& validations) {
    const auto newest =
        std::find_if(validations.rbegin(), validations.rend(),
                     [](const ValidationPoint& point) { return point.confusion.has_value(); });
    setVisible(newest != validations.rend());
    if (newest == validations.rend()) {
        m_model->setMatrix({});
        return;
    }
    if (newest->step != m_step || *newest->confusion != m_model->matrix()) {
        m_step = newest->step;
        m_model->setMatrix(*newest->confusion);
        retranslate();
    }
}

void ConfusionPanel::retranslate() {
    m_title->setText(tr("Last validation: step %L1", "of a training").arg(m_step));
    m_axes->setText(tr("Rows: true class. Columns: predicted. Darker: a larger share of the row."));
    m_view->setAccessibleName(tr("Confusion matrix of the last validation"));
}

void ConfusionPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
    }
}

}  // namespace pareto::studio
