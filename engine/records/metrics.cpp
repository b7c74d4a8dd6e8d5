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
        {"mcc", "Matthews correlation", "", Better::Higher, 4},
        {"entity_f1", "Entity F1", "%", Better::Higher, 2},
        {"entity_precision", "Entity precision", "%", Better::Higher, 2},
        {"entity_recall", "Entity recall", "%", Better::Higher, 2},
        {"accuracy_normalized", "Accuracy (length-normalized)", "%", Better::Higher, 2},
        {"squad_f1", "F1 (SQuAD)", "%", Better::Higher, 2},
        {"exact_match", "Exact match", "%", Better::Higher, 2},
        {"bleu", "BLEU", "", Better::Higher, 2},
        {"chrf", "chrF", "", Better::Higher, 2},
        {"rouge_l", "ROUGE-L", "%", Better::Higher, 2},
        {"rouge_1", "ROUGE-1", "%", Better::Higher, 2},
        {"rouge_2", "ROUGE-2", "%", Better::Higher, 2},
        {"ndcg_10", "nDCG@10", "", Better::Higher, 4},
        {"mrr_10", "MRR@10", "", Better::Higher, 4},
        {"recall_10", "Recall@10", "%", Better::Higher, 2},
        {"recall_100", "Recall@100", "%", Better::Higher, 2},
        {"similarity_spearman", "Spearman", "", Better::Higher, 4},
        {"similarity_pearson", "Pearson", "", Better::Higher, 4},
        {"perplexity", "Perplexity", "", Better::Lower, 3},
        {"kl_divergence", "KL divergence", "nats", Better::Lower, 4},
        {"top1_agreement", "Same top token", "%", Better::Higher, 2},
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
