#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace pareto::test {

/// Highest resident size of this process so far, in bytes; 0 where the system does not say.
inline std::int64_t peakMemory() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            std::int64_t kib = 0;
            status >> kib;
            return kib * 1024;
        }
    }
    return 0;
}

}  // namespace pareto::test
