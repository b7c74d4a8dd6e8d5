// exchange_tool RANK TP PP PORT WITHOUT
// One rank of tst_gpu_exchange, in circles as a model in parts has them; rank WITHOUT has no NCCL. Writes what it got.
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/jobs/run/gpu_exchange.h"
#include "engine/jobs/run/part_circles.h"
#include "tests/support/fake_nccl/played_queue.h"
#include "tests/support/rank_words.h"

using namespace pareto;
using test::say;

namespace {

/// A value goes from stage to stage; each adds its rank, and its parts sum.
Status pass(models::Exchange& exchange, const ShardPlace& place) {
    std::vector<float> value{1.0F};
    if (place.stage() > 0) {
        PARETO_CHECK(exchange.takePrevious(value));
    }
    value[0] += static_cast<float>(place.rank);
    std::vector<float> all(static_cast<std::size_t>(place.tp), -1.0F);
    if (place.tp > 1) {
        const std::vector<std::size_t> counts(all.size(), 1);
        PARETO_CHECK(exchange.gather(value, counts, all));
        PARETO_CHECK(exchange.sum(value));
    }
    if (place.stage() + 1 < place.pp) {
        PARETO_CHECK(exchange.giveNext(value));
    }
    std::string text = "has " + std::to_string(static_cast<int>(value[0]));
    for (std::size_t i = 0; place.tp > 1 && i < all.size(); ++i) {
        text += (i == 0 ? " of " : " and ") + std::to_string(static_cast<int>(all[i]));
    }
    say(text);
    return Done{};
}

Status run(char** words) {
    const ShardPlace place{std::atoi(words[2]), std::atoi(words[3]), std::atoi(words[1])};
    dist::GroupOptions options;
    options.rank = place.rank;
    options.size = place.tp * place.pp;
    options.port = static_cast<std::uint16_t>(std::atoi(words[4]));
    options.token = "secret";
    options.version = "1";
    PARETO_TRY(const auto group, dist::Group::join(options, {}));
    PARETO_TRY(const auto made, jobs::PartCircles::make(*group, place, {}));
    int sums = 0;
    int handed = 0;
    jobs::GpuExchange::Options with;
    with.circles = {made.stage.get(), made.previous.get(), made.next.get()};
    if (std::atoi(words[5]) == place.rank) {
        with.offer.whyNot = "none is there";
    } else {
        with.offer.library = dist::Nccl::open(with.offer.whyNot, PARETO_FAKE_NCCL);
        with.offer.version = with.offer.library != nullptr ? with.offer.library->number : 0;
    }
    with.queue = std::make_unique<test::PlayedQueue>();
    with.timed = [&](PartDoing doing, const std::function<Status()>& call) {
        ++(doing == PartDoing::Sum ? sums : handed);
        return call();
    };
    std::string whyNot;
    PARETO_TRY(auto exchange, jobs::GpuExchange::open(*group, std::move(with), whyNot, {}));
    if (exchange == nullptr) {
        say("not over NCCL: " + whyNot);
        return group->leave({});
    }
    PARETO_CHECK(pass(*exchange, place));
    say("timed " + std::to_string(sums) + " and " + std::to_string(handed));
    PARETO_CHECK(group->barrier({}));
    exchange.reset();
    return group->leave({});
}

}  // namespace

int main(int, char** words) { return test::runRank(run, words); }
