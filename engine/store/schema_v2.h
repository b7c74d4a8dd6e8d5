#pragma once

namespace pareto::store {

/// Version 2, frozen once released: the metrics of more kinds of tasks, what the model said to each item,
/// and the numbers from which corpus metrics are summed (fp64, little-endian).
inline constexpr const char* kSchemaV2 = R"sql(
ALTER TABLE runs ADD COLUMN mcc REAL;
ALTER TABLE runs ADD COLUMN mcc_low REAL;
ALTER TABLE runs ADD COLUMN mcc_high REAL;
ALTER TABLE runs ADD COLUMN entity_f1 REAL;
ALTER TABLE runs ADD COLUMN entity_f1_low REAL;
ALTER TABLE runs ADD COLUMN entity_f1_high REAL;
ALTER TABLE runs ADD COLUMN entity_precision REAL;
ALTER TABLE runs ADD COLUMN entity_precision_low REAL;
ALTER TABLE runs ADD COLUMN entity_precision_high REAL;
ALTER TABLE runs ADD COLUMN entity_recall REAL;
ALTER TABLE runs ADD COLUMN entity_recall_low REAL;
ALTER TABLE runs ADD COLUMN entity_recall_high REAL;
ALTER TABLE runs ADD COLUMN accuracy_normalized REAL;
ALTER TABLE runs ADD COLUMN accuracy_normalized_low REAL;
ALTER TABLE runs ADD COLUMN accuracy_normalized_high REAL;
ALTER TABLE runs ADD COLUMN squad_f1 REAL;
ALTER TABLE runs ADD COLUMN squad_f1_low REAL;
ALTER TABLE runs ADD COLUMN squad_f1_high REAL;
ALTER TABLE runs ADD COLUMN exact_match REAL;
ALTER TABLE runs ADD COLUMN exact_match_low REAL;
ALTER TABLE runs ADD COLUMN exact_match_high REAL;
ALTER TABLE runs ADD COLUMN bleu REAL;
ALTER TABLE runs ADD COLUMN bleu_low REAL;
ALTER TABLE runs ADD COLUMN bleu_high REAL;
ALTER TABLE runs ADD COLUMN chrf REAL;
ALTER TABLE runs ADD COLUMN chrf_low REAL;
ALTER TABLE runs ADD COLUMN chrf_high REAL;
ALTER TABLE runs ADD COLUMN rouge_l REAL;
ALTER TABLE runs ADD COLUMN rouge_l_low REAL;
ALTER TABLE runs ADD COLUMN rouge_l_high REAL;
ALTER TABLE runs ADD COLUMN rouge_1 REAL;
ALTER TABLE runs ADD COLUMN rouge_1_low REAL;
ALTER TABLE runs ADD COLUMN rouge_1_high REAL;
ALTER TABLE runs ADD COLUMN rouge_2 REAL;
ALTER TABLE runs ADD COLUMN rouge_2_low REAL;
ALTER TABLE runs ADD COLUMN rouge_2_high REAL;
ALTER TABLE runs ADD COLUMN ndcg_10 REAL;
ALTER TABLE runs ADD COLUMN ndcg_10_low REAL;
ALTER TABLE runs ADD COLUMN ndcg_10_high REAL;
ALTER TABLE runs ADD COLUMN mrr_10 REAL;
ALTER TABLE runs ADD COLUMN mrr_10_low REAL;
ALTER TABLE runs ADD COLUMN mrr_10_high REAL;
ALTER TABLE runs ADD COLUMN recall_10 REAL;
ALTER TABLE runs ADD COLUMN recall_10_low REAL;
ALTER TABLE runs ADD COLUMN recall_10_high REAL;
ALTER TABLE runs ADD COLUMN recall_100 REAL;
ALTER TABLE runs ADD COLUMN recall_100_low REAL;
ALTER TABLE runs ADD COLUMN recall_100_high REAL;
ALTER TABLE runs ADD COLUMN similarity_spearman REAL;
ALTER TABLE runs ADD COLUMN similarity_spearman_low REAL;
ALTER TABLE runs ADD COLUMN similarity_spearman_high REAL;
ALTER TABLE runs ADD COLUMN similarity_pearson REAL;
ALTER TABLE runs ADD COLUMN similarity_pearson_low REAL;
ALTER TABLE runs ADD COLUMN similarity_pearson_high REAL;
ALTER TABLE runs ADD COLUMN kl_divergence REAL;
ALTER TABLE runs ADD COLUMN kl_divergence_low REAL;
ALTER TABLE runs ADD COLUMN kl_divergence_high REAL;
ALTER TABLE runs ADD COLUMN top1_agreement REAL;
ALTER TABLE runs ADD COLUMN top1_agreement_low REAL;
ALTER TABLE runs ADD COLUMN top1_agreement_high REAL;
ALTER TABLE run_items ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE run_items ADD COLUMN parts BLOB;
)sql";

}  // namespace pareto::store
