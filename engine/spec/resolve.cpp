#include "engine/spec/resolve.h"

#include <algorithm>
#include <cmath>
#include <regex>

namespace pareto {
namespace {

constexpr const char* kSource = "recipe";

Error invalid(const std::string& field, const std::string& reason) {
    return makeError(ErrorCode::RecipeInvalid,
                     {{"file", kSource}, {"field", field}, {"reason", reason}});
}

/// One entry of `layers`, its pattern compiled.
struct Matcher {
    const LayerOverride* entry = nullptr;
    std::string field;
    std::regex expression;
    bool exact = false;   ///< the text is the name of something in this model
    bool used = false;

    bool matches(const std::string& name) {
        const bool hit = exact ? name == entry->match : std::regex_match(name, expression);
        used = used || hit;
        return hit;
    }
};

bool namesSomething(const ModelLayout& layout, const std::string& text) {
    if (layout.layerIndex(text) >= 0) {
        return true;
    }
    for (const auto& group : layout.groups) {
        if (group.name == text) {
            return true;
        }
    }
    for (const auto& block : layout.blocks) {
        if (block.name == text) {
            return true;
        }
    }
    return false;
}

Result<std::vector<Matcher>> compile(const Recipe& recipe, const ModelLayout& layout) {
    std::vector<Matcher> out;
    for (std::size_t i = 0; i < recipe.layers.size(); ++i) {
        Matcher matcher;
        matcher.entry = &recipe.layers[i];
        matcher.field = "layers[" + std::to_string(i) + "]";
        matcher.exact = namesSomething(layout, matcher.entry->match);
        if (!matcher.exact) {
            // Long patterns make std::regex recurse deeply; names are short, patterns may be too.
            if (matcher.entry->match.size() > 256) {
                return invalid(matcher.field + ".match", "is longer than 256 characters");
            }
            try {
                matcher.expression = std::regex(matcher.entry->match, std::regex::ECMAScript);
            } catch (const std::regex_error& problem) {
                return invalid(matcher.field + ".match", "is neither a name in this model nor a regular expression: " +
                                                             std::string(problem.what()));
            }
        }
        out.push_back(std::move(matcher));
    }
    return out;
}

/// Columns that share a scale in GGUF's Q4_0 and Q8_0 and in most groups.
constexpr std::int64_t kBlockColumns = 32;

/// ratio · units rounded to the nearest whole number, halves downwards: a ratio of 50 % of three
/// key/value groups takes one, not two. At least one unit stays.
std::int64_t unitsToRemove(double ratio, std::int64_t units) {
    const auto wanted = static_cast<std::int64_t>(std::ceil(ratio * static_cast<double>(units) - 0.5 - 1e-9));
    return std::max<std::int64_t>(0, std::min(wanted, units - 1));
}

bool prunesWeights(PruneMethod method) {
    return method == PruneMethod::Magnitude || method == PruneMethod::Wanda || method == PruneMethod::SparseGpt ||
           method == PruneMethod::L1Reconstruction || method == PruneMethod::Fisher || isTrained(method);
}

class Resolver {
public:
    Resolver(const Recipe& recipe, const ModelLayout& layout, std::vector<Matcher> matchers)
        : m_recipe(recipe), m_layout(layout), m_matchers(std::move(matchers)) {}

