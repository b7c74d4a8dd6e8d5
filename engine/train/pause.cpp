#include "engine/train/pause.h"

#include <chrono>
#include <thread>

namespace pareto::train {

Status waitWhilePaused(const Control* control, const std::stop_token& stop) {
    constexpr std::chrono::milliseconds kLook{20};
    while (!stop.stop_requested() && control != nullptr && control->paused() && !control->finishing()) {
        std::this_thread::sleep_for(kLook);
    }
    return stop.stop_requested() ? Status(Cancelled{}) : Status(Done{});
}

}  // namespace pareto::train
