// What zeros are worth: an encoder (texts of 128 tokens) and a decoder (a prompt of 128 tokens, then one token at a
// time), pruned by magnitude to patterns and shares, each once with dense kernels and once with those that the
// runtime chose by measuring; in turns, so that load from elsewhere falls on both alike. Ratios are dense time /
// chosen time, medians over rounds with a 95 % bootstrap interval. Accuracy is not looked at: ./dev bench --table has it.
// Usage: bench_sparse ENCODER DECODER [threads 2] [rounds 9]; "-" leaves a model out
#include <chrono>

#include "engine/models/generate.h"
#include "tests/bench/bench_recipe.h"

using namespace pareto;

namespace {

constexpr int kTokens = 24;

struct Pattern {
    const char* name;
    const char* prune;
};
constexpr Pattern kPatterns[] = {
    {"unstructured 50 %", R"({"pattern": "unstructured", "ratio": 0.5})"},
    {"unstructured 70 %", R"({"pattern": "unstructured", "ratio": 0.7})"},
    {"unstructured 80 %", R"({"pattern": "unstructured", "ratio": 0.8})"},
    {"unstructured 90 %", R"({"pattern": "unstructured", "ratio": 0.9})"},
    {"2:4", R"({"pattern": "2:4"})"},
    {"blocks 1x4, 80 %", R"({"pattern": "1x4", "ratio": 0.8})"},
    {"blocks 1x16, 80 %", R"({"pattern": "1x16", "ratio": 0.8})"},
    {"blocks 4x1, 80 %", R"({"pattern": "4x1", "ratio": 0.8})"},
    {"blocks 4x4, 80 %", R"({"pattern": "4x4", "ratio": 0.8})"},
    {"blocks 16x1, 80 %", R"({"pattern": "16x1", "ratio": 0.8})"},
    {"blocks 16x4, 50 %", R"({"pattern": "16x4", "ratio": 0.5})"},
    {"blocks 16x4, 80 %", R"({"pattern": "16x4", "ratio": 0.8})"},
};

/// What is timed of a model, in milliseconds.
struct Times {
    std::vector<double> text;   ///< an encoder's run, a decoder's prompt
    std::vector<double> token;  ///< a decoder's median token
};

LoadedModel compressed(const LoadedModel& model, const Pattern& pattern, bool int8) {
    std::string text = R"({"version": 1, "layers": [{"match": "embeddings\\..*", "prune": null}], "defaults": {"prune": )" +
                       std::string(pattern.prune);
    if (int8) {
        const char* groups = model.layout.isDecoder() ? R"(, "activation_group": 64)" : "";
        text += R"(, "quantize": {"weights": "int8", "group": "channel", "activations": "int8-dynamic")" +
                std::string(groups) + "}";
    }
    return bench::compressed(model, text + "}}");
}

models::RunnableModel prepared(const LoadedModel& model, int threads, bool dense) {
    Progress progress;
    dense ? setenv("PARETO_SPARSE", "never", 1) : unsetenv("PARETO_SPARSE");
    models::DeviceOptions options;
    options.threads = threads;
    auto out = models::prepareModel(model, options, progress, {});
    if (!out.ok()) {
        std::fprintf(stderr, "a model cannot be prepared\n");
        std::exit(1);
    }
    return std::move(out).value();
}

void measure(models::RunnableModel& model, const std::vector<std::int32_t>& tokens, Times& out) {
    if (model.encoder) {
        models::TokenBatch batch;
        batch.ids = {tokens};
        const auto start = std::chrono::steady_clock::now();
        if (!model.encoder->run(batch, {}).ok()) {
            std::exit(1);
        }
        out.text.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
        return;
    }
    models::GenerateOptions generation;
    generation.maxTokens = kTokens;
    auto made = models::generate(*model.decoder, tokens, generation, {}, {});
    if (!made.ok() || made->tokenSeconds.empty()) {
        std::exit(1);
    }
    out.text.push_back(made->firstTokenSeconds * 1e3);
    out.token.push_back(bench::median(made->tokenSeconds) * 1e3);
}

void printRatio(const char* what, const std::vector<double>& dense, const std::vector<double>& chosen) {
    const auto ratio = bench::pairedRatio(dense, chosen);
    std::printf("  %s %8.3f -> %8.3f ms %5.2fx [%.2f, %.2f]", what, bench::median(dense), bench::median(chosen),
                ratio.value, ratio.low, ratio.high);
}

void compare(const LoadedModel& model, const Pattern& pattern, bool int8, int threads, int rounds) {
    const LoadedModel pruned = compressed(model, pattern, int8);
    auto dense = prepared(pruned, threads, true);
    auto chosen = prepared(pruned, threads, false);
    const auto tokens = bench::randomTokens(128, model.layout);
    Times warmUp;
    Times times[2];
    for (int round = -1; round < rounds; ++round) {
        measure(round % 2 == 0 ? dense : chosen, tokens, round < 0 ? warmUp : times[round % 2]);
        measure(round % 2 == 0 ? chosen : dense, tokens, round < 0 ? warmUp : times[1 - round % 2]);
    }
    std::printf("%-5s %-20s %4.0f -> %4.0f MB", int8 ? "int8" : "fp32", pattern.name,
                static_cast<double>(dense.model().bytes()) / 1e6, static_cast<double>(chosen.model().bytes()) / 1e6);
    printRatio("128 tokens", times[0].text, times[1].text);
    if (!times[0].token.empty()) {
        printRatio("one token", times[0].token, times[1].token);
    }
    const auto& layers = pruned.layout.layers;
    const auto wide = std::find_if(layers.begin(), layers.end(), [](const LayerInfo& layer) {
        return layer.block == 0 && layer.name.find(".ffn.") != std::string::npos;
    });
    std::printf("  %s\n", wide != layers.end() ? chosen.model().kernelOf(wide->name).c_str() : "");
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: bench_sparse ENCODER DECODER [threads] [rounds]\n");
        return 2;
    }
    const int threads = argc > 3 ? std::atoi(argv[3]) : 2;
    const int rounds = argc > 4 ? std::atoi(argv[4]) : 9;
    for (int at = 1; at <= 2; ++at) {
        if (std::string(argv[at]) == "-") {
            continue;
        }
        const LoadedModel model = bench::loadModel(argv[at]);
        std::printf("%s, %d threads\n", model.layout.name.c_str(), threads);
        for (const bool int8 : {false, true}) {
            for (const auto& pattern : kPatterns) {
                compare(model, pattern, int8, threads, rounds);
            }
        }
    }
    return 0;
}