    Result<ResolvedRecipe> run() {
        for (std::size_t i = 0; i < m_layout.layers.size(); ++i) {
            PARETO_TRY(auto plan, planLayer(m_layout.layers[i]));
            m_out.layers.push_back(std::move(plan));
        }
        for (const auto& group : m_layout.groups) {
            m_out.groups.push_back(planGroup(group));
        }
        planBlocks();
        planModel();
        if (const std::string why = m_out.removeWidth > 0 ? whyUnrotatable(m_layout) : std::string(); !why.empty()) {
            return invalid("prune", "\"width\" cannot be used: " + why);
        }
        PARETO_CHECK(joinTied());
        PARETO_CHECK(checkTrained());
        PARETO_CHECK(checkBlocks());
        collectOrder();
        for (const auto& matcher : m_matchers) {
            if (!matcher.used) {
                m_out.unmatched.push_back(matcher.entry->match);
            }
        }
        return std::move(m_out);
    }

private:
    bool appliesToLayer(Matcher& matcher, const LayerInfo& layer) {
        bool hit = matcher.matches(layer.name);
        if (layer.group >= 0) {
            hit = matcher.matches(m_layout.groups[static_cast<std::size_t>(layer.group)].name) || hit;
        }
        if (layer.block >= 0) {
            hit = matcher.matches(m_layout.blocks[static_cast<std::size_t>(layer.block)].name) || hit;
        }
        return hit;
    }

    const PruneSpec* step(PrunePattern pattern) const {
        for (const auto& spec : m_recipe.prune) {
            if (spec.pattern == pattern) {
                return &spec;
            }
        }
        return nullptr;
    }

    /// Whether an override without a pattern means this one.
    bool impliedPattern(PrunePattern pattern) const {
        return m_recipe.prune.empty() ? pattern == PrunePattern::Unstructured : step(pattern) != nullptr;
    }

    void applyPrune(const LayerOverride& entry, PrunePattern pattern, double& ratio, bool& overridden) {
        if (entry.skip || entry.pruneOff) {
            ratio = 0.0;
            overridden = true;
        }
        for (const auto& change : entry.prune) {
            const bool mine = change.pattern ? *change.pattern == pattern : impliedPattern(pattern);
            if (mine && change.ratio && !entry.skip) {
                ratio = *change.ratio;
                overridden = true;
            }
        }
    }

    Result<LayerPlan> planLayer(const LayerInfo& layer) {
        LayerPlan plan;
        plan.format = layer.sourceFormat;
        // Tables and heads are small or fragile: only an override prunes their single weights.
        const auto* weights = step(PrunePattern::Unstructured);
        plan.sparsity = weights != nullptr && layer.block >= 0 ? weights->ratio : 0.0;
        if (weights != nullptr) {
            plan.method = weights->method;
            plan.adjusts = weights->compensation == Compensation::LeastSquares;
            plan.keepOf = weights->keepOf;
            plan.groupOf = weights->groupOf;
            plan.tileRows = weights->tileRows;
            plan.tileCols = weights->tileCols;
        }
        std::optional<QuantizeSpec> quantize = m_recipe.quantize;
        for (auto& matcher : m_matchers) {
            if (!appliesToLayer(matcher, layer)) {
                continue;
            }
            const auto& entry = *matcher.entry;
            const bool byName = matcher.exact && entry.match == layer.name;
            if (!layer.isEmbedding() || byName || entry.skip) {
                applyPrune(entry, PrunePattern::Unstructured, plan.sparsity, plan.pruneOverridden);
                applyMethod(entry, weights, plan);
            }
            if (entry.skip || entry.quantizeOff) {
                quantize.reset();
                plan.quantizeOverridden = true;
            } else if (entry.quantize) {
                PARETO_CHECK(change(quantize, *entry.quantize, matcher.field));
                plan.quantizeOverridden = true;
            }
        }
        if (quantize) {
            PARETO_CHECK(checkQuantize(*quantize, layer, plan.quantizeOverridden));
            plan.format = formatOf(*quantize, layer);
            if (plan.format.isInteger()) {
                plan.quantizeMethod = quantize->method;
                plan.actOrder = quantize->actOrder;
                plan.scaling = quantize->scaling;
                plan.alpha = quantize->alpha;
                plan.clip = quantize->clip;
            }
            plan.biasCorrection = quantize->biasCorrection && plan.format.isCoded();
        }
        keepToBlocks(layer, plan);
        m_out.calibrated = m_out.calibrated || isCalibrated(plan);
        m_out.gradients = m_out.gradients || (plan.sparsity > 0.0 && usesGradients(plan.method));
        return plan;
    }

