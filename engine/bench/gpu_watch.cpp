#include "engine/bench/gpu_watch.h"

#include <algorithm>
#include <chrono>
#include <map>

#include <unistd.h>

#include "engine/runtime/device.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

namespace {

using runtime::GpuReading;

std::uint64_t nowUs() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

double nowSeconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

template <typename Value>
void putSummary(Json& out, const char* key, const std::vector<GpuReading>& readings,
                std::optional<Value> GpuReading::*member) {
    std::vector<double> values;
    for (const auto& reading : readings) {
        if (const auto& value = reading.*member) {
            values.push_back(static_cast<double>(*value));
        }
    }
    if (!values.empty()) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        out[key] = {{"median", stats::median(values)}, {"min", *low}, {"max", *high}};
    }
}

void putThrottles(Json& out, const std::vector<GpuReading>& readings) {
    std::map<std::string, int> counts;
    int known = 0;
    for (const auto& reading : readings) {
        if (reading.throttles) {
            ++known;
            for (const auto& name : runtime::throttleNames(*reading.throttles)) {
                ++counts[name];
            }
        }
    }
    if (known > 0) {
        out["throttles"] = Json::array();
        for (const auto& [name, count] : counts) {
            out["throttles"].push_back(
                {{"name", name}, {"share", static_cast<double>(count) / known}});
        }
    }
}

/// Mean use by each process over its samples.
std::map<std::uint32_t, double> meanUse(const std::vector<runtime::GpuProcess>& samples) {
    std::map<std::uint32_t, std::pair<double, int>> sums;
    for (const auto& sample : samples) {
        auto& [sum, count] = sums[sample.pid];
        sum += sample.utilisation;
        ++count;
    }
    std::map<std::uint32_t, double> out;
    for (const auto& [pid, sum] : sums) {
        out[pid] = sum.first / sum.second;
    }
    return out;
}

/// This process among those: by its number, which a container may not see; then the one that computes most.
std::uint32_t ownAmong(const std::map<std::uint32_t, double>& use) {
    if (use.contains(static_cast<std::uint32_t>(::getpid()))) {
        return static_cast<std::uint32_t>(::getpid());
    }
    const auto most = std::max_element(
        use.begin(), use.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == use.end() ? 0 : most->first;
}

void putOthers(GpuWatch::Report& report, const runtime::Nvml& nvml, std::uint64_t sinceUs) {
    const auto processes = nvml.processes();
    // This process is one of them.
    const auto others = processes && !processes->empty() ? processes->size() - 1 : 0;
    if (processes) {
        report.details["other_processes"] = others;
    }
    if (const auto samples = nvml.use(sinceUs)) {
        const auto use = meanUse(*samples);
        const auto own = ownAmong(use);
        double percent = 0.0;
        for (const auto& [pid, used] : use) {
            percent += pid == own ? 0.0 : used;
        }
        report.details["others_percent"] = percent;
        if (percent > kDisturbedGpuPercent) {
            report.disturbance = "other processes used " +
                                 std::to_string(static_cast<int>(percent + 0.5)) +
                                 " % of the GPU while timing";
        }
    } else if (others > 0) {
        report.disturbance = others == 1
                                 ? "another process is on the GPU"
                                 : std::to_string(others) + " other processes are on the GPU";
        report.disturbance += "; how much of it they used while timing is not known";
    }
}

}  // namespace

GpuWatch::GpuWatch(const runtime::GpuFacts& gpu, const Options& options)
    : m_nvml(runtime::Nvml::open(gpu, m_whyNot, options.library)) {
    if (!m_nvml) {
        return;
    }
    m_startUs = nowUs();
    m_startSeconds = nowSeconds();
    m_energyJ = m_nvml->energyJ();
    m_thread = std::jthread(
        [this, period = std::chrono::milliseconds(options.periodMs)](const std::stop_token& stop) {
            do {
                sample();
                std::unique_lock lock(m_mutex);
                m_wake.wait_for(lock, stop, period, [] { return false; });
            } while (!stop.stop_requested());
        });
}

GpuWatch::~GpuWatch() = default;

std::unique_ptr<GpuWatch> watchGpu(int index) {
    if (index < 0 || static_cast<std::size_t>(index) >= runtime::cudaDriver().gpus.size()) {
        return nullptr;
    }
    return std::make_unique<GpuWatch>(runtime::cudaDriver().gpus[static_cast<std::size_t>(index)]);
}

void GpuWatch::sample() {
    auto reading = m_nvml->read();
    const std::lock_guard lock(m_mutex);
    m_readings.push_back(std::move(reading));
}

GpuWatch::Report GpuWatch::finish() {
    Report report;
    report.whyNot = m_whyNot;
    if (!m_nvml) {
        report.details["not_read"] = m_whyNot;
        return report;
    }
    m_thread.request_stop();
    if (m_thread.joinable()) {
        m_thread.join();
    }
    sample();
    const double seconds = nowSeconds() - m_startSeconds;
    auto& out = report.details;
    out["samples"] = m_readings.size();
    out["seconds"] = seconds;
    putSummary(out, "power_w", m_readings, &GpuReading::powerW);
    putSummary(out, "sm_mhz", m_readings, &GpuReading::smMhz);
    putSummary(out, "memory_mhz", m_readings, &GpuReading::memoryMhz);
    putSummary(out, "utilisation_percent", m_readings, &GpuReading::utilisation);
    putSummary(out, "temperature_c", m_readings, &GpuReading::temperatureC);
    if (const auto limit = m_nvml->powerLimitW()) {
        out["power_limit_w"] = *limit;
    }
    if (const auto energy = m_nvml->energyJ(); energy && m_energyJ && seconds > 0.0) {
        out["energy_j"] = *energy - *m_energyJ;
        out["mean_power_w"] = (*energy - *m_energyJ) / seconds;
    }
    putThrottles(out, m_readings);
    putOthers(report, *m_nvml, m_startUs);
    return report;
}

}  // namespace pareto::bench
