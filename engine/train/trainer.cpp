#include "engine/train/trainer.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "engine/core/hash.h"
#include "engine/core/random.h"
#include "engine/models/network.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/train/checkpoint.h"
#include "engine/train/distillation.h"
#include "engine/train/losses.h"
#include "engine/train/pause.h"
#include "engine/train/ranks.h"
#include "engine/train/step_order.h"
#include "engine/train/student.h"
#include "engine/weights/weights_hash.h"

namespace pareto::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kWhere = "training";
/// Logits of a decoder that are held at once, with their gradients.
constexpr std::int64_t kLogitValues = std::int64_t{1} << 23;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Error unfit(const ModelLayout& layout, const std::string& reason) {
    return makeError(ErrorCode::TaskUnfit, {{"task", "training"}, {"model", layout.name}, {"reason", reason}});
}

Status checkFit(const ModelLayout& layout, const TrainingData& data, const RecoverSpec& spec) {
    if (data.examples.empty()) {
        return unfit(layout, "there are no examples to learn from");
    }
    const auto wants = [&](Objective objective, bool fits, const char* reason) -> Status {
        return data.objective != objective || fits ? Status(Done{}) : Status(unfit(layout, reason));
    };
    PARETO_CHECK(wants(Objective::Classes, layout.isClassifier() && layout.labels.size() > 1,
                       "it has no classes to learn"));
    PARETO_CHECK(wants(Objective::Score, layout.isClassifier() && layout.labels.size() == 1, "it has no score to learn"));
    PARETO_CHECK(wants(Objective::TokenClasses, layout.outputs == Outputs::TokenClasses, "it has no classes of tokens"));
    PARETO_CHECK(wants(Objective::NextToken, layout.isDecoder(), "it does not predict tokens"));
    PARETO_CHECK(wants(Objective::Similarity, layout.outputs == Outputs::Embedding, "it gives no vectors to compare"));
    PARETO_CHECK(wants(Objective::AnswerSpan, layout.outputs == Outputs::AnswerSpan, "it finds no answers in texts"));
    PARETO_CHECK(wants(Objective::Target, layout.isSeq2Seq(), "it makes no texts of texts"));
    if (layout.isSeq2Seq() && data.objective != Objective::Target) {
        return unfit(layout, "an encoder-decoder model learns from texts and what is to be made of them");
    }
    if (data.objective == Objective::None && !spec.distil) {
        return unfit(layout, "the examples have no labels and there is no teacher");
    }
    return Done{};
}

/// Pairs lie one behind the other.
models::TokenBatch batchOf(const TrainingData& data, const std::vector<std::size_t>& indices, const ModelLayout& layout) {
    models::TokenBatch out;
    for (const auto index : indices) {
        const auto& example = data.examples[index];
        out.ids.push_back(example.ids);
        out.typeIds.push_back(example.typeIds);
        if (data.objective == Objective::Similarity) {
            out.ids.push_back(example.pair);
            out.typeIds.emplace_back();
        }
        if (layout.isSeq2Seq()) {
            out.targets.push_back(decoderInput(example, layout.decoderStartId));
        }
    }
    return out;
}

/// A number for each text of a batch.
std::vector<std::size_t> textsOf(const TrainingData& data, const std::vector<std::size_t>& indices) {
    if (data.objective != Objective::Similarity) {
        return indices;
    }
    std::vector<std::size_t> out;
    for (const auto index : indices) {
        out.insert(out.end(), {2 * index, 2 * index + 1});
    }
    return out;
}

/// What one pass over a batch gave.
struct PassResult {
    double loss = 0.0;
    std::map<std::string, double> parts;

    void add(const PassResult& other, double weight) {
        loss += weight * other.loss;
        for (const auto& [name, value] : other.parts) {
            parts[name] += weight * value;
        }
    }
};

/// Terms by the names of TrainingPoint::parts, in the order in which ranks add them up.
constexpr std::array kTerms{"labels", "logits", "hidden", "attention", "relations", "penalty"};

