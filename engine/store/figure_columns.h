#pragma once

#include <array>

namespace pareto::store {

/// The figures that are columns of `runs`: of the metric's name; with an interval also <name>_low and
/// <name>_high. Stores of a version below `since` have none.
struct FigureColumn {
    const char* key;
    bool interval;
    int since = 1;
};
inline constexpr std::array<FigureColumn, 39> kFigureColumns{{
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
    {"mcc", true, 2},
    {"entity_f1", true, 2},
    {"entity_precision", true, 2},
    {"entity_recall", true, 2},
    {"accuracy_normalized", true, 2},
    {"squad_f1", true, 2},
    {"exact_match", true, 2},
    {"bleu", true, 2},
    {"chrf", true, 2},
    {"rouge_l", true, 2},
    {"rouge_1", true, 2},
    {"rouge_2", true, 2},
    {"ndcg_10", true, 2},
    {"mrr_10", true, 2},
    {"recall_10", true, 2},
    {"recall_100", true, 2},
    {"similarity_spearman", true, 2},
    {"similarity_pearson", true, 2},
    {"kl_divergence", true, 2},
    {"top1_agreement", true, 2},
}};

}  // namespace pareto::store
