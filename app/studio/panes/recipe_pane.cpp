#include "app/studio/panes/recipe_pane.h"

#include <algorithm>

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include "app/studio/panes/recover_form.h"
#include "app/studio/presets.h"
#include "app/studio/recipe_edit.h"
#include "app/studio/runs.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/editors/format_chooser.h"
#include "widgets/editors/ratio_editor.h"
#include "widgets/support/elided_label.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

QLabel* rowLabel(const QString& text, QWidget* buddy, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setBuddy(buddy);
    label->setObjectName(buddy->objectName() + u"Label"_s);
    return label;
}

/// Whether weights in this format may have such inputs (spec::resolve says it again of each layer).
bool fits(const QuantizeSpec& spec, Activations activations) {
    switch (activations) {
        case Activations::None: return true;
        case Activations::Int8Dynamic:
        case Activations::Int8Static:
            return spec.weights == NumberFormat::Int8 ||
                   (spec.weights > NumberFormat::Int8 && spec.granularity != Granularity::Tensor);
        case Activations::Int16Dynamic:
            return spec.weights == NumberFormat::Int8 || spec.weights == NumberFormat::Int16;
    }
    return false;
}

/// A method of a combo box and what is left does, as one number.
int choiceOf(PruneMethod method, Compensation compensation) {
    return static_cast<int>(method) | static_cast<int>(compensation) << 8;
}
PruneMethod methodOf(int choice) { return static_cast<PruneMethod>(choice & 0xFF); }
Compensation compensationOf(int choice) { return static_cast<Compensation>(choice >> 8); }

/// The rows of the combo box of patterns.
const std::vector<WeightsPattern>& weightsPatterns() {
    static const std::vector<WeightsPattern> all{{},
                                                 {0, 0, 1, 1, Allocation::Global},
                                                 {0, 0, 1, 1, Allocation::Owl},
                                                 {2, 4},
                                                 {4, 8},
                                                 {0, 0, 1, 4},
                                                 {0, 0, 4, 1},
                                                 {0, 0, 1, 16},
                                                 {0, 0, 4, 4},
                                                 {0, 0, 16, 4}};
    return all;
}

/// The rows of the combo box of preparations.
enum Preparation { kPlain, kAwq, kAwqClipped, kSmooth, kRotated };

}  // namespace

RecipePane::RecipePane(Workspace& workspace, Runs& runs, TaskCatalogue& tasks, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs) {
    setObjectName(u"recipePane"_s);
    auto* knobs = new QWidget(this);
    knobs->setObjectName(u"recipeKnobs"_s);
    auto* grid = new QGridLayout(knobs);
    grid->setContentsMargins(6, 4, 6, 4);
    grid->setVerticalSpacing(3);
    grid->setColumnStretch(2, 1);
    addPreset(grid);
    addKnob(grid, 1, PrunePattern::Unstructured, u"recipeWeights"_s);
    addWeightsPattern(grid, 2);
    addKnob(grid, 3, PrunePattern::Heads, u"recipeHeads"_s);
    addKnob(grid, 4, PrunePattern::Neurons, u"recipeNeurons"_s);
    addKnob(grid, 5, PrunePattern::Blocks, u"recipeBlocks"_s);
    addKnob(grid, 6, PrunePattern::Width, u"recipeWidth"_s);
    addFormat(grid, 7);
    addPreparation(grid, 10);
    addCache(grid, 11);
    m_recover = new RecoverForm(m_workspace, tasks, this);
    grid->addWidget(m_recover, 12, 0, 1, 3);
    grid->setRowStretch(13, 1);
    m_size = new widgets::ElidedLabel(this);
    m_size->setObjectName(u"recipeSizeLabel"_s);
    m_measured = new widgets::ElidedLabel(this);
    m_measured->setObjectName(u"recipeMeasuredLabel"_s);
    m_problem = new QLabel(this);
    m_problem->setObjectName(u"recipeProblemLabel"_s);
    m_problem->setWordWrap(true);
    m_problem->setTextFormat(Qt::PlainText);

    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(u"recipeScroll"_s);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(knobs);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(scroll, 1);
    // What follows from the recipe stays in sight however far its settings are scrolled.
    auto* outcome = new QVBoxLayout;
    outcome->setContentsMargins(6, 2, 6, 4);
    outcome->setSpacing(2);
    outcome->addWidget(m_size);
    outcome->addWidget(m_measured);
    outcome->addWidget(m_problem);
    layout->addLayout(outcome);

    auto& recipe = m_workspace.recipe();
    connect(&recipe, &RecipeDocument::changed, this, &RecipePane::showRecipe);
    connect(&m_workspace, &Workspace::modelChanged, this, &RecipePane::showAvailability);
    connect(&m_workspace, &Workspace::modelChanged, this, &RecipePane::showRecipe);
    connect(&m_runs, &Runs::changed, this, &RecipePane::showMeasured);
    showAvailability();
    showRecipe();
}