    static void applyMethod(const LayerOverride& entry, const PruneSpec* step, LayerPlan& plan) {
        for (const auto& change : entry.prune) {
            const bool mine = change.pattern ? *change.pattern == PrunePattern::Unstructured : change.ratio.has_value();
            if (mine && change.method && prunesWeights(*change.method) && !entry.skip) {
                plan.method = *change.method;
                plan.adjusts = plan.adjusts && (plan.method == PruneMethod::Magnitude || plan.method == PruneMethod::Wanda);
            }
            // A ratio of its own is met anywhere in the layer.
            if (mine && change.ratio && step != nullptr && *change.ratio != step->ratio) {
                plan.keepOf = plan.groupOf = 0;
                plan.tileRows = plan.tileCols = 1;
            }
        }
    }

    /// What embeddings and heads read is not calibrated: they are rounded to nearest and pruned by magnitude.
    void keepToBlocks(const LayerInfo& layer, LayerPlan& plan) {
        if (layer.block >= 0) {
            return;
        }
        if (isCalibrated(plan.quantizeMethod) && layer.tiedTo.empty()) {
            m_out.notes.push_back(layer.name + ": " + std::string(nameOf(plan.quantizeMethod)) +
                                  " works inside blocks, here it is rounded to nearest");
        }
        plan.adjusts = false;
        if (plan.sparsity > 0.0 &&
            (isCalibrated(plan.method) || usesGradients(plan.method) || isTrained(plan.method))) {
            m_out.notes.push_back(layer.name + ": " + std::string(nameOf(plan.method)) +
                                  " works inside blocks, here it is pruned by magnitude");
            plan.method = PruneMethod::Magnitude;
        }
        if (plan.format.activations == Activations::Int8Static) {
            m_out.notes.push_back(layer.name + ": int8-static is calibrated inside blocks, here each token has a "
                                               "scale of its own");
            plan.format.activations = Activations::Int8Dynamic;
        }
        plan.quantizeMethod = QuantizeMethod::Rtn;
        plan.scaling = InputScaling::None;
        plan.clip = false;
        plan.biasCorrection = false;
    }

    static Status change(std::optional<QuantizeSpec>& spec, const QuantizeOverride& by,
                         const std::string& field) {
        if (!spec && !by.weights) {
            return invalid(field + ".quantize.weights", "is missing: nothing else says which format");
        }
        QuantizeSpec out = spec.value_or(QuantizeSpec{});
        if (by.weights && prefersGroups(*by.weights) && (!spec || !prefersGroups(spec->weights))) {
            // Neither one scale a row nor int8 activations suit few bits; they return only when asked for.
            out.granularity = Granularity::Group;
            out.activations = Activations::None;
            out.activationGroup = 0;
        }
        out.weights = by.weights.value_or(out.weights);
        out.granularity = by.granularity.value_or(out.granularity);
        out.groupSize = by.groupSize.value_or(out.groupSize);
        out.symmetric = by.symmetric.value_or(out.symmetric);
        out.range = by.range.value_or(out.range);
        out.activations = by.activations.value_or(out.activations);
        out.activationGroup = by.activationGroup.value_or(out.activationGroup);
        out.method = by.method.value_or(out.method);
        out.actOrder = by.actOrder.value_or(out.actOrder);
        out.scaling = by.scaling.value_or(out.scaling);
        out.alpha = by.alpha ? by.alpha : out.alpha;
        out.clip = by.clip.value_or(out.clip);
        out.biasCorrection = by.biasCorrection.value_or(out.biasCorrection);
        spec = out;
        return Done{};
    }

