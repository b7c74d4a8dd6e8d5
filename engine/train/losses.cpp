#include "engine/train/losses.h"

#include <cmath>
#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/triu.h>

namespace pareto::train {
namespace {

/// Σ over the last dimension of p · (ln p − ln q), summed over everything else, from logits.
at::Tensor divergence(const at::Tensor& student, const at::Tensor& teacher) {
    const at::Tensor expected = at::log_softmax(teacher, -1);
    return (expected.exp() * (expected - at::log_softmax(student, -1))).nan_to_num(0.0).sum();
}

/// [heads][tokens][dim] of rows [begin, end).
at::Tensor split(const at::Tensor& x, std::int64_t begin, std::int64_t end, std::int64_t heads) {
    return x.slice(0, begin, end).view({end - begin, heads, x.size(1) / heads}).transpose(0, 1);
}

/// Scores behind a token's own place, far below all others.
at::Tensor masked(const at::Tensor& scores, bool causal) {
    if (!causal) {
        return scores;
    }
    constexpr double kFar = -1e9;  // finite: p · (ln p − ln q) stays 0 there
    return scores + at::triu(at::full({scores.size(1), scores.size(2)}, kFar, scores.options()), 1);
}

at::Tensor scoresOf(const at::Tensor& queries, const at::Tensor& keys, const HeadsOf& shape, std::int64_t begin,
                    std::int64_t end) {
    const at::Tensor q = split(queries, begin, end, shape.heads);
    at::Tensor k = split(keys, begin, end, shape.kvHeads);
    if (shape.kvHeads != shape.heads) {
        k = at::repeat_interleave(k, shape.heads / shape.kvHeads, 0);
    }
    return masked(at::matmul(q, k.transpose(1, 2)) * shape.scale, shape.causal);
}

template <typename One>
at::Tensor meanOverTexts(const std::vector<std::int64_t>& starts, std::int64_t heads, const One& one) {
    at::Tensor sum;
    for (std::size_t text = 0; text + 1 < starts.size(); ++text) {
        const at::Tensor part = one(starts[text], starts[text + 1]);
        sum = sum.defined() ? sum + part : part;
    }
    return sum / static_cast<double>(heads * (starts.back() - starts.front()));
}

}  // namespace

at::Tensor classLoss(const at::Tensor& logits, std::span<const std::int32_t> labels) {
    constexpr std::int64_t kIgnored = -1;
    constexpr std::int64_t kMean = 1;
    const bool any = std::any_of(labels.begin(), labels.end(), [](std::int32_t label) { return label >= 0; });
    if (!any) {
        return logits.sum() * 0.0;
    }
    const at::Tensor classes =
        at::tensor(at::ArrayRef<std::int32_t>(labels.data(), labels.size()), at::TensorOptions().dtype(at::kInt));
    return at::cross_entropy_loss(logits, classes.to(at::kLong).to(logits.device()), {}, kMean, kIgnored);
}

at::Tensor scoreLoss(const at::Tensor& outputs, std::span<const float> scores) {
    const at::Tensor wanted =
        at::tensor(at::ArrayRef<float>(scores.data(), scores.size()), at::TensorOptions().dtype(at::kFloat));
    return at::mse_loss(outputs.flatten(), wanted.to(outputs.device()));
}

at::Tensor similarityLoss(const at::Tensor& vectors, std::span<const float> cosines) {
    const std::int64_t rows = vectors.size(0);
    return scoreLoss(at::cosine_similarity(vectors.slice(0, 0, rows, 2), vectors.slice(0, 1, rows, 2), 1), cosines);
}

at::Tensor answerLoss(const at::Tensor& outputs, const std::vector<std::int64_t>& starts,
                      std::span<const std::pair<std::int32_t, std::int32_t>> answers) {
    at::Tensor sum;
    for (std::size_t text = 0; text < answers.size(); ++text) {
        const at::Tensor chances = at::log_softmax(outputs.slice(0, starts[text], starts[text + 1]), 0);
        const auto& [first, last] = answers[text];
        const at::Tensor one = chances.select(0, first).select(0, 0) + chances.select(0, last).select(0, 1);
        sum = sum.defined() ? sum + one : one;
    }
    return sum * (-0.5 / static_cast<double>(answers.size()));
}

at::Tensor logitsLoss(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
    return divergence(student / temperature, teacher / temperature) * (temperature * temperature) /
           static_cast<double>(student.size(0));
}

at::Tensor distanceLoss(const at::Tensor& student, const at::Tensor& teacher) {
    return (student - teacher).square().sum() / static_cast<double>(student.size(0));
}

at::Tensor hiddenLoss(const at::Tensor& student, const at::Tensor& teacher) { return at::mse_loss(student, teacher); }

at::Tensor attentionLoss(const at::Tensor& studentQueries, const at::Tensor& studentKeys, const HeadsOf& student,
                         const at::Tensor& teacherQueries, const at::Tensor& teacherKeys, const HeadsOf& teacher,
                         std::span<const int> chosen, const std::vector<std::int64_t>& starts) {
    at::Tensor heads;
    if (!chosen.empty()) {
        heads = at::tensor(at::ArrayRef<int>(chosen.data(), chosen.size()), at::TensorOptions().dtype(at::kInt))
                    .to(studentQueries.device());
    }
    return meanOverTexts(starts, student.heads, [&](std::int64_t begin, std::int64_t end) {
        at::Tensor wanted = scoresOf(teacherQueries, teacherKeys, teacher, begin, end);
        if (heads.defined()) {
            wanted = wanted.index_select(0, heads);
        }
        return divergence(scoresOf(studentQueries, studentKeys, student, begin, end), wanted);
    });
}

at::Tensor relationLoss(const at::Tensor& student, const at::Tensor& teacher, std::int64_t heads, bool causal,
                        const std::vector<std::int64_t>& starts) {
    const auto relations = [&](const at::Tensor& x, std::int64_t begin, std::int64_t end) {
        const double scale = 1.0 / std::sqrt(static_cast<double>(x.size(1) / heads));
        return scoresOf(x, x, {heads, heads, scale, causal}, begin, end);
    };
    return meanOverTexts(starts, heads, [&](std::int64_t begin, std::int64_t end) {
        return divergence(relations(student, begin, end), relations(teacher, begin, end));
    });
}

}  // namespace pareto::train
