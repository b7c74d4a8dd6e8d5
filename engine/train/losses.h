#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace at {
class Tensor;
}

/// Terms of a loss: scalars of a graph to differentiate. Teachers' tensors have none.
namespace pareto::train {

/// Mean cross-entropy of logits [n][classes]; labels of −1 do not count (all −1: 0).
at::Tensor classLoss(const at::Tensor& logits, std::span<const std::int32_t> labels);
/// Mean squared error of outputs [n][1].
at::Tensor scoreLoss(const at::Tensor& outputs, std::span<const float> scores);
/// Mean squared error of the cosines of vectors [2n][width], of which each two in a row are a pair.
at::Tensor similarityLoss(const at::Tensor& vectors, std::span<const float> cosines);
/// Mean over texts of half the cross-entropies of an answer's first and last token, of outputs [tokens][2]: text i has
/// the rows starts[i] … starts[i + 1] − 1, from which tokens are counted (Devlin et al. 2019).
at::Tensor answerLoss(const at::Tensor& outputs, const std::vector<std::int64_t>& starts,
                      std::span<const std::pair<std::int32_t, std::int32_t>> answers);
/// T² · KL(softmax(teacher / T) ‖ softmax(student / T)), mean over rows (Hinton et al. 2015). [n][classes] both.
at::Tensor logitsLoss(const at::Tensor& student, const at::Tensor& teacher, double temperature);
/// Squared distance of vectors [n][width], mean over rows: of embedders, whose outputs are no logits.
at::Tensor distanceLoss(const at::Tensor& student, const at::Tensor& teacher);
/// Mean squared error of hidden states (Jiao et al. 2020).
at::Tensor hiddenLoss(const at::Tensor& student, const at::Tensor& teacher);

/// Queries, keys and values of sequences that lie one behind the other: text i has the rows starts[i] …
/// starts[i + 1] − 1.
struct HeadsOf {
    std::int64_t heads = 1;    ///< of the queries
    std::int64_t kvHeads = 1;  ///< each serves heads / kvHeads queries
    double scale = 1.0;        ///< factor of q·k
    bool causal = false;
};
/// KL(teacher's attention ‖ student's), mean over heads and tokens (Sun et al. 2020, MobileBERT). `chosen`: those of
/// the teacher's heads that the student has left; empty: all, as many.
at::Tensor attentionLoss(const at::Tensor& studentQueries, const at::Tensor& studentKeys, const HeadsOf& student,
                         const at::Tensor& teacherQueries, const at::Tensor& teacherKeys, const HeadsOf& teacher,
                         std::span<const int> chosen, const std::vector<std::int64_t>& starts);
/// KL of softmax(x xᵀ / √d) with x divided into `heads` relation heads of d columns, whatever heads the models have;
/// mean over heads and tokens (MiniLMv2, Wang et al. 2021: once for queries, keys and values each).
at::Tensor relationLoss(const at::Tensor& student, const at::Tensor& teacher, std::int64_t heads, bool causal,
                        const std::vector<std::int64_t>& starts);

}  // namespace pareto::train
