#include "app/studio/panes/recover_form.h"

#include <algorithm>

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QSpinBox>

#include "app/studio/presets.h"
#include "app/studio/task_catalogue.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/editors/rate_spin.h"
#include "widgets/editors/undo_keys.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kMostEpochs = 100'000;
constexpr int kMostBatch = 65'536;
constexpr int kMostSteps = 100'000'000;
constexpr double kMostWeight = 1e6;
/// Beside the numbers of LearnedPart.
constexpr int kAdapters = 100;

/// Label and field of the parts of a row.
QLabel* inner(const QString& text, QWidget* buddy, QWidget* row) {
    auto* label = new QLabel(text, row);
    label->setObjectName(buddy->objectName() + u"Label"_s);
    label->setBuddy(buddy);
    return label;
}

/// An editable combo box whose text is taken when it is complete.
QComboBox* openCombo(const QString& name, QWidget* parent) {
    auto* combo = new QComboBox(parent);
    combo->setObjectName(name);
    combo->setEditable(true);
    combo->setInsertPolicy(QComboBox::NoInsert);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    combo->setMinimumContentsLength(10);
    combo->lineEdit()->setObjectName(name + u"Edit"_s);
    widgets::UndoKeysPassOn::install(combo->lineEdit());
    return combo;
}

}  // namespace

