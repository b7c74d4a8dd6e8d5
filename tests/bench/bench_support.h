// What the programs of this folder share.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "engine/layout/describe.h"
#include "engine/models/model.h"
#include "engine/weights/load.h"

namespace pareto::bench {

/// Ends the program when the model cannot be loaded.
inline LoadedModel loadModel(const std::string& path) {
    Progress progress;
    auto files = io::ModelFiles::open(path);
    auto layout = files.ok() ? describeModel(*files.value()) : files.failure<ModelLayout>();
    auto loaded = layout.ok() ? loadWeights(*files.value(), layout.value(), progress, {})
                              : layout.failure<LoadedModel>();
    if (!loaded.ok()) {
        std::fprintf(stderr, "cannot load %s\n", path.c_str());
        std::exit(1);
    }
    return std::move(loaded).value();
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Time of each kind of phase, over all blocks.
class PhaseTimes final : public models::LayerObserver {
public:
    void begin(const std::string&) override { m_start = std::chrono::steady_clock::now(); }
    void end(const std::string& phase) override {
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - m_start;
        const auto layer = phase.rfind("layer.");
        m_totals[layer == std::string::npos ? phase : phase.substr(phase.find('.', layer + 6) + 1)] += elapsed.count();
    }
    void print(const std::string& what, double runs) {
        std::printf("%s, mean ms:", what.c_str());
        double sum = 0.0;
        for (const auto& [phase, total] : m_totals) {
            std::printf("  %s %.3f", phase.c_str(), total / runs);
            sum += total / runs;
        }
        std::printf("  in all %.3f\n", sum);
        m_totals.clear();
    }

private:
    std::map<std::string, double> m_totals;
    std::chrono::steady_clock::time_point m_start;
};

struct Ratio {
    double value = 0.0;
    double low = 0.0;
    double high = 0.0;
};

/// Median of base / other over rounds, with its 95 % bootstrap interval.
inline Ratio pairedRatio(const std::vector<double>& base, const std::vector<double>& other) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < base.size(); ++i) {
        ratios.push_back(base[i] / other[i]);
    }
    RandomStream random(1, "bootstrap");
    std::vector<double> medians;
    for (int i = 0; i < 1000; ++i) {
        std::vector<double> draw;
        for (std::size_t j = 0; j < ratios.size(); ++j) {
            draw.push_back(ratios[random.below(ratios.size())]);
        }
        medians.push_back(median(draw));
    }
    std::sort(medians.begin(), medians.end());
    return {median(ratios), medians[25], medians[975]};
}

inline std::vector<std::int32_t> randomTokens(std::int64_t count, const ModelLayout& layout) {
    std::vector<std::int32_t> out;
    RandomStream random(7, "tokens");
    for (std::int64_t i = 0; i < count; ++i) {
        out.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(layout.vocabulary))));
    }
    return out;
}

}  // namespace pareto::bench
