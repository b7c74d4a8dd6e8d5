#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pareto::runtime {

/// Which of several kernels is faster, as it was measured: figures by a text that says all they depend on. Kept for the
/// process, and in a file so that later starts choose the same without measuring. Any thread.
class MeasuredChoices {
public:
    /// `file`: empty for none. What another `machine` measured (processor, kernels, program) is as if it were not there.
    MeasuredChoices(std::string file, std::string machine);

    /// This machine's: the file is $PARETO_KERNEL_CHOICES ("off": none), else kernel_choices.json in the program's cache folder.
    static MeasuredChoices& ofMachine();

    std::optional<std::vector<double>> find(const std::string& key);
    /// `steady`: measured twice with about the same outcome. Else it is not written: another start may measure better. A file that
    /// cannot be read or written is done without.
    void put(const std::string& key, const std::vector<double>& figures, bool steady);

private:
    using Choices = std::map<std::string, std::vector<double>>;
    void load();
    Choices read() const;
    void write() const;

    const std::string m_file;
    const std::string m_machine;
    std::mutex m_mutex;
    bool m_loaded = false;
    Choices m_choices;
    Choices m_steady;  ///< that this process measured
};

/// The least seconds of two things that are done in turns, and whether the ratio of them in every other round is that of the
/// rounds between, within a tenth. The first round warms up and does not count; `before` comes before each.
struct LeastSeconds {
    double first = 0.0;
    double second = 0.0;
    bool steady = false;
    double ratio() const { return first / second; }
};
template <typename First, typename Second, typename Before>
LeastSeconds leastSeconds(int rounds, const First& first, const Second& second, const Before& before) {
    constexpr double kMost = 1e30;
    constexpr double kSteady = 0.1;
    double least[2][2] = {{kMost, kMost}, {kMost, kMost}};
    for (int round = 0; round <= rounds; ++round) {
        before();
        const double a = first();
        const double b = second();
        if (round > 0) {
            auto& of = least[round % 2];
            of[0] = a < of[0] ? a : of[0];
            of[1] = b < of[1] ? b : of[1];
        }
    }
    const double odd = least[1][0] / least[1][1];
    const double even = least[0][0] / least[0][1];
    const double apart = odd > even ? odd / even - 1.0 : even / odd - 1.0;
    return {least[0][0] < least[1][0] ? least[0][0] : least[1][0], least[0][1] < least[1][1] ? least[0][1] : least[1][1],
            rounds > 1 && apart < kSteady};
}

}  // namespace pareto::runtime