class Training {
public:
    Training(const LoadedModel& model, const TrainingData& data, const TrainOptions& options, Progress& progress,
             std::stop_token stop)
        : m_model(model),
          m_data(data),
          m_options(options),
          m_spec(options.spec),
          m_progress(progress),
          m_stop(std::move(stop)),
          m_order(lengths(), m_spec.batch, options.seed) {}

    Status prepare(const LoadedModel* teacher, const std::vector<LayerPlan>& plans) {
        PARETO_TRY(m_device, runtime::openDevice(m_options.device.device, m_options.device.threads));
        m_device.gradients = true;
        const HeldTensors held(m_model);
        const models::PrepareInputs inputs{held, m_device, m_progress, m_stop};
        m_perEpoch = std::max<std::int64_t>(1, (m_order.batchesPerEpoch() + m_spec.accumulate - 1) / m_spec.accumulate);
        m_steps = m_spec.steps > 0 ? m_spec.steps : m_spec.epochs * m_perEpoch;
        PARETO_TRY(m_student, Student::create(m_model, inputs, m_spec, plans, m_steps, m_options.seed));
        if (m_options.ranks != nullptr) {
            PARETO_CHECK(meet());
        }
        if (m_spec.distil && teacher != nullptr) {
            const HeldTensors its(*teacher);
            const models::PrepareInputs theirs{its, m_device, m_progress, m_stop};
            PARETO_TRY(m_teacher, Distillation::create(*m_spec.distil, *teacher, m_model.layout, theirs, m_options.seed));
            for (const auto& [name, values] : m_teacher->parameters()) {
                m_optimizer.add(name, values, m_spec.weightDecay);
            }
        }
        m_record.method = recoverSummary(m_spec);
        m_record.examples = static_cast<std::int64_t>(m_data.examples.size());
        if (m_student->maskedLayers() > 0) {
            m_record.notes.push_back("zeros of " + std::to_string(m_student->maskedLayers()) + " weights are held");
        }
        return Done{};
    }

    Result<TrainOutcome> run() {
        PARETO_CHECK(resume());
        if (m_finished) {
            return TrainOutcome{m_student->snapshot(m_model), std::move(m_record)};
        }
        m_student->addTo(m_optimizer);
        m_progress.begin(Stage::Training, m_steps, Unit::Iterations);
        m_progress.set(m_step);
        m_saved = Clock::now();
        while (m_step < m_steps && m_record.ended.empty()) {
            PARETO_CHECK(waitWhilePaused(m_options.control, m_stop));
            if (m_options.ranks == nullptr ? isAskedToEnd() : m_ranksEnd) {
                m_record.ended = "asked";
                break;
            }
            PARETO_CHECK(step());
            PARETO_CHECK(validateWhereDue());
            PARETO_CHECK(saveWhereDue());
        }
        if (m_record.ended.empty()) {
            m_record.ended = "steps";
        }
        if (!m_student->sparsifier().isComplete()) {
            m_student->complete();
            m_record.notes.push_back("it ended before its zeros were all chosen: the rest were at the end");
        }
        PARETO_CHECK(validateBeforeEnd());
        noteZeros();
        noteRanks();
        if (!m_best.empty()) {
            m_student->restore(m_best);
        }
        m_record.steps = m_step;
        m_record.keptStep = m_best.empty() ? m_step : m_bestStep;
        m_finished = true;
        PARETO_CHECK(save());
        return TrainOutcome{m_student->snapshot(m_model), std::move(m_record)};
    }

private:
    bool isAskedToEnd() const { return m_options.control != nullptr && m_options.control->finishing(); }
    bool isFirst() const { return m_options.ranks == nullptr || m_options.ranks->rank() == 0; }

