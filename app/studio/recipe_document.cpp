#include "app/studio/recipe_document.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QUndoCommand>

#include "app/studio/presets.h"
#include "app/studio/recipe_edit.h"
#include "engine/core/file.h"
#include "engine/core/json.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// At most this long after an edit the draft is on disk.
constexpr int kDraftDelayMs = 3000;

Names namesOf(const QStringList& list) {
    Names out;
    out.reserve(static_cast<std::size_t>(list.size()));
    for (const auto& name : list) {
        out.push_back(name.toStdString());
    }
    return out;
}

bool sameSettings(Recipe a, Recipe b) {
    a.name.clear();
    b.name.clear();
    return a == b;
}

/// The name before the recipe was edited, also when that was in another language of the window.
std::string withoutEdited(const std::string& name) {
    const QString text = QString::fromStdString(name);
    for (const auto& suffix : {RecipeDocument::tr("%1 (edited)").arg(QString()),
                               QStringLiteral(" (edited)")}) {
        if (text.endsWith(suffix)) {
            return text.chopped(suffix.size()).toStdString();
        }
    }
    return name;
}

}  // namespace

/// One edit: the whole recipe before and after. Recipes are small values, and a step that holds both
/// cannot disagree with the edit it takes back.
class RecipeStep : public QUndoCommand {
public:
    RecipeStep(RecipeDocument& document, Recipe after, const QString& text, int gesture)
        : QUndoCommand(text),
          m_document(document),
          m_before(document.m_recipe),
          m_after(std::move(after)),
          m_gesture(gesture) {}

