// One model in one recipe that answers timed runs, for programs that pair it with another one's.
// Usage: bench_serve MODEL RECIPE.json [threads 2]; "-" as the recipe leaves the model as it is
// Lines on stdin, an answer in milliseconds each:
//   text TOKENS ITEMS      an encoder's run
//   prompt TOKENS          a decoder's prompt, to the choice of the first token
//   token PAST COUNT       mean of COUNT tokens, one after the other, behind PAST
//   batch ITEMS COUNT      mean of COUNT steps of ITEMS sequences at a time, behind one token each
// "kernel NAME" answers how that layer runs, "bytes" what the weights take.
#include <iostream>
#include <numeric>
#include <sstream>

#include "engine/core/file.h"
#include "tests/bench/bench_recipe.h"
#include "engine/models/generate.h"

using namespace pareto;

namespace {

double milliseconds(std::chrono::steady_clock::time_point since) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

double textTime(models::Encoder& encoder, std::int64_t tokens, std::int64_t items) {
    const auto ids = bench::randomTokens(tokens * items, encoder.layout());
    models::TokenBatch batch;
    for (auto at = ids.begin(); at != ids.end(); at += tokens) {
        batch.ids.emplace_back(at, at + tokens);
    }
    const auto start = std::chrono::steady_clock::now();
    if (!encoder.run(batch, {}).ok()) {
        std::exit(1);
    }
    return milliseconds(start);
}

models::Generation generated(models::Decoder& decoder, std::int64_t prompt, std::int64_t count) {
    models::GenerateOptions options;
    options.maxTokens = count;
    auto made = models::generate(decoder, bench::randomTokens(prompt, decoder.layout()), options, {}, {});
    if (!made.ok()) {
        std::exit(1);
    }
    return std::move(made).value();
}

double meanMs(const std::vector<double>& seconds) {
    return std::accumulate(seconds.begin(), seconds.end(), 0.0) * 1e3 /
           static_cast<double>(std::max<std::size_t>(1, seconds.size()));
}

double batchTime(models::Decoder& decoder, std::int64_t items, std::int64_t count) {
    std::vector<std::vector<std::int32_t>> prompts;
    for (const auto id : bench::randomTokens(items, decoder.layout())) {
        prompts.push_back({id});
    }
    models::GenerateOptions options;
    options.maxTokens = count + 1;
    const auto made = models::generateBatch(decoder, prompts, options, {});
    if (!made.ok()) {
        std::exit(1);
    }
    return meanMs(made->front().tokenSeconds);
}

std::string answer(models::RunnableModel& model, const std::string& line) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "bytes") {
        return std::to_string(model.model().bytes());
    }
    if (what == "kernel") {
        std::string name;
        words >> name;
        return model.model().kernelOf(name);
    }
    std::int64_t a = 1;
    std::int64_t b = 1;
    words >> a >> b;
    if (what == "text" && model.encoder) {
        return std::to_string(textTime(*model.encoder, a, b));
    }
    if (what == "prompt" && model.decoder) {
        return std::to_string(generated(*model.decoder, a, 1).firstTokenSeconds * 1e3);
    }
    if (what == "token" && model.decoder) {
        return std::to_string(meanMs(generated(*model.decoder, a, b + 1).tokenSeconds));
    }
    if (what == "batch" && model.decoder) {
        return std::to_string(batchTime(*model.decoder, a, b));
    }
    std::fprintf(stderr, "\"%s\" is not understood\n", line.c_str());
    std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: bench_serve MODEL RECIPE.json [threads]\n");
        return 2;
    }
    const LoadedModel loaded = bench::loadModel(argv[1]);
    std::string text = R"({"version": 1})";
    if (std::string(argv[2]) != "-") {
        auto read = readTextFile(argv[2]);
        if (!read.ok()) {
            std::fprintf(stderr, "cannot read %s\n", argv[2]);
            return 1;
        }
        text = std::move(read).value();
    }
    Progress progress;
    models::DeviceOptions options;
    options.threads = argc > 3 ? std::atoi(argv[3]) : 2;
    auto model = models::prepareModel(bench::compressed(loaded, text), options, progress, {});
    if (!model.ok()) {
        std::fprintf(stderr, "the model cannot be prepared\n");
        return 1;
    }
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << answer(model.value(), line) << std::endl;
    }
    return 0;
}