    /// Whether all ranks train the same.
    Status meet() {
        auto& ranks = *m_options.ranks;
        PARETO_CHECK(checkSame(ranks, m_options.key, "trains something else than rank 0", m_stop));
        m_student->setHighest([this, &ranks](double own) {
            const auto found = highestOf(ranks, own, m_stop);
            return found.ok() ? found.value() : own;  // a group that ended says so in the next call, too
        });
        return Done{};
    }

    BatchShare ownShare(const std::vector<std::size_t>& batch) const {
        const auto* ranks = m_options.ranks;
        return ranks != nullptr ? shareOf(m_data, batch, ranks->rank(), ranks->size()) : shareOf(m_data, batch, 0, 1);
    }

    /// Losses and gradients become the sums over all ranks; rank 0 tells whether this step is to be the last.
    Status addUp(PassResult& result) {
        if (m_options.ranks == nullptr) {
            return Done{};
        }
        std::vector<float> values{static_cast<float>(result.loss), isFirst() && isAskedToEnd() ? 1.0F : 0.0F};
        for (const auto* term : kTerms) {
            const auto found = result.parts.find(term);
            values.push_back(found != result.parts.end() ? static_cast<float>(found->second) : 0.0F);
            values.push_back(found != result.parts.end() ? 1.0F : 0.0F);
        }
        PARETO_CHECK(sumOver(*m_options.ranks, values, m_optimizer.parameters(), m_stop));
        result = {static_cast<double>(values[0]), {}};
        m_ranksEnd = values[1] > 0.5F;
        for (std::size_t i = 0; i < kTerms.size(); ++i) {
            if (values[2 * i + 3] > 0.5F) {
                result.parts[kTerms[i]] = static_cast<double>(values[2 * i + 2]);
            }
        }
        return Done{};
    }

    std::vector<std::int64_t> lengths() const {
        std::vector<std::int64_t> out;
        for (const auto& example : m_data.examples) {
            out.push_back(static_cast<std::int64_t>(example.ids.size() + example.pair.size() + example.target.size()));
        }
        return out;
    }

    /// One step of the optimizer.
    Status step() {
        const auto start = Clock::now();
        TrainingPoint point;
        point.step = m_step + 1;
        point.steps = m_steps;
        point.epoch = static_cast<double>(m_step + 1) / static_cast<double>(m_perEpoch);
        point.learningRate = learningRateAt(m_spec, m_step, m_steps);
        m_optimizer.clearGradients();
        std::int64_t seen = 0;
        PassResult whole;
        for (int i = 0; i < m_spec.accumulate; ++i) {
            const std::int64_t pass = m_step * m_spec.accumulate + i;
            const auto indices = m_order.batch(pass);
            seen += static_cast<std::int64_t>(indices.size());
            PARETO_TRY(const PassResult result, differentiate(pass, ownShare(indices)));
            whole.add(result, 1.0 / m_spec.accumulate);
        }
        m_student->addTo(m_optimizer);  // scales of inputs that these passes found
        const auto computed = Clock::now();
        PARETO_CHECK(addUp(whole));
        m_sumSeconds += secondsSince(computed);
        point.loss = whole.loss;
        point.parts = std::move(whole.parts);
        if (!std::isfinite(point.loss)) {
            return makeError(ErrorCode::TrainingDiverged,
                             {{"step", std::to_string(point.step)}, {"value", std::to_string(point.loss)}});
        }
        m_student->maskGradients();
        point.gradientNorm = m_optimizer.clipGradients(m_spec.clip);
        m_optimizer.step(point.learningRate, point.step);
        ++m_step;
        m_student->stepDone(m_step);
        m_progress.advance();
        const double seconds = secondsSince(start);
        m_record.seconds += seconds;
        m_ownSeconds += seconds;
        point.examplesPerSecond = static_cast<double>(seen) / std::max(seconds, 1e-9);
        m_record.points.push_back(point);
        if (m_options.stepDone) {
            m_options.stepDone(point);
        }
        return Done{};
    }

