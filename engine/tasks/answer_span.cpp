#include "engine/tasks/answer_span.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/text/python_text.h"
#include "engine/text/word_spans.h"

namespace pareto::tasks {

namespace {

/// Softmax over the tokens of the context and the first one; 0 elsewhere.
std::vector<double> probabilities(const std::vector<float>& logits, const AnswerWindow& window) {
    std::vector<double> out(logits.size(), 0.0);
    const auto counts = [&](std::size_t at) { return at == 0 || window.inContext[at]; };
    double largest = -INFINITY;
    for (std::size_t at = 0; at < logits.size(); ++at) {
        if (counts(at)) {
            largest = std::max(largest, static_cast<double>(logits[at]));
        }
    }
    double sum = 0.0;
    for (std::size_t at = 0; at < logits.size(); ++at) {
        if (counts(at)) {
            out[at] = std::exp(static_cast<double>(logits[at]) - largest);
            sum += out[at];
        }
    }
    for (auto& value : out) {
        value /= sum;
    }
    return out;
}

struct Candidate {
    std::size_t first = 0;
    std::size_t last = 0;
    double score = 0.0;
};

/// The best pairs of tokens of one window.
std::vector<Candidate> candidatesOf(const AnswerWindow& window, const AnswerOptions& options,
                                    double& none) {
    if (window.start.empty()) {
        return {};
    }
    const auto starts = probabilities(window.start, window);
    const auto ends = probabilities(window.end, window);
    none = std::min(none, starts[0] * ends[0]);
    std::vector<Candidate> all;
    const auto longest = static_cast<std::size_t>(std::max<std::int64_t>(1, options.maxTokens));
    for (std::size_t first = 0; first < starts.size(); ++first) {
        const std::size_t limit = std::min(starts.size(), first + longest);
        for (std::size_t last = first; window.inContext[first] && last < limit; ++last) {
            if (window.inContext[last]) {
                all.push_back({first, last, starts[first] * ends[last]});
            }
        }
    }
    // Widening to words may make two candidates one: more are kept than are wanted.
    const std::size_t kept =
        std::min(all.size(), options.wholeWords ? options.best * 2 + 10 : options.best);
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                      [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    all.resize(kept);
    return all;
}

/// The whole of the words that the span touches, without the space around them.
text::Span widened(const text::Span& span, const std::vector<text::Span>& words) {
    text::Span out;
    for (const auto& word : words) {
        if (word.end > span.begin && word.begin < span.end) {
            out = {out.end == 0 ? word.begin : out.begin, word.end};
        }
    }
    return out.end == 0 ? span : out;
}

class Answers {
public:
    explicit Answers(std::string_view context) : m_context(context) {}

    void add(const text::Span& bytes, double score) {
        auto wording =
            text::lowercase(m_context.substr(static_cast<std::size_t>(bytes.begin),
                                             static_cast<std::size_t>(bytes.end - bytes.begin)));
        const auto known = std::find(m_wordings.begin(), m_wordings.end(), wording);
        if (known != m_wordings.end()) {
            m_spans[static_cast<std::size_t>(known - m_wordings.begin())].score += score;
            return;
        }
        m_wordings.push_back(std::move(wording));
        m_spans.push_back({bytes, score});
    }

    std::vector<AnswerSpan> best(std::size_t count) && {
        std::stable_sort(
            m_spans.begin(), m_spans.end(),
            [](const AnswerSpan& a, const AnswerSpan& b) { return a.score > b.score; });
        m_spans.resize(std::min(m_spans.size(), count));
        return std::move(m_spans);
    }

private:
    std::string_view m_context;
    std::vector<std::string> m_wordings;
    std::vector<AnswerSpan> m_spans;
};

}  // namespace

std::vector<AnswerSpan> bestSpans(const std::vector<AnswerWindow>& windows,
                                  std::string_view context, const AnswerOptions& options) {
    const auto words = options.wholeWords ? text::wordSpans(context) : std::vector<text::Span>();
    Answers answers(context);
    double none = INFINITY;
    for (const auto& window : windows) {
        for (const auto& candidate : candidatesOf(window, options, none)) {
            const text::Span tokens{window.offsets[candidate.first].begin,
                                    window.offsets[candidate.last].end};
            answers.add(options.wholeWords ? widened(tokens, words) : tokens, candidate.score);
        }
    }
    if (options.allowNone && std::isfinite(none)) {
        answers.add({}, none);
    }
    return std::move(answers).best(options.best);
}

}  // namespace pareto::tasks
