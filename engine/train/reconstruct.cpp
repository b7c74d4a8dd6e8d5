#include "engine/train/reconstruct.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include <ATen/core/grad_mode.h>

#include "engine/models/block_training.h"
#include "engine/models/blockwise.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/train/block_fit.h"
#include "engine/train/pause.h"
#include "engine/train/tensors.h"
#include "engine/weights/quantize.h"

namespace pareto::train {
namespace {

using models::StateStore;
using models::TrainableBlock;
using Clock = std::chrono::steady_clock;
using Texts = std::vector<std::vector<std::int32_t>>;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Error refused(const std::string& field, const std::string& reason) {
    return makeError(ErrorCode::RecipeInvalid, {{"file", "recipe"}, {"field", field}, {"reason", reason}});
}

/// How many tokens of a block with so many values run at once, forth and back, in about 0.2 s on two cores:
/// the stop token is looked at in between.
std::int64_t tokensAtOnce(std::int64_t values) {
    constexpr std::int64_t kValuesAtOnce = std::int64_t{4} << 30;
    return std::clamp<std::int64_t>(kValuesAtOnce / std::max<std::int64_t>(1, values), 256, 4096);
}

/// `values` in the format and shape of `like`.
Tensor storedAs(const at::Tensor& values, const Tensor& like) {
    const at::Tensor host = values.detach().to(at::kCPU).contiguous();
    const std::span<const float> flat(host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel()));
    Tensor out = quantizeTensor(flat, 1, static_cast<std::int64_t>(flat.size()), like.format(),
                                models::torchParallelFor());
    out.shape = like.shape;
    return out;
}

void copyInto(at::Tensor to, const Tensor& from) {
    const at::NoGradGuard noGradients;
    to.copy_(floatsOf(from).view(to.sizes()));
}

class Reconstruction {
public:
    Reconstruction(const LoadedModel& model, const LoadedModel& original, const Texts& texts,
                   const ReconstructOptions& options, Progress& progress, std::stop_token stop)
        : m_model(model), m_original(original), m_texts(cut(texts, options.spec)), m_options(options),
          m_progress(progress), m_stop(std::move(stop)), m_inputs(onDisk()), m_targets(onDisk()) {
        m_out.model = model;
    }

    Result<Reconstructed> run() {
        const auto start = Clock::now();
        PARETO_CHECK(check());
        plan();
        m_progress.begin(Stage::Reconstructing, m_steps * blockCount(), Unit::Iterations);
        PARETO_CHECK(embed(m_original, m_targets));
        PARETO_CHECK(embed(m_model, m_inputs));
        for (std::int64_t index = 0; index < blockCount() && !finishing(); ++index) {
            PARETO_CHECK(runtime::caught("reconstructing a block",
                                         [&] { return block(static_cast<int>(index)); }));
        }
        auto& record = m_out.record;
        record.method = recoverSummary(m_options.spec);
        record.examples = static_cast<std::int64_t>(m_learned.size());
        record.ended = finishing() ? "asked" : "steps";
        record.seconds = secondsSince(start);
        note();
        return std::move(m_out);
    }

private:
    static Texts cut(const Texts& texts, const RecoverSpec& spec) {
        Texts out(texts.begin(), spec.limit > 0 && spec.limit < static_cast<std::int64_t>(texts.size())
                                     ? texts.begin() + spec.limit
                                     : texts.end());
        for (auto& text : out) {
            if (spec.maxLength > 0 && static_cast<std::int64_t>(text.size()) > spec.maxLength) {
                text.resize(static_cast<std::size_t>(spec.maxLength));
            }
        }
        return out;
    }

    std::int64_t blockCount() const { return static_cast<std::int64_t>(m_model.layout.blocks.size()); }
    bool finishing() const { return m_options.control != nullptr && m_options.control->finishing(); }

    /// Of both models' states together.
    bool onDisk() const {
        std::uint64_t tokens = 0;
        for (const auto& text : m_texts) {
            tokens += text.size();
        }
        const auto bytes = 2 * tokens * static_cast<std::uint64_t>(m_model.layout.hidden) * sizeof(float);
        return bytes > m_options.memoryLimit;
    }