    void undo() override { m_document.assign(m_before); }
    void redo() override { m_document.assign(m_after); }
    int id() const override { return m_gesture == 0 ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override {
        const auto* step = static_cast<const RecipeStep*>(other);
        if (step->m_gesture != m_gesture) {
            return false;
        }
        m_after = step->m_after;
        setObsolete(m_after == m_before);
        return true;
    }

private:
    RecipeDocument& m_document;
    Recipe m_before;
    Recipe m_after;
    int m_gesture;
};

RecipeDocument::RecipeDocument(QString draftFolder, QObject* parent)
    : QObject(parent), m_draftFolder(std::move(draftFolder)) {
    m_draftTimer.setSingleShot(true);
    m_draftTimer.setInterval(kDraftDelayMs);
    connect(&m_draftTimer, &QTimer::timeout, this, &RecipeDocument::saveDraft);
}

RecipeDocument::~RecipeDocument() { m_undo.clear(); }

QString RecipeDocument::displayName() const {
    if (!m_recipe.name.empty()) {
        return QString::fromStdString(m_recipe.name);
    }
    if (!m_path.isEmpty()) {
        return QFileInfo(m_path).completeBaseName();
    }
    return m_recipe.isEmpty() ? QString() : QString::fromStdString(recipeSummary(m_recipe));
}

bool RecipeDocument::hasNoEffect() const {
    return m_resolved && !m_recipe.isEmpty() && m_recipe.prune.empty() && !m_recipe.quantize &&
           m_recipe.recover.empty() &&
           m_resolved->unmatched.size() == m_recipe.layers.size();
}

bool RecipeDocument::isModified() const { return m_recipe != m_saved; }

void RecipeDocument::assign(const Recipe& recipe) {
    m_recipe = recipe;
    derive();
    if (!m_draftTimer.isActive()) {
        m_draftTimer.start();
    }
    Q_EMIT changed();
    Q_EMIT stateChanged();
}

void RecipeDocument::derive() {
    m_resolved.reset();
    m_size.reset();
    m_problem.reset();
    if (!m_model) {
        return;
    }
    auto resolved = resolve(m_recipe, m_model->layout);
    if (!resolved.ok()) {
        m_problem = resolved.error();
        return;
    }
    m_resolved = std::move(resolved).value();
    m_size = estimate(*m_resolved, m_model->layout);
}

void RecipeDocument::apply(const Recipe& recipe, const QString& stepText, int gesture) {
    if (recipe == m_recipe) {
        return;
    }
    m_undo.push(new RecipeStep(*this, recipe, stepText, gesture));
}

std::string RecipeDocument::nameAfterEdit(const Recipe& recipe) const {
    if (recipe.name.empty() || recipe.name != m_recipe.name || sameSettings(recipe, m_recipe)) {
        return recipe.name;
    }
    const std::string base = withoutEdited(recipe.name);
    if (m_saved.name == base && sameSettings(recipe, m_saved)) {
        return base;
    }
    for (const auto& preset : presets()) {
        if (preset.recipe.name == base && samePreset(recipe, preset.recipe)) {
            return base;
        }
    }
    return tr("%1 (edited)").arg(QString::fromStdString(base)).toStdString();
}

void RecipeDocument::edit(Recipe recipe, const QString& stepText, int gesture) {
    recipe.name = nameAfterEdit(recipe);
    apply(recipe, stepText, gesture);
}

void RecipeDocument::setPrune(PrunePattern pattern, PruneMethod method, double ratio, int gesture,
                              Compensation compensation) {
    static const QString texts[] = {tr("weight sparsity"), tr("heads"), tr("neurons"),
                                    tr("blocks"), tr("width")};
    edit(withUnitMethod(withPrune(m_recipe, pattern, method, ratio), pattern, method, compensation),
         texts[static_cast<int>(pattern)], gesture);
}

void RecipeDocument::setQuantize(const std::optional<QuantizeSpec>& spec) {
    edit(withQuantize(m_recipe, spec), tr("number format"));
}

void RecipeDocument::setRecover(const std::optional<RecoverSpec>& spec) {
    edit(withRecover(m_recipe, spec), tr("recovery"));
}

void RecipeDocument::setDistilPairs(std::vector<std::pair<int, int>> blocks) {
    edit(withDistilPairs(m_recipe, std::move(blocks)), tr("pairs of blocks"));
}

void RecipeDocument::setName(const QString& name) {
    Recipe recipe = m_recipe;
    recipe.name = name.toStdString();
    apply(recipe, tr("recipe name"));
}

void RecipeDocument::replace(const Recipe& recipe, const QString& stepText) {
    apply(recipe, stepText);
}

void RecipeDocument::setGroupRatio(const QStringList& groups, double ratio, int gesture) {
    if (m_model) {
        edit(withGroupRatio(m_recipe, m_model->layout, namesOf(groups), ratio),
              tr("ratio of %n group(s)", nullptr, static_cast<int>(groups.size())), gesture);
    }
}

void RecipeDocument::setLayerSparsity(const QStringList& layers, double ratio, int gesture) {
    if (m_model) {
        edit(withLayerSparsity(m_recipe, m_model->layout, namesOf(layers), ratio),
              tr("sparsity of %n layer(s)", nullptr, static_cast<int>(layers.size())), gesture);
    }
}

void RecipeDocument::setLayerFormat(const QStringList& layers,
                                    const std::optional<QuantizeSpec>& spec) {
    if (m_model) {
        edit(withLayerFormat(m_recipe, m_model->layout, namesOf(layers), spec),
              tr("bits of %n layer(s)", nullptr, static_cast<int>(layers.size())));
    }
}

void RecipeDocument::setBlocksRemoved(const QStringList& blocks, bool removed) {
    const int n = static_cast<int>(blocks.size());
    edit(withBlocksRemoved(m_recipe, namesOf(blocks), removed),
          removed ? tr("removal of %n block(s)", nullptr, n)
                  : tr("return of %n block(s)", nullptr, n));
}

void RecipeDocument::resetOverrides(const QStringList& names) {
    edit(withoutOverrides(m_recipe, namesOf(names)), tr("reset to the whole model"));
}

void RecipeDocument::resetAll() {
    Recipe empty;
    empty.seed = m_recipe.seed;
    apply(empty, tr("reset of everything"));
}

void RecipeDocument::setModel(const ModelPtr& model, bool keepRecipe) {
    saveDraft();
    m_model = model;
    if (!keepRecipe) {
        if (!openDraft()) {
            m_recipe = Recipe{};
            m_saved = Recipe{};
            m_path.clear();
        }
        m_undo.clear();
    }
    derive();
    Q_EMIT changed();
    Q_EMIT stateChanged();
}

Result<Done> RecipeDocument::open(const QString& path) {
    PARETO_TRY(const Recipe recipe, loadRecipe(path.toStdString()));
    m_saved = recipe;
    m_path = QFileInfo(path).absoluteFilePath();
    apply(recipe, tr("opening of %1").arg(QFileInfo(path).fileName()));
    Q_EMIT stateChanged();
    return Done{};
}

Result<Done> RecipeDocument::save(const QString& path) {
    // The file of this very recipe: what is saved under its name is what the name stands for now.
    if (QFileInfo(path).absoluteFilePath() == m_path && !m_saved.name.empty() &&
        withoutEdited(m_recipe.name) == m_saved.name && m_recipe.name != m_saved.name) {
        setName(QString::fromStdString(m_saved.name));
    }
    PARETO_CHECK(writeFileAtomically(path.toStdString(), recipeToJson(m_recipe).dump(2) + "\n"));
    m_saved = m_recipe;
    m_path = QFileInfo(path).absoluteFilePath();
    m_draftTimer.start();
    Q_EMIT stateChanged();
    return Done{};
}

QString RecipeDocument::draftFile() const {
    if (m_draftFolder.isEmpty() || !m_model) {
        return {};
    }
    const auto hash =
        QCryptographicHash::hash(m_model->path.toUtf8(), QCryptographicHash::Sha1).toHex();
    return m_draftFolder + u'/' + QString::fromLatin1(hash.left(16)) + u".json"_s;
}

/// The draft remembers the file it belongs to, so that "modified" means the same after a restart.
void RecipeDocument::saveDraft() {
    m_draftTimer.stop();
    const QString file = draftFile();
    if (file.isEmpty()) {
        return;
    }
    QDir().mkpath(m_draftFolder);
    const Json draft{{"version", 1},
                     {"model", m_model->path.toStdString()},
                     {"path", m_path.toStdString()},
                     {"saved", recipeToJson(m_saved)},
                     {"recipe", recipeToJson(m_recipe)}};
    QSaveFile out(file);
    if (out.open(QIODevice::WriteOnly)) {
        out.write(
            QByteArray::fromStdString(draft.dump(1, ' ', false, Json::error_handler_t::replace)));
        out.commit();
    }
}

bool RecipeDocument::openDraft() {
    const QString file = draftFile();
    if (file.isEmpty() || !QFile::exists(file)) {
        return false;
    }
    const auto json = readJsonFile(file.toStdString());
    if (!json.ok() || !json->is_object() || !json->contains("recipe") || !json->contains("saved")) {
        return false;
    }
    auto recipe = recipeFromJson((*json.operator->())["recipe"]);
    auto saved = recipeFromJson((*json.operator->())["saved"]);
    if (!recipe.ok() || !saved.ok()) {
        return false;
    }
    m_recipe = std::move(recipe).value();
    m_saved = std::move(saved).value();
    m_path = QString::fromStdString(json->value("path", std::string{}));
    return true;
}

}  // namespace pareto::studio