void RecipePane::addPreset(QGridLayout* grid) {
    m_preset = new QComboBox(this);
    m_preset->setObjectName(u"recipePresetCombo"_s);
    m_preset->setAccessibleName(tr("Preset"));
    m_preset->addItem(tr("own settings"));
    for (const auto& preset : presets()) {
        m_preset->addItem(preset.title);
        m_preset->setItemData(m_preset->count() - 1, preset.hint, Qt::ToolTipRole);
    }
    connect(m_preset, &QComboBox::activated, this, [this](int row) {
        const auto all = presets();
        if (row == 0) {
            showRecipe();
        } else if (row <= static_cast<int>(all.size())) {
            const auto recipe = fittedTo(all[static_cast<std::size_t>(row - 1)].recipe, m_workspace.task());
            m_workspace.recipe().replace(recipe, tr("preset %1").arg(m_preset->itemText(row)));
        }
    });
    grid->addWidget(rowLabel(tr("Preset"), m_preset, this), 0, 0);
    grid->addWidget(m_preset, 0, 1, 1, 2);
}

void RecipePane::addKnob(QGridLayout* grid, int row, PrunePattern pattern, const QString& prefix) {
    auto& knob = m_knobs[static_cast<std::size_t>(pattern)];
    knob.pattern = pattern;
    knob.method = new QComboBox(this);
    knob.method->setObjectName(prefix + u"MethodCombo"_s);
    knob.method->setAccessibleName(tr("%1: method").arg(text(pattern)));
    const auto addNamed = [&](const QString& name, PruneMethod method, Compensation compensation, const QString& hint) {
        knob.method->addItem(name, choiceOf(method, compensation));
        knob.method->setItemData(knob.method->count() - 1, hint, Qt::ToolTipRole);
    };
    const auto add = [&](PruneMethod method, const QString& hint) {
        addNamed(text(method), method, Compensation::None, hint);
    };
    if (pattern == PrunePattern::Unstructured) {
        add(PruneMethod::Magnitude, tr("Sets the weights of smallest magnitude to zero. Seconds, needs no data."));
        add(PruneMethod::Wanda, tr("Weighs each weight by what its input usually is (Wanda, Sun et al. 2023). A "
                                   "minute or two: texts run through the model. Better than magnitude from 40 % on."));
        add(PruneMethod::SparseGpt, tr("Also corrects the weights that stay (SparseGPT, Frantar and Alistarh 2023). "
                                       "Minutes; the best of the three from 50 % on and for 2:4."));
        add(PruneMethod::L1Reconstruction,
            tr("Rebuilds each layer's output with as few weights as asked, by L1-penalized regression (FISTA, Beck and "
               "Teboulle 2009). The slowest; compare it with SparseGPT."));
        add(PruneMethod::Fisher,
            tr("Weighs what the model's answers lose, by the Fisher information of its gradients, and corrects the weights "
               "that stay (oBERT, Kurtic et al. 2022). Minutes for an encoder, hours for a decoder."));
        addNamed(tr("magnitude, least squares"), PruneMethod::Magnitude, Compensation::LeastSquares,
                 tr("The same choice as magnitude; the weights that stay then make up for what is gone, by least squares on "
                    "each layer's output (ADMM, Boža 2024). Minutes: texts run through the model."));
        addNamed(tr("Wanda, least squares"), PruneMethod::Wanda, Compensation::LeastSquares,
                 tr("The same choice as Wanda, and the same adjustment of the weights that stay. Minutes."));
        add(PruneMethod::Gradual,
            tr("While the model is trained (see Recover), a few more of the smallest weights fall at each step, on a cubic "
               "schedule (Zhu and Gupta 2017). Better than all at once from 60 % on; as long as the training."));
        add(PruneMethod::Movement,
            tr("While the model is trained, those weights stay that the training moves away from zero, by scores that it "
               "learns (Sanh et al. 2020). For models that learn a new task, at 80 % and more."));
        add(PruneMethod::SoftMovement,
            tr("The same with one threshold for all layers, under a penalty that grows until the share is reached: some "
               "layers lose more than others."));
        add(PruneMethod::Proximal,
            tr("While the model is trained, an L1 penalty pulls all weights towards zero by proximal steps, as hard as the "
               "share asks for; whole tiles by their norm (group lasso)."));
        knob.method->setToolTip(tr("How the weights to set to zero are chosen"));
    } else if (pattern == PrunePattern::Width) {
        add(PruneMethod::Pca, tr("Turns the hidden state into its principal axes and drops those that hold least (SliceGPT, "
                                 "Ashkboos et al. 2024). A minute: texts run through the model."));
        knob.method->setToolTip(tr("How the channels of the hidden state to remove are chosen"));
    } else {
        add(PruneMethod::L1, tr("Removes those with the smallest L1 norm. Seconds, needs no data."));
        knob.method->setToolTip(tr("How those to remove are chosen, and what the others do about it"));
    }
    if (pattern == PrunePattern::Heads || pattern == PrunePattern::Neurons) {
        addNamed(tr("L1, least squares"), PruneMethod::L1, Compensation::LeastSquares,
                 tr("The same choice; what is kept then makes up for what is gone, by least squares on the layer's "
                    "output. A minute or two: texts run through the model."));
        addNamed(tr("fluctuation (FLAP)"), PruneMethod::Fluctuation, Compensation::LeastSquares,
                 tr("Removes those whose activations vary least, weighed by the weights that read them (FLAP, An et al. "
                    "2023), with least squares for the rest. A minute or two."));
        add(PruneMethod::Second, tr("Removes one after the other, each time the one whose loss the others can make up "
                                    "for best (ZipLM, Kurtic et al. 2023). Minutes; the best of the four."));
        add(PruneMethod::Taylor, tr("Removes those without which the model's loss changes least, to first order (Molchanov et "
                                    "al. 2019). A minute for an encoder, longer for a decoder: gradients are found."));
    } else if (pattern == PrunePattern::Blocks) {
        add(PruneMethod::Influence, tr("Removes the blocks that change least what passes through them (ShortGPT, Men et "
                                       "al. 2024). A minute: texts run through the model."));
    }
    connect(knob.method, &QComboBox::activated, this, [this, &knob] { editMethod(knob); });
    knob.ratio = new widgets::RatioEditor(prefix + u"Ratio"_s,
                                          tr("%1: share to remove").arg(text(pattern)), this);
    connect(knob.ratio, &widgets::RatioEditor::ratioEdited, this,
            [this, &knob](double ratio, int gesture) { setRatio(knob, ratio, gesture); });
    grid->addWidget(rowLabel(text(pattern), knob.ratio->spinBox(), this), row, 0);
    grid->addWidget(knob.method, row, 1);
    grid->addWidget(knob.ratio, row, 2);
}

