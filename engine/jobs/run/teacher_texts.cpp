#include "engine/jobs/run/teacher_texts.h"

#include <algorithm>

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

}  // namespace

Result<std::vector<train::Example>> textsOfTeacher(const LoadedModel& teacher, const SequenceSpec& spec,
                                                   const std::vector<train::Example>& sources, std::uint64_t seed,
                                                   const models::DeviceOptions& device, Progress& progress,
                                                   std::stop_token stop) {
    const bool answers = teacher.layout.isSeq2Seq();
    if (!teacher.layout.generates()) {
        return makeError(ErrorCode::TaskUnfit, {{"task", "distillation by the teacher's texts"},
                                                {"model", teacher.layout.name},
                                                {"reason", "it writes no texts"}});
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
            if (answers ? !example.target.empty() : static_cast<std::int64_t>(example.ids.size()) > example.answerFrom) {
                out.push_back(std::move(example));
            }
            progress.advance();
        }
    }
    return out;
}

}  // namespace pareto::jobs
