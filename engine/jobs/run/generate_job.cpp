#include "engine/jobs/run/generate_job.h"

#include <algorithm>
#include <numeric>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/memory_need.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/sampling_options.h"
#include "engine/jobs/run/shard_team.h"
#include "engine/jobs/run/text_stream.h"
#include "engine/text/chat_template.h"

namespace pareto::jobs {

namespace {

/// Tokens a dialogue may reach before its cache is made anew; memory is touched only as far as it is
/// filled.
constexpr std::int64_t kDialogueTokens = 4096;

Error unfit(const ReadyModel& ready, const std::string& reason) {
    return makeError(
        ErrorCode::TaskUnfit,
        {{"task", "generate"}, {"model", ready.opened->weights.layout.name}, {"reason", reason}});
}

/// The kept cache where it suffices, else a new one.
Result<PromptCache*> promptCache(models::Decoder& decoder, std::optional<PromptCache>& kept,
                                 const models::GenerateOptions& options,
                                 std::int64_t promptTokens) {
    std::int64_t needed = promptTokens + std::max<std::int64_t>(1, options.maxTokens) - 1;
    std::int64_t wanted = std::max(needed, kDialogueTokens);
    if (const auto most = decoder.layout().maxPositions; most > 0) {
        needed = std::min(needed, most);
        wanted = std::min(wanted, most);
    }
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
               promptCache(decoder, ready.prompt, options, static_cast<std::int64_t>(ids.size())));
    auto made = models::generate(decoder, ids, *held->cache, held->ids, options, onToken, stop);
    if (!made.ok()) {
        ready.prompt.reset();
    }
    return made;
}

/// The model that proposes tokens; memory is counted with the caches of both, which are still to be filled.
Result<std::shared_ptr<ReadyModel>> readyDraft(ModelCache& cache, const GenerateParams& params,
                                               const ReadyModel& ready, std::int64_t promptTokens,
                                               Progress& progress, std::stop_token stop) {
    if (!ready.runnable.decoder) {
        return unfit(ready, "a draft is for text generators that continue a text (decoders)");
    }
    auto target = params.target;
    target.prompt = promptTokens;
    target.generate = params.sampling.maxTokens;
    ReadyRequest request{params.draft->model.empty() ? params.model : params.draft->model,
                         params.draft->recipe, target, false, cacheFormatOf(params.sampling)};
    request.isDraft = true;
    const auto& layout = ready.runnable.decoder->layout();
    request.beside =
        cacheBytes(layout, 1, promptTokens + target.generate, request.cache.value_or(layout.cache));
    PARETO_TRY(auto draft, keptModel(cache, request, progress, stop));
    if (!draft->runnable.decoder) {
        return unfit(*draft, "a draft is a text generator that continues a text (a decoder)");
    }
    return draft;
}

Result<models::SpeculativeGeneration> continueDrafted(ReadyModel& ready, ReadyModel& draft,
                                                      const std::vector<std::int32_t>& ids,
                                                      const models::SpeculativeOptions& options,
                                                      const models::TokenSink& onToken,
                                                      std::stop_token stop) {
    const auto count = static_cast<std::int64_t>(ids.size());
    auto& decoder = *ready.runnable.decoder;
    auto& drafter = *draft.runnable.decoder;
    PARETO_TRY(PromptCache* const held, promptCache(decoder, ready.prompt, options.text, count));
    PARETO_TRY(PromptCache* const drafted,
               promptCache(drafter, draft.draftPrompt, options.text, count));
    auto made = models::generateSpeculative({decoder, *held->cache, held->ids},
                                            {drafter, *drafted->cache, drafted->ids}, ids, options,
                                            onToken, stop);
    if (!made.ok()) {
        ready.prompt.reset();
        draft.draftPrompt.reset();
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
    PARETO_TRY(const bool follows, ShardTeam::follows(params.target));
    if (follows) {
        PARETO_CHECK(runShard(cache, {params.model, params.recipe, params.target}, progress, stop));
        return GenerateResult{};
    }
    auto target = params.target;
    target.batch = params.sampling.beams;
    target.generate = params.sampling.maxTokens;
    const ReadyRequest request{params.model, params.recipe, target, false, cacheFormatOf(params.sampling)};
    PARETO_TRY(const auto ready, keptModel(cache, request, progress, stop));
    if (ready->runnable.generator() == nullptr) {
        return unfit(*ready, "generating text needs a text generator (a decoder)");
    }
    PARETO_TRY(const auto tokenizer, ready->opened->tokenizer());
    const auto& layout = ready->runnable.model().layout();
    PARETO_TRY(const auto ids, promptOf(params, *ready, *tokenizer));
    const auto options = generateOptions(params.sampling, layout, *tokenizer);
    std::shared_ptr<ReadyModel> draft;
    if (params.draft) {
        PARETO_TRY(draft, readyDraft(cache, params, *ready, static_cast<std::int64_t>(ids.size()),
                                     progress, stop));
    }
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
    GenerateResult result;
    models::Generation generation;
    if (draft) {
        PARETO_TRY(auto made, continueDrafted(*ready, *draft, ids, {options, params.draft->tokens},
                                              onToken, stop));
        generation = std::move(made.text);
        result.draft = made.figures;
    } else {
        PARETO_TRY(generation, continuePrompt(*ready, ids, options, onToken, stop));
    }
    emit(stream.finish());
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
    Json json{{"text", result.text},
              {"token_ids", result.ids},
              {"prompt_tokens", result.promptTokens},
              {"reused_tokens", result.reusedTokens},
              {"first_token_ms", result.firstTokenMs},
              {"tokens_per_s", result.tokensPerSecond},
              {"stopped", result.stopped}};
    if (result.draft) {
        json["draft"] = {
            {"drafted", result.draft->drafted},         {"accepted", result.draft->accepted},
            {"acceptance", result.draft->acceptance()}, {"target_steps", result.draft->targetSteps},
            {"draft_s", result.draft->draftSeconds},    {"target_s", result.draft->targetSeconds}};
    }
    return json;
}

Result<GenerateResult> runGenerate(ModelCache& cache, const GenerateParams& params,
                                   Progress& progress, std::stop_token stop, RunSink& sink) {
    return guarded(kJobGenerate, [&] { return generateText(cache, params, progress, stop, sink); });
}

}  // namespace pareto::jobs
