#include "engine/tasks/texts.h"

#include <algorithm>
#include <array>

#include "engine/models/generate.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

/// Most texts end long before their last allowed token: batches may take so many times the tokens that
/// a batch of prompts alone would.
constexpr std::int64_t kHopedShortness = 4;

/// Tokens of a prompt and of a text that fit the model's positions; a decoder's share them.
struct Room {
    std::int64_t prompt = 0;
    std::int64_t text = 0;
};

Room roomFor(const EvalRequest& request) {
    const auto& task = request.task;
    const auto positions = request.model->model().layout().maxPositions;
    if (positions <= 0) {
        return {task.maxLength, task.maxTokens};
    }
    if (!request.model->decoder) {
        return {std::min(task.maxLength, positions), std::min(task.maxTokens, positions)};
    }
    const auto text = std::max<std::int64_t>(1, std::min(task.maxTokens, positions - 1));
    return {std::max<std::int64_t>(1, std::min(task.maxLength, positions - text)), text};
}

models::GenerateOptions optionsFor(const EvalRequest& request, const Room& room) {
    const auto& layout = request.model->model().layout();
    models::GenerateOptions options;
    options.maxTokens = room.text;
    options.beams = request.task.beams;
    options.stopIds.assign(layout.stopIds.begin(), layout.stopIds.end());
    for (const auto id : {request.tokenizer->eosId(), static_cast<std::int32_t>(layout.eosId)}) {
        if (id >= 0 && std::find(options.stopIds.begin(), options.stopIds.end(), id) == options.stopIds.end()) {
            options.stopIds.push_back(id);
        }
    }
    options.suppressedIds.assign(layout.suppressedIds.begin(), layout.suppressedIds.end());
    options.forcedBosId = layout.forcedBosId;
    return options;
}

constexpr std::array<std::string_view, 2> kTranslated{"source", "target"};
constexpr std::array<std::string_view, 2> kGenerated{"text", "target"};

/// A prompt without a place for the text is a prefix, as T5's tasks have ("summarize: ").
std::string patternOf(const Task& task, ModelKind kind, std::string_view role) {
    const std::string place = "{" + std::string(role) + "}";
    if (task.prompt.empty() && task.kind == TaskKind::Generation && kind == ModelKind::Decoder) {
        return place + "\nTL;DR:";
    }
    return task.prompt.find(place) == std::string::npos ? task.prompt + place : task.prompt;
}

}  // namespace

Result<PromptedTexts> readPromptedTexts(const Task& task, ModelKind kind, Progress& progress, std::stop_token stop) {
    const auto& roles = task.kind == TaskKind::Translation ? kTranslated : kGenerated;
    PARETO_TRY(const auto data, readDataRows(task, roles, progress, std::move(stop)));
    PromptedTexts out{data.hash, data.available, patternOf(task, kind, roles[0]), {}};
    for (const auto& row : data.rows) {
        PromptedText one{row.row, fillTemplate(out.pattern, {{std::string(roles[0]), row.values[0]}}),
                         textsOfCell(row.values[1])};
        if (one.references.empty()) {
            return data.invalid(row.line, "the target is empty");
        }
        out.list.push_back(std::move(one));
    }
    return out;
}

Result<std::vector<std::string>> generateTexts(const EvalRequest& request,
                                               const PromptedTexts& prompts,
                                               Progress& progress, std::stop_token stop) {
    const auto room = roomFor(request);
    const auto options = optionsFor(request, room);
    std::vector<text::TokenSequence> sequences;
    std::vector<std::int64_t> lengths;
    for (const auto& one : prompts.list) {
        sequences.push_back(
            request.tokenizer->encode(one.prompt, {.addSpecialTokens = true, .maxLength = room.prompt}));
        lengths.push_back(static_cast<std::int64_t>(sequences.back().ids.size()) +
                          room.text * std::max(options.beams, 1));
    }
    progress.begin(Stage::Generating, static_cast<std::int64_t>(sequences.size()), Unit::Samples);
    std::vector<std::string> texts(sequences.size());
    const auto batches = makeBatches(lengths, kHopedShortness * request.batchTokens);
    // Where a prompt came to nothing there is nothing to continue.
    const auto isEmpty = [&](std::size_t index) { return sequences[index].ids.empty(); };
    const auto written = [&](std::size_t number) -> Result<std::vector<std::string>> {
        auto batch = batches[number];
        std::erase_if(batch, isEmpty);
        std::vector<std::string> out;
        if (batch.empty()) {
            return out;
        }
        models::TokenBatch tokens;
        for (const auto index : batch) {
            tokens.ids.push_back(sequences[index].ids);
            tokens.typeIds.push_back(sequences[index].typeIds);
        }
        PARETO_TRY(const auto generations,
                   request.model->decoder
                       ? models::generateBatch(*request.model->decoder, tokens.ids, options, stop)
                       : models::translate(*request.model->seq2seq, tokens, options, stop));
        for (const auto& generation : generations) {
            out.push_back(request.tokenizer->decode(generation.ids));
        }
        progress.advance(static_cast<std::int64_t>(batch.size()) * sizeOf(request.peers));
        return out;
    };
    PARETO_TRY(const auto all, together<std::vector<std::string>>(request.peers, batches.size(), written, stop));
    for (std::size_t number = 0; number < batches.size(); ++number) {
        auto asked = batches[number];
        std::erase_if(asked, isEmpty);
        if (asked.size() != all[number].size()) {
            return unequalParts();
        }
        for (std::size_t i = 0; i < asked.size(); ++i) {
            texts[asked[i]] = all[number][i];
        }
    }
    return texts;
}

}  // namespace pareto::tasks
