#include "engine/tasks/retrieval.h"

#include <algorithm>
#include <cmath>

#include "engine/core/file.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/retrieval_data.h"

namespace pareto::tasks {

namespace {

constexpr std::size_t kChunk = 1024;

/// Rows of length 1: products are cosines.
void normalize(models::Matrix& matrix) {
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        float* row = matrix.values.data() + i * matrix.cols;
        double square = 0.0;
        for (std::int64_t j = 0; j < matrix.cols; ++j) {
            square += static_cast<double>(row[j]) * row[j];
        }
        const auto scale = square > 0.0 ? static_cast<float>(1.0 / std::sqrt(square)) : 0.0F;
        for (std::int64_t j = 0; j < matrix.cols; ++j) {
            row[j] *= scale;
        }
    }
}

float product(std::span<const float> a, std::span<const float> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * b[i];
    }
    return static_cast<float>(sum);
}

/// The best kDepth documents seen so far; a heap with the worst of them on top.
class Best {
public:
    void offer(const std::string& id, float score) {
        if (m_heap.size() == kDepth && score < m_heap.front().score) {
            return;
        }
        metrics::ScoredDocument document{id, score};
        if (m_heap.size() == kDepth) {
            if (!metrics::ranksBefore(document, m_heap.front())) {
                return;
            }
            std::pop_heap(m_heap.begin(), m_heap.end(), metrics::ranksBefore);
            m_heap.pop_back();
        }
        m_heap.push_back(std::move(document));
        std::push_heap(m_heap.begin(), m_heap.end(), metrics::ranksBefore);
    }
    std::vector<metrics::ScoredDocument> ranked() && {
        metrics::rankDocuments(m_heap);
        return std::move(m_heap);
    }

private:
    std::vector<metrics::ScoredDocument> m_heap;
};

class Searcher {
public:
    Searcher(const EvalRequest& request, const RetrievalData& data, Progress& progress,
             std::stop_token stop)
        : m_request(request), m_data(data), m_progress(progress), m_stop(std::move(stop)),
          m_best(data.queries.size()) {}

    Status run() {
        std::vector<TextRow> queries;
        for (const auto& query : m_data.queries) {
            queries.push_back({query.row, 0, query.text, {}, false, {}});
        }
        PARETO_TRY(m_queries, encode(queries));
        PARETO_TRY(const auto file, InputFile::open(m_data.files.corpus));
        m_progress.begin(Stage::Evaluating, static_cast<std::int64_t>(file->size()), Unit::Bytes);
        PARETO_CHECK(io::readBeirTexts(
            m_data.files.corpus,
            [&](io::BeirText text) -> Status {
                m_ids.push_back(std::move(text.id));
                m_documents.push_back({0, text.line, text.joined(), {}, false, {}});
                return m_documents.size() < kChunk ? Status(Done{}) : search();
            },
            m_reading, m_stop));
        return search();
    }
    std::int64_t documents() const { return m_count; }
    std::int64_t width() const { return m_queries.cols; }
    std::vector<metrics::ScoredDocument> ranked(std::size_t query) {
        return std::move(m_best[query]).ranked();
    }

private:
    /// Normalized embeddings. The progress of a part is nobody's business.
    Result<models::Matrix> encode(const std::vector<TextRow>& texts) {
        Progress part;
        PARETO_TRY(const auto sequences,
                   tokenizeRows(texts, {*m_request.tokenizer, m_request.task.maxLength}, part, m_stop));
        PARETO_TRY(auto embeddings, encodeAll(*m_request.model->encoder, sequences,
                                              m_request.batchTokens, part, m_stop, m_request.peers));
        normalize(embeddings);
        return embeddings;
    }

    Status search() {
        if (m_documents.empty()) {
            return Done{};
        }
        PARETO_TRY(const auto embeddings, encode(m_documents));
        for (std::int64_t d = 0; d < embeddings.rows; ++d) {
            const auto& id = m_ids[static_cast<std::size_t>(d)];
            for (std::size_t q = 0; q < m_best.size(); ++q) {
                if (id != m_data.queries[q].id) {
                    m_best[q].offer(id, product(embeddings.row(d),
                                                m_queries.row(static_cast<std::int64_t>(q))));
                }
            }
        }
        m_count += embeddings.rows;
        m_ids.clear();
        m_documents.clear();
        m_progress.set(m_reading.snapshot().done);
        return Done{};
    }

    const EvalRequest& m_request;
    const RetrievalData& m_data;
    Progress& m_progress;
    std::stop_token m_stop;
    Progress m_reading;  ///< bytes of the corpus
    models::Matrix m_queries;
    std::vector<Best> m_best;
    std::vector<std::string> m_ids;
    std::vector<TextRow> m_documents;
    std::int64_t m_count = 0;
};

}  // namespace

Result<EvalResult> runRetrieval(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, readRetrievalData(request.task, progress, stop));
    Searcher searcher(request, data, progress, stop);
    PARETO_CHECK(searcher.run());
    EvalResult result;
    result.metric = headlineMetric(request.task.kind);
    result.dataHash = data.hash;
    for (std::size_t q = 0; q < data.queries.size(); ++q) {
        result.items.push_back(rankingItem(data.queries[q], searcher.ranked(q)));
    }
    measureRankings(result);
    result.details = {{"documents", searcher.documents()},
                      {"queries_available", data.available},
                      {"width", searcher.width()}};
    return result;
}

}  // namespace pareto::tasks
