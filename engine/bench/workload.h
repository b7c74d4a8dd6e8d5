#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/models/model.h"
#include "engine/spec/target.h"

namespace pareto::bench {

/// What one pass took.
struct PassTiming {
    double ms = 0.0;               ///< the whole pass
    double firstTokenMs = 0.0;     ///< decoder: prompt and first pick
    std::vector<double> tokenMs;   ///< decoder: each further step of the whole batch
};

/// The same work again and again: an encoder's forward pass over batch × sequence tokens, a decoder's
/// prompt and greedy generation, or an encoder-decoder model's source (target.prompt tokens) and greedy
/// translation (target.generate tokens). Token ids are drawn from the seed alone, so two models of
/// one vocabulary do the same work.
class Workload {
public:
    virtual ~Workload() = default;
    virtual Result<PassTiming> pass(std::stop_token stop) = 0;

    /// Called at the end of each step of a pass: an encoder's whole pass, a generator's first token, each further one.
    void setStepEnd(std::function<void()> stepEnd) { m_stepEnd = std::move(stepEnd); }

protected:
    void endStep() const {
        if (m_stepEnd) {
            m_stepEnd();
        }
    }

private:
    std::function<void()> m_stepEnd;
};

/// TargetInvalid: a length the model has no positions for. For jobs that would find out much later.
Status checkLengths(const ModelLayout& layout, const Target& target);

/// `model` must outlive the workload. TargetInvalid: a length the model has no positions for.
Result<std::unique_ptr<Workload>> makeWorkload(models::RunnableModel& model, const Target& target,
                                               std::uint64_t seed);

}  // namespace pareto::bench
