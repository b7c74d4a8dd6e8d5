#include "engine/jobs/run/shard_team.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>

#include "engine/bench/memory.h"
#include "engine/bench/profile.h"
#include "engine/jobs/api/params_json.h"
#include "engine/jobs/api/protocol.h"
#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/model_on_demand.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/runtime/device.h"
#include "engine/stats/stats.h"
#include "engine/weights/weights_hash.h"

namespace pareto::jobs {
namespace {

/// What is told at once: a step of a few sequences. The first word says how many there are, and longer ones follow.
constexpr std::size_t kBlockWords = 64;

/// Of a pass of hundreds of blocks in dozens of pieces.
constexpr std::size_t kMostCalls = 20000;

/// To find the stages: passes of the whole model, with so much of it in free memory, and what another division must save.
constexpr double kStageSeconds = 0.2;
constexpr int kStagePasses = 2;
constexpr std::int64_t kStageTokens = 4;  ///< generated in one: a few stand for all
constexpr std::uint64_t kRoomForAWhole = 3;
constexpr double kBetterStages = 0.97;

/// Seconds of the stage that takes the most.
double longestStage(const std::vector<double>& seconds, const std::vector<int>& starts) {
    double most = 0.0;
    for (std::size_t stage = 0; stage < starts.size(); ++stage) {
        const auto end = stage + 1 < starts.size() ? starts[stage + 1] : static_cast<int>(seconds.size());
        most = std::max(most, std::accumulate(seconds.begin() + starts[stage], seconds.begin() + end, 0.0));
    }
    return most;
}

std::span<std::byte> bytesOf(std::span<float> values) { return std::as_writable_bytes(values); }
std::span<std::byte> bytesOf(std::span<std::int32_t> values) { return std::as_writable_bytes(values); }

bool trains(const Recipe& recipe) {
    return std::any_of(recipe.recover.begin(), recipe.recover.end(),
                       [](const RecoverSpec& step) { return step.method == RecoverMethod::Train; });
}

Error unfitTarget(const Target& target, const std::string& reason) {
    const bool tensors = target.tensorParallel > 1;
    return makeError(ErrorCode::TargetInvalid,
                     {{"field", tensors ? "tp" : "pp"},
                      {"reason", "is " + std::to_string(tensors ? target.tensorParallel : target.pipelineParallel) + ", but " + reason}});
}

}  // namespace

Json toJson(const ShardParams& params) {
    return {{"model", params.model}, {"recipe", recipeToJson(params.recipe)}, {"target", targetToJson(params.target)}};
}

Result<ShardParams> shardParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobShard);
    ShardParams params;
    params.model = reader.require("model").text("model");
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return params;
}

Json toJson(const ShardReport& report) {
    Json out{{"rank", report.rank},      {"host", report.host}, {"seconds", report.total}, {"sums", report.sums},
            {"handing", report.handing}, {"waiting", report.waiting}, {"idle", report.idle}, {"bytes", report.bytes},
            {"resident", report.resident}, {"device", report.device}};
    if (!report.exchange.empty()) {
        out["exchange"] = report.exchange;
    }
    if (!report.exchangeReason.empty()) {
        out["exchange_reason"] = report.exchangeReason;
    }
    return out;
}

Result<bool> ShardTeam::follows(const Target& target) {
    if (target.processes() == 1) {
        return false;
    }
    PARETO_TRY(const auto found, startedRanks(target.processes()));
    return found && found->rank > 0;
}

Result<std::shared_ptr<ShardTeam>> ShardTeam::gather(const ShardParams& params, std::stop_token stop) {
    const auto& target = params.target;
    if (target.processes() == 1) {
        return std::shared_ptr<ShardTeam>();
    }
    if (trains(params.recipe)) {
        return unfitTarget(target, "the recipe trains: run it in one process (or share its training with --ranks), export the "
                                   "model, and divide that");
    }
    PARETO_TRY(const auto started, startedRanks(target.processes()));
    std::shared_ptr<ShardTeam> out(new ShardTeam(params));
    PARETO_TRY(out->m_ranks, started ? RankGroup::join(*started, stop)
                                     : RankGroup::start(target.processes(), startLine({"rank", kJobShard, toJson(params)}), stop));
    out->m_place = {target.tensorParallel, target.pipelineParallel, out->m_ranks->rank()};
    if (const auto taken = out->takeDevice(); !taken.ok()) {
        (void)out->m_ranks->disband(taken, stop);  // the others hear why
        return taken.failure<std::shared_ptr<ShardTeam>>();
    }
    PARETO_TRY(out->m_circles, PartCircles::make(out->m_ranks->group(), out->m_place, stop));
    PARETO_CHECK(out->connectGpus(stop));
    out->m_did.rank = out->m_place.rank;
    out->m_did.host = out->m_ranks->hostOf(out->m_place.rank);
    out->m_since = now();
    out->m_together = out->m_place.rank == 0;
    return out;
}

