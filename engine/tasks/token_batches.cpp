#include "engine/tasks/token_batches.h"

#include "engine/tasks/batching.h"

namespace pareto::tasks {

Result<std::vector<models::Matrix>> encodeTokens(
    models::Encoder& encoder, const std::vector<text::TokenSequence>& sequences,
    const std::vector<std::vector<std::int32_t>>& wanted, std::int64_t batchTokens,
    Progress& progress, std::stop_token stop, Peers* peers) {
    std::vector<std::int64_t> lengths;
    lengths.reserve(sequences.size());
    for (const auto& sequence : sequences) {
        lengths.push_back(static_cast<std::int64_t>(sequence.ids.size()));
    }
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(sequences.size()), Unit::Samples);
    const auto batches = makeBatches(lengths, batchTokens);
    const auto outputsOf = [&](std::size_t number) -> Result<std::vector<float>> {
        models::TokenBatch tokens;
        std::vector<std::vector<std::int32_t>> chosen;
        for (const auto index : batches[number]) {
            tokens.ids.push_back(sequences[index].ids);
            tokens.typeIds.push_back(sequences[index].typeIds);
            if (!wanted.empty()) {
                chosen.push_back(wanted[index]);
            }
        }
        PARETO_TRY(auto values, encoder.tokenOutputs(tokens, chosen, stop));
        PARETO_CHECK(checkFinite(values.values));
        progress.advance(static_cast<std::int64_t>(batches[number].size()) * sizeOf(peers));
        return std::move(values.values.values);
    };
    PARETO_TRY(const auto all, together<std::vector<float>>(peers, batches.size(), outputsOf, stop));
    const auto rowsOf = [&](std::size_t index) {
        return static_cast<std::int64_t>(wanted.empty() ? sequences[index].ids.size() : wanted[index].size());
    };
    std::vector<models::Matrix> out(sequences.size());
    for (std::size_t number = 0; number < batches.size(); ++number) {
        const auto& values = all[number];
        std::int64_t rows = 0;
        for (const auto index : batches[number]) {
            rows += rowsOf(index);
        }
        const std::int64_t cols = rows > 0 ? static_cast<std::int64_t>(values.size()) / rows : 0;
        if (static_cast<std::size_t>(rows * cols) != values.size()) {
            return unequalParts();
        }
        auto next = values.begin();
        for (const auto index : batches[number]) {
            const auto end = next + static_cast<std::ptrdiff_t>(rowsOf(index) * cols);
            out[index] = {rowsOf(index), cols, std::vector<float>(next, end)};
            next = end;
        }
    }
    return out;
}

}  // namespace pareto::tasks
