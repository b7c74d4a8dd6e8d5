#pragma once

#include <limits>

#include "engine/store/store.h"

namespace pareto::test {

inline RunRecord sampleRecord(int number = 1) {
    RunRecord record;
    record.name = "run " + std::to_string(number);
    record.modelPath = "models/a";
    record.modelName = "a";
    record.modelHash = "hash-a";
    record.family = "bert";
    record.recipe = {{"version", 1}, {"defaults", {{"quantize", {{"weights", "int8"}}}}}};
    record.recipeHash = "recipe";
    record.recipeSummary = "int8";
    record.task = {{"version", 1}, {"kind", "classification"}};
    record.taskName = "prompts";
    record.taskKey = "task-key";
    record.target = {{"device", "cpu"}, {"threads", 2}};
    record.targetKey = "target-key";
    record.targetText = "CPU · 2 threads";
    record.headlineKey = "accuracy";
    record.machine.id = "machine";
    record.machine.cores = 2;
    record.seed = 0x8000000000000001ULL;
    record.versions = {{"program", "0.1.0"}};
    record.weightsHash = "weights";
    record.startedAt = 1700000000000 + number;
    record.measurements = {{"accuracy", 0.75, 0.7, 0.8, 4},
                           {"latency_p50_ms", 12.5 + number, 12.0, 13.0, 20},
                           {"perplexity", std::numeric_limits<double>::quiet_NaN(), {}, {}, 0},
                           {"model_bytes", 1e6, {}, {}, 0}};
    record.latenciesMs = {12.0, 12.5, 13.0};
    record.layers = {{"l0", 1.0, 0.25, 1000, "avx2", 0.001, 0.5, 8, 4}};
    record.items = {{0, 1.0, 1}, {3, 0.0, 0}, {5, std::numeric_limits<double>::quiet_NaN(), -1}};
    Histogram histogram{"l0", -1.0, 1.0, std::vector<std::int64_t>(256, 3), 5, 1};
    record.histograms = {histogram};
    record.details = {{"confusion", {{1, 0}, {1, 1}}}, {"predictions", {{"model_bytes", 1e6}}}};
    return record;
}

/// With what version 2 of the store added.
inline RunRecord sampleTranslation(int number = 1) {
    RunRecord record = sampleRecord(number);
    record.task = {{"version", 1}, {"kind", "translation"}};
    record.headlineKey = "bleu";
    record.measurements = {{"bleu", 31.5, 30.0, 33.0, 2}, {"chrf", 55.25, 54.0, 56.5, 2}};
    record.items = {{0, 31.5, -1, "Gr\u00fc\u00dfe", {3.0, 4.0, 0.25}}, {1, 0.0, -1}};
    return record;
}

}  // namespace pareto::test