void RecipePane::addFormat(QGridLayout* grid, int row) {
    m_format = new widgets::FormatChooser(u"recipe"_s, tr("Bits"), this);
    m_activations = new QComboBox(this);
    m_activations->setObjectName(u"recipeActivationsCombo"_s);
    m_activations->setAccessibleName(tr("Activations"));
    const auto addActivations = [this](const QString& name, Activations value,
                                       const QString& hint) {
        m_activations->addItem(name, static_cast<int>(value));
        m_activations->setItemData(m_activations->count() - 1, hint, Qt::ToolTipRole);
    };
    addActivations(tr("as they are"), Activations::None,
                   tr("Inputs stay fp32; weights are widened while they multiply."));
    addActivations(
        tr("int8 dynamic"), Activations::Int8Dynamic,
        tr("Each token's inputs are rounded to 8 bits with a scale of their own, products run in "
           "integers: the fastest. Needs no data."));
    addActivations(
        tr("int8 static"), Activations::Int8Static,
        tr("One scale a layer, found once by running texts through the model (a minute or two). "
           "For devices that cannot find scales while they run; larger inputs are cut off."));
    addActivations(tr("int16 dynamic"), Activations::Int16Dynamic,
                   tr("Each token's inputs are rounded to 16 bits; products run in fp32. Loses "
                      "next to nothing and is no faster here: it shows what a 16-bit device "
                      "would answer."));
    connect(m_format, &widgets::FormatChooser::choiceEdited, this, [this] { editFormat(); });
    connect(m_activations, &QComboBox::activated, this, [this] { editFormat(); });
    grid->addWidget(rowLabel(tr("Bits"), m_format, this), row, 0);
    grid->addWidget(m_format, row, 1, 1, 2);
    grid->addWidget(rowLabel(tr("Activations"), m_activations, this), row + 1, 0);
    grid->addWidget(m_activations, row + 1, 1, 1, 2);
    m_rounding = new QComboBox(this);
    m_rounding->setObjectName(u"recipeRoundingCombo"_s);
    m_rounding->setAccessibleName(tr("Rounding"));
    const auto add = [this](const QString& name, QuantizeMethod method, bool ordered, const QString& hint) {
        m_rounding->addItem(name, QVariantList{static_cast<int>(method), ordered});
        m_rounding->setItemData(m_rounding->count() - 1, hint, Qt::ToolTipRole);
    };
    add(tr("to nearest"), QuantizeMethod::Rtn, false, tr("Each weight to its nearest code. Seconds, needs no data."));
    add(tr("GPTQ"), QuantizeMethod::Gptq, false,
        tr("Weights to come make up for the errors of those rounded before (GPTQ, Frantar et al. 2022). Minutes: texts "
           "run through the model. Pays at 4 bits."));
    add(tr("GPTQ, important inputs first"), QuantizeMethod::Gptq, true,
        tr("The same in the order of what the inputs carry (act order): better, as long."));
    add(tr("SignRound"), QuantizeMethod::SignRound, false,
        tr("Learns for each weight whether it goes up or down (SignRound, Cheng et al. 2023). The slowest; pays at 3 and 2 "
           "bits."));
    connect(m_rounding, &QComboBox::activated, this, [this] { editFormat(); });
    grid->addWidget(rowLabel(tr("Rounding"), m_rounding, this), row + 2, 0);
    grid->addWidget(m_rounding, row + 2, 1, 1, 2);
}

