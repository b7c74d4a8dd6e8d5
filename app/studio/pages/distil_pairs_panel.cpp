#include "app/studio/pages/distil_pairs_panel.h"

#include <algorithm>

#include <QEvent>
#include <QFutureWatcher>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>
#include <QtConcurrent>

#include "app/studio/model_opener.h"
#include "app/studio/pages/panel_labels.h"
#include "app/studio/recipe_edit.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "engine/spec/distil_pairs.h"
#include "widgets/editors/block_pairs_view.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::BlockPairsView;

DistilPairsPanel::DistilPairsPanel(Workspace& workspace, QWidget* parent)
    : QWidget(parent), m_workspace(workspace) {
    setObjectName(u"distilPairsPanel"_s);
    m_title = panelTitle(u"distilPairsTitleLabel"_s, this);
    m_student = plainLabel(u"distilStudentLabel"_s, this);
    m_taught = plainLabel(u"distilTeacherLabel"_s, this);
    m_taught->setAlignment(Qt::AlignRight);
    m_state = plainLabel(u"distilPairsStateLabel"_s, this);
    m_view = new BlockPairsView(u"distilPairsView"_s, this);
    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(u"distilPairsScroll"_s);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(m_view);
    m_even = new QPushButton(this);
    m_even->setObjectName(u"distilEvenButton"_s);
    m_even->setAutoDefault(false);
    auto* sides = new QHBoxLayout;
    sides->addWidget(m_student, 1);
    sides->addWidget(m_taught, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 4, 8, 4);
    layout->setSpacing(3);
    layout->addWidget(m_title);
    layout->addLayout(sides);
    layout->addWidget(scroll, 1);
    layout->addWidget(m_state);
    layout->addWidget(m_even, 0, Qt::AlignLeft);

    connect(m_view, &BlockPairsView::pairChosen, this, &DistilPairsPanel::choose);
    connect(m_view, &BlockPairsView::pairRemoved, this, &DistilPairsPanel::remove);
    connect(m_even, &QPushButton::clicked, this,
            [this] { m_workspace.recipe().setDistilPairs({}); });
    connect(&m_workspace.recipe(), &RecipeDocument::changed, this, &DistilPairsPanel::showRecipe);
    connect(&m_workspace, &Workspace::modelChanged, this, &DistilPairsPanel::showRecipe);
    retranslate();
}

void DistilPairsPanel::retranslate() {
    m_title->setText(tr("Who learns from whom"));
    m_student->setText(tr("Student: what the recipe leaves"));
    m_even->setText(tr("Spread Evenly"));
    m_even->setAccessibleName(m_even->text());
    m_even->setToolTip(
        tr("Every block learns from one, the last from the last; follows the number of blocks"));
    showRecipe();
}

const ModelLayout* DistilPairsPanel::teacher(const DistilSpec& distil) {
    const auto& model = m_workspace.model();
    if (distil.teacher.empty() || !model) {
        return model ? &model->layout : nullptr;
    }
    const QString path = fromUtf8(distil.teacher);
    if (path != m_teacherPath) {
        readTeacher(path);
    }
    return m_teacher ? &m_teacher->layout : nullptr;
}

/// Headers alone, in the pool.
void DistilPairsPanel::readTeacher(const QString& path) {
    m_teacherPath = path;
    m_teacher = nullptr;
    m_reading = true;
    auto* watcher = new QFutureWatcher<ModelPtr>(this);
    connect(watcher, &QFutureWatcher<ModelPtr>::finished, this, [this, watcher, path] {
        watcher->deleteLater();
        if (path == m_teacherPath) {
            m_teacher = watcher->result();
            m_reading = false;
            showRecipe();
        }
    });
    watcher->setFuture(QtConcurrent::run([path]() -> ModelPtr {
        auto model = readModel(path);
        return model.ok() ? std::move(model).value() : nullptr;
    }));
}

/// Blocks that are left, counted from 0; where they moved up, also which they were.
QStringList DistilPairsPanel::studentTitles() const {
    const auto& model = *m_workspace.model();
    const auto* resolved = m_workspace.recipe().resolved();
    QStringList out;
    const auto removed = [&](int block) {
        return resolved != nullptr && resolved->blocks[static_cast<std::size_t>(block)].removed;
    };
    const int unnamed = resolved != nullptr ? static_cast<int>(resolved->removeBlocks) : 0;
    const auto runs = blockRuns(model.layout);
    for (int run = 0; run < static_cast<int>(runs.size()); ++run) {
        if (removed(runs[static_cast<std::size_t>(run)])) {
            continue;
        }
        const int place = static_cast<int>(out.size());
        out.append(place == run || unnamed > 0 ? tr("Block %1").arg(place)
                                               : tr("Block %1 (was %2)").arg(place).arg(run));
    }
    // Which of them go is decided when the recipe is applied.
    return out.mid(0, std::max(1, static_cast<int>(out.size()) - unnamed));
}

void DistilPairsPanel::showRecipe() {
    const auto* step = findDistil(m_workspace.recipe().recipe());
    setVisible(step != nullptr && m_workspace.model() != nullptr);
    if (step == nullptr || !m_workspace.model()) {
        return;
    }
    const auto& distil = *step->distil;
    const auto* taught = teacher(distil);
    m_taught->setText(distil.teacher.empty()
                          ? tr("Teacher: the untouched model")
                          : tr("Teacher: %1").arg(fromUtf8(distil.teacher).section(u'/', -1)));
    QStringList titles;
    const int teachers = taught != nullptr ? static_cast<int>(blockRuns(*taught).size()) : 0;
    for (int block = 0; block < teachers; ++block) {
        titles.append(tr("Block %1").arg(block));
    }
    const QStringList students = studentTitles();
    m_view->setBlocks(students, titles);
    const bool chosen = !distil.blocks.empty();
    m_view->setPairs(
        chosen ? distil.blocks
               : evenPairs(static_cast<int>(students.size()), static_cast<int>(titles.size())),
        chosen);
    m_even->setEnabled(chosen);
    const auto lost =
        static_cast<int>(distil.blocks.size()) - static_cast<int>(m_view->pairs().size());
    m_state->setText(
        taught == nullptr
            ? (m_reading ? tr("The teacher is being read…") : tr("The teacher cannot be read."))
        : chosen && lost > 0 ? tr("%n pair(s) name blocks that are not there.", nullptr, lost)
        : distil.hidden + distil.attention + distil.relations <= 0.0
            ? tr("Hidden states, attention and relations weigh 0 in Recipe: pairs teach nothing "
                 "yet.")
        : chosen
            ? tr("%n pair(s) chosen by hand.", nullptr, static_cast<int>(m_view->pairs().size()))
            : tr("Spread evenly; drag to change."));
}

void DistilPairsPanel::choose(int student, int block) {
    auto pairs = m_view->pairs();
    std::erase_if(pairs, [student](const auto& pair) { return pair.first == student; });
    pairs.emplace_back(student, block);
    m_workspace.recipe().setDistilPairs(std::move(pairs));
}

/// No pair at all would mean "spread evenly" in a recipe, so the last one stays.
void DistilPairsPanel::remove(int student) {
    auto pairs = m_view->pairs();
    if (pairs.size() < 2) {
        m_state->setText(
            tr("The last pair stays. To teach no blocks, set their weights in Recipe to 0."));
        return;
    }
    std::erase_if(pairs, [student](const auto& pair) { return pair.first == student; });
    m_workspace.recipe().setDistilPairs(std::move(pairs));
}

void DistilPairsPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
    }
}

}  // namespace pareto::studio