    /// Gradients of one batch's loss, divided by the batches of a step, are added to the parameters'.
    Result<PassResult> differentiate(std::int64_t pass, const BatchShare& share) {
        const auto& indices = share.examples;
        const auto batch = batchOf(m_data, indices, m_model.layout);
        return runtime::caught(kWhere, [&]() -> Result<PassResult> {
            if (m_teacher) {
                PARETO_CHECK(m_teacher->see(batch, textsOf(m_data, indices), m_stop));
            }
            // What is dropped depends on the pass alone, so that a training that goes on drops the same.
            RandomStream random(m_options.seed, "train.dropout." + std::to_string(pass) +
                                                    (isFirst() ? "" : "." + std::to_string(m_options.ranks->rank())));
            at::manual_seed(random.next64());
            m_student->setDropout(m_model.layout.isDecoder() ? 0.0 : m_spec.dropout);
            m_student->setShare(share.tokens);
            models::Inside inside;
            const bool looksInside = m_teacher && m_teacher->looksInside();
            PARETO_TRY(const at::Tensor states,
                       m_student->graph().statesOf(batch, looksInside ? &inside : nullptr, m_stop));
            PassResult result;
            at::Tensor loss = m_model.layout.generates() ? tokenTerms(states, batch, share, result)
                                                         : textTerms(states, batch, share, result);
            if (looksInside) {
                for (const auto& [name, term] : m_teacher->insideTerms(inside, models::startsOf(batch))) {
                    add(loss, result, name, term, m_teacher->weightOf(name), share.tokens);
                }
            }
            if (const at::Tensor penalty = m_student->penalty(); penalty.defined()) {
                add(loss, result, "penalty", penalty, 1.0, share.ranks);
            }
            if (loss.defined()) {
                (loss / static_cast<double>(m_spec.accumulate)).backward();
            }
            return result;
        });
    }

    /// `share`: of the batch that the term's mean is over.
    void add(at::Tensor& loss, PassResult& result, const std::string& name, const at::Tensor& term, double weight,
             double share) const {
        if (!term.defined() || weight <= 0.0) {
            return;
        }
        result.parts[name] = share * term.item<double>();
        result.loss += weight * result.parts[name];
        loss = loss.defined() ? loss + term * (weight * share) : term * (weight * share);
    }

    /// Of encoders: the task's own loss and the teacher's outputs.
    at::Tensor textTerms(const at::Tensor& states, const models::TokenBatch& batch, const BatchShare& share,
                         PassResult& result) {
        const bool ofOutputs = m_data.objective != Objective::None || (m_spec.distil && m_spec.distil->logits > 0.0);
        at::Tensor loss;
        if (!ofOutputs) {
            return loss;
        }
        const at::Tensor outputs = m_student->graph().outputsOf(states, models::startsOf(batch));
        add(loss, result, "labels", ownTerm(outputs, models::startsOf(batch), share.examples), m_spec.labels, share.labels);
        if (m_teacher) {
            const bool ofTokens = m_model.layout.outputs == Outputs::TokenClasses;
            add(loss, result, "logits", m_teacher->outputsTerm(outputs, {}), m_spec.distil->logits,
                ofTokens ? share.tokens : share.texts);
        }
        return loss;
    }

    at::Tensor ownTerm(const at::Tensor& outputs, const std::vector<std::int64_t>& starts,
                       const std::vector<std::size_t>& indices) const {
        std::vector<std::int32_t> labels;
        std::vector<float> scores;
        std::vector<std::pair<std::int32_t, std::int32_t>> answers;
        for (const auto index : indices) {
            const auto& example = m_data.examples[index];
            labels.push_back(example.label);
            scores.push_back(example.score);
            answers.push_back(example.answer);
        }
        switch (m_data.objective) {
        case Objective::Classes:
            return classLoss(outputs, labels);
        case Objective::Score:
            return scoreLoss(outputs, scores);
        case Objective::TokenClasses:
            labels.clear();
            for (const auto index : indices) {
                const auto& own = m_data.examples[index].tokenLabels;
                labels.insert(labels.end(), own.begin(), own.end());
            }
            return classLoss(outputs, labels);
        case Objective::Similarity:
            return similarityLoss(outputs, scores);
        case Objective::AnswerSpan:
            return answerLoss(outputs, starts, answers);
        case Objective::None:
        case Objective::NextToken:
        case Objective::Target:
            break;
        }
        return {};
    }