    Status checkQuantize(const QuantizeSpec& spec, const LayerInfo& layer, bool overridden) const {
        const std::string field = overridden ? "layers: " + layer.name + ": quantize" : "defaults.quantize";
        const std::string format(nameOf(spec.weights));
        if (!spec.symmetric && (spec.weights == NumberFormat::F8 || spec.weights == NumberFormat::Int16)) {
            return invalid(field + ".symmetric", "must be true with " + format + " weights");
        }
        if (spec.weights == NumberFormat::F8 && isCalibrated(spec.method)) {
            return invalid(field + ".method", std::string(nameOf(spec.method)) + " rounds to integers, not to fp8");
        }
        if (spec.clip && spec.method != QuantizeMethod::Rtn) {
            return invalid(field + ".options.clip", "goes with the method rtn: " + std::string(nameOf(spec.method)) +
                                                        " finds the errors it makes itself");
        }
        if (spec.activations == Activations::None || layer.isEmbedding()) {
            return Done{};
        }
        const std::string activations(nameOf(spec.activations));
        WeightFormat asked = formatOf(spec, layer);
        asked.activations = spec.activations;  // of formats without codes, too
        asked.activationGroup = spec.activationGroup;
        switch (misfitOf(asked)) {
            case Misfit::None: return Done{};
            case Misfit::Weights:
                return invalid(field + ".activations",
                               activations +
                                   (spec.activations == Activations::Int16Dynamic ? " needs int16 or int8"
                                                                                  : " needs int8, int4, int3 or int2") +
                                   " weights, not " + format);
            case Misfit::OneScale:
                return invalid(field + ".group", "must be \"channel\" or a number of columns: " + activations +
                                                     " activations meet one scale a tensor with symmetric int8 weights alone");
            case Misfit::Group:
                return invalid(field + ".activation_group", spec.granularity == Granularity::Group
                                                                ? "must be 0 or the weights' group, " +
                                                                      std::to_string(spec.groupSize)
                                                                : std::string("must be 0 with weights of one scale a row"));
            case Misfit::StaticGroup:
                return invalid(field + ".activation_group",
                               "must be 0 with int8-static activations: a layer has one scale");
        }
        return Done{};
    }

    /// Why a weight cannot be multiplied with inputs that are rounded as its format says.
    enum class Misfit { None, Weights, OneScale, Group, StaticGroup };
    static Misfit misfitOf(const WeightFormat& weight) {
        const bool int8 = weight.format == NumberFormat::Int8;
        if (weight.activations == Activations::None) {
            return Misfit::None;
        }
        if (weight.activations == Activations::Int16Dynamic) {
            return int8 || weight.format == NumberFormat::Int16 ? Misfit::None : Misfit::Weights;
        }
        if (!weight.isInteger() || weight.format == NumberFormat::Int16) {
            return Misfit::Weights;
        }
        const bool grouped = weight.granularity == Granularity::Group;
        const bool plain = int8 && weight.symmetric && !grouped;
        if (!plain && weight.granularity == Granularity::Tensor) {
            return Misfit::OneScale;
        }
        if (!plain && weight.activationGroup != 0 && (!grouped || weight.activationGroup != weight.groupSize)) {
            return Misfit::Group;
        }
        return weight.activations == Activations::Int8Static && weight.activationGroup != 0 ? Misfit::StaticGroup
                                                                                            : Misfit::None;
    }

    static WeightFormat formatOf(const QuantizeSpec& spec, const LayerInfo& layer) {
        WeightFormat out;
        out.format = spec.weights;
        if (!out.isCoded()) {
            return out;
        }
        out.granularity = spec.granularity;
        out.groupSize = spec.granularity == Granularity::Group ? spec.groupSize : 0;
        out.symmetric = spec.symmetric;
        out.range = spec.range;
        if (!layer.isEmbedding()) {
            out.activations = spec.activations;
            out.activationGroup = spec.activations == Activations::None ? 0 : spec.activationGroup;
        }
        return out;
    }

