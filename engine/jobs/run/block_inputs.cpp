#include "engine/jobs/run/block_inputs.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include "engine/core/random.h"
#include "engine/jobs/run/calibration_texts.h"
#include "engine/models/blockwise.h"
#include "engine/models/state_store.h"
#include "engine/runtime/parallel.h"

namespace pareto::jobs {
namespace {

using compress::InputStatistics;
using models::HiddenStates;
using models::Matrix;

/// Tokens that run at once.
constexpr std::int64_t kBatchTokens = 2048;

/// Rows of a sum of products that are computed at once.
constexpr std::int64_t kStripe = 192;

/// Inputs that are kept as they are, of each layer.
constexpr std::int64_t kSampled = 256;

/// Numbers of the tokens whose inputs are kept: one from each of up to kSampled equal stretches, drawn at random,
/// because texts have all one length and a fixed stride would see a few positions only.
std::vector<std::int64_t> sampledTokens(std::int64_t tokens) {
    RandomStream random(0, "calibration.sample");
    const std::int64_t count = std::min(tokens, kSampled);
    std::vector<std::int64_t> out;
    for (std::int64_t at = 0; at < count; ++at) {
        const std::int64_t begin = at * tokens / count;
        const std::int64_t end = (at + 1) * tokens / count;
        out.push_back(begin + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(end - begin))));
    }
    return out;
}

/// Sums over what layers with one input read.
struct Sums {
    at::Tensor hessian, magnitudes, values, largest;
    std::vector<float> sample;
    std::int64_t tokens = 0;

    /// `sampled`, rising: numbers of the tokens to keep.
    void add(const at::Tensor& x, const std::vector<std::int64_t>& sampled) {
        if (!hessian.defined()) {
            const auto cols = x.size(1);
            hessian = at::zeros({cols, cols}, x.options());
            magnitudes = at::zeros({cols}, x.options());
            values = at::zeros({cols}, x.options());
            largest = at::zeros({cols}, x.options());
        }
        // The lower half alone: a stripe of rows up to the diagonal at a time.
        for (std::int64_t begin = 0; begin < x.size(1); begin += kStripe) {
            const std::int64_t end = std::min(begin + kStripe, x.size(1));
            hessian.slice(0, begin, end).slice(1, 0, end).addmm_(x.slice(1, begin, end).t(), x.slice(1, 0, end));
        }
        const at::Tensor absolute = x.abs();
        magnitudes.add_(absolute.sum(0));
        values.add_(x.sum(0));
        largest = at::max(largest, absolute.amax(0));
        for (auto at = std::lower_bound(sampled.begin(), sampled.end(), tokens);
             at != sampled.end() && *at < tokens + x.size(0); ++at) {
            const float* row = x.const_data_ptr<float>() + (*at - tokens) * x.size(1);
            sample.insert(sample.end(), row, row + x.size(1));
        }
        tokens += x.size(0);
    }

    static std::vector<float> floats(const at::Tensor& x) {
        const at::Tensor flat = x.contiguous();
        const float* data = flat.const_data_ptr<float>();
        return {data, data + flat.numel()};
    }

    std::shared_ptr<const InputStatistics> statistics() const {
        auto out = std::make_shared<InputStatistics>();
        const auto count = static_cast<float>(tokens);
        out->cols = hessian.size(0);
        out->tokens = tokens;
        out->hessian = floats((hessian.tril() + hessian.tril(-1).t()) / count);
        out->meanSquares = floats(hessian.diag() / count);
        out->meanMagnitudes = floats(magnitudes / count);
        out->means = floats(values / count);
        out->largest = floats(largest);
        out->sample = sample;
        return out;
    }
};

/// Over the rows; a row of zeros counts as unchanged when both are.
double sumOfCosines(const Matrix& a, const Matrix& b) {
    double sum = 0.0;
    for (std::int64_t row = 0; row < a.rows; ++row) {
        const float* x = a.values.data() + row * a.cols;
        const float* y = b.values.data() + row * a.cols;
        double xx = 0.0;
        double yy = 0.0;
        double xy = 0.0;
        for (std::int64_t col = 0; col < a.cols; ++col) {
            xx += static_cast<double>(x[col]) * x[col];
            yy += static_cast<double>(y[col]) * y[col];
            xy += static_cast<double>(x[col]) * y[col];
        }
        sum += xx > 0.0 && yy > 0.0 ? xy / std::sqrt(xx * yy) : (xx == yy ? 1.0 : 0.0);
    }
    return sum;
}

class CalibratedInputs final : public compress::BlockInputs {
public:
    CalibratedInputs(std::unique_ptr<models::Blockwise> model, bool onDisk)
        : m_model(std::move(model)), m_states(onDisk) {}

    Status begin(const std::vector<std::vector<std::int32_t>>& texts, Progress& progress, std::stop_token stop) {
        progress.begin(Stage::Calibrating, static_cast<std::int64_t>(texts.size()), Unit::Samples);
        m_samples = static_cast<std::int64_t>(texts.size());
        models::TokenBatch batch;
        std::int64_t tokens = 0;
        const auto flush = [&]() -> Status {
            if (batch.ids.empty()) {
                return Done{};
            }
            PARETO_TRY(auto hidden, m_model->embed(batch, stop));
            PARETO_CHECK(m_states.put(m_starts.size(), std::move(hidden.values)));
            m_starts.push_back(std::move(hidden.starts));
            progress.advance(static_cast<std::int64_t>(batch.ids.size()));
            m_tokens += tokens;
            tokens = 0;
            batch.ids.clear();
            return Done{};
        };
        for (const auto& text : texts) {
            if (tokens + static_cast<std::int64_t>(text.size()) > kBatchTokens) {
                PARETO_CHECK(flush());
            }
            batch.ids.push_back(text);
            tokens += static_cast<std::int64_t>(text.size());
        }
        return flush();
    }