/// All of a machine look at the same number of GPUs, so all of them go on or none.
Status ShardTeam::takeDevice() {
    auto& device = m_params.target.device;
    if (runtime::cudaIndex(device) < 0) {
        return Done{};
    }
    const auto gpus = static_cast<int>(runtime::cudaDriver().gpus.size());
    PARETO_TRY(device, runtime::deviceOfRank(device, m_ranks->localRank(), m_ranks->here(), gpus));
    m_did.device = device;
    return Done{};
}

/// From GPU to GPU where all ranks have NCCL.
Status ShardTeam::connectGpus(const std::stop_token& stop) {
    const int gpu = runtime::cudaIndex(m_params.target.device);
    if (gpu < 0) {
        return Done{};
    }
    GpuExchange::Options options{{m_circles.stage.get(), m_circles.previous.get(), m_circles.next.get()},
                                 dist::ncclOffer(),
                                 dist::torchQueue(gpu),
                                 {}};
    options.timed = [this](PartDoing doing, const std::function<Status()>& call) { return timed(doing, nullptr, call); };
    PARETO_TRY(m_gpus, GpuExchange::open(m_ranks->group(), std::move(options), m_did.exchangeReason, stop));
    m_did.exchange = m_gpus ? "NCCL" : "through host memory";
    return Done{};
}

ShardTeam::~ShardTeam() {
    if (m_ranks == nullptr) {
        return;
    }
    Status ended = Done{};
    if (!m_together) {
        // The others may wait for this one, whatever they do.
        m_ranks->group().fail("ended early");
    } else if (m_place.rank == 0 && !lost()) {
        ended = tellEndSoon();
    }
    if (m_gpus && ended.ok() && !lost()) {
        // Others may still read what this one's GPU holds for them.
        (void)m_ranks->group().barrier({});
    }
    m_gpus.reset();
    (void)std::exchange(m_circles, {});  // the last one made goes first
    (void)m_ranks->disband(ended, {});
}

/// One that is still busy (making its part of a model that was given up) is not waited for.
Status ShardTeam::tellEndSoon() {
    constexpr std::chrono::seconds kPatience{3};
    std::stop_source hurry;
    m_hurry = hurry.get_token();
    const std::jthread timer([&hurry, kPatience](const std::stop_token& done) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any changed;
        changed.wait_for(lock, done, kPatience, [] { return false; });
        if (!done.stop_requested()) {
            hurry.request_stop();
        }
    });
    return models::tellEnd(*this);
}

double ShardTeam::now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename Call>
Status ShardTeam::timed(PartDoing doing, dist::Circle* circle, const Call& call) {
    const double begin = now();
    const double before = circle != nullptr ? circle->waited() : 0.0;
    auto out = call();
    const double waited = circle != nullptr ? circle->waited() - before : 0.0;
    const double end = now();
    auto& seconds = doing == PartDoing::Sum ? m_did.sums : doing == PartDoing::Hand ? m_did.handing : m_did.idle;
    seconds += end - begin;
    m_did.waiting += waited;
    if (m_keeping && m_kept.calls.size() < kMostCalls) {
        m_kept.calls.push_back({doing, begin, end, waited});
    } else if (m_keeping) {
        ++m_kept.leftOut;
    }
    return out;
}

Status ShardTeam::sum(std::span<float> values) {
    return timed(PartDoing::Sum, m_circles.stage.get(), [&] { return m_circles.stage->allReduceSum(values, {}); });
}

Status ShardTeam::largest(std::span<float> values) {
    return timed(PartDoing::Sum, m_circles.stage.get(), [&] { return m_circles.stage->allReduceMax(values, {}); });
}