/// Part of the recipe's rounding: of the whole model.
void RecipePane::addCache(QGridLayout* grid, int row) {
    m_cache = new QComboBox(this);
    m_cache->setObjectName(u"recipeCacheCombo"_s);
    m_cache->setAccessibleName(tr("Key/value cache"));
    const auto add = [this](NumberFormat format, const QString& hint) {
        m_cache->addItem(widgets::formatText(format), static_cast<int>(format));
        m_cache->setItemData(m_cache->count() - 1, hint, Qt::ToolTipRole);
    };
    add(NumberFormat::F32, tr("Nothing lost, the fastest; 4 bytes a value."));
    add(NumberFormat::F16, tr("Half the bytes, next to nothing lost."));
    add(NumberFormat::Int8,
        tr("A good quarter of the bytes, a scale a head and token. Little lost: for long texts."));
    add(NumberFormat::Int4,
        tr("A sixth of the bytes, a scale every 32 values. Costs quality that perplexity shows: "
           "for the longest texts."));
    connect(m_cache, &QComboBox::activated, this, [this] { editFormat(); });
    grid->addWidget(rowLabel(tr("Key/value cache"), m_cache, this), row, 0);
    grid->addWidget(m_cache, row, 1, 1, 2);
}

/// Of what is pruned already; else the choice waits for a share.
void RecipePane::editMethod(const Knob& knob) {
    if (const auto* step = findPrune(m_workspace.recipe().recipe(), knob.pattern)) {
        setRatio(knob, step->ratio, 0);
    }
}

