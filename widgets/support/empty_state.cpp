#include "widgets/support/empty_state.h"

#include <QAction>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QVBoxLayout>

namespace pareto::widgets {

namespace {

QString camelCase(const QString& dotted) {
    QString joined;
    const auto parts = dotted.split(QChar(u'.'), Qt::SkipEmptyParts);
    for (const QString& part : parts) {
        joined += part.left(1).toUpper() + part.mid(1);
    }
    return joined;
}

void follow(QPushButton* button, const QAction* action) {
    button->setText(action->text());
    button->setEnabled(action->isEnabled());
    button->setVisible(action->isVisible());
    button->setToolTip(action->toolTip());
    button->setMenu(action->menu());
    QString plain = action->text();
    button->setAccessibleName(plain.remove(QChar(u'&')));
}

}  // namespace

EmptyState::EmptyState(QWidget* parent) : QWidget(parent) {
    m_text = new QLabel(this);
    m_text->setObjectName(QStringLiteral("emptyStateText"));
    m_text->setWordWrap(true);
    m_text->setAlignment(Qt::AlignCenter);
    m_text->setTextFormat(Qt::PlainText);
    m_buttons = new QHBoxLayout;
    m_buttons->addStretch();
    m_buttons->addStretch();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addStretch();
    layout->addWidget(m_text);
    layout->addLayout(m_buttons);
    layout->addStretch();
}

void EmptyState::setText(const QString& text) {
    m_text->setText(text);
    m_text->setObjectName(objectName() + QStringLiteral("Text"));
    setAccessibleName(text);
}

QString EmptyState::text() const {
    return m_text->text();
}

QPushButton* EmptyState::addButton(QAction* action) {
    auto* button = new QPushButton(this);
    button->setObjectName(objectName() + camelCase(action->objectName())
                          + QStringLiteral("Button"));
    follow(button, action);
    connect(action, &QAction::changed, button, [button, action] { follow(button, action); });
    connect(button, &QPushButton::clicked, action, [action] {
        if (action->menu() == nullptr) {
            action->trigger();
        }
    });
    m_buttons->insertWidget(m_buttons->count() - 1, button);
    return button;
}

void EmptyState::clearButtons() {
    const auto buttons = findChildren<QPushButton*>(QString(), Qt::FindDirectChildrenOnly);
    for (auto* button : buttons) {
        m_buttons->removeWidget(button);
        button->hide();
        button->setObjectName(QString());
        button->deleteLater();
    }
}

}  // namespace pareto::widgets