    /// The rows of states from which tokens are predicted, and those tokens.
    struct Predicted {
        std::vector<std::int64_t> rows;
        std::vector<std::int32_t> tokens;
    };
    Predicted predicted(const std::vector<std::int64_t>& starts, const std::vector<std::size_t>& indices) const {
        Predicted out;
        for (std::size_t i = 0; i < indices.size(); ++i) {
            const auto& example = m_data.examples[indices[i]];
            const bool ofTarget = m_model.layout.isSeq2Seq();
            const auto& said = ofTarget ? example.target : example.ids;
            const std::int64_t first = ofTarget ? 0 : std::max<std::int64_t>(1, example.answerFrom);
            // A decoder reads what it says, one token later; a target is read behind the token that begins it.
            const std::int64_t begin = starts[i] - (ofTarget ? 0 : 1);
            for (std::int64_t token = first; token < static_cast<std::int64_t>(said.size()); ++token) {
                out.rows.push_back(begin + token);
                out.tokens.push_back(said[static_cast<std::size_t>(token)]);
            }
        }
        return out;
    }

    /// Of models that predict tokens. Logits over a vocabulary are large: they are made, compared and differentiated
    /// piece by piece, and what comes back to the hidden states is handed on as one product.
    at::Tensor tokenTerms(const at::Tensor& states, const models::TokenBatch& batch, const BatchShare& ofBatch,
                          PassResult& result) {
        const auto [rows, answers] = predicted(models::startsOf(batch), ofBatch.examples);
        if (rows.empty()) {
            return states.sum() * 0.0;
        }
        const at::Tensor index = at::tensor(rows, at::TensorOptions().dtype(at::kLong)).to(states.device());
        const at::Tensor wanted = states.index_select(0, index);
        at::Tensor leaf = wanted.detach().requires_grad_(true);
        const auto count = static_cast<std::int64_t>(rows.size());
        const std::int64_t piece = std::max<std::int64_t>(1, kLogitValues / std::max<std::int64_t>(1, m_model.layout.vocabulary));
        for (std::int64_t begin = 0; begin < count; begin += piece) {
            const std::int64_t end = std::min(count, begin + piece);
            const double share = ofBatch.answers * static_cast<double>(end - begin) / static_cast<double>(count);
            const at::Tensor logits = m_student->graph().outputsOf(leaf.slice(0, begin, end), {});
            PassResult part;
            at::Tensor loss;
            if (m_data.objective != Objective::None) {
                const std::span<const std::int32_t> own(answers.data() + begin, static_cast<std::size_t>(end - begin));
                add(loss, part, "labels", classLoss(logits, own), m_spec.labels, 1.0);
            }
            if (m_teacher) {
                add(loss, part, "logits", m_teacher->outputsTerm(logits, index.slice(0, begin, end)), m_spec.distil->logits,
                    1.0);
            }
            if (loss.defined()) {
                (loss * (share / static_cast<double>(m_spec.accumulate))).backward();
            }
            result.add(part, share);
        }
        return leaf.grad().defined() ? (wanted * leaf.grad().detach()).sum() * static_cast<double>(m_spec.accumulate)
                                     : at::Tensor();
    }

    bool isValidationDue() const {
        const std::int64_t every = m_spec.validateEvery > 0 ? m_spec.validateEvery : m_perEpoch;
        return m_step % every == 0 || m_step == m_steps;
    }

    Status validateWhereDue() { return m_options.validate && isValidationDue() ? validate() : Status(Done{}); }

