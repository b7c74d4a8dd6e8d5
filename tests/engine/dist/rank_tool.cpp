// rank_tool RANK SIZE PORT TOKEN VERSION TIMEOUT_MS WHAT
// One rank of tst_group. Writes one line a step, and what went wrong as the last one; exit code 1 then.
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "engine/dist/group.h"
#include "engine/dist/nccl_circle.h"
#include "engine/runtime/library_function.h"
#include "tests/support/fake_nccl/played_queue.h"
#include "tests/support/rank_words.h"

using namespace pareto;
using test::say;

namespace {

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

/// What is exchanged over NCCL: sums of more than go at once, bytes of rank 1, parts of different lengths.
Status ncclSums(dist::NcclCircle& nccl, int rank, int size) {
    std::vector<float> many(3000);
    for (std::size_t i = 0; i < many.size(); ++i) {
        many[i] = static_cast<float>(i + static_cast<std::size_t>(rank));
    }
    PARETO_CHECK(nccl.allReduceSum(many, {}));
    long wrong = 0;
    for (std::size_t i = 0; i < many.size(); ++i) {
        wrong += many[i] == static_cast<float>(size) * (static_cast<float>(i) + static_cast<float>(size - 1) / 2.0F) ? 0 : 1;
    }
    say("wrong sums " + std::to_string(wrong));
    std::vector<float> heard(2, static_cast<float>(rank));
    PARETO_CHECK(nccl.broadcast(heard, 1, {}));
    say("heard " + std::to_string(static_cast<int>(heard[0] + heard[1])));
    std::vector<std::size_t> counts;
    std::size_t all = 0;
    for (int part = 0; part < size; ++part) {
        counts.push_back(static_cast<std::size_t>(part + 1));
        all += counts.back();
    }
    const std::vector<float> own(counts[static_cast<std::size_t>(rank)], static_cast<float>(rank));
    std::vector<float> gathered(all, -1.0F);
    PARETO_CHECK(nccl.allGather(own, counts, gathered, {}));
    std::string text;
    for (const float value : gathered) {
        text += std::to_string(static_cast<int>(value));
    }
    say("gathered " + text);
    return Done{};
}

/// Sums until something goes wrong; what became of the call that waited then.
Status ncclSteps(dist::NcclCircle& nccl, test::PlayedQueue& queue, const std::function<int()>& aborts) {
    for (int step = 0;; ++step) {
        std::vector<float> values(10, 1.0F);
        if (const auto summed = nccl.allReduceSum(values, {}); !summed.ok()) {
            say("aborts " + std::to_string(aborts()) + (queue.idle().value() ? ", nothing waits" : ", a call waits"));
            say(nccl.allReduceSum(values, {}).ok() ? "goes on" : "is over");
            return summed;
        }
        if (step % 20 == 0) {
            say("step");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

Status overNccl(dist::Group& group, const std::string& what) {
    std::string whyNot;
    const auto* library = dist::Nccl::open(whyNot, PARETO_FAKE_NCCL);
    if (library == nullptr) {
        return makeError(ErrorCode::EngineFailure, {{"where", "the played NCCL"}, {"reason", whyNot}});
    }
    int (*aborts)() = nullptr;
    runtime::takeFunction(dlopen(PARETO_FAKE_NCCL, RTLD_NOW), "fakeNcclAborts", aborts);
    test::PlayedQueue queue;
    PARETO_TRY(auto nccl, dist::NcclCircle::open(*library, group, group.all(), queue, {}));
    say("connected");
    if (what == "nccl-steps") {
        return ncclSteps(*nccl, queue, aborts);
    }
    PARETO_CHECK(ncclSums(*nccl, group.rank(), group.size()));
    PARETO_CHECK(group.barrier({}));
    nccl.reset();
    PARETO_CHECK(group.leave({}));
    say("left");
    return Done{};
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
    if (what == "offers") {
        PARETO_TRY(const auto offers, dist::offersOfAll(*group, {group->rank() + 1, group->rank() == 1 ? std::string(1000, 'n') : ""}, {}));
        for (const auto& offer : offers) {
            say(std::to_string(offer.version) + " " + std::to_string(offer.whyNot.size()));
        }
        return group->leave({});
    }
    if (what.starts_with("nccl")) {
        return overNccl(*group, what);
    }
    if (what == "fails" && group->rank() == 1) {
        group->fail("could not read its file");
        return Done{};
    }
    return steps(*group);
}

}  // namespace

int main(int, char** words) { return test::runRank(run, words); }
