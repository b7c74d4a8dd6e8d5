#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/json.h"
#include "engine/runtime/nvml.h"

namespace pareto::bench {

/// Reads a GPU's power, clocks, use, temperature and reasons for lower clocks while something is measured, every
/// `periodMs` by a thread of its own, and looks for other processes on it.
class GpuWatch {
public:
    struct Options {
        int periodMs = 50;
        std::string library = "libnvidia-ml.so.1";
    };
    explicit GpuWatch(const runtime::GpuFacts& gpu) : GpuWatch(gpu, Options()) {}
    GpuWatch(const runtime::GpuFacts& gpu, const Options& options);
    ~GpuWatch();
    GpuWatch(const GpuWatch&) = delete;
    GpuWatch& operator=(const GpuWatch&) = delete;

    struct Report {
        std::string whyNot;       ///< why nothing was read, in English
        Json details = Json::object();
        std::string disturbance;  ///< what other processes did, in English; empty: nothing known of
    };
    /// Ends the watch. `details` holds what was read, absent values left out: "samples", "seconds"; "power_w", "sm_mhz",
    /// "memory_mhz", "utilisation_percent", "temperature_c" as median, min and max; "power_limit_w"; "energy_j" and
    /// "mean_power_w" over the whole time; "throttles": names with the share of samples; "other_processes".
    Report finish();

private:
    void sample();

    std::string m_whyNot;  ///< before what fills it
    std::unique_ptr<runtime::Nvml> m_nvml;
    std::vector<runtime::GpuReading> m_readings;
    std::optional<double> m_energyJ;
    std::uint64_t m_startUs = 0;
    double m_startSeconds = 0.0;
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    std::jthread m_thread;
};

/// A watch of GPU `index`; null on the CPU (-1), and of a GPU that the driver does not show.
std::unique_ptr<GpuWatch> watchGpu(int index);
/// Ends a watch, if there is one, and adds what it saw to a result: its `gpu`, `disturbance` and `disturbed`.
template <typename Measured>
void addWatch(GpuWatch* watch, Measured& result) {
    if (watch == nullptr) {
        return;
    }
    auto report = watch->finish();
    result.gpu["watch"] = std::move(report.details);
    if (!report.disturbance.empty()) {
        result.disturbance += (result.disturbance.empty() ? "" : "; ") + report.disturbance;
        result.disturbed = true;
    }
}

/// Above this share of the GPU, others' work counts as a disturbance.
inline constexpr double kDisturbedGpuPercent = 5.0;

}  // namespace pareto::bench
