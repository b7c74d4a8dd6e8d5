#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

/// What libtorch's CUDA half registers with the rest of libtorch, played by the host's clock: a device that does nothing,
/// whose events pass when they are recorded. Tests of what is asked and in which order; no figure of a GPU comes from it.
namespace pareto::fakes {

class FakeCudaGuard final : public c10::impl::DeviceGuardImplInterface {
public:
    using Clock = std::chrono::steady_clock;
    static inline int recorded = 0;
    static inline int waits = 0;
    static inline int asked = 0;  ///< elapsed times
    static inline int alive = 0;  ///< events
    static inline double laterMs =
        0.0;  ///< added to each event, so that the device's time is not the host's

    c10::DeviceType type() const override { return c10::DeviceType::CUDA; }
    c10::Device exchangeDevice(c10::Device device) const override { return device; }
    c10::Device getDevice() const override { return c10::Device(c10::DeviceType::CUDA, 0); }
    void setDevice(c10::Device) const override {}
    void uncheckedSetDevice(c10::Device) const noexcept override {}
    c10::Stream getStream(c10::Device device) const override {
        return c10::Stream(c10::Stream::DEFAULT, device);
    }
    c10::Stream exchangeStream(c10::Stream stream) const override { return stream; }
    c10::DeviceIndex deviceCount() const noexcept override { return 1; }
    void record(void** event, const c10::Stream&, const c10::DeviceIndex,
                const c10::EventFlag) const override {
        if (*event == nullptr) {
            *event = new Clock::time_point();
            ++alive;
        }
        *static_cast<Clock::time_point*>(*event) =
            Clock::now() + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double, std::milli>(laterMs * recorded));
        ++recorded;
    }
    void block(void*, const c10::Stream&) const override {}
    bool queryEvent(void*) const override { return true; }
    void synchronizeEvent(void*) const override { ++waits; }
    void destroyEvent(void* event, const c10::DeviceIndex) const noexcept override {
        delete static_cast<Clock::time_point*>(event);
        --alive;
    }
    double elapsedTime(void* first, void* second, const c10::DeviceIndex) const override {
        ++asked;
        return std::chrono::duration<double, std::milli>(*static_cast<Clock::time_point*>(second) -
                                                         *static_cast<Clock::time_point*>(first))
            .count();
    }
};

/// Statistics as a caching allocator keeps them.
class FakeCudaAllocator : public c10::DeviceAllocator {
public:
    bool ready = true;
    std::int64_t current = 1000;
    std::int64_t peak = 9000;
    bool initialized() override { return ready; }
    void emptyCache(c10::MempoolId_t) override {}
    void recordStream(const c10::DataPtr&, c10::Stream) override {}
    c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
        c10::CachingDeviceAllocator::DeviceStats stats;
        stats.allocated_bytes[0].current = current;
        stats.allocated_bytes[0].peak = peak;
        stats.reserved_bytes[0].peak = 2 * peak;
        return stats;
    }
    void resetAccumulatedStats(c10::DeviceIndex) override {}
    void resetPeakStats(c10::DeviceIndex) override { peak = current; }
    std::pair<std::size_t, std::size_t> getMemoryInfo(c10::DeviceIndex) override {
        return {50000, 80000};
    }
    c10::DataPtr allocate(std::size_t) override { return {}; }
    void copy_data(void*, const void*, std::size_t) const override {}
};

}  // namespace pareto::fakes
