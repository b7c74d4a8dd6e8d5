#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace pareto {

/// What a job is doing. The studio has one translated sentence for each (app/studio/texts.cpp).
enum class Stage : std::uint8_t {
    Idle,
    Opening,      ///< reading headers and weights
    Tokenizing,
    Calibrating,
    Pruning,
    Quantizing,
    Packing,      ///< bringing weights into the layout the kernels read
    WaitingForMachine,  ///< another process measures on this machine
    WarmingUp,
    Timing,
    Evaluating,
    Generating,
    Writing,
    Verifying,
    Counting,     ///< counting or summarizing values
    Training,
    Reconstructing,  ///< fitting blocks to what the untouched ones gave
    StartingRanks,   ///< waiting for the processes that compute together with this one
};
inline constexpr int kStageCount = 18;

/// "timing": the stable name in JSON.
std::string_view stageName(Stage stage);
/// English for the command line.
std::string_view stageText(Stage stage);
bool stageFromName(std::string_view name, Stage& stage);

enum class Unit : std::uint8_t { None, Layers, Samples, Tokens, Bytes, Iterations };
std::string_view unitName(Unit unit);

struct ProgressSnapshot {
    Stage stage = Stage::Idle;
    std::int64_t done = 0;
    std::int64_t total = 0;  ///< 0: unknown
    Unit unit = Unit::None;
};

/// Written by the working thread, polled by others. A reader may see a count of the previous stage
/// for a moment; progress is for people.
class Progress {
public:
    void begin(Stage stage, std::int64_t total = 0, Unit unit = Unit::None) {
        m_done.store(0, std::memory_order_relaxed);
        m_total.store(total, std::memory_order_relaxed);
        m_unit.store(unit, std::memory_order_relaxed);
        m_stage.store(stage, std::memory_order_release);
    }
    void advance(std::int64_t by = 1) { m_done.fetch_add(by, std::memory_order_relaxed); }
    void set(std::int64_t done) { m_done.store(done, std::memory_order_relaxed); }
    ProgressSnapshot snapshot() const {
        return {m_stage.load(std::memory_order_acquire), m_done.load(std::memory_order_relaxed),
                m_total.load(std::memory_order_relaxed), m_unit.load(std::memory_order_relaxed)};
    }

private:
    std::atomic<Stage> m_stage{Stage::Idle};
    std::atomic<std::int64_t> m_done{0};
    std::atomic<std::int64_t> m_total{0};
    std::atomic<Unit> m_unit{Unit::None};
};

}  // namespace pareto