    GroupPlan planGroup(const GroupInfo& group) {
        const auto pattern =
            group.kind == GroupKind::Attention ? PrunePattern::Heads : PrunePattern::Neurons;
        GroupPlan plan;
        if (const auto* spec = step(pattern)) {
            plan.ratio = spec->ratio;
            plan.method = spec->method;
            plan.compensation = spec->compensation;
        }
        for (auto& matcher : m_matchers) {
            const bool own = matcher.matches(group.name);
            const bool block = matcher.matches(m_layout.blocks[static_cast<std::size_t>(group.block)].name);
            if (own || block) {
                applyPrune(*matcher.entry, pattern, plan.ratio, plan.overridden);
                for (const auto& change : matcher.entry->prune) {
                    if (change.pattern == pattern && change.method) {
                        plan.method = *change.method;
                    }
                }
            }
        }
        plan.remove = unitsToRemove(plan.ratio, group.units);
        if (group.kind == GroupKind::FeedForward && plan.remove > 0 && group.units >= 8 * kBlockColumns) {
            const std::int64_t kept = std::max<std::int64_t>(
                1, (group.units - plan.remove + kBlockColumns / 2) / kBlockColumns) * kBlockColumns;
            if (kept != group.units - plan.remove && !m_roundedNeurons) {
                m_roundedNeurons = true;
                m_out.notes.push_back("neurons: as many stay as a multiple of " + std::to_string(kBlockColumns) +
                                      " has (" + group.name + ": " + std::to_string(kept) + " of " +
                                      std::to_string(group.units) + "), which blocks of codes and kernels want");
            }
            plan.remove = std::max<std::int64_t>(0, group.units - kept);
        }
        const bool hasBias = std::any_of(group.layers.begin(), group.layers.end(), [&](int index) {
            const auto& layer = m_layout.layers[static_cast<std::size_t>(index)];
            return writesStream(layer.role) && layer.hasBias;
        });
        if (plan.remove > 0 && plan.compensation == Compensation::Bias && !hasBias) {
            plan.compensation = Compensation::LeastSquares;
            m_out.notes.push_back(group.name + ": its output layer has no bias to compensate with, least squares do it");
        }
        m_out.calibrated = m_out.calibrated || isCalibrated(plan);
        m_out.gradients = m_out.gradients || (plan.remove > 0 && usesGradients(plan.method));
        return plan;
    }

    void planBlocks() {
        const auto* blocks = step(PrunePattern::Blocks);
        for (const auto& block : m_layout.blocks) {
            BlockPlan plan;
            double ratio = 0.0;
            bool overridden = false;
            for (auto& matcher : m_matchers) {
                if (matcher.matches(block.name)) {
                    applyPrune(*matcher.entry, PrunePattern::Blocks, ratio, overridden);
                }
            }
            plan.removed = overridden && ratio >= 0.5;
            plan.keep = overridden && ratio < 0.5;
            m_out.blocks.push_back(plan);
        }
        if (blocks != nullptr) {
            const auto all = static_cast<std::int64_t>(m_layout.blocks.size());
            m_out.removeBlocks = std::min(unitsToRemove(blocks->ratio, all),
                                          freeBlocks(false) + freeBlocks(true));
            m_out.blockMethod = blocks->method;
            m_out.calibrated = m_out.calibrated || (m_out.removeBlocks > 0 && isCalibrated(blocks->method));
        }
    }

    /// To the nearest multiple of what blocks of codes need.
    void planWidth() {
        const auto* spec = step(PrunePattern::Width);
        if (spec == nullptr || !(spec->ratio > 0.0)) {
            return;
        }
        const std::int64_t unit = m_layout.hidden >= 8 * kBlockColumns ? kBlockColumns : 8;
        const double left = (1.0 - spec->ratio) * static_cast<double>(m_layout.hidden);
        const auto kept = std::max<std::int64_t>(1, std::llround(left / static_cast<double>(unit))) * unit;
        m_out.removeWidth = std::max<std::int64_t>(0, m_layout.hidden - kept);
        if (std::fabs(left - static_cast<double>(kept)) > 0.5) {
            m_out.notes.push_back("width: " + std::to_string(m_layout.hidden) + " channels become " +
                                  std::to_string(kept) + ", a multiple of " + std::to_string(unit));
        }
        m_out.untied = m_out.untied || m_out.removeWidth > 0;
        m_out.calibrated = m_out.calibrated || m_out.removeWidth > 0;
    }

