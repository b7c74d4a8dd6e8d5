// rank_tool RANK SIZE PORT TOKEN VERSION TIMEOUT_MS WHAT
// One rank of tst_group. Writes one line a step, and what went wrong as the last one; exit code 1 then.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "engine/dist/group.h"

using namespace pareto;

namespace {

void say(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

/// Sums of more than one piece, a few values, and rank 1's bytes.
Status sums(dist::Group& group) {
    const auto size = static_cast<float>(group.size());
    std::vector<float> many(std::size_t{1200000} + 3);
    for (std::size_t i = 0; i < many.size(); ++i) {
        many[i] = static_cast<float>(i % 1000) + static_cast<float>(group.rank());
    }
    PARETO_CHECK(group.allReduceSum(many, {}));
    double wrong = 0.0;
    for (std::size_t i = 0; i < many.size(); ++i) {
        wrong += many[i] == size * static_cast<float>(i % 1000) + size * (size - 1.0F) / 2.0F ? 0.0 : 1.0;
    }
    say("wrong sums " + std::to_string(static_cast<long>(wrong)));
    std::string text(12, static_cast<char>('a' + group.rank()));
    PARETO_CHECK(group.broadcast(std::as_writable_bytes(std::span<char>(text)), 1, {}));
    say("heard " + text);
    PARETO_CHECK(group.barrier({}));
    PARETO_CHECK(group.leave({}));
    say("left");
    return Done{};
}

/// Until something goes wrong.
Status steps(dist::Group& group) {
    for (int step = 0;; ++step) {
        std::vector<float> values(1000, 1.0F);
        PARETO_CHECK(group.allReduceSum(values, {}));
        if (step % 50 == 0) {
            say("step");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

/// Rank 0 is away for longer than the timeout, as while it validates; the others wait.
Status patience(dist::Group& group, int milliseconds) {
    if (group.rank() == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    }
    return sums(group);
}

Status run(char** words) {
    dist::GroupOptions options;
    options.rank = std::atoi(words[1]);
    options.size = std::atoi(words[2]);
    options.port = static_cast<std::uint16_t>(std::atoi(words[3]));
    options.token = words[4];
    options.version = words[5];
    options.timeout = std::chrono::milliseconds(std::atoi(words[6]));
    std::string what = words[7];
    if (what.ends_with("-gloo")) {
        what.resize(what.size() - 5);
        options.sharedMemory = false;
    }
    PARETO_TRY(const auto group, dist::Group::join(options, {}));
    say(group->sharesMemory() ? "joined, with shared memory" : "joined");
    if (what == "sums") {
        return sums(*group);
    }
    if (what == "patience") {
        return patience(*group, 2 * std::atoi(words[6]));
    }
    if (what == "fails" && group->rank() == 1) {
        group->fail("could not read its file");
        return Done{};
    }
    return steps(*group);
}

}  // namespace

int main(int, char** words) {
    // As the program does: Gloo writes to connections whose other end is gone.
    std::signal(SIGPIPE, SIG_IGN);
    const auto status = run(words);
    if (!status.ok()) {
        say("error " + errorMessage(status.error()));
        return 1;
    }
    return 0;
}
