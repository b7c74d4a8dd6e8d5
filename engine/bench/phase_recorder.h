#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/bench/gpu_clock.h"
#include "engine/models/model.h"

namespace pareto::bench {

/// One call of a phase. Times are milliseconds of the recorder's clock.
struct PhaseEvent {
    int phase = 0;  ///< index into PhaseRecorder::phases()
    double beginMs = 0.0;
    double endMs = 0.0;
    double ownMs = 0.0;  ///< without the phases inside it
};

/// Every call of every phase, in the order in which they began; calls inside others lie within their times. On a GPU's
/// clock nothing waits while phases are recorded: their times are known when they are taken.
class PhaseRecorder : public models::LayerObserver {
public:
    explicit PhaseRecorder(std::unique_ptr<PhaseClock> clock = wallClock());
    void begin(const std::string& phase) override;
    void end(const std::string& phase) override;

    const std::vector<std::string>& phases() const { return m_phases; }
    /// A moment beside the phases; index into the next Recorded::moments.
    std::size_t mark();

    struct Recorded {
        std::vector<PhaseEvent> events;
        std::vector<double> moments;  ///< ms
    };
    /// What was recorded since the last call. Phases that have not ended are cut off there.
    Recorded take();

private:
    struct Call {
        int phase = 0;
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t outer = 0;  ///< the call it lies in; itself: none
    };
    const std::unique_ptr<PhaseClock> m_clock;
    const bool m_ranges;  ///< NVTX is wanted
    std::map<std::string, int> m_index;
    std::vector<std::string> m_phases;
    std::vector<Call> m_calls;
    std::vector<std::size_t> m_open;
    std::vector<std::size_t> m_moments;
};

/// Samples of what phases take in steps of one kind, a step at a time.
class PhaseSamples {
public:
    void add(const std::vector<PhaseEvent>& events);

    struct Summary {
        int phase = 0;
        double ms = 0.0;  ///< median over the steps it was called in, its calls in a step together
        int calls = 0;    ///< in a step, the last one's
    };
    /// In the order in which they were first called.
    std::vector<Summary> summary() const;

private:
    struct Samples {
        std::vector<double> ms;
        int calls = 0;
    };
    std::vector<int> m_order;
    std::map<int, Samples> m_samples;
};

/// Shows a model's phases to an observer; takes it off again whatever happens.
class Watching {
public:
    Watching(models::Model& model, models::LayerObserver& observer) : m_model(model) {
        m_model.setObserver(&observer);
    }
    ~Watching() { m_model.setObserver(nullptr); }
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

private:
    models::Model& m_model;
};

}  // namespace pareto::bench
