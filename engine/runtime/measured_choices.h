#pragma once

#include <chrono>
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
    /// `steady`: see LeastSeconds. Else it is not written: another start may measure better. A file that
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

/// How long two things are looked at that are done in turns: a look has at least so many rounds that count, and seconds. There are
/// two looks, and more, up to `most`, while all took less than `enough` seconds.
struct Looks {
    int rounds = 2;
    double seconds = 0.03;
    int most = 6;
    double enough = 1.0;
};

/// What came of it. A look is the least seconds of each in its rounds; the first round of a look warms up and does not count.
/// Other programs may hold up a core for a whole look, which one of the two bears better than the other: looks go on until two,
/// one after the other, have about the same ratio.
struct LeastSeconds {
    double first = 0.0;   ///< of all looks
    double second = 0.0;
    double gain = 0.0;    ///< first / second as every look that counts shows at least: the last two, or all where they differ
    bool steady = false;  ///< two looks agreed
};
template <typename First, typename Second, typename Before>
LeastSeconds leastSeconds(const Looks& looks, const First& first, const Second& second, const Before& before) {
    using Clock = std::chrono::steady_clock;
    constexpr double kMost = 1e30;
    constexpr double kSteady = 0.07;
    LeastSeconds out{kMost, kMost, kMost, false};
    double last = 0.0;
    const auto spentSince = [](Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); };
    const auto begin = Clock::now();
    for (int look = 0; look < looks.most && !out.steady && (look < 2 || spentSince(begin) < looks.enough); ++look) {
        double a = kMost;
        double b = kMost;
        const auto start = Clock::now();
        for (int round = 0; round <= looks.rounds || spentSince(start) < looks.seconds; ++round) {
            before();
            const double now = first();
            const double other = second();
            a = round > 0 && now < a ? now : a;
            b = round > 0 && other < b ? other : b;
        }
        out.first = a < out.first ? a : out.first;
        out.second = b < out.second ? b : out.second;
        const double gain = a / b;
        out.steady = look > 0 && gain < last * (1.0 + kSteady) && last < gain * (1.0 + kSteady);
        const double least = gain < last || look == 0 ? gain : last;
        out.gain = out.steady || least < out.gain ? least : out.gain;
        last = gain;
    }
    return out;
}

}  // namespace pareto::runtime
