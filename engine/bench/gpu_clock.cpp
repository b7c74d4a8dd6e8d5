#include "engine/bench/gpu_clock.h"

#include <chrono>
#include <tuple>
#include <utility>

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "engine/runtime/device.h"

namespace pareto::bench {

namespace {

using Clock = std::chrono::steady_clock;

class WallClock : public PhaseClock {
public:
    std::size_t mark() override {
        m_marks.push_back(
            std::chrono::duration<double, std::milli>(Clock::now() - m_start).count());
        return m_marks.size() - 1;
    }
    std::vector<double> times() override { return std::exchange(m_marks, {}); }

private:
    const Clock::time_point m_start = Clock::now();
    std::vector<double> m_marks;
};

class EventClock : public PhaseClock {
public:
    explicit EventClock(int index)
        : m_guard(c10::DeviceType::CUDA),
          m_device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)) {
        record(m_base);
    }
    std::size_t mark() override {
        if (m_used == m_events.size()) {
            m_events.emplace_back(c10::DeviceType::CUDA, c10::EventFlag::BACKEND_DEFAULT);
        }
        record(m_events[m_used]);
        return m_used++;
    }
    std::vector<double> times() override {
        std::vector<double> out;
        if (m_used == 0) {
            return out;
        }
        auto& last = m_events[m_used - 1];
        last.synchronize();
        m_base.synchronize();
        for (std::size_t i = 0; i < m_used; ++i) {
            out.push_back(m_baseMs + m_base.elapsedTime(m_events[i]));
        }
        // CUDA says times as floats: they stay exact only where they stay short.
        std::swap(m_base, last);
        m_baseMs = out.back();
        m_used = 0;
        return out;
    }

private:
    void record(c10::Event& event) const { event.record(m_guard.getStream(m_device)); }

    const c10::impl::VirtualGuardImpl m_guard;
    const c10::Device m_device;
    c10::Event m_base{c10::DeviceType::CUDA, c10::EventFlag::BACKEND_DEFAULT};
    double m_baseMs = 0.0;
    std::vector<c10::Event> m_events;  ///< made once, recorded again and again
    std::size_t m_used = 0;
};

c10::DeviceAllocator* allocatorOf(int index) {
    auto* allocator =
        index < 0 ? nullptr
                  : dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(c10::DeviceType::CUDA));
    return allocator != nullptr && allocator->initialized() ? allocator : nullptr;
}

std::uint64_t bytes(std::int64_t value) {
    return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

}  // namespace

std::unique_ptr<PhaseClock> wallClock() { return std::make_unique<WallClock>(); }

std::unique_ptr<PhaseClock> gpuClock(int index) { return std::make_unique<EventClock>(index); }

std::unique_ptr<PhaseClock> clockOf(const models::DeviceInfo& device) {
    const int index = runtime::cudaIndex(device.device);
    return index < 0 ? wallClock() : gpuClock(index);
}

void resetPeakGpuMemory(int index) {
    if (auto* allocator = allocatorOf(index)) {
        allocator->resetPeakStats(static_cast<c10::DeviceIndex>(index));
    }
}

std::optional<GpuMemory> gpuMemory(int index) {
    auto* allocator = allocatorOf(index);
    if (allocator == nullptr) {
        return std::nullopt;
    }
    const auto device = static_cast<c10::DeviceIndex>(index);
    constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto stats = allocator->getDeviceStats(device);
    GpuMemory memory;
    memory.peakAllocated = bytes(stats.allocated_bytes[kAll].peak);
    memory.peakReserved = bytes(stats.reserved_bytes[kAll].peak);
    memory.allocated = bytes(stats.allocated_bytes[kAll].current);
    std::tie(memory.free, memory.total) = allocator->getMemoryInfo(device);
    return memory;
}

Json toJson(const GpuMemory& memory) {
    Json out{{"peak_allocated_bytes", memory.peakAllocated},
             {"peak_reserved_bytes", memory.peakReserved},
             {"allocated_bytes", memory.allocated}};
    if (memory.total > 0) {
        out["free_bytes"] = memory.free;
        out["total_bytes"] = memory.total;
    }
    return out;
}

}  // namespace pareto::bench