    /// What is said of the whole model.
    void planModel() {
        // A rotated head takes up the last norm's weight, which the table does not.
        m_out.untied = m_recipe.untie || (m_recipe.quantize && m_recipe.quantize->rotate);
        if (const auto* weights = step(PrunePattern::Unstructured); weights != nullptr && weights->ratio > 0.0) {
            m_out.allocation = weights->allocation;
            m_out.recomputations = weights->recomputations;
            m_out.calibrated = m_out.calibrated || weights->allocation == Allocation::Owl;
        }
        planWidth();
        if (m_recipe.quantize) {
            m_out.rotate = m_recipe.quantize->rotate;
            m_out.cache = m_recipe.quantize->cache;
        }
    }

    bool onSide(std::size_t block, bool decoder) const {
        return (m_layout.blocks[block].crossAttention >= 0) == decoder;
    }

    /// Blocks of one side of the model (everything but the decoder of an encoder-decoder model is the
    /// first side) that may go by their values: all that no override speaks of, where sides have a
    /// partner less one unless another one stays.
    std::int64_t freeBlocks(bool decoder) const {
        std::int64_t free = 0;
        bool stays = !m_layout.isSeq2Seq();
        for (std::size_t i = 0; i < m_out.blocks.size(); ++i) {
            if (onSide(i, decoder)) {
                free += m_out.blocks[i].removed || m_out.blocks[i].keep ? 0 : 1;
                stays = stays || m_out.blocks[i].keep;
            }
        }
        return std::max<std::int64_t>(0, free - (stays ? 0 : 1));
    }

    Status checkBlocks() {
        std::int64_t removed = m_out.removeBlocks;
        for (const auto& plan : m_out.blocks) {
            removed += plan.removed ? 1 : 0;
        }
        if (!m_out.blocks.empty() && removed >= static_cast<std::int64_t>(m_out.blocks.size())) {
            return invalid("prune", "removes every block; at least one has to stay");
        }
        for (const bool decoder : {false, true}) {
            bool any = false;
            bool left = false;
            for (std::size_t i = 0; i < m_out.blocks.size(); ++i) {
                any = any || onSide(i, decoder);
                left = left || (onSide(i, decoder) && !m_out.blocks[i].removed);
            }
            if (any && !left) {
                return invalid("layers", std::string("removes every block of the ") +
                                             (decoder ? "decoder" : "encoder") +
                                             "; at least one has to stay");
            }
        }
        return Done{};
    }

    /// What prunes while the model is trained needs a training behind it.
    Status checkTrained() const {
        const auto found = std::find_if(m_out.layers.begin(), m_out.layers.end(), [](const LayerPlan& plan) {
            return plan.sparsity > 0.0 && isTrained(plan.method);
        });
        const auto at = [&](StepKind step) { return std::find(m_recipe.order.begin(), m_recipe.order.end(), step); };
        const bool trains = at(StepKind::Recover) != m_recipe.order.end() &&
                            std::any_of(m_recipe.recover.begin(), m_recipe.recover.end(), [](const RecoverSpec& spec) {
                                return spec.method == RecoverMethod::Train;
                            });
        for (const auto& plan : m_out.layers) {
            const bool oneThreshold = plan.method == PruneMethod::SoftMovement || plan.method == PruneMethod::Proximal;
            if (plan.sparsity > 0.0 && plan.groupOf > 0 && oneThreshold) {
                return invalid("prune.method", "\"" + std::string(nameOf(plan.method)) +
                                                   "\" has one threshold, not one in each group: N:M goes with gradual or "
                                                   "movement while a model is trained");
            }
        }
        if (found == m_out.layers.end() || trains) {
            return Done{};
        }
        return invalid("prune.method", "\"" + std::string(nameOf(found->method)) +
                                           "\" prunes while the model is trained: add a \"recover\" step of the "
                                           "method \"train\"");
    }

