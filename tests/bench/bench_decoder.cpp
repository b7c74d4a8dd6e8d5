// Prefill and decode of one decoder in several weight formats, interleaved.
// Usage: bench_decoder MODEL [prompt 64] [tokens 16] [threads 2] [rounds 3]
#include "engine/models/generate.h"
#include "engine/weights/quantize.h"
#include "tests/bench/bench_support.h"

using namespace pareto;

namespace {

struct Variant {
    const char* name;
    bool quantize;
    WeightFormat format;
    models::RunnableModel model;
    std::vector<double> prefill, token;
};

WeightFormat format(NumberFormat number, Granularity granularity, Activations activations,
                    std::int64_t activationGroup) {
    WeightFormat out;
    out.format = number;
    out.granularity = granularity;
    out.groupSize = granularity == Granularity::Group ? 64 : 0;
    out.activations = activations;
    out.activationGroup = activationGroup;
    return out;
}

LoadedModel quantized(LoadedModel model, const WeightFormat& to) {
    for (const auto& layer : model.layout.layers) {
        if (layer.tiedTo.empty()) {
            auto& tensor = model.tensors.at(layer.name + ".weight");
            tensor = quantizeTensor(dequantize(tensor), layer.rows, layer.cols, to, models::torchParallelFor());
        }
    }
    return model;
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int at, int fallback) { return argc > at ? std::atoi(argv[at]) : fallback; };
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_decoder MODEL [prompt] [tokens] [threads] [rounds]\n");
        return 2;
    }
    const LoadedModel loaded = bench::loadModel(argv[1]);
    Progress progress;
    std::vector<Variant> variants;
    variants.push_back({"fp32", false, {}, {}, {}, {}});
    variants.push_back({"fp16 weights", true, format(NumberFormat::F16, Granularity::Channel, Activations::None, 0), {}, {}, {}});
    variants.push_back({"int8 group 64", true, format(NumberFormat::Int8, Granularity::Group, Activations::None, 0), {}, {}, {}});
    variants.push_back({"int4 group 64", true, format(NumberFormat::Int4, Granularity::Group, Activations::None, 0), {}, {}, {}});
    variants.push_back({"int4, int8 dynamic, both 64", true, format(NumberFormat::Int4, Granularity::Group, Activations::Int8Dynamic, 64), {}, {}, {}});
    variants.push_back({"int8, int8 dynamic, both 64", true, format(NumberFormat::Int8, Granularity::Group, Activations::Int8Dynamic, 64), {}, {}, {}});
    variants.push_back({"int8 dynamic, groups 64", true, format(NumberFormat::Int8, Granularity::Channel, Activations::Int8Dynamic, 64), {}, {}, {}});
    models::DeviceOptions options;
    options.threads = number(4, 2);
    for (auto& variant : variants) {
        auto prepared = models::prepareModel(
            variant.quantize ? quantized(loaded, variant.format) : loaded, options, progress, {});
        if (!prepared.ok() || !prepared->decoder) {
            std::fprintf(stderr, "cannot prepare %s\n", variant.name);
            return 1;
        }
        variant.model = std::move(prepared).value();
    }
    const auto prompt = bench::randomTokens(number(2, 64), loaded.layout);
    models::GenerateOptions generation;
    generation.maxTokens = number(3, 16);
    for (int round = 0; round < number(5, 3); ++round) {
        for (auto& variant : variants) {
            auto made = models::generate(*variant.model.decoder, prompt, generation, {}, {});
            if (!made.ok()) {
                return 1;
            }
            variant.prefill.push_back(made->firstTokenSeconds);
            variant.token.insert(variant.token.end(), made->tokenSeconds.begin(), made->tokenSeconds.end());
        }
    }
    for (const auto& variant : variants) {
        std::printf("%-24s prefill %8.1f tokens/s  decode %7.1f tokens/s (best %7.1f)  %10llu bytes\n", variant.name,
                    static_cast<double>(prompt.size()) / bench::median(variant.prefill), 1.0 / bench::median(variant.token),
                    1.0 / *std::min_element(variant.token.begin(), variant.token.end()),
                    static_cast<unsigned long long>(variant.model.model().bytes()));
    }
    for (auto& variant : variants) {
        bench::PhaseTimes times;
        variant.model.decoder->setObserver(&times);
        generation.maxTokens = 1;
        if (!models::generate(*variant.model.decoder, prompt, generation, {}, {}).ok()) {
            return 1;
        }
        times.print(std::string(variant.name) + ", prompt", 1.0);
        generation.maxTokens = 1 + number(3, 16);
        auto made = models::generate(*variant.model.decoder, prompt, generation, {}, {});
        if (!made.ok()) {
            return 1;
        }
        times.print(std::string(variant.name) + ", prompt and " + std::to_string(made->tokenSeconds.size()) + " tokens",
                    1.0);
    }
    return 0;
}