    void noteRanks() {
        if (m_options.ranks == nullptr) {
            return;
        }
        std::string hosts;
        for (int rank = 0; rank < m_options.ranks->size(); ++rank) {
            hosts += (rank == 0 ? "" : ", ") + m_options.ranks->hostOf(rank);
        }
        char share[64];
        std::snprintf(share, sizeof share, "; %.0f %% of the time this one spent on sums, or waiting for them",
                      100.0 * m_sumSeconds / std::max(m_ownSeconds, 1e-9));
        m_record.notes.push_back("every batch was shared by " + std::to_string(m_options.ranks->size()) + " ranks (" +
                                 hosts + ")" + (m_ownSeconds > 0.0 ? share : ""));
    }

    void noteZeros() {
        if (m_student->sparsifier().isEmpty()) {
            return;
        }
        char text[64];
        std::snprintf(text, sizeof text, "training pruned %.1f %% of the values", m_student->sparsifier().sparsity() * 100.0);
        m_record.notes.push_back(text);
    }

    /// Who asks for the end may have stopped between two validations.
    Status validateBeforeEnd() {
        const bool seen = !m_record.validations.empty() && m_record.validations.back().step == m_step && !m_best.empty();
        return m_options.validate && !seen && m_step > 0 ? validate() : Status(Done{});
    }

    /// What rank 0 found; others are told, and compared with.
    Result<Validated> validated() {
        const LoadedModel now = m_student->snapshot(m_model);
        auto* ranks = m_options.ranks;
        if (ranks == nullptr) {
            return m_options.validate(now, m_stop);
        }
        PARETO_CHECK(checkSame(*ranks, weightsHash(now), "has come to other weights than rank 0", m_stop));
        if (m_options.everyRankValidates) {
            return m_options.validate(now, m_stop);
        }
        Validated found;
        if (isFirst()) {
            PARETO_TRY(found, m_options.validate(now, m_stop));
        }
        std::array<double, 2> said{found.value, found.higherIsBetter ? 1.0 : 0.0};
        PARETO_CHECK(ranks->broadcast(std::as_writable_bytes(std::span(said)), m_stop));
        found.value = said[0];
        found.higherIsBetter = said[1] > 0.5;
        return found;
    }

    Status validate() {
        PARETO_TRY(const auto found, validated());
        m_progress.begin(Stage::Training, m_steps, Unit::Iterations);
        m_progress.set(m_step);
        // What still has more values than it shall keep is no rival.
        const bool competes = m_student->sparsifier().isComplete();
        const bool better = competes && (m_best.empty() || (found.higherIsBetter ? found.value > m_bestValue : found.value < m_bestValue));
        if (better) {
            m_bestValue = found.value;
            m_bestStep = m_step;
            m_worse = 0;
            m_best.clear();
            for (const auto& [name, values] : m_student->state()) {
                m_best.emplace(name, values.detach().clone());
            }
        } else if (competes && ++m_worse >= m_spec.patience && m_spec.patience > 0) {
            m_record.ended = "patience";
        }
        m_record.validations.push_back({m_step, found.metric, found.value, better, found.confusion});
        if (m_options.validated) {
            m_options.validated(m_record.validations.back());
        }
        return Done{};
    }

    Status saveWhereDue() {
        return secondsSince(m_saved) < m_options.checkpointSeconds ? Status(Done{}) : save();
    }

    Status save() {
        if (m_options.checkpoint.empty() || !isFirst()) {
            return Done{};
        }
        Checkpoint out;
        const auto take = [&](const std::string& prefix, const std::map<std::string, at::Tensor>& tensors) {
            for (const auto& [name, values] : tensors) {
                out.tensors.emplace(prefix + name, values);
            }
        };
        take("p.", m_student->state());
        if (!m_finished) {
            take("b.", m_best);
            take("", m_optimizer.state());
        }
        if (m_teacher && !m_finished) {
            take("t.", m_teacher->parameters());
        }
        out.state = {{"key", m_options.key},     {"step", m_step},      {"best_step", m_bestStep},
                     {"best_value", m_bestValue}, {"worse", m_worse},    {"finished", m_finished},
                     {"record", toJson(m_record, m_record.points.size())}};
        PARETO_CHECK(saveCheckpoint(m_options.checkpoint, out));
        m_saved = Clock::now();
        return Done{};
    }