    Status check() const {
        const RecoverSpec& spec = m_options.spec;
        if (m_model.layout.isSeq2Seq()) {
            return makeError(ErrorCode::TaskUnfit,
                             {{"task", "reconstruction"},
                              {"model", m_model.layout.name},
                              {"reason", "encoder-decoder models cannot be reconstructed yet"}});
        }
        if (spec.quantizeAware || spec.distil) {
            return refused(spec.distil ? "recover.distil" : "recover.quantize_aware",
                           "is of training: reconstruction learns from untouched blocks, before rounding");
        }
        const auto learned = [&](const auto& entry) {
            const auto isOfBlock = [&](const BlockInfo& block) { return entry.first.starts_with(block.name + "."); };
            const auto& blocks = m_model.layout.blocks;
            return std::any_of(blocks.begin(), blocks.end(), isOfBlock) &&
                   isOf(spec.learns, entry.first, static_cast<std::int64_t>(entry.second.shape.rank()));
        };
        if (std::none_of(m_model.tensors.begin(), m_model.tensors.end(), learned)) {
            return refused("recover.learns",
                           "is \"" + std::string(nameOf(spec.learns)) + "\", of which this model's blocks have none");
        }
        if (m_model.layout.hidden != m_original.layout.hidden) {
            return refused("recover",
                           "cannot compare blocks whose width was cut with the untouched ones; leave out either "
                           "the width or the reconstruction");
        }
        for (const auto& layer : m_model.layout.layers) {
            if (layer.block >= 0 && !m_model.weight(layer).isDense()) {
                return refused("recover", "cannot fit " + layer.name +
                                              ", which holds codes: reconstruct before anything is quantized, and "
                                              "a checkpoint that is not");
            }
        }
        for (const auto& block : m_model.layout.blocks) {
            if (!positionOf(block.sourceIndex)) {
                return makeError(ErrorCode::EngineFailure,
                                 {{"where", "reconstruction"},
                                  {"reason", block.name + " is no block of the original"}});
            }
        }
        return m_texts.empty() ? Status(refused("calibration", "has no text to learn from")) : Status(Done{});
    }

    /// Where the block with that number of the files stands in the original.
    std::optional<std::int64_t> positionOf(int sourceIndex) const {
        const auto& blocks = m_original.layout.blocks;
        const auto found = std::find_if(blocks.begin(), blocks.end(), [&](const BlockInfo& block) {
            return block.sourceIndex == sourceIndex;
        });
        return found == blocks.end() ? std::nullopt : std::optional<std::int64_t>(found - blocks.begin());
    }

    /// The last samples are held out: calibration has drawn them in random order.
    void plan() {
        const RecoverSpec& spec = m_options.spec;
        const std::size_t count = m_texts.size();
        std::size_t held = 0;
        if (spec.holdOut > 0.0 && count > 1) {
            const auto share = std::lround(spec.holdOut * static_cast<double>(count));
            held = std::clamp<std::size_t>(static_cast<std::size_t>(share), 1, count - 1);
        }
        for (std::size_t i = 0; i < count; ++i) {
            (i < count - held ? m_learned : m_held).push_back(i);
        }
        if (held == 0) {
            m_held = m_learned;
        }
        const auto perStep = static_cast<std::int64_t>(spec.batch) * spec.accumulate;
        const auto learned = static_cast<std::int64_t>(m_learned.size());
        m_steps = spec.steps > 0 ? spec.steps : spec.epochs * ((learned + perStep - 1) / perStep);
    }

    Status embed(const LoadedModel& model, StateStore& states) const {
        models::DeviceOptions options = m_options.device;
        options.device = "cpu";
        Progress unseen;
        PARETO_TRY(const auto table,
                   models::prepareBlockwise(models::partOf(model, -1), options, unseen, m_stop));
        for (std::size_t i = 0; i < m_texts.size(); ++i) {
            if (m_stop.stop_requested()) {
                return Cancelled{};
            }
            PARETO_TRY(auto hidden, table->embed({{m_texts[i]}, {}}, m_stop));
            PARETO_CHECK(states.put(i, std::move(hidden.values)));
        }
        return Done{};
    }

    /// The untouched states move on to where the block's are to be.
    Status moveTargets(int index) {
        const auto& blocks = m_model.layout.blocks;
        const bool last = index + 1 == blockCount();
        const std::int64_t end = last ? static_cast<std::int64_t>(m_original.layout.blocks.size())
                                      : *positionOf(blocks[static_cast<std::size_t>(index) + 1].sourceIndex);
        for (; m_passed < end; ++m_passed) {
            PARETO_TRY(const auto untouched,
                       models::prepareTrainableBlock(m_original, static_cast<int>(m_passed), m_options.device));
            PARETO_CHECK(passSamples(*untouched, m_targets, m_texts.size(), m_tokensAtOnce, m_stop));
        }
        return Done{};
    }

