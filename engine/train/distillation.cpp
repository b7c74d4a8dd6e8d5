#include "engine/train/distillation.h"

#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>

#include "engine/core/random.h"
#include "engine/spec/distil_pairs.h"
#include "engine/train/losses.h"

namespace pareto::train {
namespace {

Error unfit(const std::string& field, const std::string& reason) {
    return makeError(ErrorCode::RecipeInvalid,
                     {{"file", "recipe"}, {"field", "recover.distil." + field}, {"reason", reason}});
}

/// Runs of blocks, as Inside counts them.
std::vector<const BlockInfo*> runsOf(const ModelLayout& layout) {
    std::vector<const BlockInfo*> out;
    for (const int block : blockRuns(layout)) {
        out.push_back(&layout.blocks[static_cast<std::size_t>(block)]);
    }
    return out;
}

HeadsOf headsOf(const ModelLayout& layout, const BlockInfo& block) {
    const double scale = layout.attentionScale > 0.0 ? layout.attentionScale
                                                     : 1.0 / std::sqrt(static_cast<double>(layout.headDim));
    return {block.heads, layout.isDecoder() ? block.kvHeads : block.heads, scale, layout.isDecoder()};
}

/// N(0, 1/width), as linears begin.
at::Tensor projection(std::int64_t to, std::int64_t from, RandomStream& random) {
    std::vector<float> values(static_cast<std::size_t>(to * from));
    const double deviation = 1.0 / std::sqrt(static_cast<double>(from));
    for (auto& value : values) {
        value = static_cast<float>(random.normal() * deviation);
    }
    return at::from_blob(values.data(), {to, from}, at::TensorOptions().dtype(at::kFloat)).clone();
}

bool isWholeText(const ModelLayout& layout) {
    return layout.outputs == Outputs::Classes || layout.outputs == Outputs::Embedding;
}

}  // namespace

struct Distillation::State {
    DistilSpec spec;
    ModelLayout teacher;
    ModelLayout student;
    std::unique_ptr<models::GradientGraph> graph;
    std::vector<std::pair<int, int>> pairs;
    std::map<std::string, at::Tensor> projections;
    std::map<std::size_t, at::Tensor> known;  ///< outputs of whole texts by example
    // Of the batch that was seen last:
    models::Inside inside;
    at::Tensor states;
    at::Tensor outputs;

    bool looksInside() const { return spec.hidden > 0.0 || spec.attention > 0.0 || spec.relations > 0.0; }
    bool isVector() const {
        return student.outputs == Outputs::Embedding ||
               (student.outputs == Outputs::Classes && student.labels.size() == 1);
    }
    static std::string projectionName(int student) { return "distil.projection." + std::to_string(student); }

    Status check() {
        if (spec.logits > 0.0 && (teacher.outputs != student.outputs || teacher.labels.size() != student.labels.size())) {
            return unfit("logits", "needs a teacher with the same outputs as the student (classes, or the same "
                                   "vocabulary); set it to 0 to learn from hidden states alone");
        }
        if (teacher.vocabulary != student.vocabulary) {
            return unfit("teacher", "has " + std::to_string(teacher.vocabulary) + " tokens, the student " +
                                        std::to_string(student.vocabulary) + ": both must read the same ids");
        }
        if (spec.logits > 0.0 && student.outputs == Outputs::AnswerSpan) {
            return unfit("logits", "is not there for models that find answers: their two logits a token are no classes; "
                                   "set it to 0 and learn from hidden states, attention or relations");
        }
        if (teacher.isSeq2Seq() != student.isSeq2Seq()) {
            return unfit("teacher", "must be an encoder-decoder model as the student is: both read a source and a target");
        }
        if (student.isSeq2Seq()) {
            return !looksInside() ? Status(Done{})
                                  : unfit(spec.hidden > 0.0      ? "hidden"
                                          : spec.attention > 0.0 ? "attention"
                                                                 : "relations",
                                          "is not there for encoder-decoder models, which learn from the teacher's "
                                          "outputs (logits); set it to 0");
        }
        const auto own = runsOf(student);
        const auto theirs = runsOf(teacher);
        if (pairs.empty()) {
            pairs = evenPairs(static_cast<int>(own.size()), static_cast<int>(theirs.size()));
        }
        for (const auto& [to, from] : pairs) {
            if (static_cast<std::size_t>(to) >= own.size() || static_cast<std::size_t>(from) >= theirs.size()) {
                return unfit("blocks", "pairs " + std::to_string(to) + " with " + std::to_string(from) +
                                           "; the student has " + std::to_string(own.size()) +
                                           " blocks and the teacher " + std::to_string(theirs.size()));
            }
            PARETO_CHECK(checkHeads(*own[static_cast<std::size_t>(to)], *theirs[static_cast<std::size_t>(from)]));
        }
        return Done{};
    }