    /// A tied layer uses the other's weight: one plan for both, unless the recipe unties them.
    Status joinTied() {
        for (std::size_t i = 0; i < m_layout.layers.size(); ++i) {
            const auto& layer = m_layout.layers[i];
            if (layer.tiedTo.empty() || m_out.untied) {
                continue;
            }
            auto& user = m_out.layers[i];
            auto& owner = m_out.layers[static_cast<std::size_t>(m_layout.layerIndex(layer.tiedTo))];
            if (user.pruneOverridden && owner.pruneOverridden && user.sparsity != owner.sparsity) {
                return invalid("layers", layer.name + " and " + layer.tiedTo +
                                             " share one weight and cannot have different sparsity; "
                                             "set \"untie\": true to give each its own");
            }
            const auto act = user.format.activations;
            const auto actGroup = user.format.activationGroup;
            auto userFormat = user.format;
            userFormat.activations = Activations::None;
            userFormat.activationGroup = 0;
            if (user.quantizeOverridden && owner.quantizeOverridden && !(userFormat == owner.format)) {
                return invalid("layers", layer.name + " and " + layer.tiedTo +
                                             " share one weight and cannot have different formats; "
                                             "set \"untie\": true to give each its own");
            }
            if (user.quantizeOverridden) {
                owner.format = userFormat;
            }
            if (user.pruneOverridden) {
                owner.sparsity = user.sparsity;
            }
            // Only the head multiplies: how its inputs are rounded is the shared weight's.
            WeightFormat multiplied = owner.format;
            multiplied.activations = act;
            multiplied.activationGroup = actGroup;
            if (misfitOf(multiplied) == Misfit::None) {
                owner.format = multiplied;
            }
            user.format = owner.format;
            user.sparsity = owner.sparsity;
        }
        return Done{};
    }

    void collectOrder() {
        m_out.pruneOrder.push_back(PrunePattern::Width);
        for (const auto& spec : m_recipe.prune) {
            if (spec.pattern != PrunePattern::Width) {
                m_out.pruneOrder.push_back(spec.pattern);
            }
        }
        for (const auto pattern : {PrunePattern::Blocks, PrunePattern::Heads, PrunePattern::Neurons,
                                   PrunePattern::Unstructured}) {
            if (step(pattern) == nullptr) {
                m_out.pruneOrder.push_back(pattern);
            }
        }
    }

    const Recipe& m_recipe;
    const ModelLayout& m_layout;
    std::vector<Matcher> m_matchers;
    ResolvedRecipe m_out;
    bool m_roundedNeurons = false;  ///< and said so
};

}  // namespace

bool isCalibrated(const LayerPlan& plan) {
    return (plan.sparsity > 0.0 && (isCalibrated(plan.method) || plan.adjusts)) || isCalibrated(plan.quantizeMethod) ||
           plan.scaling != InputScaling::None || plan.clip || plan.biasCorrection ||
           plan.format.activations == Activations::Int8Static;
}

bool isCalibrated(const GroupPlan& plan) {
    return plan.remove > 0 && (isCalibrated(plan.method) || plan.compensation != Compensation::None);
}

Result<ResolvedRecipe> resolve(const Recipe& recipe, const ModelLayout& layout) {
    PARETO_TRY(auto matchers, compile(recipe, layout));
    return Resolver(recipe, layout, std::move(matchers)).run();
}

}  // namespace pareto
