#pragma once

#include <array>

namespace pareto::store {

/// The figures that are columns of `runs`: of the metric's name; with an interval also <name>_low and
/// <name>_high.
struct FigureColumn {
    const char* key;
    bool interval;
};
inline constexpr std::array<FigureColumn, 19> kFigureColumns{{
    {"latency_p50_ms", true},
    {"latency_p90_ms", false},
    {"latency_p99_ms", false},
    {"latency_mean_ms", true},
    {"latency_ratio", true},
    {"throughput_items_per_s", true},
    {"first_token_ms", false},
    {"token_ms", true},
    {"prefill_tokens_per_s", false},
    {"decode_tokens_per_s", true},
    {"model_bytes", false},
    {"parameters", false},
    {"nonzero_parameters", false},
    {"peak_rss_bytes", false},
    {"accuracy", true},
    {"f1_macro", true},
    {"perplexity", true},
    {"fidelity_cosine", true},
    {"fidelity_spearman", true},
}};

}  // namespace pareto::store
