#include "engine/bench/trace.h"

#include <chrono>
#include <map>
#include <string>

#include "engine/bench/pass_progress.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

namespace {

using Clock = std::chrono::steady_clock;

class Collector : public models::LayerObserver {
public:
    void begin(const std::string& phase) override {
        if (const auto [entry, isNew] = m_current.try_emplace(phase, 0.0); isNew) {
            if (m_samples.find(phase) == m_samples.end()) {
                m_order.push_back(phase);
                m_samples[phase];
            }
        }
        m_open.push_back({Clock::now(), 0.0});
    }
    void end(const std::string& phase) override {
        if (m_open.empty()) {
            return;
        }
        const auto open = m_open.back();
        m_open.pop_back();
        const auto ms = std::chrono::duration<double, std::milli>(Clock::now() - open.start).count();
        m_current[phase] += ms - open.insideMs;
        if (!m_open.empty()) {
            m_open.back().insideMs += ms;
        }
    }
    void finishPass(double ms) {
        for (const auto& [phase, spent] : m_current) {
            m_samples[phase].push_back(spent);
        }
        m_current.clear();
        m_open.clear();
        m_passMs.push_back(ms);
    }
    std::vector<LayerMeasurement> summary() const {
        std::vector<LayerMeasurement> layers;
        const auto pass = stats::median(m_passMs);
        for (const auto& phase : m_order) {
            LayerMeasurement layer;
            layer.name = phase;
            layer.ms = stats::median(m_samples.at(phase));
            layer.share = pass > 0.0 ? layer.ms / pass : 0.0;
            layers.push_back(std::move(layer));
        }
        return layers;
    }

private:
    struct Open {
        Clock::time_point start;
        double insideMs = 0.0;
    };
    std::vector<Open> m_open;
    std::map<std::string, double> m_current;
    std::map<std::string, std::vector<double>> m_samples;
    std::vector<std::string> m_order;
    std::vector<double> m_passMs;
};

/// Takes the observer off again whatever happens.
class Watching {
public:
    Watching(models::Model& model, models::LayerObserver& observer) : m_model(model) {
        m_model.setObserver(&observer);
    }
    ~Watching() { m_model.setObserver(nullptr); }
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

private:
    models::Model& m_model;
};

}  // namespace

Result<std::vector<LayerMeasurement>> traceLayers(models::RunnableModel& model,
                                                  const TraceOptions& options, Progress& progress,
                                                  std::stop_token stop) {
    PARETO_TRY(const auto workload, makeWorkload(model, options.target, options.seed));
    Collector collector;
    {
        const Watching watching(model.model(), collector);
        const PassGoal goal{options.minSeconds * 1000.0, options.minPasses, options.maxPasses, 1};
        // How long a traced pass takes is known after the first: until then the least is shown.
        PassProgress shown(progress, goal, goal.minMs);
        double spentMs = 0.0;
        int passes = 0;
        while (passes < options.maxPasses && (passes < options.minPasses || spentMs < goal.minMs)) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            PARETO_TRY(const auto timing, workload->pass(stop));
            collector.finishPass(timing.ms);
            spentMs += timing.ms;
            ++passes;
            shown.update(passes, spentMs);
        }
    }
    auto layers = collector.summary();
    const auto& layout = model.model().layout();
    for (auto& measured : layers) {
        if (const auto* layer = layout.findLayer(measured.name)) {
            measured.rows = layer->rows;
            measured.cols = layer->cols;
            measured.kernel = model.model().kernelOf(layer->name);
        }
    }
    return layers;
}

}  // namespace pareto::bench