Status ShardTeam::gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) {
    if (m_circles.stage == nullptr) {
        std::copy(own.begin(), own.end(), all.begin());
        return Done{};
    }
    return timed(PartDoing::Sum, m_circles.stage.get(), [&] { return m_circles.stage->allGather(own, counts, all, {}); });
}

Status ShardTeam::giveNext(std::span<float> values) {
    return timed(PartDoing::Hand, m_circles.next.get(), [&] { return m_circles.next->broadcast(bytesOf(values), 0, {}); });
}

Status ShardTeam::takePrevious(std::span<float> values) {
    return timed(PartDoing::Hand, m_circles.previous.get(),
                 [&] { return m_circles.previous->broadcast(bytesOf(values), 0, {}); });
}

/// With two stages the ends are neighbours.
Status ShardTeam::giveFirst(std::span<float> values) {
    auto& circle = m_circles.ends ? *m_circles.ends : *m_circles.previous;
    return timed(PartDoing::Hand, &circle, [&] { return circle.broadcast(bytesOf(values), 1, {}); });
}

Status ShardTeam::takeLast(std::span<float> values) {
    auto& circle = m_circles.ends ? *m_circles.ends : *m_circles.next;
    return timed(PartDoing::Hand, &circle, [&] { return circle.broadcast(bytesOf(values), 1, {}); });
}

