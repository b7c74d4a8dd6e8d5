#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace pareto::metrics {

struct ScoredDocument {
    std::string id;
    float score = 0.0F;
};

/// Whether a stands before b in a ranking; see rankDocuments.
bool ranksBefore(const ScoredDocument& a, const ScoredDocument& b);

/// Best first; equal scores by the id in descending byte order, as trec_eval ranks (whatever order
/// they came in).
void rankDocuments(std::vector<ScoredDocument>& documents);

/// Grades of the judged documents of one query: 1 and above is relevant, more is better; whatever is
/// not judged counts as 0.
using Judgements = std::unordered_map<std::string, int>;

/// One query's figures as trec_eval (and pytrec_eval) define them; a corpus's is the mean over its
/// queries. All 0 for a query without a relevant document.
struct RankingScores {
    double ndcg = 0.0;        ///< at the cutoff: gain = grade, discount log2(rank + 1), "ndcg_cut"
    double reciprocal = 0.0;  ///< 1 / rank of the first relevant one within the cutoff, "recip_rank"
    double recall = 0.0;      ///< share of the relevant ones within the cutoff, "recall"
    double averagePrecision = 0.0;  ///< over the whole list, "map"
};
/// `ranked` is in the order of rankDocuments.
RankingScores scoreRanking(const std::vector<ScoredDocument>& ranked, const Judgements& judgements,
                           std::size_t cutoff);

}  // namespace pareto::metrics
