/// Speaks the worker's protocol and misbehaves as $PARETO_FAKE_WORKER says; see kModes. It measures
/// nothing: the figures of its records are made from the recipe by a formula, for tests of the window.

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/protocol.h"
#include "engine/records/training.h"

namespace {

using namespace pareto;
using namespace std::chrono_literals;

std::mutex g_out;
std::atomic<bool> g_cancelled{false};
std::atomic<bool> g_mute{false};
std::atomic<bool> g_paused{false};
std::atomic<bool> g_finishing{false};

void say(const std::string& lines) {
    const std::lock_guard lock(g_out);
    std::fwrite(lines.data(), 1, lines.size(), stdout);
    std::fflush(stdout);
}

std::string mode() {
    const char* set = std::getenv("PARETO_FAKE_WORKER");
    return set == nullptr ? "good" : set;
}

MachineInfo machine() {
    MachineInfo info;
    info.id = "fake-machine";
    info.host = "fake";
    info.cpu = "Fake CPU";
    info.cores = 2;
    info.devices = {"cpu"};
    if (mode() == "gpus") {
        info.devices.insert(info.devices.end(),
                            {"cuda:0 NVIDIA Test (sm_90, 85.0 GB)", "cuda:1 NVIDIA Test (sm_89, 8.0 GB)"});
    }
    return info;
}

void greet() {
    jobs::HelloMessage hello;
    hello.magic = std::string(jobs::kProtocolMagic);
    hello.protocol =
        mode() == "other-protocol" ? jobs::kProtocolVersion + 1 : jobs::kProtocolVersion;
    hello.program = "fake";
    hello.machine = machine();
    hello.versions = {{"libtorch", "none"}};
    if (mode() == "old-driver") {
        hello.versions["no_cuda"] = errorToJson(makeError(
            ErrorCode::GpuDriverOld,
            {{"device", "cuda"}, {"release", "550.54"}, {"found", "12.4"}, {"needed", "13.0"}, {"update", "580"}}));
    }
    std::fputs("this line comes before the greeting\n", stdout);
    say(jobs::helloLine(hello));
}

Measurement figure(const std::string& key, double value, double spread) {
    return {key, value, value - spread, value + spread, 40};
}

/// Pruned and quantized recipes are faster and a little worse, so that a front appears.
RunRecord recordFor(const jobs::RunParams& params) {
    double cost = 1.0;
    for (const auto& step : params.recipe.prune) {
        cost *= 1.0 - 0.4 * step.ratio;
    }
    if (params.recipe.quantize) {
        cost *= params.recipe.quantize->weights == NumberFormat::Int4 ? 0.8 : 0.6;
    }
    RunRecord record = jobs::recordOf(params);
    record.status = RunStatus::Finished;
    record.finishedAt = record.startedAt + 10;
    record.modelHash = "fake-hash";
    record.machine = machine();
    record.targetKey += " machine=fake-machine";
    record.weightsHash = "fake-weights";
    if (params.task) {
        record.taskKey += " data=fake-data";
        // Recovery wins back half of what was lost.
        const double lost = (1.0 - cost) * (params.recipe.recover.empty() ? 1.0 : 0.5);
        record.measurements.push_back(figure("accuracy", 0.7 - 0.2 * lost, 0.04));
        record.headlineKey = headlineMetric(params.task->kind);
        for (int item = 0; item < 12; ++item) {  // the cheaper, the more of them are wrong
            const bool right = item >= 12.0 * (1.0 - cost);
            record.items.push_back({item, right ? 1.0 : 0.0, right ? 0 : 1});
        }
    }
    record.measurements.push_back(figure("latency_p50_ms", 20.0 * cost, 0.2));
    record.measurements.push_back({"model_bytes", 90e6 * cost, {}, {}, 1});
    for (int i = 0; i < 40; ++i) {
        record.latenciesMs.push_back(20.0 * cost + 0.01 * i);
    }
    record.layers.push_back(
        {"bert.encoder.layer.0.attention.query", 1.5 * cost, 0.1, 4096, "fake", 0.0, 0.0, 32, 32});
    return record;
}

/// 100 rows, 60 of the first class: as many right as the accuracy says, 30 of them of the second.
ConfusionMatrix confusionOf(double accuracy) {
    const auto first = static_cast<std::int64_t>(std::llround(100.0 * accuracy)) - 30;
    return {{"benign", "attack"}, {{first, 60 - first}, {10, 30}}};
}

/// One recovery step along a curve that a formula makes: a loss that falls, a metric that rises until
/// step 30 and falls again. It pauses and ends as it is told. False: cancelled.
bool train(const std::string& id, const RecoverSpec& spec, Json& records) {
    TrainingRecord record;
    record.method = recoverSummary(spec);
    record.source = spec.source;
    record.examples = 96;
    record.ended = "steps";
    const std::int64_t steps = spec.steps > 0 ? spec.steps : 40;
    double best = 0.0;
    Json batch = Json::array();
    for (std::int64_t step = 1; step <= steps; ++step) {
        while (g_paused && !g_finishing && !g_cancelled) {
            std::this_thread::sleep_for(2ms);
        }
        if (g_cancelled) {
            say(jobs::cancelledLine(id));
            return false;
        }
        TrainingPoint point;
        point.step = step;
        point.steps = steps;
        point.epoch = static_cast<double>(step) / 20.0;
        point.loss = 1.0 / (1.0 + 0.1 * static_cast<double>(step)) + (step % 2 == 0 ? 0.05 : -0.05);
        point.learningRate = learningRateAt(spec, step, steps);
        point.examplesPerSecond = 80.0;
        record.points.push_back(point);
        batch.push_back(toJson(point));
        const bool last = step == steps || g_finishing;
        if (step % 4 == 0 || last) {
            say(jobs::eventLine(id, {{"training", batch}}));
            jobs::ProgressMessage progress;
            progress.id = id;
            progress.progress = {Stage::Training, step, steps, Unit::Iterations};
            say(jobs::progressLine(progress));
            batch = Json::array();
        }
        if (step % 10 == 0 || last) {
            const double value = 0.6 + 0.01 * static_cast<double>(std::min<std::int64_t>(step, 60 - step));
            record.validations.push_back({step, "accuracy", value, value > best, confusionOf(value)});
            record.keptStep = value > best ? step : record.keptStep;
            best = std::max(best, value);
            say(jobs::eventLine(id, {{"validation", toJson(record.validations.back())}}));
        }
        record.steps = step;
        if (g_finishing) {
            record.ended = "asked";
            break;
        }
        std::this_thread::sleep_for(mode() == "training" ? 10ms : 1ms);
    }
    records.push_back(toJson(record));
    return true;
}

bool optimized(const Json& params) {
    const auto recipe = recipeFromJson(params.value("recipe", Json::object()));
    return recipe.ok() && !recipe->isEmpty();
}

/// A word a token, another word for a recipe; of a dialogue also how many turns were heard.
bool generate(const jobs::StartMessage& start, Json& result) {
    const auto params = jobs::generateParamsFromJson(start.params);
    if (!params.ok()) {
        say(jobs::errorLine(start.id, params.error()));
        return false;
    }
    std::string text = params->turns.empty()
                           ? "once"
                           : "heard " + std::to_string(params->turns.size()) + " turns";
    say(jobs::eventLine(start.id, {{"text", text}}));
    for (std::int64_t i = 1; i < params->sampling.maxTokens; ++i) {
        if (g_cancelled) {
            say(jobs::cancelledLine(start.id));
            return false;
        }
        const std::string piece = i > 2 && optimized(start.params) ? " more" : " upon";
        text += piece;
        say(jobs::eventLine(start.id, {{"text", piece}}));
        std::this_thread::sleep_for(mode() == "slow" ? 50ms : 2ms);
    }
    result = {{"text", text}, {"tokens_per_s", optimized(start.params) ? 40.0 : 20.0}};
    if (params->draft) {
        result["draft"] = {{"acceptance", params->draft->recipe.isEmpty() ? 1.0 : 0.75}};
    }
    return true;
}

/// Answers of the playground's jobs; false: the job has ended otherwise.
bool tryOut(const jobs::StartMessage& start, Json& result) {
    if (start.job == jobs::kJobGenerate) {
        return generate(start, result);
    }
    const bool pruned = optimized(start.params);
    const auto params = jobs::textParamsFromJson(start.params);
    if (!params.ok()) {
        say(jobs::errorLine(start.id, params.error()));
        return false;
    }
    if (start.job == jobs::kJobEmbed) {
        result["vectors"] = Json::array();
        for (const auto& text : params->texts) {
            result["vectors"].push_back({1.0, static_cast<double>(text.size()), pruned ? 2.0 : 1.0});
        }
        return true;
    }
    const Json scores{{"benign", pruned ? 0.25 : 0.75}, {"attack", pruned ? 0.75 : 0.25}};
    result["items"] = Json::array();
    for (std::size_t i = 0; i < params->texts.size(); ++i) {
        result["items"].push_back({{"label", pruned ? "attack" : "benign"}, {"scores", scores}});
    }
    return true;
}

void work(const jobs::StartMessage& start) {
    const auto how = mode();
    jobs::ProgressMessage progress;
    progress.id = start.id;
    progress.residentBytes = 412'000'000;
    const int steps = how == "slow" && start.job != jobs::kJobGenerate ? 400 : 4;
    for (int i = 0; i < steps; ++i) {
        if (g_cancelled) {
            say(jobs::cancelledLine(start.id));
            return;
        }
        progress.progress = {Stage::Evaluating, i * 100, steps * 100, Unit::Samples};
        say(jobs::progressLine(progress));
        std::this_thread::sleep_for(how == "slow" ? 50ms : 5ms);
    }
    if (how == "junk") {
        say("{\"type\": \"res\n");
        return;
    }
    if (how == "long-line") {
        say(std::string(jobs::kMaxLine + 10, 'x'));
        std::this_thread::sleep_for(30s);
        return;
    }
    if (how == "segfault") {
        std::signal(SIGSEGV, SIG_DFL);
        std::raise(SIGSEGV);
    }
    if (how == "killed") {
        std::raise(SIGKILL);
    }
    if (how == "exit") {
        std::_Exit(3);
    }
    if (how == "silent") {
        g_mute = true;
        std::this_thread::sleep_for(30s);
        return;
    }
    if (how == "error") {
        say(jobs::errorLine(start.id, makeError(ErrorCode::MemoryShort, {{"what", "the model"},
                                                                         {"needed", "1900000000"},
                                                                         {"free", "1100000000"}})));
        return;
    }
    if (start.job == jobs::kJobExport) {
        jobs::ExportResult result;
        result.path = start.params.value("target", std::string{});
        result.format = "hf";
        result.verified = true;
        result.bytes = 4096;
        say(jobs::resultLines(start.id, jobs::toJson(result)));
        return;
    }
    if (start.job != jobs::kJobRun) {
        Json result;
        if (tryOut(start, result)) {
            say(jobs::resultLines(start.id, result));
        }
        return;
    }
    const auto params = jobs::runParamsFromJson(start.params);
    if (!params.ok()) {
        say(jobs::errorLine(start.id, params.error()));
        return;
    }
    auto record = recordFor(params.value());
    for (const auto& spec : params->recipe.recover) {
        if (!train(start.id, spec, record.details["recover"])) {
            return;
        }
    }
    if (how == "big") {  // more than one line: chunks
        record.latenciesMs.assign(200'000, 12.3456789);
    }
    say(jobs::resultLines(start.id, runRecordToJson(record)));
}

}  // namespace

int main() {
    const auto how = mode();
    if (how == "mute") {
        std::this_thread::sleep_for(60s);
        return 0;
    }
    if (how == "dies-at-once") {
        std::fputs("no library found\n", stderr);
        return 127;
    }
    greet();
    std::jthread alive([](std::stop_token stop) {
        while (!stop.stop_requested()) {
            if (!g_mute) {
                say(jobs::aliveLine(412'000'000));
            }
            std::this_thread::sleep_for(100ms);
        }
    });
    std::jthread worker;
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto message = jobs::parseMessage(line);
        if (!message.ok()) {
            continue;
        }
        if (message->type == jobs::MessageType::Cancel) {
            g_cancelled = true;
        } else if (message->type == jobs::MessageType::Control) {
            if (message->action == jobs::ControlAction::Finish) {
                g_finishing = true;
            } else {
                g_paused = message->action == jobs::ControlAction::Pause;
            }
        } else if (message->type == jobs::MessageType::Start) {
            g_cancelled = false;
            g_paused = g_finishing = false;
            worker = std::jthread([start = message->start] { work(start); });
        }
    }
    g_cancelled = true;
    std::_Exit(0);
}