Status ShardTeam::tell(const std::vector<std::int32_t>& words) {
    std::array<std::int32_t, kBlockWords> block{};
    block[0] = static_cast<std::int32_t>(words.size());
    const std::size_t first = std::min(words.size(), kBlockWords - 1);
    std::copy_n(words.begin(), first, block.begin() + 1);
    return timed(PartDoing::Idle, nullptr, [&]() -> Status {
        auto& all = m_ranks->group().all();
        PARETO_CHECK(all.broadcast(bytesOf(std::span<std::int32_t>(block)), 0, m_hurry));
        if (first == words.size()) {
            return Done{};
        }
        std::vector<std::int32_t> rest(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
        return all.broadcast(bytesOf(std::span<std::int32_t>(rest)), 0, m_hurry);
    });
}

Result<std::vector<std::int32_t>> ShardTeam::hear(std::size_t most) {
    std::vector<std::int32_t> words;
    const auto heard = timed(PartDoing::Idle, nullptr, [&]() -> Status {
        auto& all = m_ranks->group().all();
        std::array<std::int32_t, kBlockWords> block{};
        PARETO_CHECK(all.broadcast(bytesOf(std::span<std::int32_t>(block)), 0, {}));
        const auto count = static_cast<std::size_t>(std::max(0, block[0]));
        if (count > most) {
            return m_ranks->unfit(0, "says " + std::to_string(count) + " words at once");
        }
        words.resize(count);
        const std::size_t first = std::min(count, kBlockWords - 1);
        std::copy_n(block.begin() + 1, first, words.begin());
        return first == count ? Status(Done{}) : all.broadcast(bytesOf(std::span(words).subspan(first)), 0, {});
    });
    PARETO_CHECK(heard);
    return words;
}

/// By time where it is known: a table of the vocabulary takes as much as its parameters say for each further token, and next to
/// nothing of a prompt.
Result<std::vector<std::int32_t>> ShardTeam::findStages(const TensorSource& model, Progress& progress, std::stop_token stop) {
    const auto blocks = static_cast<int>(model.layout().blocks.size());
    const int stages = std::min(m_place.pp, blocks);
    const auto byParameters = stageStarts(blockCosts(model.layout()), stages);
    m_measuredStages = false;
    m_stages.assign(byParameters.begin(), byParameters.end());
    if (stages == 1 || stages == blocks) {
        return m_stages;
    }
    auto seconds = m_params.blockSeconds;
    if (seconds.size() != model.layout().blocks.size()) {
        PARETO_TRY(seconds, timeBlocks(model, progress, std::move(stop)));
    }
    if (seconds.empty()) {
        return m_stages;
    }
    const auto measured = stageStarts(seconds, stages);
    // Two that are as good as each other are told apart by noise alone: then parameters decide, the same each time.
    if (longestStage(seconds, measured) < kBetterStages * longestStage(seconds, byParameters)) {
        m_stages.assign(measured.begin(), measured.end());
    }
    m_measuredStages = true;
    return m_stages;
}

/// In memory and packed as a whole for a moment; none where memory has no room for it, or for lengths that the model does not
/// have (where nothing is timed).
Result<std::vector<double>> ShardTeam::timeBlocks(const TensorSource& model, Progress& progress, std::stop_token stop) const {
    const auto& layout = model.layout();
    if (estimate(layout).bytes > bench::availableMemory() / kRoomForAWhole) {
        return std::vector<double>();
    }
    Result<Profile> profile = Cancelled{};
    {
        auto packed = models::prepareModel(model, deviceOptions(m_params.target), progress, stop);
        if (packed.cancelled()) {
            return Cancelled{};
        }
        if (!packed.ok()) {
            return std::vector<double>();  // a GPU that holds a part may not hold the whole
        }
        bench::ProfileOptions options;
        options.target = m_params.target;
        options.target.generate = std::min(options.target.generate, kStageTokens);
        options.minSeconds = kStageSeconds;
        options.minPasses = kStagePasses;
        profile = bench::profileModel(packed.value(), options, progress, stop);
    }
    bench::releaseUnusedMemory({});
    if (profile.cancelled()) {
        return Cancelled{};
    }
    return profile.ok() ? bench::blockSeconds(layout, m_params.target, profile->steps) : std::vector<double>();
}

Result<models::RunnableModel> ShardTeam::cutPart(const TensorSource& model, const std::vector<std::int32_t>& starts,
                                                 Progress& progress, std::stop_token stop) {
    const auto blocks = static_cast<std::int32_t>(model.layout().blocks.size());
    const bool ascends = std::adjacent_find(starts.begin(), starts.end(), std::greater_equal<>()) == starts.end();
    if (starts.empty() || starts.front() != 0 || !ascends || starts.back() >= blocks) {
        return m_ranks->unfit(0, "says stages that the model does not have");
    }
    progress.begin(Stage::Opening);
    PARETO_TRY(const auto shard, shardOf(model, m_place, {starts.begin(), starts.end()}));
    return models::prepareShard(shard, deviceOptions(m_params.target), *this, progress, std::move(stop));
}

/// Where a recipe computes each weight by itself, the same files give the same model: on one machine these are the same where
/// path, size and time are, else their contents are compared. All other recipes may come to other weights (with other
/// threads), so these are compared.
Result<std::string> ShardTeam::identify(const TensorSource& model, const OpenedModel& opened, Progress& progress,
                                        std::stop_token stop) const {
    PARETO_TRY(const auto resolved, resolve(m_params.recipe, opened.weights.layout));
    if (!compress::isTensorwise(m_params.recipe, resolved)) {
        return weightsHash(model);
    }
    return m_ranks->here() == m_ranks->size() ? opened.fingerprint : opened.contentHash(progress, std::move(stop));
}

ShardTeam::Part ShardTeam::makePart(const TensorSource& model, const OpenedModel& opened, const std::vector<std::int32_t>& starts,
                                    Progress& progress, std::stop_token stop) {
    auto identity = identify(model, opened, progress, stop);
    if (!identity.ok()) {
        return {identity.failure<models::RunnableModel>(), {{"problem", problemOf(identity)}}};
    }
    auto part = cutPart(model, starts, progress, std::move(stop));
    if (!part.ok()) {
        Json said{{"problem", problemOf(part)}};
        return {std::move(part), std::move(said)};
    }
    Json said{{"model", std::move(identity.value())}, {"bytes", part->model().bytes()}, {"layers", Json::object()}};
    for (const auto& layer : part->model().layout().layers) {
        said["layers"][layer.name] = {part->model().bytesOf(layer.name), part->model().kernelOf(layer.name)};
    }
    return {std::move(part), std::move(said)};
}

Result<models::ShardedModel> ShardTeam::joinParts(const std::vector<std::string>& said, const ModelLayout& layout) const {
    models::ShardedModel out;
    out.layout = layout;
    Json first;
    for (int rank = 0; rank < m_ranks->size(); ++rank) {
        const auto parsed = parseJson(said[static_cast<std::size_t>(rank)], "rank " + std::to_string(rank));
        if (!parsed.ok() || !parsed->is_object()) {
            return m_ranks->unfit(rank, "gave a description of its part that cannot be read");
        }
        const Json& one = parsed.value();
        if (one.contains("problem")) {
            return m_ranks->unfit(rank, "could not make its part: " + one["problem"].get<std::string>());
        }
        if (rank == 0) {
            first = one;
        } else if (one["model"] != first["model"]) {
            return m_ranks->unfit(rank, "has another model than rank 0, or computed other weights for the recipe (as many threads "
                                        "in each process give the same ones)");
        }
        out.bytes += one["bytes"].get<std::uint64_t>();
        for (const auto& [name, layer] : one["layers"].items()) {
            auto& all = out.layers[name];
            all.bytes += layer[0].get<std::uint64_t>();
            all.kernel = all.kernel.empty() ? layer[1].get<std::string>() : all.kernel;
        }
    }
    return out;
}

Result<models::RunnableModel> ShardTeam::prepare(const TensorSource& source, bool original, const OpenedModel& opened,
                                                 Progress& progress, std::stop_token stop) {
    const std::int64_t number = ++m_models;
    PARETO_TRY(const auto starts, findStages(source, progress, stop));
    PARETO_CHECK(models::tellPrepare(*this, number, original, starts));
    auto [part, own] = makePart(source, opened, starts, progress, stop);
    progress.begin(Stage::StartingRanks);
    PARETO_TRY(const auto said, m_ranks->exchange(own.dump(), stop));
    if (!part.ok()) {
        return std::move(part);
    }
    PARETO_TRY(auto model, joinParts(said, source.layout()));
    model.number = number;
    model.partners = shared_from_this();
    m_did.bytes += part->model().bytes();
    return models::leadShards(std::move(model), std::move(part.value()));
}

/// What one behind the first cuts its part of: the whole model, compressed, where the recipe looks at more than a tensor at
/// a time.
struct ShardTeam::Source {
    std::optional<ModelOnDemand> onDemand;
    ReadyModel whole;

    const OpenedModel& opened() const { return onDemand ? *onDemand->opened : *whole.opened; }
};

Result<ShardTeam::Source> ShardTeam::openSource(ModelCache& cache, const Recipe& recipe, Progress& progress,
                                                std::stop_token stop) const {
    models::setThreads(m_params.target.threads);
    Source out;
    PARETO_TRY(out.onDemand, openOnDemand(cache, m_params.model, recipe, progress, stop));
    if (!out.onDemand) {
        ReadyRequest request{m_params.model, recipe, m_params.target};
        request.target.tensorParallel = 1;
        request.target.pipelineParallel = 1;
        PARETO_TRY(out.whole, compressedModel(cache, request, progress, std::move(stop)));
    }
    return out;
}

Status ShardTeam::serve(ModelCache& cache, Progress& progress, std::stop_token stop) {
    // While rank 0 does the same.
    std::optional<Result<Source>> source = openSource(cache, m_params.recipe, progress, stop);
    const auto partOf = [&](const std::vector<std::int32_t>& starts) -> Part {
        if (!source->ok()) {
            return {source->failure<models::RunnableModel>(), {{"problem", problemOf(*source)}}};
        }
        const auto& found = source->value();
        return found.onDemand ? makePart(*found.onDemand->model, found.opened(), starts, progress, stop)
                              : makePart(HeldTensors(found.whole.compressed.model), found.opened(), starts, progress, stop);
    };
    models::ShardServices services;
    services.prepare = [&](std::int64_t, bool original,
                           const std::vector<std::int32_t>& starts) -> Result<models::RunnableModel> {
        if (original || !source) {
            source.reset();
            source = openSource(cache, original ? Recipe{} : m_params.recipe, progress, stop);
        }
        auto [part, own] = partOf(starts);
        // Only the part stays in memory.
        const auto files = source->ok() ? source->value().opened().files->files() : std::vector<std::string>();
        source.reset();
        cache.clear();
        bench::releaseUnusedMemory(files);
        PARETO_CHECK(m_ranks->exchange(own.dump(), stop));
        m_did.bytes += part.ok() ? part->model().bytes() : 0;
        return std::move(part);
    };
    services.report = [&] { return sayReport(nullptr); };
    services.measureLink = [&]() -> Status {
        PARETO_CHECK(timeSums());
        return Done{};
    };
    services.compareClocks = [&]() -> Status {
        PARETO_CHECK(pingAll());
        return Done{};
    };
    services.record = [&](bool on) { return keep(on, nullptr); };
    auto served = models::serveShards(*this, services);
    m_together = served.ok();
    if (!served.ok() && !lost()) {
        m_ranks->group().fail(served.cancelled() ? "was cancelled" : "ended: " + errorMessage(served.error()));
    }
    return served;
}

/// Two sizes tell latency and bandwidth apart. The median of many: others may be late.
Result<bench::Link> ShardTeam::timeSums() {
    constexpr std::size_t kFew = 64;
    constexpr std::size_t kMany = std::size_t{1} << 17;
    constexpr int kRounds = 200;
    std::vector<float> values(kMany, 0.0F);
    const auto medianOf = [&](std::size_t count) -> Result<double> {
        std::vector<double> seconds;
        for (int round = 0; round < kRounds; ++round) {
            const double begin = now();
            PARETO_CHECK(m_circles.stage->allReduceSum(std::span(values).first(count), {}));
            seconds.push_back(now() - begin);
        }
        return stats::median(seconds);
    };
    PARETO_TRY(const double few, medianOf(kFew));
    PARETO_TRY(const double many, medianOf(kMany));
    const auto parts = static_cast<double>(m_place.tp);
    const double bytes = 2.0 * (parts - 1.0) / parts * static_cast<double>((kMany - kFew) * sizeof(float));
    return bench::Link{few / std::ceil(std::log2(parts)), bytes / std::max(1e-9, many - few)};
}

Result<bench::Link> ShardTeam::measureLink() {
    PARETO_CHECK(models::tellMeasureLink(*this));
    return timeSums();
}

bool ShardTeam::knowsWaits() const {
    if (m_gpus) {
        return false;  // NCCL does not tell them apart
    }
    for (const auto* circle : {m_circles.stage.get(), m_circles.next.get(), m_circles.previous.get(), m_circles.ends.get()}) {
        if (circle != nullptr && !circle->sharesMemory()) {
            return false;
        }
    }
    return true;
}

/// What was kept travels as it lies in memory: all processes are the same program.
Status ShardTeam::keep(bool on, std::vector<KeptCalls>* all) {
    m_keeping = on;
    if (on) {
        m_kept = {};
        return Done{};
    }
    static_assert(std::is_trivially_copyable_v<PartCall>);
    using Head = std::array<std::int64_t, 2>;
    const Head head{m_kept.leftOut, knowsWaits() ? 1 : 0};
    const auto calls = std::as_bytes(std::span(m_kept.calls));
    std::string own(sizeof head + calls.size(), '\0');
    std::memcpy(own.data(), head.data(), sizeof head);
    std::copy(calls.begin(), calls.end(), std::as_writable_bytes(std::span(own)).begin() + sizeof head);
    m_kept = {};
    PARETO_TRY(const auto said, m_ranks->exchange(own, {}));
    for (int rank = 0; all != nullptr && rank < m_ranks->size(); ++rank) {
        const auto& text = said[static_cast<std::size_t>(rank)];
        const auto bytes = std::as_bytes(std::span(text));
        const std::size_t count = bytes.size() < sizeof head ? 0 : (bytes.size() - sizeof head) / sizeof(PartCall);
        if (bytes.size() != sizeof head + count * sizeof(PartCall) || count > kMostCalls) {
            return m_ranks->unfit(rank, "gave calls that cannot be read");
        }
        Head theirs{};
        std::memcpy(theirs.data(), bytes.data(), sizeof theirs);
        KeptCalls one{std::vector<PartCall>(count), theirs[0], theirs[1] != 0};
        std::copy(bytes.begin() + sizeof head, bytes.end(), std::as_writable_bytes(std::span(one.calls)).begin());
        all->push_back(std::move(one));
    }
    return Done{};
}

Status ShardTeam::record() {
    PARETO_CHECK(models::tellRecord(*this, true));
    return keep(true, nullptr);
}

Result<std::vector<KeptCalls>> ShardTeam::recorded() {
    std::vector<KeptCalls> out;
    PARETO_CHECK(models::tellRecord(*this, false));
    PARETO_CHECK(keep(false, &out));
    return out;
}

/// All take part in each round trip, as their circle has it.
Result<std::vector<ClockOffset>> ShardTeam::pingAll() {
    constexpr int kTrips = 20;
    std::vector<ClockOffset> out(static_cast<std::size_t>(m_ranks->size()));
    auto& all = m_ranks->group().all();
    for (int rank = 1; rank < m_ranks->size(); ++rank) {
        auto& best = out[static_cast<std::size_t>(rank)];
        best.error = std::numeric_limits<double>::infinity();
        for (int trip = 0; trip < kTrips; ++trip) {
            double there = 0.0;
            const auto bytes = std::as_writable_bytes(std::span(&there, 1));
            const double asked = now();
            PARETO_CHECK(all.broadcast(bytes, 0, {}));
            there = now();
            PARETO_CHECK(all.broadcast(bytes, rank, {}));
            const double error = (now() - asked) / 2.0;
            if (error < best.error) {
                best = {there - (asked + error), error};
            }
        }
    }
    return out;
}

Result<std::vector<ClockOffset>> ShardTeam::compareClocks() {
    if (m_ranks->here() == m_ranks->size()) {
        return std::vector<ClockOffset>(static_cast<std::size_t>(m_ranks->size()));
    }
    PARETO_CHECK(models::tellCompareClocks(*this));
    return pingAll();
}

Status ShardTeam::sayReport(std::vector<ShardReport>* all) {
    m_did.total = now() - m_since;
    m_did.resident = bench::residentMemory();
    PARETO_TRY(const auto said, m_ranks->exchange(toJson(m_did).dump(), {}));
    m_since = now();
    m_did.sums = m_did.handing = m_did.waiting = m_did.idle = 0.0;
    for (int rank = 0; all != nullptr && rank < m_ranks->size(); ++rank) {
        const auto parsed = parseJson(said[static_cast<std::size_t>(rank)], "a report");
        if (!parsed.ok() || !parsed->is_object()) {
            return m_ranks->unfit(rank, "gave a report that cannot be read");
        }
        JsonReader reader(parsed.value(), ErrorCode::ConfigInvalid, "a report");
        ShardReport one;
        one.rank = rank;
        one.host = m_ranks->hostOf(rank);
        one.total = reader.number("seconds", 0.0, 0.0, 1e9);
        one.sums = reader.number("sums", 0.0, 0.0, 1e9);
        one.handing = reader.number("handing", 0.0, 0.0, 1e9);
        one.waiting = reader.number("waiting", 0.0, 0.0, 1e9);
        one.idle = reader.number("idle", 0.0, 0.0, 1e9);
        one.bytes = static_cast<std::uint64_t>(reader.integer("bytes", 0, 0, std::int64_t{1} << 60));
        one.resident = static_cast<std::uint64_t>(reader.integer("resident", 0, 0, std::int64_t{1} << 60));
        one.device = reader.text("device", "");
        one.exchange = reader.text("exchange", "");
        one.exchangeReason = reader.text("exchange_reason", "");
        PARETO_CHECK(reader.status());
        all->push_back(std::move(one));
    }
    return Done{};
}

int ShardTeam::machines() const {
    std::set<std::string> hosts;
    for (int rank = 0; rank < m_ranks->size(); ++rank) {
        hosts.insert(m_ranks->hostOf(rank));
    }
    return static_cast<int>(hosts.size());
}

Result<std::vector<ShardReport>> ShardTeam::report() {
    std::vector<ShardReport> out;
    PARETO_CHECK(models::tellReport(*this));
    PARETO_CHECK(sayReport(&out));
    return out;
}

Result<Json> runShard(ModelCache& cache, const ShardParams& params, Progress& progress, std::stop_token stop) {
    return guarded(kJobShard, [&]() -> Result<Json> {
        PARETO_TRY(const auto team, ShardTeam::gather(params, stop));
        if (team == nullptr || team->rank() == 0) {
            return wrongRanks("are not said by the environment: the job \"shard\" is for processes that pareto starts");
        }
        PARETO_CHECK(team->serve(cache, progress, stop));
        return Json::object();
    });
}

}  // namespace pareto::jobs
