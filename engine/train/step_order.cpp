#include "engine/train/step_order.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "engine/core/shuffle.h"

namespace pareto::train {
namespace {

constexpr std::int64_t kSortedBatches = 50;

}  // namespace

StepOrder::StepOrder(std::vector<std::int64_t> lengths, std::int64_t batch, std::uint64_t seed)
    : m_lengths(std::move(lengths)), m_batch(batch), m_seed(seed) {}

std::int64_t StepOrder::batchesPerEpoch() const {
    return (static_cast<std::int64_t>(m_lengths.size()) + m_batch - 1) / m_batch;
}

std::vector<std::size_t> StepOrder::batch(std::int64_t number) {
    const std::int64_t perEpoch = batchesPerEpoch();
    if (number / perEpoch != m_epoch) {
        order(number / perEpoch);
    }
    return m_batches[static_cast<std::size_t>(number % perEpoch)];
}

void StepOrder::order(std::int64_t epoch) {
    RandomStream random(m_seed, "train.order." + std::to_string(epoch));
    std::vector<std::size_t> all(m_lengths.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    shuffle(all, random);
    const auto stretch = static_cast<std::ptrdiff_t>(kSortedBatches * m_batch);
    for (auto begin = all.begin(); begin != all.end();) {
        const auto end = begin + std::min(stretch, all.end() - begin);
        std::stable_sort(begin, end, [&](std::size_t a, std::size_t b) { return m_lengths[a] > m_lengths[b]; });
        begin = end;
    }
    m_batches.clear();
    for (std::size_t begin = 0; begin < all.size(); begin += static_cast<std::size_t>(m_batch)) {
        const std::size_t end = std::min(all.size(), begin + static_cast<std::size_t>(m_batch));
        m_batches.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(begin),
                               all.begin() + static_cast<std::ptrdiff_t>(end));
    }
    shuffle(m_batches, random);
    m_epoch = epoch;
}

}  // namespace pareto::train
