#include "engine/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace pareto::metrics {
namespace {

double discounted(int grade, std::size_t index) {
    return grade > 0 ? grade / std::log2(static_cast<double>(index) + 2.0) : 0.0;
}

double idealGain(const Judgements& judgements, std::size_t cutoff) {
    std::vector<int> grades;
    for (const auto& [id, grade] : judgements) {
        if (grade > 0) {
            grades.push_back(grade);
        }
    }
    std::sort(grades.begin(), grades.end(), std::greater<>());
    double sum = 0.0;
    for (std::size_t i = 0; i < std::min(cutoff, grades.size()); ++i) {
        sum += discounted(grades[i], i);
    }
    return sum;
}

}  // namespace

bool ranksBefore(const ScoredDocument& a, const ScoredDocument& b) {
    return a.score != b.score ? a.score > b.score : a.id > b.id;
}

void rankDocuments(std::vector<ScoredDocument>& documents) {
    std::sort(documents.begin(), documents.end(), ranksBefore);
}

RankingScores scoreRanking(const std::vector<ScoredDocument>& ranked, const Judgements& judgements,
                           std::size_t cutoff) {
    const auto relevant = static_cast<double>(
        std::count_if(judgements.begin(), judgements.end(),
                      [](const auto& judgement) { return judgement.second > 0; }));
    RankingScores scores;
    if (relevant == 0.0) {
        return scores;
    }
    double gain = 0.0;
    double found = 0.0;
    double foundInCutoff = 0.0;
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        const auto judgement = judgements.find(ranked[i].id);
        const int grade = judgement == judgements.end() ? 0 : judgement->second;
        if (grade <= 0) {
            continue;
        }
        const auto rank = static_cast<double>(i + 1);
        found += 1.0;
        scores.averagePrecision += found / rank / relevant;
        if (i < cutoff) {
            gain += discounted(grade, i);
            foundInCutoff = found;
            scores.reciprocal = scores.reciprocal == 0.0 ? 1.0 / rank : scores.reciprocal;
        }
    }
    scores.ndcg = cutoff == 0 ? 0.0 : gain / idealGain(judgements, cutoff);
    scores.recall = foundInCutoff / relevant;
    return scores;
}

}  // namespace pareto::metrics