    Status checkHeads(const BlockInfo& own, const BlockInfo& theirs) const {
        if (spec.attention > 0.0 && own.heads != theirs.heads &&
            own.sourceHeads.size() != static_cast<std::size_t>(own.heads)) {
            return unfit("attention", "cannot be compared: " + own.name + " has " + std::to_string(own.heads) +
                                          " heads, the teacher's " + std::to_string(theirs.heads) +
                                          ", and it is not known which; use \"relations\"");
        }
        return Done{};
    }

    std::vector<int> chosenHeads(const BlockInfo& own, const BlockInfo& theirs) const {
        if (own.heads == theirs.heads) {
            return {};
        }
        // Query heads of the key/value groups that are left.
        const auto each = static_cast<int>(own.heads / static_cast<std::int64_t>(own.sourceHeads.size()));
        std::vector<int> out;
        for (const int unit : own.sourceHeads) {
            for (int i = 0; i < each; ++i) {
                out.push_back(unit * each + i);
            }
        }
        return out;
    }
};

Distillation::Distillation(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Distillation::~Distillation() = default;

Result<std::unique_ptr<Distillation>> Distillation::create(const DistilSpec& spec, const LoadedModel& teacher,
                                                           const ModelLayout& student,
                                                           const models::PrepareInputs& inputs, std::uint64_t seed) {
    auto state = std::make_unique<State>();
    state->spec = spec;
    state->teacher = teacher.layout;
    state->student = student;
    state->pairs = spec.blocks;
    PARETO_CHECK(state->check());
    state->graph = models::gradientGraph(inputs);
    if (spec.hidden > 0.0 && teacher.layout.hidden != student.hidden) {
        RandomStream random(seed, "distil.projection");
        for (const auto& [to, from] : state->pairs) {
            at::Tensor made = projection(teacher.layout.hidden, student.hidden, random);
            state->projections.emplace(State::projectionName(to), made.requires_grad_(true));
        }
    }
    return std::unique_ptr<Distillation>(new Distillation(std::move(state)));
}

bool Distillation::looksInside() const { return m_state->looksInside(); }

const std::map<std::string, at::Tensor>& Distillation::parameters() const { return m_state->projections; }

double Distillation::weightOf(const std::string& term) const {
    const auto& spec = m_state->spec;
    return term == "logits" ? spec.logits : term == "hidden" ? spec.hidden : term == "attention" ? spec.attention : spec.relations;
}

Status Distillation::see(const models::TokenBatch& batch, const std::vector<std::size_t>& examples,
                         std::stop_token stop) {
    auto& state = *m_state;
    const bool keeps = isWholeText(state.teacher) && !state.looksInside();
    const auto isKnown = [&](std::size_t example) { return state.known.contains(example); };
    const at::NoGradGuard noGradients;
    if (keeps && std::all_of(examples.begin(), examples.end(), isKnown)) {
        std::vector<at::Tensor> rows;
        for (const auto example : examples) {
            rows.push_back(state.known.at(example));
        }
        state.outputs = at::stack(rows);
        return Done{};
    }
    state.inside = {};
    PARETO_TRY(state.states, state.graph->statesOf(batch, state.looksInside() ? &state.inside : nullptr, stop));
    state.outputs = at::Tensor();
    if (state.spec.logits > 0.0 && !state.teacher.generates()) {
        state.outputs = state.graph->outputsOf(state.states, models::startsOf(batch));
        for (std::size_t i = 0; keeps && i < examples.size(); ++i) {
            state.known.emplace(examples[i], state.outputs.select(0, static_cast<std::int64_t>(i)).clone());
        }
    }
    return Done{};
}

at::Tensor Distillation::outputsTerm(const at::Tensor& student, const at::Tensor& rows) const {
    const auto& state = *m_state;
    if (state.spec.logits <= 0.0) {
        return {};
    }
    at::Tensor wanted = state.outputs;
    if (state.teacher.generates()) {
        const at::NoGradGuard noGradients;
        wanted = state.graph->outputsOf(rows.defined() ? state.states.index_select(0, rows) : state.states, {});
    } else if (rows.defined()) {
        wanted = wanted.index_select(0, rows);
    }
    return state.isVector() ? distanceLoss(student, wanted) : logitsLoss(student, wanted, state.spec.temperature);
}

std::map<std::string, at::Tensor> Distillation::insideTerms(const models::Inside& student,
                                                            const std::vector<std::int64_t>& starts) const {
    const auto& state = *m_state;
    std::map<std::string, at::Tensor> out;
    const auto add = [&](const std::string& name, const at::Tensor& term, double share) {
        const at::Tensor part = term * share;
        const auto [found, added] = out.try_emplace(name, part);
        if (!added) {
            found->second = found->second + part;
        }
    };
    const auto own = runsOf(state.student);
    const auto theirs = runsOf(state.teacher);
    const double share = 1.0 / static_cast<double>(state.pairs.size());
    for (const auto& [to, from] : state.pairs) {
        const auto s = static_cast<std::size_t>(to);
        const auto t = static_cast<std::size_t>(from);
        if (state.spec.hidden > 0.0) {
            const auto found = state.projections.find(State::projectionName(to));
            const at::Tensor hidden = found != state.projections.end() ? at::linear(student.hidden[s], found->second)
                                                                       : student.hidden[s];
            add("hidden", hiddenLoss(hidden, state.inside.hidden[t]), share);
        }
        if (state.spec.attention > 0.0) {
            const auto chosen = state.chosenHeads(*own[s], *theirs[t]);
            add("attention",
                attentionLoss(student.queries[s], student.keys[s], headsOf(state.student, *own[s]),
                              state.inside.queries[t], state.inside.keys[t], headsOf(state.teacher, *theirs[t]),
                              chosen, starts),
                share);
        }
    }
    if (state.spec.relations > 0.0) {
        const auto s = static_cast<std::size_t>(state.pairs.back().first);
        const auto t = static_cast<std::size_t>(state.pairs.back().second);
        const auto relate = [&](const at::Tensor& mine, const at::Tensor& teachers, std::int64_t a, std::int64_t b) {
            add("relations", relationLoss(mine, teachers, std::gcd(a, b), state.student.isDecoder(), starts), 1.0 / 3.0);
        };
        const auto kvOf = [](const ModelLayout& layout, const BlockInfo& block) {
            return layout.isDecoder() ? block.kvHeads : block.heads;
        };
        relate(student.queries[s], state.inside.queries[t], own[s]->heads, theirs[t]->heads);
        relate(student.keys[s], state.inside.keys[t], kvOf(state.student, *own[s]), kvOf(state.teacher, *theirs[t]));
        relate(student.values[s], state.inside.values[t], kvOf(state.student, *own[s]), kvOf(state.teacher, *theirs[t]));
    }
    return out;
}

}  // namespace pareto::train
