#pragma once

#include <memory>
#include <optional>

#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>
#include <QUndoStack>

#include "engine/core/error.h"
#include "engine/spec/layers.h"
#include "engine/spec/recipe.h"
#include "engine/spec/resolve.h"

namespace pareto::studio {

/// A model as the window knows it: headers only. Immutable once open.
struct ModelInfo {
    ModelLayout layout;
    SizeEstimate original;  ///< of the untouched model
    QString path;           ///< absolute
    QString name;           ///< for people
    QString format;         ///< "Hugging Face", "sentence-transformers", "GGUF"
    QStringList files;      ///< weight files
    std::uint64_t fileBytes = 0;
    qint64 modified = 0;  ///< newest modification time of the files, ms since the epoch
    bool generates() const { return layout.generates(); }
};
using ModelPtr = std::shared_ptr<const ModelInfo>;

/// The recipe being edited: a value, its undo stack and its file. Every edit is one undo step; edits
/// with the same `gesture` (a slider drag) become one. What follows from the recipe and the model
/// (settings a layer, exact size) is computed at once by the engine's pure functions. GUI thread.
class RecipeDocument : public QObject {
    Q_OBJECT
public:
    /// `draftFolder` empty: no drafts are kept.
    explicit RecipeDocument(QString draftFolder, QObject* parent = nullptr);
    ~RecipeDocument() override;

    const Recipe& recipe() const { return m_recipe; }
    QUndoStack& undoStack() { return m_undo; }
    const QString& path() const { return m_path; }  ///< empty: never saved
    QString displayName() const;                    ///< recipe name, file stem, or its summary
    /// True when the recipe says something, but nothing that concerns this model.
    bool hasNoEffect() const;
    bool isModified() const;                        ///< against the file (or the empty recipe)

    /// Null without a model, or when the recipe does not fit it: then problem() says why.
    const ResolvedRecipe* resolved() const { return m_resolved ? &*m_resolved : nullptr; }
    const SizeEstimate* size() const { return m_size ? &*m_size : nullptr; }
    const std::optional<Error>& problem() const { return m_problem; }

    /// Another model brings its own draft, or the empty recipe; a reload keeps the recipe and its steps.
    void setModel(const ModelPtr& model, bool keepRecipe);
    const ModelPtr& model() const { return m_model; }

    // -- Edits of the whole model
    /// `compensation` is of heads and neurons.
    void setPrune(PrunePattern pattern, PruneMethod method, double ratio, int gesture = 0,
                  Compensation compensation = Compensation::None);
    void setQuantize(const std::optional<QuantizeSpec>& spec);
    /// The first recovery step; nullopt: nothing recovers accuracy.
    void setRecover(const std::optional<RecoverSpec>& spec);
    /// Of the step that distils; empty: spread evenly.
    void setDistilPairs(std::vector<std::pair<int, int>> blocks);
    void setName(const QString& name);
    /// Everything at once: a preset, a stored run's recipe.
    void replace(const Recipe& recipe, const QString& stepText);

    // -- Edits of single layers, groups and blocks (exact names)
    void setGroupRatio(const QStringList& groups, double ratio, int gesture = 0);
    void setLayerSparsity(const QStringList& layers, double ratio, int gesture = 0);
    /// nullopt: these layers are not quantized.
    void setLayerFormat(const QStringList& layers, const std::optional<QuantizeSpec>& spec);
    void setBlocksRemoved(const QStringList& blocks, bool removed);
    /// Takes away every override of these exact names.
    void resetOverrides(const QStringList& names);
    void resetAll();
    /// Several edits as one step. An edited recipe no longer goes by the name it had: it is "… (edited)"
    /// until it equals the preset or the file of that name again.
    void edit(Recipe recipe, const QString& stepText, int gesture = 0);
    /// A recipe as it is, name and all.
    void apply(const Recipe& recipe, const QString& stepText, int gesture = 0);

    /// A number for one drag: edits made with it merge.
    int newGesture() { return ++m_lastGesture; }

    // -- File
    Result<Done> open(const QString& path);
    Result<Done> save(const QString& path);
    /// Writes the draft now (at the end of the program).
    void saveDraft();

Q_SIGNALS:
    void changed();       ///< recipe(), resolved(), size() or problem()
    void stateChanged();  ///< displayName(), isModified() or path()

private:
    friend class RecipeStep;
    void assign(const Recipe& recipe);
    void derive();
    QString draftFile() const;
    std::string nameAfterEdit(const Recipe& recipe) const;
    bool openDraft();

    QString m_draftFolder;
    Recipe m_recipe;
    Recipe m_saved;  ///< as in the file
    QString m_path;
    QUndoStack m_undo;
    QTimer m_draftTimer;
    ModelPtr m_model;
    std::optional<ResolvedRecipe> m_resolved;
    std::optional<SizeEstimate> m_size;
    std::optional<Error> m_problem;
    int m_lastGesture = 0;
};

}  // namespace pareto::studio