void RecipePane::setRatio(const Knob& knob, double ratio, int gesture) {
    const int choice = choiceIn(knob);
    m_workspace.recipe().setPrune(knob.pattern, methodOf(choice), ratio, gesture, compensationOf(choice));
}

/// A recipe's file may say what no row of the box does: that stays until a row is chosen.
int RecipePane::choiceIn(const Knob& knob) const {
    if (knob.method->currentIndex() >= 0) {
        return knob.method->currentData().toInt();
    }
    const auto* step = findPrune(m_workspace.recipe().recipe(), knob.pattern);
    return step != nullptr ? choiceOf(step->method, step->compensation)
                           : choiceOf(methodFor(knob.pattern), Compensation::None);
}

/// Which weights may fall: with nothing pruned yet, choosing one takes half of them.
void RecipePane::addWeightsPattern(QGridLayout* grid, int row) {
    m_pattern = new QComboBox(this);
    m_pattern->setObjectName(u"recipePatternCombo"_s);
    m_pattern->setAccessibleName(tr("Pattern of the weights"));
    const auto add = [this](const QString& name, const QString& hint) {
        m_pattern->addItem(name);
        m_pattern->setItemData(m_pattern->count() - 1, hint, Qt::ToolTipRole);
    };
    add(tr("anywhere"), tr("Every layer loses the same share, wherever its least important weights are. In fp32 a "
                           "processor with AVX-512 is faster from about 70 % zeros on; the run says what it measured."));
    add(tr("anywhere, one threshold"), tr("One threshold of magnitude for all layers: some lose more than others. Goes "
                                          "with the method magnitude."));
    add(tr("anywhere, by outliers"), tr("Blocks with more outlying weights keep more (OWL, Yin et al. 2023). Pays from "
                                        "60 % on; a minute: texts run through the model."));
    add(tr("2 of 4"), tr("Of every four inputs of an output two stay: what GPUs with sparse units run fast."));
    add(tr("4 of 8"), tr("Of every eight inputs of an output four stay: loses less than 2 of 4."));
    add(tr("tiles 1 × 4"), tr("Four neighbouring inputs of an output fall together."));
    add(tr("tiles 4 × 1"), tr("Four neighbouring outputs of an input fall together."));
    add(tr("tiles 1 × 16"), tr("Sixteen neighbouring inputs of an output fall together."));
    add(tr("tiles 4 × 4"), tr("Four outputs by four inputs fall together."));
    add(tr("tiles 16 × 4"), tr("Sixteen outputs by four inputs fall together: the fastest to leave out, in fp32 and in "
                               "int8, and the hardest on accuracy."));
    connect(m_pattern, &QComboBox::activated, this, [this] { editPattern(); });
    grid->addWidget(rowLabel(tr("Pattern"), m_pattern, this), row, 0);
    grid->addWidget(m_pattern, row, 1, 1, 2);
}

