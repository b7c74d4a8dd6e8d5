#include "engine/jobs/run/weight_gradients.h"

#include "engine/core/random.h"
#include "engine/jobs/run/calibration_texts.h"
#include "engine/models/gradients.h"

namespace pareto::jobs {
namespace {

class CalibratedGradients final : public compress::WeightGradients {
public:
    CalibratedGradients(std::unique_ptr<models::GradientModel> model, std::vector<std::vector<std::int32_t>> texts,
                        std::uint64_t seed)
        : m_model(std::move(model)), m_texts(std::move(texts)), m_seed(seed) {}

    Status differentiate(std::int64_t number, std::span<const std::string> layers, const Receive& receive,
                         std::stop_token stop) override {
        // The same answers each time the same sample is differentiated by other layers.
        RandomStream random(m_seed, "gradients." + std::to_string(number));
        PARETO_TRY(const double loss, m_model->differentiate(m_texts.at(static_cast<std::size_t>(number)), random,
                                                             layers, receive, std::move(stop)));
        static_cast<void>(loss);
        return Done{};
    }

    Status replace(const std::string& layer, const Tensor& weight) override {
        return m_model->replaceWeight(layer, weight);
    }

    std::int64_t samples() const override { return static_cast<std::int64_t>(m_texts.size()); }

    std::int64_t tokens() const override {
        std::int64_t out = 0;
        for (const auto& text : m_texts) {
            out += static_cast<std::int64_t>(text.size());
        }
        return out;
    }

private:
    std::unique_ptr<models::GradientModel> m_model;
    std::vector<std::vector<std::int32_t>> m_texts;
    std::uint64_t m_seed;
};

}  // namespace

compress::OpenWeightGradients weightGradientsOf(std::shared_ptr<const OpenedModel> opened, int threads) {
    return [opened = std::move(opened), threads](
               const LoadedModel& model, const CalibrationSpec& calibration, Progress& progress,
               std::stop_token stop) -> Result<std::unique_ptr<compress::WeightGradients>> {
        models::DeviceOptions options;
        options.threads = threads;
        PARETO_TRY(auto graph, models::prepareGradients(model, options, progress, stop));
        PARETO_TRY(const auto tokenizer, opened->tokenizer());
        PARETO_TRY(auto texts, calibrationTexts(calibration, *tokenizer, model.layout, progress, stop));
        return std::unique_ptr<compress::WeightGradients>(
            std::make_unique<CalibratedGradients>(std::move(graph), std::move(texts), calibration.seed));
    };
}

}  // namespace pareto::jobs
