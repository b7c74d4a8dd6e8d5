#include "engine/tasks/batching.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pareto::tasks {

namespace {

/// Padding allowed in a batch: one part in this many.
constexpr std::int64_t kPaddingShare = 8;

}  // namespace

std::vector<std::vector<std::size_t>> makeBatches(const std::vector<std::int64_t>& lengths,
                                                  std::int64_t batchTokens) {
    std::vector<std::size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
    std::vector<std::vector<std::size_t>> batches;
    std::int64_t longest = 0;
    std::int64_t used = 0;
    for (const auto index : order) {
        const bool open = !batches.empty() && !batches.back().empty();
        const auto padded = open ? longest * static_cast<std::int64_t>(batches.back().size() + 1) : 0;
        const auto padding = padded - (used + lengths[index]);
        if (!open || padded > batchTokens || padding * kPaddingShare > padded) {
            batches.emplace_back();
            longest = lengths[index];
            used = 0;
        }
        batches.back().push_back(index);
        used += lengths[index];
    }
    return batches;
}

Result<std::vector<text::TokenSequence>> tokenizeRows(const std::vector<TextRow>& rows,
                                                      const EncodeTexts& options,
                                                      Progress& progress, std::stop_token stop) {
    progress.begin(Stage::Tokenizing, static_cast<std::int64_t>(rows.size()), Unit::Samples);
    const text::EncodeOptions encode{.addSpecialTokens = true, .maxLength = options.maxLength};
    std::vector<text::TokenSequence> sequences;
    sequences.reserve(rows.size());
    for (const auto& row : rows) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        sequences.push_back(row.hasPair ? options.tokenizer.encodePair(row.text, row.pair, encode)
                                        : options.tokenizer.encode(row.text, encode));
        progress.advance();
    }
    return sequences;
}

Result<models::Matrix> encodeAll(models::Encoder& encoder,
                                 const std::vector<text::TokenSequence>& sequences,
                                 std::int64_t batchTokens, Progress& progress,
                                 std::stop_token stop, Peers* peers) {
    std::vector<std::int64_t> lengths;
    lengths.reserve(sequences.size());
    for (const auto& sequence : sequences) {
        lengths.push_back(static_cast<std::int64_t>(sequence.ids.size()));
    }
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(sequences.size()), Unit::Samples);
    models::Matrix all;
    all.rows = static_cast<std::int64_t>(sequences.size());
    const auto batches = makeBatches(lengths, batchTokens);
    const auto outputsOf = [&](std::size_t number) -> Result<std::vector<float>> {
        models::TokenBatch tokens;
        for (const auto index : batches[number]) {
            tokens.ids.push_back(sequences[index].ids);
            tokens.typeIds.push_back(sequences[index].typeIds);
        }
        PARETO_TRY(auto outputs, encoder.run(tokens, stop));
        PARETO_CHECK(checkFinite(outputs));
        progress.advance(static_cast<std::int64_t>(batches[number].size()) * sizeOf(peers));
        return std::move(outputs.values);
    };
    PARETO_TRY(const auto outputs, together<std::vector<float>>(peers, batches.size(), outputsOf, stop));
    for (std::size_t number = 0; number < batches.size(); ++number) {
        const auto& batch = batches[number];
        const auto& values = outputs[number];
        if (all.values.empty()) {
            all.cols = static_cast<std::int64_t>(values.size() / batch.size());
            all.values.resize(static_cast<std::size_t>(all.rows * all.cols));
        }
        if (values.size() != batch.size() * static_cast<std::size_t>(all.cols)) {
            return unequalParts();
        }
        for (std::size_t i = 0; i < batch.size(); ++i) {
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i) * all.cols, all.cols,
                        all.values.begin() + static_cast<std::ptrdiff_t>(batch[i]) * all.cols);
        }
    }
    return all;
}

Status checkFinite(const models::Matrix& outputs) {
    if (std::all_of(outputs.values.begin(), outputs.values.end(),
                    [](float value) { return std::isfinite(value); })) {
        return Done{};
    }
    return makeError(ErrorCode::EngineFailure,
                     {{"where", "the evaluation"},
                      {"reason", "the model's outputs are not finite numbers"}});
}

double cosine(std::span<const float> a, std::span<const float> b) {
    double dot = 0.0;
    double normA = 0.0;
    double normB = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        dot += static_cast<double>(a[i]) * b[i];
        normA += static_cast<double>(a[i]) * a[i];
        normB += static_cast<double>(b[i]) * b[i];
    }
    const auto norm = std::sqrt(normA) * std::sqrt(normB);
    return norm > 0.0 ? dot / norm : 0.0;
}

}  // namespace pareto::tasks
