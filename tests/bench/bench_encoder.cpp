// Paired, interleaved timing of one encoder in several formats: A-B-B-A rounds, so that load from
// elsewhere falls on all alike. Prints the median of each and the ratio to fp32 with a bootstrap
// interval. Usage: bench_encoder MODEL [sequence 128] [threads 2] [rounds 40] [batch 1]
#include <chrono>

#include "engine/models/model.h"
#include "engine/weights/quantize.h"
#include "tests/bench/bench_support.h"

using namespace pareto;

namespace {

struct Variant {
    std::string name;
    bool quantize = false;
    WeightFormat format;
    models::RunnableModel model;
    std::vector<double> milliseconds;
};

WeightFormat format(NumberFormat number, Granularity granularity, Activations activations,
                    std::int64_t activationGroup = 0) {
    WeightFormat out;
    out.format = number;
    out.granularity = granularity;
    out.groupSize = granularity == Granularity::Group ? 64 : 0;
    out.activations = activations;
    out.activationGroup = activationGroup;
    return out;
}

double runOnce(models::Encoder& encoder, const models::TokenBatch& batch) {
    const auto start = std::chrono::steady_clock::now();
    const auto out = encoder.run(batch, {});
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (!out.ok()) {
        std::fprintf(stderr, "the encoder failed\n");
        std::exit(1);
    }
    return elapsed.count();
}

void printRatio(const Variant& base, const Variant& other) {
    const auto ratio = bench::pairedRatio(base.milliseconds, other.milliseconds);
    std::printf("%-24s %8.3f ms  best %8.3f ms  %5.2fx fp32 [%.2f, %.2f]  %9llu bytes  %s\n",
                other.name.c_str(), bench::median(other.milliseconds),
                *std::min_element(other.milliseconds.begin(), other.milliseconds.end()), ratio.value,
                ratio.low, ratio.high, static_cast<unsigned long long>(other.model.model().bytes()),
                other.model.model().kernelOf("encoder.layer.0.ffn.in").c_str());
}

LoadedModel quantized(const LoadedModel& model, const WeightFormat& to) {
    LoadedModel out = model;
    for (const auto& layer : model.layout.layers) {
        if (layer.block < 0 && layer.role != LayerRole::Head) {
            continue;
        }
        auto& tensor = out.tensors.at(layer.name + ".weight");
        tensor = quantizeTensor(dequantize(tensor), layer.rows, layer.cols, to, models::torchParallelFor());
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int at, int fallback) { return argc > at ? std::atoi(argv[at]) : fallback; };
    const int sequence = number(2, 128);
    const int threads = number(3, 2);
    const int rounds = number(4, 40);
    const int items = number(5, 1);
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_encoder MODEL [sequence] [threads] [rounds] [batch]\n");
        return 2;
    }
    const LoadedModel loaded = bench::loadModel(argv[1]);
    Progress progress;
    std::vector<Variant> variants;
    const auto add = [&](const std::string& name, bool quantize, const WeightFormat& to) {
        Variant variant;
        variant.name = name;
        models::DeviceOptions options;
        options.threads = threads;
        auto prepared = models::prepareModel(quantize ? quantized(loaded, to) : loaded, options, progress, {});
        if (prepared.ok() && prepared->encoder) {
            variant.model = std::move(prepared).value();
            variants.push_back(std::move(variant));
        }
    };
    add("fp32", false, {});
    add("int8 dynamic", true, format(NumberFormat::Int8, Granularity::Channel, Activations::Int8Dynamic));
    add("int8 dynamic, groups 64", true, format(NumberFormat::Int8, Granularity::Channel, Activations::Int8Dynamic, 64));
    add("int8 weight-only", true, format(NumberFormat::Int8, Granularity::Group, Activations::None));
    add("fp16 weights", true, format(NumberFormat::F16, Granularity::Channel, Activations::None));
    models::TokenBatch batch;
    const auto tokens = bench::randomTokens(std::int64_t{items} * sequence, loaded.layout);
    for (auto at = tokens.begin(); at != tokens.end(); at += sequence) {
        batch.ids.emplace_back(at, at + sequence);
    }
    for (auto& variant : variants) {
        for (int i = 0; i < 3; ++i) {
            runOnce(*variant.model.encoder, batch);
        }
    }
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < variants.size(); ++i) {
            auto& variant = variants[round % 2 == 0 ? i : variants.size() - 1 - i];
            variant.milliseconds.push_back(runOnce(*variant.model.encoder, batch));
        }
    }
    for (const auto& variant : variants) {
        printRatio(variants.front(), variant);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        bench::PhaseTimes times;
        variants[i].model.encoder->setObserver(&times);
        for (int round = 0; round < rounds; ++round) {
            runOnce(*variants[i].model.encoder, batch);
        }
        times.print(variants[i].name, rounds);
    }
    return 0;
}
