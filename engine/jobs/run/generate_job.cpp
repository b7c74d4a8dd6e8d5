#include "engine/jobs/run/generate_job.h"

#include <algorithm>
#include <numeric>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/sampling_options.h"
#include "engine/jobs/run/text_stream.h"
#include "engine/text/chat_template.h"

namespace pareto::jobs {

namespace {

/// Tokens a dialogue may reach before its cache is made anew; memory is touched only as far as it is
/// filled.
constexpr std::int64_t kDialogueTokens = 4096;

Error unfit(const ReadyModel& ready) {
    return makeError(ErrorCode::TaskUnfit,
                     {{"task", "generate"},
                      {"model", ready.opened->weights.layout.name},
                      {"reason", "generating text needs a text generator (a decoder)"}});
}

/// The kept cache where it suffices, else a new one.
Result<PromptCache*> promptCache(ReadyModel& ready, const models::GenerateOptions& options,
                                 std::int64_t promptTokens) {
    auto& decoder = *ready.runnable.decoder;
    std::int64_t needed = promptTokens + std::max<std::int64_t>(1, options.maxTokens) - 1;
    std::int64_t wanted = std::max(needed, kDialogueTokens);
    if (const auto most = decoder.layout().maxPositions; most > 0) {
        needed = std::min(needed, most);
        wanted = std::min(wanted, most);
    }
    auto& kept = ready.prompt;
    if (!kept || kept->capacity < needed || kept->format != options.cacheFormat) {
        kept.reset();
        PARETO_TRY(auto cache, decoder.newCache(1, {wanted, options.cacheFormat}));
        kept.emplace(PromptCache{std::move(cache), {}, wanted, options.cacheFormat});
    }
    return &*kept;
}

Result<models::Generation> continuePrompt(ReadyModel& ready, const std::vector<std::int32_t>& ids,
                                          const models::GenerateOptions& options,
                                          const models::TokenSink& onToken, std::stop_token stop) {
    if (ready.runnable.seq2seq) {
        return models::translate(*ready.runnable.seq2seq, ids, options, onToken, stop);
    }
    auto& decoder = *ready.runnable.decoder;
    if (options.beams > 1) {
        return models::generate(decoder, ids, options, onToken, stop);
    }
    PARETO_TRY(PromptCache* const held,
               promptCache(ready, options, static_cast<std::int64_t>(ids.size())));
    auto made = models::generate(decoder, ids, *held->cache, held->ids, options, onToken, stop);
    if (!made.ok()) {
        ready.prompt.reset();
    }
    return made;
}

/// The prompt, or the dialogue under the model's chat template, in tokens.
Result<std::vector<std::int32_t>> promptOf(const GenerateParams& params, const ReadyModel& ready,
                                           const text::Tokenizer& tokenizer) {
    std::string prompt = params.prompt;
    text::EncodeOptions encode;
    if (!params.turns.empty()) {
        std::vector<text::ChatMessage> messages;
        for (const auto& turn : params.turns) {
            messages.push_back({turn.role, turn.content});
        }
        const auto& files = *ready.opened->files;
        PARETO_TRY(prompt, text::applyChatTemplate(files, messages));
        // A template writes the special tokens itself.
        encode.addSpecialTokens = !text::hasChatTemplate(files);
    }
    return tokensOf(prompt, "prompt", ready.runnable.model().layout(), tokenizer, encode);
}

Result<GenerateResult> generateText(ModelCache& cache, const GenerateParams& params,
                                    Progress& progress, std::stop_token stop, RunSink& sink) {
    auto target = params.target;
    target.batch = params.sampling.beams;
    target.generate = params.sampling.maxTokens;
    const ReadyRequest request{params.model, params.recipe, target, false, cacheFormatOf(params.sampling)};
    PARETO_TRY(const auto ready, keptModel(cache, request, progress, stop));
    if (ready->runnable.generator() == nullptr) {
        return unfit(*ready);
    }
    PARETO_TRY(const auto tokenizer, ready->opened->tokenizer());
    const auto& layout = ready->runnable.model().layout();
    PARETO_TRY(const auto ids, promptOf(params, *ready, *tokenizer));
    const auto options = generateOptions(params.sampling, layout, *tokenizer);
    TextStream stream(tokenizer, params.sampling.stopTexts);
    const auto emit = [&](const std::string& piece) {
        if (!piece.empty()) {
            sink.partial({{"text", piece}, {"tokens_per_s", stream.tokensPerSecond()}});
        }
    };
    progress.begin(Stage::Generating, options.maxTokens, Unit::Tokens);
    const auto onToken = [&](std::int32_t id) {
        emit(stream.add(id));
        progress.advance();
        return !stream.stopped();
    };
    PARETO_TRY(const auto generation, continuePrompt(*ready, ids, options, onToken, stop));
    emit(stream.finish());
    GenerateResult result;
    result.text = stream.text();
    result.ids = generation.ids;
    result.promptTokens = generation.promptTokens;
    result.reusedTokens = generation.reusedTokens;
    result.firstTokenMs = generation.firstTokenSeconds * 1000.0;
    result.stopped = generation.stopped || stream.stopped();
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
            {"reused_tokens", result.reusedTokens},
            {"first_token_ms", result.firstTokenMs},
            {"tokens_per_s", result.tokensPerSecond},
            {"stopped", result.stopped}};
}

Result<GenerateResult> runGenerate(ModelCache& cache, const GenerateParams& params,
                                   Progress& progress, std::stop_token stop, RunSink& sink) {
    return guarded(kJobGenerate, [&] { return generateText(cache, params, progress, stop, sink); });
}

}  // namespace pareto::jobs
