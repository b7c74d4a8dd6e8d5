#pragma once

#include <array>

#include <QWidget>

#include "app/studio/playground.h"

QT_BEGIN_NAMESPACE
class QTextEdit;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
}

namespace pareto::studio {

/// Two read-only texts side by side, each with its title and how it goes.
class SideViews : public QWidget {
    Q_OBJECT
public:
    SideViews(const QString& name, QWidget* parent);

    void setTitle(TrialSide side, const QString& title, const QString& state);
    /// Keeps the end in sight when it was.
    void setText(TrialSide side, const QString& text);
    void setHtml(TrialSide side, const QString& html);
    QString text(TrialSide side) const;
    /// Marks a range of the text; an empty one takes the mark off.
    void mark(TrialSide side, int begin, int length);
    void scrollToMark(TrialSide side);

private:
    struct View {
        widgets::ElidedLabel* title = nullptr;
        QTextEdit* text = nullptr;
        int begin = 0;
        int length = 0;
    };
    View& of(TrialSide side) { return m_views[static_cast<std::size_t>(side)]; }
    void put(TrialSide side, const QString& content, bool html);

    std::array<View, 2> m_views;
};

}  // namespace pareto::studio