RecoverForm::RecoverForm(Workspace& workspace, TaskCatalogue& tasks, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_tasks(tasks) {
    setObjectName(u"recoverForm"_s);
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setVerticalSpacing(3);
    grid->setColumnStretch(1, 1);
    addWay(grid);
    addSource(grid);
    addSteps(grid);
    addRate(grid);
    addLabels(grid);
    addLearns(grid);
    addTeacher(grid);
    addTerms(grid);
    for (auto* label : {&m_more, &m_problem}) {
        *label = new QLabel(this);
        (*label)->setWordWrap(true);
        (*label)->setTextFormat(Qt::PlainText);
        grid->addWidget(*label, grid->rowCount(), 0, 1, 2);
    }
    m_more->setObjectName(u"recoverMoreLabel"_s);
    m_problem->setObjectName(u"recoverProblemLabel"_s);

    connect(&m_workspace.recipe(), &RecipeDocument::changed, this, [this] {
        m_wanted.reset();
        showRecipe();
    });
    connect(&m_workspace, &Workspace::modelChanged, this, [this] {
        m_wanted.reset();
        fillSources();
        showRecipe();
    });
    connect(&m_tasks, &TaskCatalogue::changed, this, [this] {
        fillSources();
        showRecipe();
    });
    fillSources();
    showRecipe();
}

QWidget* RecoverForm::addRow(QGridLayout* grid, const QString& title, const QString& name) {
    auto* row = new QWidget(this);
    row->setObjectName(name + u"Row"_s);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* label = new QLabel(title, this);
    label->setObjectName(name + u"RowLabel"_s);
    const int at = grid->rowCount();
    grid->addWidget(label, at, 0);
    grid->addWidget(row, at, 1);
    return row;
}

QDoubleSpinBox* RecoverForm::addNumber(QWidget* row, const QString& name, const Texts& texts) {
    auto* spin = new QDoubleSpinBox(row);
    spin->setObjectName(name);
    spin->setAccessibleName(texts.title);
    spin->setToolTip(texts.hint);
    spin->setRange(0.0, kMostWeight);
    spin->setDecimals(2);
    spin->setSingleStep(0.1);
    spin->setKeyboardTracking(false);
    spin->setAlignment(Qt::AlignRight);
    spin->setMaximumWidth(90);
    widgets::UndoKeysPassOn::install(spin);
    if (!texts.caption.isEmpty()) {
        row->layout()->addWidget(inner(texts.caption, spin, row));
    }
    row->layout()->addWidget(spin);
    connect(spin, &QDoubleSpinBox::valueChanged, this, &RecoverForm::edit);
    return spin;
}

QSpinBox* RecoverForm::addWhole(QWidget* row, const QString& name, const Texts& texts, int least,
                                int most) {
    auto* spin = new QSpinBox(row);
    spin->setObjectName(name);
    spin->setAccessibleName(texts.title);
    spin->setToolTip(texts.hint);
    spin->setRange(least, most);
    spin->setKeyboardTracking(false);
    spin->setAlignment(Qt::AlignRight);
    spin->setMaximumWidth(90);
    widgets::UndoKeysPassOn::install(spin);
    row->layout()->addWidget(inner(texts.caption, spin, row));
    row->layout()->addWidget(spin);
    connect(spin, &QSpinBox::valueChanged, this, &RecoverForm::edit);
    return spin;
}

void RecoverForm::addWay(QGridLayout* grid) {
    m_way = new QComboBox(this);
    m_way->setObjectName(u"recoverCombo"_s);
    m_way->setAccessibleName(tr("Recover"));
    const auto add = [this](const QString& name, const QString& hint) {
        m_way->addItem(name);
        m_way->setItemData(m_way->count() - 1, hint, Qt::ToolTipRole);
    };
    add(tr("off"), tr("What pruning and rounding cost stays lost."));
    add(tr("fine-tune"),
        tr("Trains what is left on the task's own labels; zeros stay zeros. Minutes to hours."));
    add(tr("distil"), tr("Trains what is left to answer as the untouched model does, beside the "
                         "labels (Hinton et al. "
                         "2015). Minutes to hours; usually better than fine-tuning alone."));
    add(tr("reconstruct"),
        tr("Fits each block to what the untouched one gave for the calibration's texts. Minutes; "
           "needs no labels."));
    auto* label = new QLabel(tr("Recover"), this);
    label->setObjectName(u"recoverComboLabel"_s);
    label->setBuddy(m_way);
    grid->addWidget(label, 0, 0);
    grid->addWidget(m_way, 0, 1);
    connect(m_way, &QComboBox::activated, this, &RecoverForm::chooseWay);
}

void RecoverForm::addSource(QGridLayout* grid) {
    m_sourceRow = addRow(grid, tr("Learn from"), u"recoverSource"_s);
    m_source = openCombo(u"recoverSourceCombo"_s, m_sourceRow);
    m_source->setAccessibleName(tr("Learn from"));
    m_source->setToolTip(tr(
        "The task whose training rows are learned: one of the list, or a task's file. Decoders may "
        "learn from a plain text."));
    m_sourceRow->layout()->addWidget(m_source);
    connect(m_source, &QComboBox::activated, this,
            [this](int row) { takeSource(m_source->itemData(row).toString()); });
    connect(m_source->lineEdit(), &QLineEdit::editingFinished, this, [this] {
        if (m_source->currentText() == m_sourceText) {
            return;  // nothing was typed; the text may be the mere name of a task
        }
        const int row = m_source->findText(m_source->currentText());
        takeSource(row >= 0 ? m_source->itemData(row).toString()
                            : m_source->currentText().trimmed());
    });
}

void RecoverForm::addSteps(QGridLayout* grid) {
    m_stepsRow = addRow(grid, tr("Length"), u"recoverSteps"_s);
    const auto spin = [this](const QString& name, const QString& title, const QString& hint, int least,
                             int most) {
        return addWhole(m_stepsRow, name, {title, hint, title}, least, most);
    };
    m_epochs = spin(u"recoverEpochsSpin"_s, tr("Epochs"), tr("Passes over the training rows"), 1,
                    kMostEpochs);
    m_steps = spin(u"recoverBlockStepsSpin"_s, tr("Steps a block"), {}, 0, kMostSteps);
    m_steps->setSpecialValueText(tr("usual"));
    m_batch = spin(u"recoverBatchSpin"_s, tr("Batch"), tr("Examples a step"), 1, kMostBatch);
    static_cast<QHBoxLayout*>(m_stepsRow->layout())->addStretch(1);
}

void RecoverForm::addRate(QGridLayout* grid) {
    m_rateRow = addRow(grid, tr("Learning rate"), u"recoverRate"_s);
    m_rate = new widgets::RateSpin(m_rateRow);
    m_rate->setObjectName(u"recoverRateSpin"_s);
    m_rate->setAccessibleName(tr("Learning rate"));
    m_rate->setToolTip(tr("The most it is; the schedule says how it rises and falls"));
    m_rate->setFixedWidth(100);  // the longest text is no longer than "1.234e-05"
    widgets::UndoKeysPassOn::install(m_rate);
    m_schedule = new QComboBox(m_rateRow);
    m_schedule->setObjectName(u"recoverScheduleCombo"_s);
    m_schedule->setAccessibleName(tr("Schedule of the learning rate"));
    m_schedule->addItem(tr("constant"), static_cast<int>(LearningSchedule::Constant));
    m_schedule->addItem(tr("falls linearly"), static_cast<int>(LearningSchedule::Linear));
    m_schedule->addItem(tr("falls as a cosine"), static_cast<int>(LearningSchedule::Cosine));
    auto* layout = static_cast<QHBoxLayout*>(m_rateRow->layout());
    layout->addWidget(m_rate);
    layout->addWidget(m_schedule);
    layout->addStretch(1);
    connect(m_rate, &QDoubleSpinBox::valueChanged, this, &RecoverForm::edit);
    connect(m_schedule, &QComboBox::activated, this, &RecoverForm::edit);
}

void RecoverForm::addLabels(QGridLayout* grid) {
    m_labelsRow = addRow(grid, tr("Labels"), u"recoverLabels"_s);
    m_labels = addNumber(m_labelsRow, u"recoverLabelsSpin"_s,
                         {tr("Weight of the labels"),
                          tr("Weight of the task's own loss; 0 learns from the teacher alone"),
                          {}});
    m_aware = new QCheckBox(tr("quantize-aware"), m_labelsRow);
    m_aware->setObjectName(u"recoverAwareCheck"_s);
    m_aware->setAccessibleName(tr("Quantize-aware training"));
    auto* layout = static_cast<QHBoxLayout*>(m_labelsRow->layout());
    layout->addWidget(m_aware);
    layout->addStretch(1);
    connect(m_aware, &QCheckBox::clicked, this, &RecoverForm::edit);
}

/// What of the model is learned, and when a method that prunes while training does so.
void RecoverForm::addLearns(QGridLayout* grid) {
    m_learnsRow = addRow(grid, tr("Learns"), u"recoverLearns"_s);
    m_learns = new QComboBox(m_learnsRow);
    m_learns->setObjectName(u"recoverLearnsCombo"_s);
    m_learns->setAccessibleName(tr("What is learned"));
    m_learns->setToolTip(tr("Which values change. Adapters (LoRA, Hu et al. 2021) learn two thin matrices beside each weight, "
                            "which are added to it at the end: less memory, for decoders above all."));
    for (const auto part : {LearnedPart::All, LearnedPart::Biases, LearnedPart::Norms, LearnedPart::BiasesNorms}) {
        m_learns->addItem(text(part), static_cast<int>(part));
    }
    m_learns->addItem(tr("adapters (LoRA)"), kAdapters);
    auto* layout = static_cast<QHBoxLayout*>(m_learnsRow->layout());
    layout->addWidget(m_learns);
    m_rank = addWhole(m_learnsRow, u"recoverRankSpin"_s,
                      {tr("Rank of the adapters"),
                       tr("Width of the thin matrices; their product counts twice"), tr("rank")},
                      1, 4096);
    layout->addStretch(1);
    connect(m_learns, &QComboBox::activated, this, &RecoverForm::edit);

    m_sparseRow = addRow(grid, tr("Prunes"), u"recoverSparse"_s);
    const auto share = [this](const QString& name, const QString& title, const QString& caption) {
        auto* spin = addNumber(m_sparseRow, name,
                               {title, tr("Share of the steps between which the weights fall; behind it zeros stay zeros"),
                                caption});
        spin->setRange(0.0, 1.0);
        spin->setSingleStep(0.05);
        return spin;
    };
    m_sparseFrom = share(u"recoverSparseFromSpin"_s, tr("Pruning begins"), tr("from"));
    m_sparseTo = share(u"recoverSparseToSpin"_s, tr("Pruning ends"), tr("to"));
    static_cast<QHBoxLayout*>(m_sparseRow->layout())->addStretch(1);
}

bool RecoverForm::prunesWhileTraining() const {
    const auto& steps = m_workspace.recipe().recipe().prune;
    return std::any_of(steps.begin(), steps.end(), [](const PruneSpec& step) { return isTrained(step.method); });
}

void RecoverForm::readLearns(RecoverSpec& spec) const {
    const int chosen = m_learns->currentData().toInt();
    if (chosen == kAdapters) {
        const bool sameRank = spec.adapters && spec.adapters->rank == m_rank->value();
        if (!sameRank) {
            spec.adapters = spec.adapters.value_or(AdapterSpec{});
            spec.adapters->rank = m_rank->value();
            spec.adapters->alpha = 2.0 * spec.adapters->rank;
        }
        spec.learns = LearnedPart::All;
        return;
    }
    spec.adapters.reset();
    spec.learns = static_cast<LearnedPart>(chosen);
}

void RecoverForm::addTeacher(QGridLayout* grid) {
    m_teacherRow = addRow(grid, tr("Teacher"), u"recoverTeacher"_s);
    m_teacher = openCombo(u"recoverTeacherCombo"_s, m_teacherRow);
    m_teacher->setAccessibleName(tr("Teacher"));
    m_teacher->setToolTip(
        tr("The untouched model, or the folder of another one with the same vocabulary"));
    m_teacher->addItem(tr("the untouched model"), QString());
    m_teacherRow->layout()->addWidget(m_teacher);
    connect(m_teacher, &QComboBox::activated, this,
            [this](int row) { takeTeacher(m_teacher->itemData(row).toString()); });
    connect(m_teacher->lineEdit(), &QLineEdit::editingFinished, this, [this] {
        const QString typed = m_teacher->currentText().trimmed();
        takeTeacher(typed == m_teacher->itemText(0) ? QString() : typed);
    });
}

void RecoverForm::addTerms(QGridLayout* grid) {
    m_logitsRow = addRow(grid, tr("Outputs"), u"recoverLogits"_s);
    m_logits = addNumber(m_logitsRow, u"recoverLogitsSpin"_s,
                         {tr("Weight of the outputs"),
                          tr("The teacher's softened answers (Hinton et al. 2015)"),
                          {}});
    m_temperature =
        addNumber(m_logitsRow, u"recoverTemperatureSpin"_s,
                  {tr("Temperature"), tr("How soft the answers are made"), tr("temperature")});
    m_temperature->setRange(0.01, 1000.0);
    m_sequencesRow = addRow(grid, tr("Texts"), u"recoverSequences"_s);
    m_sequences = addWhole(m_sequencesRow, u"recoverSequencesSpin"_s,
                           {tr("Texts that the teacher writes"),
                            tr("The student learns them by heart instead of the source's own (sequence-level distillation, "
                               "Kim and Rush 2016)"),
                            tr("written by the teacher")},
                           0, 10'000'000);
    m_sequences->setSpecialValueText(tr("none"));
    static_cast<QHBoxLayout*>(m_sequencesRow->layout())->addStretch(1);
    m_hiddenRow = addRow(grid, tr("Hidden states"), u"recoverHidden"_s);
    m_hidden = addNumber(m_hiddenRow, u"recoverHiddenSpin"_s,
                         {tr("Weight of the hidden states"),
                          tr("What comes out of paired blocks (TinyBERT, Jiao et al. 2020)"),
                          {}});
    m_attention =
        addNumber(m_hiddenRow, u"recoverAttentionSpin"_s,
                  {tr("Weight of the attention maps"),
                   tr("Where the tokens of paired blocks look (MobileBERT, Sun et al. 2020)"),
                   tr("attention")});
    m_relationsRow = addRow(grid, tr("Relations"), u"recoverRelations"_s);
    m_relations = addNumber(m_relationsRow, u"recoverRelationsSpin"_s,
                            {tr("Weight of the relations"),
                             tr("How tokens relate in the last pair of blocks, whatever its width "
                                "(MiniLMv2, Wang et al. "
                                "2021)"),
                             {}});
    m_pairs = new QPushButton(tr("Pairs of Blocks…"), m_relationsRow);
    m_pairs->setObjectName(u"recoverPairsButton"_s);
    m_pairs->setAccessibleName(m_pairs->text());
    m_pairs->setToolTip(tr("Which block learns from which block of the teacher"));
    m_pairs->setAutoDefault(false);
    m_relationsRow->layout()->addWidget(m_pairs);
    connect(m_pairs, &QPushButton::clicked, this, &RecoverForm::pairsRequested);
    for (auto* row : {m_logitsRow, m_hiddenRow, m_relationsRow}) {
        static_cast<QHBoxLayout*>(row->layout())->addStretch(1);
    }
}

/// Tasks that fit the model; what is typed may be any file.
void RecoverForm::fillSources() {
    const QScopedValueRollback showing(m_showing, true);
    m_source->clear();
    const auto& model = m_workspace.model();
    if (!model) {
        return;
    }
    for (const auto& choice : m_tasks.choices(&model->layout)) {
        if (choice.reason.isEmpty()) {
            m_source->addItem(fromUtf8(choice.task.name), fromUtf8(sourceOf(choice.task)));
        }
    }
}

QString RecoverForm::usualSource() const {
    if (m_workspace.task()) {
        return fromUtf8(sourceOf(*m_workspace.task()));
    }
    return m_source->count() > 0 ? m_source->itemData(0).toString() : QString();
}

RecoverForm::Way RecoverForm::wayOf(const RecoverSpec* spec) {
    return spec == nullptr                              ? kOff
           : spec->method == RecoverMethod::Reconstruct ? kReconstruct
           : spec->distil                               ? kDistil
                                                        : kFineTune;
}

const RecoverSpec* RecoverForm::shownSpec() const {
    const auto& steps = m_workspace.recipe().recipe().recover;
    return m_wanted ? &*m_wanted : steps.empty() ? nullptr : &steps.front();
}

void RecoverForm::chooseWay(int way) {
    if (way == kOff) {
        m_wanted.reset();
        m_workspace.recipe().setRecover(std::nullopt);
        showRecipe();
        return;
    }
    const auto* before = shownSpec();
    RecoverSpec spec = before != nullptr ? *before : RecoverSpec();
    if (way == kReconstruct) {
        // What a recipe leaves out is other than for training.
        const Json alone{{"method", nameOf(RecoverMethod::Reconstruct)}};
        auto read = recoverFromJson(alone, "recover");
        spec = read.ok() ? std::move(read.value()) : RecoverSpec();
    } else {
        if (spec.method == RecoverMethod::Reconstruct) {
            spec = {};
        }
        if (spec.source.empty()) {
            spec.source = usualSource().toStdString();
        }
        if (way == kFineTune) {
            spec.distil.reset();
        } else if (!spec.distil) {
            spec.distil.emplace();
        }
    }
    commit(std::move(spec));
}

void RecoverForm::takeSource(const QString& text) {
    const auto* before = shownSpec();
    if (m_showing || before == nullptr || text.toStdString() == before->source) {
        return;
    }
    auto spec = *before;
    spec.source = text.toStdString();
    commit(std::move(spec));
}

void RecoverForm::takeTeacher(const QString& text) {
    const auto* before = shownSpec();
    if (m_showing || before == nullptr || !before->distil ||
        text.toStdString() == before->distil->teacher) {
        return;
    }
    auto spec = *before;
    spec.distil->teacher = text.toStdString();
    spec.distil->blocks.clear();  // they counted another model's blocks
    commit(std::move(spec));
}

void RecoverForm::edit() {
    const auto* before = shownSpec();
    if (m_showing || before == nullptr) {
        return;
    }
    auto spec = *before;
    spec.batch = m_batch->value();
    spec.learningRate = m_rate->value();
    spec.schedule = static_cast<LearningSchedule>(m_schedule->currentData().toInt());
    if (spec.method == RecoverMethod::Reconstruct) {
        spec.steps = m_steps->value();
    } else {
        spec.epochs = m_epochs->value();
        spec.labels = m_labels->value();
        spec.quantizeAware = m_aware->isChecked();
    }
    readLearns(spec);
    if (prunesWhileTraining()) {
        spec.sparsify.begin = m_sparseFrom->value();
        spec.sparsify.end = m_sparseTo->value();
    }
    if (spec.distil) {
        spec.distil->sequences = m_sequences->value() == 0 ? std::nullopt
                                                           : std::optional(spec.distil->sequences.value_or(SequenceSpec{}));
        if (spec.distil->sequences) {
            spec.distil->sequences->count = m_sequences->value();
        }
        spec.distil->logits = m_logits->value();
        spec.distil->temperature = m_temperature->value();
        spec.distil->hidden = m_hidden->value();
        spec.distil->attention = m_attention->value();
        spec.distil->relations = m_relations->value();
    }
    commit(std::move(spec));
}

/// A recipe that could not be read back is none: what lacks is said instead.
void RecoverForm::commit(RecoverSpec spec) {
    const auto readBack = recoverFromJson(recoverToJson(spec), "recover");
    if (readBack.ok()) {
        m_wanted.reset();
        m_workspace.recipe().setRecover(spec);
        showRecipe();
        return;
    }
    m_wanted = std::move(spec);
    showRecipe();
    m_problem->setText(text(readBack.error()));
    m_problem->show();
}

void RecoverForm::showRecipe() {
    const QScopedValueRollback showing(m_showing, true);
    const auto* spec = shownSpec();
    m_problem->setVisible(false);
    const auto steps = static_cast<int>(m_workspace.recipe().recipe().recover.size());
    m_more->setVisible(steps > 1);
    m_more->setText(tr("The first of %n recovery step(s) of the recipe is shown.", nullptr, steps));
    m_way->setCurrentIndex(wayOf(spec));
    showRows(wayOf(spec));
    if (spec != nullptr) {
        showSpec(*spec);
    }
    const bool model = m_workspace.model() != nullptr;
    m_way->setEnabled(model);
    m_way->setToolTip(model ? tr("How accuracy is brought back behind pruning")
                            : tr("open a model first"));
}

void RecoverForm::showRows(Way way) {
    const bool train = way == kFineTune || way == kDistil;
    const auto show = [this](QWidget* row, bool shown) {
        row->setVisible(shown);
        findChild<QLabel*>(row->objectName() + u"Label"_s)->setVisible(shown);
    };
    show(m_sourceRow, train);
    show(m_stepsRow, way != kOff);
    show(m_rateRow, way != kOff);
    show(m_labelsRow, train);
    show(m_learnsRow, way != kOff);
    show(m_sparseRow, train && prunesWhileTraining());
    const auto& model = m_workspace.model();
    show(m_sequencesRow, way == kDistil && model && model->layout.generates());
    for (auto* row : {m_teacherRow, m_logitsRow, m_hiddenRow, m_relationsRow}) {
        show(row, way == kDistil);
    }
    for (QWidget* field : std::initializer_list<QWidget*>{m_epochs, m_steps}) {
        const bool shown = field == m_epochs ? train : way == kReconstruct;
        field->setVisible(shown);
        m_stepsRow->findChild<QLabel*>(field->objectName() + u"Label"_s)->setVisible(shown);
    }
}

void RecoverForm::showSpec(const RecoverSpec& spec) {
    const int source = m_source->findData(fromUtf8(spec.source));
    m_source->setCurrentIndex(source);
    if (source < 0) {
        const auto task = !spec.source.empty() && spec.source.front() == '{' ? loadTask(spec.source)
                                                                             : Result<Task>(Task{});
        m_source->setEditText(task.ok() && !task->name.empty() ? fromUtf8(task->name)
                                                               : fromUtf8(spec.source));
    }
    m_sourceText = m_source->currentText();
    m_epochs->setValue(spec.epochs);
    m_steps->setValue(static_cast<int>(spec.steps));
    m_batch->setValue(spec.batch);
    m_rate->setValue(spec.learningRate);
    m_schedule->setCurrentIndex(m_schedule->findData(static_cast<int>(spec.schedule)));
    m_labels->setValue(spec.labels);
    // Blocks are reconstructed without adapters.
    const int adapters = m_learns->findData(kAdapters);
    const bool reconstructs = spec.method == RecoverMethod::Reconstruct;
    if (reconstructs && adapters >= 0) {
        m_learns->removeItem(adapters);
    } else if (!reconstructs && adapters < 0) {
        m_learns->addItem(tr("adapters (LoRA)"), kAdapters);
    }
    m_learns->setCurrentIndex(m_learns->findData(spec.adapters ? kAdapters : static_cast<int>(spec.learns)));
    m_rank->setValue(spec.adapters ? spec.adapters->rank : AdapterSpec{}.rank);
    for (QWidget* part : std::initializer_list<QWidget*>{m_rank, m_learnsRow->findChild<QLabel*>(u"recoverRankSpinLabel"_s)}) {
        part->setVisible(spec.adapters.has_value());
    }
    m_sparseFrom->setValue(spec.sparsify.begin);
    m_sparseTo->setValue(spec.sparsify.end);
    const auto& quantize = m_workspace.recipe().recipe().quantize;
    m_aware->setChecked(spec.quantizeAware);
    m_aware->setEnabled(quantize.has_value() || spec.quantizeAware);
    m_aware->setToolTip(
        quantize
            ? tr("Trains with weights and inputs rounded as the recipe will round them; the scales "
                 "are learned (LSQ, Esser et al. 2020)")
            : tr("choose bits first"));
    if (spec.distil) {
        const bool original = spec.distil->teacher.empty();
        m_teacher->setCurrentIndex(original ? 0 : -1);
        m_teacher->setEditText(original ? m_teacher->itemText(0) : fromUtf8(spec.distil->teacher));
        m_sequences->setValue(spec.distil->sequences ? spec.distil->sequences->count : 0);
        m_logits->setValue(spec.distil->logits);
        m_temperature->setValue(spec.distil->temperature);
        m_hidden->setValue(spec.distil->hidden);
        m_attention->setValue(spec.distil->attention);
        m_relations->setValue(spec.distil->relations);
    }
}

}  // namespace pareto::studio