    Status block(int index) {
        const auto start = Clock::now();
        ReconstructedBlock result;
        result.name = m_model.layout.blocks[static_cast<std::size_t>(index)].name;
        PARETO_TRY(const auto trained, models::prepareTrainableBlock(m_model, index, m_options.device));
        std::int64_t values = 0;
        for (const auto& [name, parameter] : trained->parameters()) {
            values += parameter.numel();
        }
        m_tokensAtOnce =
            tokensAtOnce(values * m_model.layout.blocks[static_cast<std::size_t>(index)].repeats);
        PARETO_CHECK(moveTargets(index));
        PARETO_CHECK(fit(*trained, result));
        if (index + 1 < blockCount() && !finishing()) {
            PARETO_CHECK(passSamples(*trained, m_inputs, m_texts.size(), m_tokensAtOnce, m_stop));
        }
        result.seconds = secondsSince(start);
        m_out.blocks.push_back(std::move(result));
        m_progress.set(m_steps * (index + 1));
        return Done{};
    }

    Status fit(TrainableBlock& trained, ReconstructedBlock& result) {
        BlockFit fit(trained, {m_inputs, m_targets, m_learned, m_held, m_tokensAtOnce}, m_options, m_steps);
        PARETO_TRY(result.before, fit.error(m_stop));
        result.after = result.before;
        if (fit.names().empty()) {
            return Done{};
        }
        const std::int64_t first = m_out.record.steps;
        const auto watch = [&](TrainingPoint point) { return told(std::move(point)); };
        RandomStream random(m_options.seed, "reconstruct." + result.name);
        PARETO_TRY(result.keptStep, fit.run(result.before, std::move(random), watch, m_stop));
        if (result.keptStep == 0) {
            return Done{};
        }
        std::map<std::string, Tensor> made;
        for (const auto& name : fit.names()) {
            made.emplace(name, storedAs(trained.parameters().at(name), m_model.tensors.at(name)));
            copyInto(trained.parameters().at(name), made.at(name));
        }
        PARETO_TRY(const double after, fit.error(m_stop));  // as the values are stored
        if (!(after < result.before)) {
            for (const auto& name : fit.names()) {
                copyInto(trained.parameters().at(name), m_model.tensors.at(name));
            }
            result.keptStep = 0;
            return Done{};
        }
        result.after = after;
        m_out.record.keptStep = first + result.keptStep;
        for (auto& [name, tensor] : made) {
            m_out.model.tensors.insert_or_assign(name, std::move(tensor));
        }
        return Done{};
    }

    /// Behind each step of a block; see FitWatch.
    Result<bool> told(TrainingPoint point) {
        auto& record = m_out.record;
        const std::int64_t done = static_cast<std::int64_t>(m_out.blocks.size());
        ++record.steps;
        point.step = done * m_steps + point.step;
        point.steps = m_steps * blockCount();
        m_progress.set(point.step);
        if (m_options.report) {
            m_options.report(point);
        }
        record.points.push_back(std::move(point));
        PARETO_CHECK(waitWhilePaused(m_options.control, m_stop));
        return !finishing();
    }

    void note() {
        if (m_out.blocks.empty()) {
            return;
        }
        double before = 0.0;
        double after = 0.0;
        for (const auto& block : m_out.blocks) {
            before += block.before / static_cast<double>(m_out.blocks.size());
            after += block.after / static_cast<double>(m_out.blocks.size());
        }
        char text[160];
        std::snprintf(text, sizeof text,
                      "mean relative error behind a block on %zu samples %s: %.4g before, %.4g after", m_held.size(),
                      m_held == m_learned ? "that were learned from" : "held out", before, after);
        m_out.record.notes.emplace_back(text);
        if (m_out.blocks.size() < m_model.layout.blocks.size()) {
            m_out.record.notes.push_back(std::to_string(m_model.layout.blocks.size() - m_out.blocks.size()) +
                                         " blocks were not reached and are as they were");
        }
    }

    const LoadedModel& m_model;
    const LoadedModel& m_original;
    const Texts m_texts;
    const ReconstructOptions& m_options;
    Progress& m_progress;
    std::stop_token m_stop;
    StateStore m_inputs;   ///< before the next block of the model
    StateStore m_targets;  ///< behind the original's blocks that were passed
    std::int64_t m_passed = 0;
    std::vector<std::size_t> m_learned, m_held;
    std::int64_t m_steps = 0;  ///< of each block
    std::int64_t m_tokensAtOnce = 0;
    Reconstructed m_out;
};

}  // namespace

Result<Reconstructed> reconstruct(const LoadedModel& model, const LoadedModel& original, const Texts& texts,
                                  const ReconstructOptions& options, Progress& progress,
                                  std::stop_token stop) {
    return Reconstruction(model, original, texts, options, progress, std::move(stop)).run();
}

}  // namespace pareto::train
