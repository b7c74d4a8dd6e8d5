#include "app/studio/playground/side_views.h"

#include <QGridLayout>
#include <QScrollBar>
#include <QTextEdit>

#include "widgets/support/elided_label.h"
#include "widgets/support/theme.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

SideViews::SideViews(const QString& name, QWidget* parent) : QWidget(parent) {
    setObjectName(name + u"Sides"_s);
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(4);
    const std::array<std::pair<QString, QString>, 2> names{
        std::pair{u"Original"_s, tr("Answer of the original model")},
        std::pair{u"Optimized"_s, tr("Answer of the optimized model")}};
    for (const auto side : kTrialSides) {
        const auto index = static_cast<int>(side);
        const auto& [suffix, accessible] = names[static_cast<std::size_t>(index)];
        auto& view = of(side);
        view.title = new widgets::ElidedLabel(this);
        view.title->setObjectName(name + suffix + u"Label"_s);
        view.text = new QTextEdit(this);
        view.text->setObjectName(name + suffix + u"View"_s);
        view.text->setAccessibleName(accessible);
        view.text->setReadOnly(true);
        view.text->setTabChangesFocus(true);
        view.text->setUndoRedoEnabled(false);
        view.text->setMinimumHeight(60);
        grid->addWidget(view.title, 0, index);
        grid->addWidget(view.text, 1, index);
        grid->setColumnStretch(index, 1);
    }
    grid->setRowStretch(1, 1);
}

void SideViews::setTitle(TrialSide side, const QString& title, const QString& state) {
    of(side).title->setFullText(state.isEmpty() ? title : title + u" · "_s + state);
}

void SideViews::put(TrialSide side, const QString& content, bool html) {
    auto* view = of(side).text;
    if ((html ? view->property("shown").toString() : view->toPlainText()) == content) {
        return;
    }
    auto* bar = view->verticalScrollBar();
    const bool atEnd = bar->value() >= bar->maximum() - 4;
    const int before = bar->value();
    if (html) {
        view->setHtml(content);
        view->setProperty("shown", content);
    } else {
        view->setPlainText(content);
    }
    bar->setValue(atEnd ? bar->maximum() : before);
}

void SideViews::setText(TrialSide side, const QString& text) { put(side, text, false); }
void SideViews::setHtml(TrialSide side, const QString& html) { put(side, html, true); }

QString SideViews::text(TrialSide side) const {
    return m_views[static_cast<std::size_t>(side)].text->toPlainText();
}

void SideViews::mark(TrialSide side, int begin, int length) {
    auto& view = of(side);
    view.begin = begin;
    view.length = length;
    QList<QTextEdit::ExtraSelection> marks;
    if (length > 0) {
        QTextEdit::ExtraSelection range;
        range.cursor = QTextCursor(view.text->document());
        range.cursor.setPosition(begin);
        range.cursor.setPosition(begin + length, QTextCursor::KeepAnchor);
        const auto colours = widgets::plotColours(palette());
        QColor ground = colours.series[1];
        ground.setAlphaF(0.35F);
        range.format.setBackground(ground);
        marks.append(range);
    }
    view.text->setExtraSelections(marks);
}

void SideViews::scrollToMark(TrialSide side) {
    auto& view = of(side);
    if (view.length > 0) {
        auto cursor = view.text->textCursor();
        cursor.setPosition(view.begin);
        view.text->setTextCursor(cursor);
        view.text->ensureCursorVisible();
    }
}

}  // namespace pareto::studio
