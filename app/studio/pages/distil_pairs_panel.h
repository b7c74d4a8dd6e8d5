#pragma once

#include <QWidget>

#include "app/studio/recipe_document.h"
#include "engine/spec/recipe.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QPushButton;
QT_END_NAMESPACE

namespace pareto::widgets {
class BlockPairsView;
}

namespace pareto::studio {

class Workspace;

/// Which blocks of what the recipe leaves (the student) learn from which blocks of the teacher;
/// edits the recipe's step that distils. Without own pairs it shows how they are spread. Visible
/// while the recipe distils.
class DistilPairsPanel : public QWidget {
    Q_OBJECT
public:
    explicit DistilPairsPanel(Workspace& workspace, QWidget* parent = nullptr);

    widgets::BlockPairsView* view() const { return m_view; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void retranslate();
    void showRecipe();
    /// The teacher's layout; null: not known (yet).
    const ModelLayout* teacher(const DistilSpec& distil);
    void readTeacher(const QString& path);
    QStringList studentTitles() const;
    void choose(int student, int block);
    void remove(int student);

    Workspace& m_workspace;
    ModelPtr m_teacher;  ///< of another path than the open model's
    QString m_teacherPath;
    bool m_reading = false;
    widgets::BlockPairsView* m_view = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_student = nullptr;
    QLabel* m_taught = nullptr;
    QLabel* m_state = nullptr;
    QPushButton* m_even = nullptr;
};

}  // namespace pareto::studio
