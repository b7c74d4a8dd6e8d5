#include "engine/jobs/run/generate_job.h"

#include <algorithm>
#include <numeric>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/models/generate.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

namespace pareto::jobs {

namespace {

Error unfit(const ReadyModel& ready) {
    return makeError(ErrorCode::TaskUnfit,
                     {{"task", "generate"},
                      {"model", ready.opened->weights.layout.name},
                      {"reason", "generating text needs a text generator (a decoder)"}});
}

Result<models::GenerateOptions> optionsFor(const GenerateParams& params, const ModelLayout& layout,
                                           const text::Tokenizer& tokenizer,
                                           std::size_t promptTokens) {
    const auto room = layout.maxPositions - static_cast<std::int64_t>(promptTokens);
    if (promptTokens == 0 || (layout.maxPositions > 0 && room < 1)) {
        return makeError(ErrorCode::TargetInvalid,
                         {{"field", "prompt"},
                          {"reason", promptTokens == 0
                                         ? "is empty"
                                         : "has " + std::to_string(promptTokens) +
                                               " tokens; the model has positions for " +
                                               std::to_string(layout.maxPositions)}});
    }
    models::GenerateOptions options;
    const auto& sampling = params.sampling;
    options.maxTokens =
        layout.maxPositions > 0 ? std::min(sampling.maxTokens, room) : sampling.maxTokens;
    options.temperature = sampling.temperature;
    options.topK = sampling.topK;
    options.topP = sampling.topP;
    options.seed = sampling.seed;
    for (const auto id : {tokenizer.eosId(), static_cast<std::int32_t>(layout.eosId)}) {
        if (id >= 0) {
            options.stopIds.push_back(id);
        }
    }
    return options;
}

Result<GenerateResult> generateText(ModelCache& cache, const GenerateParams& params,
                                    Progress& progress, std::stop_token stop, RunSink& sink) {
    auto target = params.target;
    target.batch = 1;
    target.generate = params.sampling.maxTokens;
    PARETO_TRY(const auto kept, keptModel(cache, {params.model, params.recipe, target, false},
                                          progress, stop));
    auto& ready = *kept;
    if (!ready.runnable.decoder) {
        return unfit(ready);
    }
    PARETO_TRY(const auto tokenizer, ready.opened->tokenizer());
    std::vector<text::ChatMessage> messages;
    for (const auto& turn : params.turns) {
        messages.push_back({turn.role, turn.content});
    }
    auto prompt = params.prompt;
    text::EncodeOptions encode;
    if (!messages.empty()) {
        const auto& files = *ready.opened->files;
        PARETO_TRY(prompt, text::applyChatTemplate(files, messages));
        // A template writes the special tokens itself.
        encode.addSpecialTokens = !text::hasChatTemplate(files);
    }
    const auto ids = tokenizer->encode(prompt, encode).ids;
    auto& decoder = *ready.runnable.decoder;
    PARETO_TRY(const auto options,
               optionsFor(params, decoder.layout(), *tokenizer, ids.size()));

    GenerateResult result;
    text::StreamDecoder stream(tokenizer);
    const auto emit = [&](const std::string& piece) {
        if (!piece.empty()) {
            result.text += piece;
            sink.partial({{"text", piece}});
        }
    };
    progress.begin(Stage::Generating, options.maxTokens, Unit::Tokens);
    const auto onToken = [&](std::int32_t id) {
        emit(stream.add(id));
        progress.advance();
        return true;
    };
    PARETO_TRY(const auto generation, models::generate(decoder, ids, options, onToken, stop));
    emit(stream.finish());
    result.ids = generation.ids;
    result.promptTokens = generation.promptTokens;
    result.firstTokenMs = generation.firstTokenSeconds * 1000.0;
    const auto seconds = std::accumulate(generation.tokenSeconds.begin(),
                                         generation.tokenSeconds.end(), 0.0);
    if (seconds > 0.0) {
        result.tokensPerSecond = static_cast<double>(generation.tokenSeconds.size()) / seconds;
    }
    return result;
}

}  // namespace

Json toJson(const GenerateResult& result) {
    return {{"text", result.text},
            {"token_ids", result.ids},
            {"prompt_tokens", result.promptTokens},
            {"first_token_ms", result.firstTokenMs},
            {"tokens_per_s", result.tokensPerSecond}};
}

Result<GenerateResult> runGenerate(ModelCache& cache, const GenerateParams& params,
                                   Progress& progress, std::stop_token stop, RunSink& sink) {
    return guarded(kJobGenerate, [&] { return generateText(cache, params, progress, stop, sink); });
}

}  // namespace pareto::jobs