void RecipePane::editPattern() {
    const auto& pattern = weightsPatterns()[static_cast<std::size_t>(m_pattern->currentIndex())];
    const auto method = methodOf(choiceIn(m_knobs.front()));
    m_workspace.recipe().edit(withWeightsPattern(m_workspace.recipe().recipe(), pattern, method),
                              tr("pattern of the weights"));
}

void RecipePane::showPattern() {
    const auto* step = findPrune(m_workspace.recipe().recipe(), PrunePattern::Unstructured);
    const auto& all = weightsPatterns();
    const auto found = std::find(all.begin(), all.end(), step == nullptr ? WeightsPattern() : patternOf(*step));
    m_pattern->setCurrentIndex(found == all.end() ? -1 : static_cast<int>(found - all.begin()));
}

/// What happens before weights are rounded.
void RecipePane::addPreparation(QGridLayout* grid, int row) {
    m_preparation = new QComboBox(this);
    m_preparation->setObjectName(u"recipePreparationCombo"_s);
    m_preparation->setAccessibleName(tr("Preparation"));
    const auto add = [this](const QString& name, const QString& hint) {
        m_preparation->addItem(name);
        m_preparation->setItemData(m_preparation->count() - 1, hint, Qt::ToolTipRole);
    };
    add(tr("none"), tr("Weights are rounded as they are."));
    add(tr("AWQ"), tr("Weights that loud inputs meet are scaled up before rounding, and the scales folded into what "
                      "stands before (Lin et al. 2023). Minutes; for 4 bits and fewer. Works where norms stand before "
                      "the layers: decoders."));
    add(tr("AWQ with clipping"), tr("The same, and each group's range is cut where that loses least. Rounding to nearest "
                                    "only."));
    add(tr("SmoothQuant"), tr("Moves outliers from the inputs into the weights, so that both round well to 8 bits (Xiao et "
                              "al. 2022); how far is searched for each layer. A minute or two; for int8 activations."));
    add(tr("rotation (QuaRot)"), tr("Turns the model's hidden states so that outliers spread over all of them (Ashkboos et "
                                    "al. 2024). Seconds, needs no data; a shared output head becomes a weight of its own. "
                                    "Llama, Mistral, Qwen."));
    connect(m_preparation, &QComboBox::activated, this, [this] { editFormat(); });
    grid->addWidget(rowLabel(tr("Preparation"), m_preparation, this), row, 0);
    grid->addWidget(m_preparation, row, 1, 1, 2);
}

void RecipePane::showPreparation() {
    const auto& quantize = m_workspace.recipe().recipe().quantize;
    const bool integer = quantize && quantize->weights >= NumberFormat::Int16;
    int shown = kPlain;
    if (quantize && quantize->rotate) {
        shown = kRotated;
    } else if (quantize && quantize->scaling == InputScaling::Awq) {
        shown = quantize->clip ? kAwqClipped : kAwq;
    } else if (quantize && quantize->scaling == InputScaling::SmoothQuant) {
        shown = kSmooth;
    }
    m_preparation->setCurrentIndex(shown);
    m_preparation->setEnabled(m_workspace.model() != nullptr && integer);
    m_preparation->setToolTip(integer ? tr("What happens before weights are rounded") : tr("needs integer weights"));
}

