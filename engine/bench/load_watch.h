#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pareto::bench {

/// What other programs did on this process's cores between two moments, from /proc/stat and the
/// process's own CPU time. Ticks are 10 ms: differences over less than half a second say little.
class LoadWatch {
public:
    /// Watching begins.
    LoadWatch();

    struct Report {
        bool known = false;        ///< false where /proc/stat cannot be read
        double otherShare = 0.0;   ///< 0…1 of the cores: busy or stolen, and not by this process
        double seconds = 0.0;
        int cores = 0;
    };
    /// From the construction until now.
    Report report() const;

private:
    struct Sample {
        bool known = false;
        double busySeconds = 0.0;
        double ownSeconds = 0.0;
        double wallSeconds = 0.0;
        int cores = 0;
    };
    static Sample sample();
    Sample m_start;
};

/// Above this share of the cores a measurement counts as disturbed.
inline constexpr double kDisturbedShare = 0.05;
/// What disturbed a measurement, in English; empty when nothing did or it is not known.
std::string disturbanceOf(const LoadWatch::Report& report);

}  // namespace pareto::bench
