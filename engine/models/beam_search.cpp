#include "engine/models/beam_search.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>

#include "engine/runtime/torch_tensor.h"

namespace pareto::models {
namespace {

/// As good as −∞, and still a number that sums stay finite with (transformers' value).
constexpr float kLow = -1.0e9F;

struct Beam {
    Growing sequence;
    float score = kLow;      ///< Σ log probabilities
};

struct Finished {
    std::vector<std::int32_t> ids;
    float score = kLow;      ///< with the length penalty
    bool real = false;
    bool stopped = false;    ///< by a stop token
};

struct Candidate {
    float score = kLow;
    std::int64_t beam = 0;
    std::int32_t id = 0;
    bool ends = false;
    bool stops = false;
};

bool better(const Candidate& a, const Candidate& b) { return a.score > b.score; }

/// The `keep` best continuations of one item's beams; equal ones in the order of the rows.
std::vector<Candidate> bestContinuations(const Matrix& logProbabilities, std::int64_t firstRow,
                                         const std::vector<Beam>& beams, std::size_t keep) {
    std::vector<Candidate> heap;  // the worst of the best on top
    for (std::size_t beam = 0; beam < beams.size(); ++beam) {
        const auto row = logProbabilities.row(firstRow + static_cast<std::int64_t>(beam));
        const float base = beams[beam].score;
        for (std::size_t id = 0; id < row.size(); ++id) {
            const float score = row[id] + base;
            if (heap.size() == keep && !(score > heap.front().score)) {
                continue;
            }
            if (heap.size() == keep) {
                std::pop_heap(heap.begin(), heap.end(), better);
                heap.pop_back();
            }
            heap.push_back({score, static_cast<std::int64_t>(beam), static_cast<std::int32_t>(id)});
            std::push_heap(heap.begin(), heap.end(), better);
        }
    }
    std::sort(heap.begin(), heap.end(), better);
    return heap;
}

void logSoftmax(Matrix& values) {
    const at::Tensor in = at::from_blob(values.values.data(), {values.rows, values.cols},
                                        at::TensorOptions().dtype(at::kFloat));
    const at::Tensor out = at::log_softmax(in, 1);
    const float* data = out.const_data_ptr<float>();
    std::copy_n(data, values.values.size(), values.values.begin());
}

class Item {
public:
    Item(const Growing& start, std::size_t index, const GenerateOptions& options)
        : m_options(options), m_index(index), m_finished(static_cast<std::size_t>(options.beams)) {
        m_beams.assign(static_cast<std::size_t>(options.beams), {start, kLow});
        m_beams.front().score = 0.0F;  // the others are copies: they would find the same
    }

    const std::vector<Beam>& beams() const { return m_beams; }
    std::size_t index() const { return m_index; }
    bool done() const { return m_done; }

    /// One token more. Returns which beam each beam grew from.
    std::vector<std::int64_t> grow(const Matrix& logProbabilities, std::int64_t firstRow) {
        auto candidates =
            bestContinuations(logProbabilities, firstRow, m_beams, keep());
        const Growing& before = m_beams.front().sequence;
        for (auto& candidate : candidates) {
            candidate.stops = isStop(m_options, candidate.id);
            candidate.ends = candidate.stops || before.made + 1 >= before.most;
        }
        finish(candidates);
        const bool allEnd = std::all_of(candidates.begin(), candidates.end(),
                                        [](const Candidate& one) { return one.ends; });
        const auto parents = goOn(candidates);
        m_done = allEnd || !improvable() || (m_options.earlyStopping && full());
        return parents;
    }

    Generation result() const {
        Generation out;
        const Finished& best = m_finished.front();
        out.ids = best.ids;
        out.score = static_cast<double>(best.score);
        out.stopped = best.stopped;
        return out;
    }

private:
    std::size_t keep() const {
        return std::max<std::size_t>(2, 1 + m_options.stopIds.size()) * m_beams.size();
    }

    float penalty(std::int64_t tokens) const {
        return static_cast<float>(std::pow(static_cast<double>(tokens), m_options.lengthPenalty));
    }

    std::vector<std::int32_t> madeBy(const Candidate& candidate) const {
        const Growing& from = m_beams[static_cast<std::size_t>(candidate.beam)].sequence;
        std::vector<std::int32_t> ids(from.ids.end() - from.made, from.ids.end());
        if (!candidate.stops) {
            ids.push_back(candidate.id);
        }
        return ids;
    }

    /// Of the best `beams` continuations those that end become texts; the best `beams` texts stay.
    void finish(const std::vector<Candidate>& candidates) {
        const float by = penalty(m_beams.front().sequence.made + 1);
        for (std::size_t i = 0; i < std::min(candidates.size(), m_beams.size()); ++i) {
            if (candidates[i].ends) {
                m_finished.push_back(
                    {madeBy(candidates[i]), candidates[i].score / by, true, candidates[i].stops});
            }
        }
        std::stable_sort(m_finished.begin(), m_finished.end(),
                         [](const Finished& a, const Finished& b) { return a.score > b.score; });
        m_finished.resize(m_beams.size());
    }