void RecipePane::editFormat() {
    const auto choice = m_format->choice();
    if (!choice.weights) {
        m_workspace.recipe().setQuantize(std::nullopt);
        return;
    }
    auto spec = m_workspace.recipe().recipe().quantize.value_or(QuantizeSpec{});
    spec.weights = *choice.weights;
    const bool coded = spec.weights >= NumberFormat::F8;
    const bool integer = coded && spec.weights != NumberFormat::F8;
    spec.granularity = coded ? choice.granularity : Granularity::Channel;
    spec.groupSize = choice.groupSize;
    spec.symmetric =
        spec.symmetric || spec.weights == NumberFormat::F8 || spec.weights == NumberFormat::Int16;
    const auto activations = static_cast<Activations>(m_activations->currentData().toInt());
    spec.activations = fits(spec, activations) ? activations : Activations::None;
    if (m_cache->isEnabled()) {
        spec.cache = static_cast<NumberFormat>(m_cache->currentData().toInt());
    }
    const auto rounding = m_rounding->currentData().toList();
    spec.method = integer ? static_cast<QuantizeMethod>(rounding[0].toInt()) : QuantizeMethod::Rtn;
    spec.actOrder = spec.method == QuantizeMethod::Gptq && rounding[1].toBool();
    const int preparation = integer ? m_preparation->currentIndex() : kPlain;
    spec.rotate = preparation == kRotated;
    spec.scaling = preparation == kAwq || preparation == kAwqClipped ? InputScaling::Awq
                   : preparation == kSmooth                          ? InputScaling::SmoothQuant
                                                                     : InputScaling::None;
    spec.alpha = spec.scaling == InputScaling::SmoothQuant ? spec.alpha : std::nullopt;
    spec.clip = preparation == kAwqClipped && spec.method == QuantizeMethod::Rtn;
    m_workspace.recipe().setQuantize(spec);
}

void RecipePane::showRecipe() {
    const auto& recipe = m_workspace.recipe().recipe();
    for (auto& knob : m_knobs) {
        const auto* step = findPrune(recipe, knob.pattern);
        knob.ratio->setRatio(step == nullptr ? 0.0 : step->ratio);
        if (step != nullptr) {
            knob.method->setCurrentIndex(knob.method->findData(choiceOf(step->method, step->compensation)));
        }
    }
    showPattern();
    showFormat();
    showPreparation();
    int shown = 0;
    const auto all = presets();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (samePreset(all[i].recipe, recipe)) {
            shown = static_cast<int>(i) + 1;
        }
    }
    m_preset->setCurrentIndex(shown);
    showSize();
    showMeasured();
}

void RecipePane::showFormat() {
    const auto& quantize = m_workspace.recipe().recipe().quantize;
    widgets::FormatChoice choice;
    if (quantize) {
        choice = {quantize->weights, quantize->granularity, quantize->groupSize};
    }
    m_format->setChoice(choice);
    const auto activations = quantize ? quantize->activations : Activations::None;
    m_activations->setCurrentIndex(m_activations->findData(static_cast<int>(activations)));
    const auto& model = m_workspace.model();
    bool any = false;
    auto* items = qobject_cast<QStandardItemModel*>(m_activations->model());
    for (int row = 1; row < m_activations->count(); ++row) {
        const auto value = static_cast<Activations>(m_activations->itemData(row).toInt());
        const bool possible = quantize && fits(*quantize, value);
        items->item(row)->setEnabled(possible);
        any = any || possible;
    }
    m_activations->setEnabled(model != nullptr && any);
    m_activations->setToolTip(any ? tr("Activations are rounded while the model runs")
                                  : tr("needs int8, int4 or int16 weights"));
    const bool integer = quantize && quantize->weights >= NumberFormat::Int16;
    m_rounding->setEnabled(model != nullptr && integer);
    m_rounding->setToolTip(integer ? tr("How weights find their codes") : tr("needs integer weights"));
    const bool nearest = !integer || quantize->method == QuantizeMethod::Rtn;
    const bool signs = integer && quantize->method == QuantizeMethod::SignRound;
    m_rounding->setCurrentIndex(nearest ? 0 : signs ? 3 : quantize->actOrder ? 2 : 1);
    const bool generates = model != nullptr && model->layout.generates();
    const auto cache = quantize ? quantize->cache : NumberFormat::F32;
    m_cache->setCurrentIndex(m_cache->findData(static_cast<int>(cache)));
    m_cache->setEnabled(generates && quantize);
    m_cache->setToolTip(!generates  ? tr("for models that generate text: decoders and encoder-decoder models")
                        : !quantize ? tr("choose bits first; fp32 leaves the weights as they are")
                                    : tr("What keys and values are held in while text is made or scored"));
}

