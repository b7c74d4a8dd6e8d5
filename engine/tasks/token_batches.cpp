#include "engine/tasks/token_batches.h"

#include "engine/tasks/batching.h"

namespace pareto::tasks {

namespace {

models::Matrix rowsOf(const models::TokenMatrix& all, std::size_t item) {
    const std::int64_t cols = all.values.cols;
    const auto begin = all.values.values.begin() + all.starts[item] * cols;
    const auto end = all.values.values.begin() + all.starts[item + 1] * cols;
    return {all.starts[item + 1] - all.starts[item], cols, std::vector<float>(begin, end)};
}

}  // namespace

Result<std::vector<models::Matrix>> encodeTokens(
    models::Encoder& encoder, const std::vector<text::TokenSequence>& sequences,
    const std::vector<std::vector<std::int32_t>>& wanted, std::int64_t batchTokens,
    Progress& progress, std::stop_token stop) {
    std::vector<std::int64_t> lengths;
    lengths.reserve(sequences.size());
    for (const auto& sequence : sequences) {
        lengths.push_back(static_cast<std::int64_t>(sequence.ids.size()));
    }
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(sequences.size()), Unit::Samples);
    std::vector<models::Matrix> out(sequences.size());
    for (const auto& batch : makeBatches(lengths, batchTokens)) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        models::TokenBatch tokens;
        std::vector<std::vector<std::int32_t>> chosen;
        for (const auto index : batch) {
            tokens.ids.push_back(sequences[index].ids);
            tokens.typeIds.push_back(sequences[index].typeIds);
            if (!wanted.empty()) {
                chosen.push_back(wanted[index]);
            }
        }
        PARETO_TRY(const auto values, encoder.tokenOutputs(tokens, chosen, stop));
        PARETO_CHECK(checkFinite(values.values));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            out[batch[i]] = rowsOf(values, i);
        }
        progress.advance(static_cast<std::int64_t>(batch.size()));
    }
    return out;
}

}  // namespace pareto::tasks