    std::vector<std::int64_t> goOn(std::vector<Candidate> candidates) {
        for (auto& candidate : candidates) {
            candidate.score += candidate.ends ? kLow : 0.0F;
        }
        std::stable_sort(candidates.begin(), candidates.end(), better);
        std::vector<Beam> next;
        std::vector<std::int64_t> parents;
        for (std::size_t i = 0; i < m_beams.size(); ++i) {
            const Candidate& candidate = candidates[std::min(i, candidates.size() - 1)];
            Beam beam = m_beams[static_cast<std::size_t>(candidate.beam)];
            beam.sequence.ids.push_back(candidate.id);
            ++beam.sequence.made;
            beam.score = candidate.score;
            next.push_back(std::move(beam));
            parents.push_back(candidate.beam);
        }
        m_beams = std::move(next);
        return parents;
    }

    bool full() const {
        return std::all_of(m_finished.begin(), m_finished.end(),
                           [](const Finished& one) { return one.real; });
    }

    bool improvable() const {
        const float possible = m_beams.front().score / penalty(m_beams.front().sequence.made);
        return !full() || possible > m_finished.back().score;
    }

    const GenerateOptions& m_options;
    std::size_t m_index;
    std::vector<Beam> m_beams;
    std::vector<Finished> m_finished;
    bool m_done = false;
};

class Search {
public:
    Search(Generator& generator, KvCache& cache, const std::vector<Growing>& starts,
           const GenerateOptions& options)
        : m_generator(generator), m_cache(cache), m_options(options), m_results(starts.size()) {
        for (const auto& start : starts) {
            m_items.emplace_back(start, m_items.size(), options);
        }
    }

    Result<std::vector<Generation>> run(Matrix logits, const std::stop_token& stop) {
        auto begin = std::chrono::steady_clock::now();
        while (true) {
            toScores(logits);
            const auto parents = growAll(logits);
            const auto now = std::chrono::steady_clock::now();
            m_seconds.push_back(std::chrono::duration<double>(now - begin).count());
            begin = now;
            takeFinished();
            if (m_items.empty()) {
                return std::move(m_results);
            }
            m_cache.reorder(parents);
            std::vector<std::vector<std::int32_t>> ids;
            for (const auto& item : m_items) {
                for (const auto& beam : item.beams()) {
                    ids.push_back({beam.sequence.ids.back()});
                }
            }
            PARETO_TRY(logits, m_generator.step(ids, m_cache, stop));
        }
    }

private:
    void toScores(Matrix& logits) const {
        logSoftmax(logits);
        std::int64_t row = 0;
        for (const auto& item : m_items) {
            for (const auto& beam : item.beams()) {
                processScores({logits.values.data() + row * logits.cols,
                               static_cast<std::size_t>(logits.cols)},
                              beam.sequence, m_options);
                ++row;
            }
        }
        if (m_options.renormalize) {
            logSoftmax(logits);
        }
    }

    /// The rows of the cache that those who go on come from.
    std::vector<std::int64_t> growAll(const Matrix& scores) {
        std::vector<std::int64_t> rows;
        std::int64_t first = 0;
        for (auto& item : m_items) {
            const auto parents = item.grow(scores, first);
            if (!item.done()) {
                for (const auto parent : parents) {
                    rows.push_back(first + parent);
                }
            }
            first += static_cast<std::int64_t>(parents.size());
        }
        return rows;
    }

    void takeFinished() {
        for (const auto& item : m_items) {
            if (item.done()) {
                auto& result = m_results[item.index()];
                result = item.result();
                result.firstTokenSeconds = m_seconds.front();
                result.tokenSeconds.assign(m_seconds.begin() + 1, m_seconds.end());
            }
        }
        std::vector<Item> left;
        for (auto& item : m_items) {
            if (!item.done()) {
                left.push_back(std::move(item));
            }
        }
        m_items.swap(left);
    }

    Generator& m_generator;
    KvCache& m_cache;
    const GenerateOptions& m_options;
    std::vector<Item> m_items;
    std::vector<Generation> m_results;
    std::vector<double> m_seconds;  ///< of each step
};

}  // namespace

Result<std::vector<Generation>> beamSearch(Generator& generator, KvCache& cache, Matrix logits,
                                           const std::vector<Growing>& items,
                                           const GenerateOptions& options, std::stop_token stop) {
    return Search(generator, cache, items, options).run(std::move(logits), stop);
}

}  // namespace pareto::models