void RecipePane::showAvailability() {
    const auto& model = m_workspace.model();
    const QString none = model ? QString() : tr("open a model first");
    m_preset->setEnabled(model != nullptr);
    m_preset->setToolTip(none);
    m_format->setUnavailable(none);
    for (auto& knob : m_knobs) {
        QString reason = none;
        if (model && knob.pattern == PrunePattern::Blocks && model->layout.blocks.size() < 2) {
            reason = tr("the model has a single block");
        } else if (model && knob.pattern == PrunePattern::Width && !whyUnrotatable(model->layout).empty()) {
            reason = tr("only decoders with RMSNorm before their sublayers (Llama, Mistral, Qwen) let their hidden state "
                        "be turned and cut");
        }
        knob.ratio->setUnavailable(reason);
        knob.method->setEnabled(reason.isEmpty());
    }
    m_pattern->setEnabled(model != nullptr);
    m_pattern->setToolTip(model ? tr("Which weights may fall") : none);
}

void RecipePane::showSize() {
    const auto& document = m_workspace.recipe();
    const auto& model = m_workspace.model();
    m_problem->setVisible(document.problem().has_value());
    m_problem->setText(document.problem() ? text(*document.problem()) : QString());
    if (!model || document.size() == nullptr) {
        m_size->setFullText(model ? tr("size: –") : QString());
        return;
    }
    const auto& size = *document.size();
    const auto& original = model->original;
    const bool same = size.bytes == original.bytes && size.parameters == original.parameters;
    const QString bytes = same ? megabytes(size.bytes)
                               : tr("%1 → %2", "size before, after")
                                     .arg(megabytes(original.bytes), megabytes(size.bytes));
    const QString parameters =
        same ? millions(size.parameters)
             : tr("%1 → %2", "parameters before, after")
                   .arg(millions(original.parameters), millions(size.parameters));
    QString line = tr("%1 · %2 parameters", "bytes, count").arg(bytes, parameters);
    if (size.zeros > 0) {
        line += tr(", %1 of them zero").arg(millions(size.zeros));
    }
    if (!size.exact) {
        line += tr(" (which blocks go decides)");
    }
    m_size->setFullText(line);
    const auto* resolved = document.resolved();
    if (resolved != nullptr && !resolved->unmatched.empty()) {
        m_problem->setText(tr("%n override(s) match no layer here", nullptr,
                              static_cast<int>(resolved->unmatched.size())));
        m_problem->show();
    }
}

QString RecipePane::measuredText() const {
    const auto hash = recipeHash(m_workspace.recipe().recipe());
    const auto modelHash = m_workspace.modelHash().toStdString();
    const store::RunSummary* newest = nullptr;
    for (const auto id : m_runs.comparable().comparable) {
        const auto* run = m_runs.frame()->find(id);
        if (run->recipeHash == hash && run->modelHash == modelHash) {
            newest = run;
        }
    }
    if (newest == nullptr) {
        return tr("latency, accuracy: not measured yet");
    }
    QStringList parts;
    for (const auto& key : {std::string("latency_p50_ms"), newest->headlineKey}) {
        const auto* metric = findMetric(key);
        const auto* figure = newest->find(key);
        if (metric != nullptr && figure != nullptr) {
            parts.append(metricValue(*metric, *figure));
        }
    }
    return tr("measured (#%1): %2").arg(newest->id).arg(parts.join(u" · "_s));
}

void RecipePane::showMeasured() {
    m_measured->setFullText(m_workspace.model() ? measuredText() : QString());
}

}  // namespace pareto::studio
