#include "engine/jobs/run/teacher_texts.h"

#include <algorithm>
#include <filesystem>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/models/generate.h"
#include "engine/tasks/task_data.h"

namespace pareto::jobs {
namespace {

constexpr std::size_t kAtOnce = 16;

/// A decoder's text goes on behind its prompt, that of an encoder-decoder model answers it.
train::Example exampleOf(std::vector<std::int32_t> prompt, const models::Generation& written,
                         const models::GenerateOptions& options, bool answers) {
    train::Example out;
    out.answerFrom = static_cast<std::int64_t>(prompt.size());
    out.ids = std::move(prompt);
    auto& to = answers ? out.target : out.ids;
    to.insert(to.end(), written.ids.begin(), written.ids.end());
    if (written.stopped && !options.stopIds.empty()) {
        to.push_back(options.stopIds.front());
    }
    return out;
}

/// Whether the teacher said anything.
bool isNew(const train::Example& example) {
    return !example.target.empty() || static_cast<std::int64_t>(example.ids.size()) > example.answerFrom;
}

/// Empty where there is no such file, or one that is of no use.
std::vector<train::Example> keptIn(const std::string& file, std::int64_t vocabulary) {
    std::error_code ignored;
    if (file.empty() || !std::filesystem::exists(file, ignored)) {
        return {};
    }
    const auto json = readJsonFile(file);
    return json.ok() ? textsFromJson(json.value(), file, vocabulary) : std::vector<train::Example>();
}

}  // namespace

Json textsToJson(const std::vector<train::Example>& texts) {
    Json out = Json::array();
    for (const auto& text : texts) {
        out.push_back({{"answer_from", text.answerFrom}, {"ids", text.ids}, {"target", text.target}});
    }
    return out;
}

std::vector<train::Example> textsFromJson(const Json& json, const std::string& from, std::int64_t vocabulary) {
    std::vector<train::Example> out;
    if (!json.is_array()) {
        return out;
    }
    for (const auto& entry : json) {
        JsonReader reader(entry, ErrorCode::FileCorrupt, from);
        train::Example example;
        example.answerFrom = reader.integer("answer_from", 1, 1, INT32_MAX);
        for (auto [key, ids] : {std::pair{"ids", &example.ids}, std::pair{"target", &example.target}}) {
            for (const auto& id : entry.value(key, Json::array())) {
                ids->push_back(id.is_number_integer() ? id.get<std::int32_t>() : -1);
            }
        }
        const auto fits = [&](const std::vector<std::int32_t>& ids) {
            return std::all_of(ids.begin(), ids.end(), [&](std::int32_t id) { return id >= 0 && id < vocabulary; });
        };
        if (reader.failed() || !fits(example.ids) || !fits(example.target) || !isNew(example)) {
            return {};
        }
        out.push_back(std::move(example));
    }
    return out;
}

Result<std::vector<train::Example>> textsOfTeacher(const LoadedModel& teacher, const SequenceSpec& spec,
                                                   const std::vector<train::Example>& sources, std::uint64_t seed,
                                                   const models::DeviceOptions& device, const std::string& file,
                                                   Progress& progress, std::stop_token stop) {
    const bool answers = teacher.layout.isSeq2Seq();
    if (!teacher.layout.generates()) {
        return makeError(ErrorCode::TaskUnfit, {{"task", "distillation by the teacher's texts"},
                                                {"model", teacher.layout.name},
                                                {"reason", "it writes no texts"}});
    }
    if (auto kept = keptIn(file, teacher.layout.vocabulary); !kept.empty()) {
        return kept;
    }
    PARETO_TRY(const auto ready, models::prepareModel(teacher, device, progress, stop));
    std::vector<std::vector<std::int32_t>> prompts;
    for (const auto index : tasks::drawnIndices(sources.size(), spec.count, seed)) {
        const auto& ids = sources[index].ids;
        const auto length = answers ? ids.size() : std::min(ids.size(), static_cast<std::size_t>(spec.prompt));
        prompts.emplace_back(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(length));
    }
    auto options = models::generateOptionsOf(teacher.layout);
    options.maxTokens = spec.length;
    std::vector<train::Example> out;
    progress.begin(Stage::Generating, static_cast<std::int64_t>(prompts.size()), Unit::Samples);
    for (std::size_t begin = 0; begin < prompts.size(); begin += kAtOnce) {
        const auto end = std::min(prompts.size(), begin + kAtOnce);
        const std::vector<std::vector<std::int32_t>> some(prompts.begin() + static_cast<std::ptrdiff_t>(begin),
                                                          prompts.begin() + static_cast<std::ptrdiff_t>(end));
        PARETO_TRY(const auto written, answers ? models::translate(*ready.seq2seq, {some, {}}, options, stop)
                                               : models::generateBatch(*ready.decoder, some, options, stop));
        for (std::size_t i = 0; i < written.size(); ++i) {
            auto example = exampleOf(some[i], written[i], options, answers);
            if (isNew(example)) {
                out.push_back(std::move(example));
            }
            progress.advance();
        }
    }
    if (!file.empty()) {
        PARETO_CHECK(writeFileAtomically(file, textsToJson(out).dump()));
    }
    return out;
}

}  // namespace pareto::jobs
