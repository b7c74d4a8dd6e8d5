#include "engine/bench/load_watch.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace pareto::bench {

namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

LoadWatch::LoadWatch() : m_start(sample()) {}

LoadWatch::Sample LoadWatch::sample() {
    Sample sample;
    sample.wallSeconds = std::chrono::duration<double>(
                             std::chrono::steady_clock::now().time_since_epoch())
                             .count();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    sample.ownSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);

    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    const bool haveSet = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    std::ifstream file("/proc/stat");
    std::string line;
    double ticks = 0.0;
    while (std::getline(file, line)) {
        if (line.rfind("cpu", 0) != 0 || line.size() < 4 || line[3] < '0' || line[3] > '9') {
            continue;
        }
        std::istringstream fields(line.substr(3));
        int cpu = 0;
        double user = 0.0, nice = 0.0, system = 0.0, idle = 0.0, wait = 0.0;
        double irq = 0.0, softIrq = 0.0, steal = 0.0;
        fields >> cpu >> user >> nice >> system >> idle >> wait >> irq >> softIrq >> steal;
        if (haveSet && cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &allowed)) {
            continue;
        }
        ticks += user + nice + system + irq + softIrq + steal;
        ++sample.cores;
    }
    sample.busySeconds = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
    sample.known = sample.cores > 0;
    return sample;
}

LoadWatch::Report LoadWatch::report() const {
    const auto now = sample();
    Report report;
    report.cores = now.cores;
    report.seconds = now.wallSeconds - m_start.wallSeconds;
    report.known = m_start.known && now.known && report.seconds > 0.0;
    if (report.known) {
        const auto others =
            (now.busySeconds - m_start.busySeconds) - (now.ownSeconds - m_start.ownSeconds);
        report.otherShare = std::clamp(others / (report.seconds * now.cores), 0.0, 1.0);
    }
    return report;
}

std::string disturbanceOf(const LoadWatch::Report& report) {
    if (!report.known || report.otherShare <= kDisturbedShare) {
        return {};
    }
    char text[128];
    std::snprintf(text, sizeof text, "other programs used %.0f %% of %d cores while timing", report.otherShare * 100.0,
                  report.cores);
    return text;
}

}  // namespace pareto::bench