    /// The state to go on from: rank 0's.
    Result<std::optional<Checkpoint>> kept() {
        std::optional<Checkpoint> own;
        if (isFirst() && !m_options.checkpoint.empty()) {
            PARETO_TRY(own, loadCheckpoint(m_options.checkpoint, m_options.key));
        }
        if (m_options.ranks == nullptr) {
            return own;
        }
        constexpr std::int64_t kCopies = 8;  // values, the best, moments, masks, with room for projections
        return checkpointOfFirst(*m_options.ranks, std::move(own), kCopies * m_model.layout.parameters(), m_stop);
    }

    Status resume() {
        PARETO_TRY(const auto found, kept());
        if (!found) {
            return Done{};
        }
        const auto taken = [&](const std::string& prefix) {
            std::map<std::string, at::Tensor> out;
            for (const auto& [name, values] : found->tensors) {
                if (name.starts_with(prefix)) {
                    out.emplace(name.substr(prefix.size()), values);
                }
            }
            return out;
        };
        const at::NoGradGuard noGradients;
        m_student->restore(taken("p."));
        m_best = taken("b.");
        m_student->addTo(m_optimizer);
        for (const auto& [name, moment] : m_optimizer.state()) {
            if (const auto held = found->tensors.find(name); held != found->tensors.end()) {
                at::Tensor to = moment;
                to.copy_(held->second);
            }
        }
        const auto projections = taken("t.");
        for (const auto& [name, values] : projections) {
            at::Tensor to = m_teacher->parameters().at(name);
            to.copy_(values);
        }
        JsonReader reader(found->state, ErrorCode::FileCorrupt, m_options.checkpoint);
        m_step = reader.integer("step", 0, 0, m_steps);
        m_bestStep = reader.integer("best_step", 0, 0, m_steps);
        m_worse = static_cast<int>(reader.integer("worse", 0, 0, 1 << 30));
        m_bestValue = found->state.value("best_value", 0.0);
        PARETO_CHECK(reader.status());
        PARETO_TRY(m_record, trainingRecordFromJson(found->state.value("record", Json::object())));
        m_finished = found->state.value("finished", false);
        return Done{};
    }

    const LoadedModel& m_model;
    const TrainingData& m_data;
    const TrainOptions& m_options;
    const RecoverSpec& m_spec;
    Progress& m_progress;
    std::stop_token m_stop;
    StepOrder m_order;
    runtime::Device m_device;
    std::unique_ptr<Student> m_student;
    std::unique_ptr<Distillation> m_teacher;
    AdamW m_optimizer;
    std::int64_t m_perEpoch = 1;
    std::int64_t m_steps = 0;
    std::int64_t m_step = 0;
    std::map<std::string, at::Tensor> m_best;
    double m_bestValue = 0.0;
    std::int64_t m_bestStep = 0;
    int m_worse = 0;
    bool m_ranksEnd = false;  ///< rank 0 was asked to end
    double m_ownSeconds = 0.0;  ///< of this process's steps, and what of it went into sums
    double m_sumSeconds = 0.0;
    Clock::time_point m_saved;
    bool m_finished = false;
    TrainingRecord m_record;
};

}  // namespace

Result<TrainOutcome> train(const LoadedModel& student, const LoadedModel* teacher,
                           const std::vector<LayerPlan>& plans, const TrainingData& data,
                           const TrainOptions& options, Progress& progress, std::stop_token stop) {
    PARETO_CHECK(checkFit(student.layout, data, options.spec));
    return runtime::caught(kWhere, [&]() -> Result<TrainOutcome> {
        Training training(student, data, options, progress, stop);
        PARETO_CHECK(training.prepare(teacher, plans));
        return training.run();
    });
}

}  // namespace pareto::train
