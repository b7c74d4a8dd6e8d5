#include "engine/tasks/dialogue.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/tasks/task_data.h"
#include "engine/text/chat_template.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 1> kRoles{"messages"};

/// A part of a dialogue's text that is scored.
struct Turn {
    std::size_t begin = 0;
    std::size_t end = 0;
};
/// A text that goes through the model once. Most templates only append, so that one is enough for a
/// dialogue; some leave out of earlier turns what they show of the last one.
struct Pass {
    std::string text;
    std::vector<Turn> turns;
};

/// What models without a template of their own get.
constexpr const char* kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + "
    "'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

using Messages = nlohmann::ordered_json;

/// The messages as the template gets them: keys beside role and content (tool calls) are its business.
Result<Messages> messagesOf(const DataRow& row, const DataRows& data) {
    const auto fits = [](const Messages& message) {
        return message.is_object() && message.contains("role") && message["role"].is_string() &&
               message.contains("content") && message["content"].is_string();
    };
    // Bounds are checked by the strict parser; the order of keys is the file's.
    if (parseJson(row.values[0], data.file).ok()) {
        auto messages = Messages::parse(row.values[0], nullptr, false);
        if (messages.is_array() && !messages.empty() &&
            std::all_of(messages.begin(), messages.end(), fits)) {
            return messages;
        }
    }
    return data.invalid(row.line, "messages must be a list of objects with role and content");
}

std::size_t withoutTrailingSpace(const std::string& text) {
    const auto last = text.find_last_not_of(" \t\r\n");
    return last == std::string::npos ? 0 : last + 1;
}

Result<std::vector<Pass>> passesOf(const Messages& messages, const text::ChatTemplate& chat) {
    text::ChatOptions opened;
    text::ChatOptions closed;
    closed.addGenerationPrompt = false;
    std::vector<Pass> passes;
    Messages said = Messages::array();
    for (const auto& message : messages) {
        if (message["role"] != "assistant") {
            said.push_back(message);
            continue;
        }
        PARETO_TRY(const auto before, chat.apply(said, opened));
        said.push_back(message);
        PARETO_TRY(auto after, chat.apply(said, closed));
        if (!after.starts_with(before)) {
            continue;  // the template shows the turn in another way than it asks for it
        }
        const Turn turn{before.size(), withoutTrailingSpace(after)};
        if (passes.empty() || !after.starts_with(passes.back().text)) {
            passes.emplace_back();
        }
        passes.back().text = std::move(after);
        passes.back().turns.push_back(turn);
    }
    return passes;
}

/// Adds (nats, tokens) of the pass's turns; whether it was cut.
Result<bool> score(const EvalRequest& request, const Pass& pass, std::vector<double>& parts,
                   std::stop_token stop) {
    auto& decoder = *request.model->decoder;
    const auto positions = decoder.layout().maxPositions;
    const auto most = positions > 0 ? std::min(request.task.maxLength, positions) : request.task.maxLength;
    auto tokens = request.tokenizer->encode(pass.text, {.addSpecialTokens = false, .maxLength = 0});
    const bool cut = static_cast<std::int64_t>(tokens.ids.size()) > most;
    if (cut) {
        tokens.ids.resize(static_cast<std::size_t>(most));
    }
    if (tokens.ids.size() < 2) {
        return cut;
    }
    PARETO_TRY(const auto losses, decoder.negativeLogLikelihoods(tokens.ids, stop));
    for (std::size_t i = 1; i < tokens.ids.size(); ++i) {
        const auto begin = static_cast<std::size_t>(tokens.offsets[i].begin);
        const auto end = static_cast<std::size_t>(tokens.offsets[i].end);
        const bool assistant =
            end > begin && std::any_of(pass.turns.begin(), pass.turns.end(), [&](const Turn& turn) {
                return begin >= turn.begin && end <= turn.end;
            });
        if (assistant) {
            parts[0] += static_cast<double>(losses[i - 1]);
            parts[1] += 1.0;
        }
    }
    if (!std::isfinite(parts[0])) {
        return makeError(ErrorCode::EngineFailure,
                         {{"where", "the evaluation"},
                          {"reason", "the model's likelihoods are not finite numbers"}});
    }
    return cut;
}

}  // namespace

Result<EvalResult> runDialogue(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, readDataRows(request.task, kRoles, progress, stop));
    auto chat = request.chatTemplate;
    if (!chat) {
        PARETO_TRY(chat, text::ChatTemplate::parse(kChatMl, "ChatML"));
    }
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(data.rows.size()), Unit::Samples);
    EvalResult result;
    result.metric = headlineMetric(request.task.kind);
    result.dataHash = data.hash;
    // Nats, tokens, whether it was cut.
    const auto scored = [&](std::size_t number) -> Result<ItemResult> {
        const auto& row = data.rows[number];
        PARETO_TRY(const auto messages, messagesOf(row, data));
        PARETO_TRY(const auto passes, passesOf(messages, *chat));
        std::vector<double> parts(2, 0.0);
        bool cut = false;
        for (const auto& pass : passes) {
            PARETO_TRY(const bool one, score(request, pass, parts, stop));
            cut = cut || one;
        }
        parts.push_back(cut ? 1.0 : 0.0);
        progress.advance(sizeOf(request.peers));
        return ItemResult{row.row, 0.0, -1, {}, std::move(parts)};
    };
    PARETO_TRY(auto dialogues, together<ItemResult>(request.peers, data.rows.size(), scored, stop));
    std::int64_t dialoguesCut = 0;
    std::int64_t withoutTurns = 0;
    for (auto& item : dialogues) {
        item.parts.resize(3);
        dialoguesCut += item.parts[2] > 0.0 ? 1 : 0;
        item.parts.pop_back();
        if (item.parts[1] == 0.0) {
            ++withoutTurns;
            continue;
        }
        item.score = item.parts[0] / item.parts[1];
        result.items.push_back(std::move(item));
    }
    if (result.items.empty()) {
        return makeError(ErrorCode::DataEmpty,
                         {{"file", data.file},
                          {"split", request.task.split.empty() ? "all" : request.task.split}},
                         "no dialogue has a turn of the assistant within max_length tokens");
    }
    measure(result, {"perplexity"});
    result.details = {{"dialogues_cut", dialoguesCut},
                      {"dialogues_without_turns", withoutTurns},
                      {"rows_available", data.available}};
    return result;
}

}  // namespace pareto::tasks