    Result<std::map<std::string, std::shared_ptr<const InputStatistics>>> measure(int block,
                                                                                  std::stop_token stop) override {
        const auto readers = readersOf(block);
        std::map<std::string, Sums> sums;  // by the first reader
        const auto sampled = sampledTokens(m_tokens);
        const auto tap = [&](const std::string& layer, const float* values, std::int64_t rows, std::int64_t cols) {
            if (readers.at(layer) != layer) {
                return;
            }
            const c10::InferenceMode inference(true);
            // Copied: the bits of a product depend on how memory is aligned.
            sums[layer].add(at::from_blob(const_cast<float*>(values), {rows, cols},
                                          at::TensorOptions().dtype(at::kFloat))
                                .clone(),
                            sampled);
        };
        for (std::size_t i = 0; i < m_starts.size(); ++i) {
            PARETO_TRY(auto values, m_states.take(i));
            HiddenStates hidden{std::move(values), m_starts[i]};
            PARETO_CHECK(m_model->runBlock(block, hidden, tap, stop));
            PARETO_CHECK(m_states.put(i, std::move(hidden.values)));
        }
        std::map<std::string, std::shared_ptr<const InputStatistics>> made;
        for (const auto& [layer, input] : sums) {
            made.emplace(layer, input.statistics());
        }
        std::map<std::string, std::shared_ptr<const InputStatistics>> out;
        for (const auto& [layer, first] : readers) {
            if (made.contains(first)) {
                out.emplace(layer, made.at(first));
            }
        }
        return out;
    }

    Status replace(const std::string& layer, const Tensor& weight, const Tensor* bias) override {
        return m_model->replaceWeight(layer, weight, bias);
    }

    Result<double> pass(int block, std::stop_token stop) override {
        double cosines = 0.0;
        for (std::size_t i = 0; i < m_starts.size(); ++i) {
            PARETO_TRY(auto values, m_states.take(i));
            HiddenStates before{std::move(values), m_starts[i]};
            PARETO_TRY(auto next, m_model->runBlock(block, before, {}, stop));
            cosines += sumOfCosines(before.values, next);
            PARETO_CHECK(m_states.put(i, std::move(next)));
        }
        m_model->releaseBlock(block);
        return m_tokens > 0 ? cosines / static_cast<double>(m_tokens) : 1.0;
    }

    std::int64_t samples() const override { return m_samples; }
    std::int64_t tokens() const override { return m_tokens; }

private:
    /// For each layer of a block the first that reads the same: query of query, key and value, gate of gate and up.
    std::map<std::string, std::string> readersOf(int block) const {
        const auto& layout = m_model->layout();
        const auto firstFor = [](LayerRole role) {
            return role == LayerRole::Key || role == LayerRole::Value ? LayerRole::Query
                   : role == LayerRole::FfnUp                         ? LayerRole::FfnGate
                                                                      : role;
        };
        std::map<std::string, std::string> out;
        const auto& layers = layout.blocks.at(static_cast<std::size_t>(block)).layers;
        for (const int index : layers) {
            const auto& layer = layout.layers[static_cast<std::size_t>(index)];
            out[layer.name] = layer.name;
            for (const int other : layers) {
                const auto& first = layout.layers[static_cast<std::size_t>(other)];
                if (first.group == layer.group && first.role == firstFor(layer.role)) {
                    out[layer.name] = first.name;
                }
            }
        }
        return out;
    }

    std::unique_ptr<models::Blockwise> m_model;
    models::StateStore m_states;
    std::vector<std::vector<std::int64_t>> m_starts;  ///< of each batch
    std::int64_t m_samples = 0;
    std::int64_t m_tokens = 0;
};

}  // namespace

compress::OpenBlockInputs blockInputsOf(std::shared_ptr<const OpenedModel> opened, int threads,
                                        std::uint64_t memoryLimit) {
    return [opened = std::move(opened), threads, memoryLimit](
               const LoadedModel& model, const CalibrationSpec& calibration, Progress& progress,
               std::stop_token stop) -> Result<std::unique_ptr<compress::BlockInputs>> {
        PARETO_TRY(const auto tokenizer, opened->tokenizer());
        PARETO_TRY(const auto texts, calibrationTexts(calibration, *tokenizer, model.layout, progress, stop));
        models::DeviceOptions options;
        options.threads = threads;
        PARETO_TRY(auto blocks, models::prepareBlockwise(model, options, progress, stop));
        std::uint64_t tokens = 0;
        for (const auto& text : texts) {
            tokens += text.size();
        }
        const auto bytes = tokens * static_cast<std::uint64_t>(model.layout.hidden) * sizeof(float);
        auto out = std::make_unique<CalibratedInputs>(std::move(blocks), bytes > memoryLimit);
        PARETO_CHECK(out->begin(texts, progress, stop));
        return std::unique_ptr<compress::BlockInputs>(std::move(out));
    };
}

}  // namespace pareto::jobs
