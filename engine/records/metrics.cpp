#include "engine/records/metrics.h"

namespace pareto {

const std::vector<MetricInfo>& metricCatalogue() {
    static const std::vector<MetricInfo> catalogue{
        {"latency_p50_ms", "Latency p50", "ms", Better::Lower, 2},
        {"latency_p90_ms", "Latency p90", "ms", Better::Lower, 2},
        {"latency_p99_ms", "Latency p99", "ms", Better::Lower, 2},
        {"latency_mean_ms", "Latency mean", "ms", Better::Lower, 2},
        {"latency_ratio", "Latency against the baseline", "×", Better::Lower, 3},
        {"throughput_items_per_s", "Throughput", "items/s", Better::Higher, 1},
        {"first_token_ms", "First token", "ms", Better::Lower, 1},
        {"token_ms", "Time per token", "ms", Better::Lower, 2},
        {"prefill_tokens_per_s", "Prefill", "tokens/s", Better::Higher, 1},
        {"decode_tokens_per_s", "Decode", "tokens/s", Better::Higher, 1},
        {"model_bytes", "Model size", "B", Better::Lower, 0},
        {"parameters", "Parameters", "", Better::Lower, 0},
        {"nonzero_parameters", "Parameters that are not zero", "", Better::Lower, 0},
        {"peak_rss_bytes", "Peak memory", "B", Better::Lower, 0},
        {"accuracy", "Accuracy", "%", Better::Higher, 2},
        {"f1_macro", "F1 (macro)", "%", Better::Higher, 2},
        {"perplexity", "Perplexity", "", Better::Lower, 3},
        {"fidelity_cosine", "Fidelity (mean cosine)", "", Better::Higher, 4},
        {"fidelity_spearman", "Fidelity (Spearman)", "", Better::Higher, 4},
    };
    return catalogue;
}

const MetricInfo* findMetric(std::string_view key) {
    for (const auto& metric : metricCatalogue()) {
        if (metric.key == key) {
            return &metric;
        }
    }
    return nullptr;
}

}  // namespace pareto
