#include "engine/jobs/run/sampling_options.h"

#include <algorithm>

namespace pareto::jobs {

std::optional<models::CacheFormat> cacheFormatOf(const SamplingParams& sampling) {
    for (const auto format : {models::CacheFormat::F32, models::CacheFormat::F16, models::CacheFormat::Int8,
                              models::CacheFormat::Int4}) {
        if (sampling.kvCache == nameOf(format)) {
            return format;
        }
    }
    return std::nullopt;
}

models::GenerateOptions generateOptions(const SamplingParams& sampling, const ModelLayout& layout,
                                        const text::Tokenizer& tokenizer) {
    models::GenerateOptions options = models::generateOptionsOf(layout);
    const auto eos = tokenizer.eosId();
    if (eos >= 0 && std::find(options.stopIds.begin(), options.stopIds.end(), eos) ==
                        options.stopIds.end()) {
        options.stopIds.push_back(eos);
    }
    options.maxTokens = sampling.maxTokens;
    options.temperature = sampling.temperature;
    options.topK = sampling.topK;
    options.topP = sampling.topP;
    options.minP = sampling.minP;
    options.repetitionPenalty = sampling.repetitionPenalty;
    options.beams = sampling.beams;
    options.lengthPenalty = sampling.lengthPenalty;
    options.seed = sampling.seed;
    options.cacheFormat = cacheFormatOf(sampling);
    return options;
}

Result<std::vector<std::int32_t>> tokensOf(const std::string& text, const std::string& field,
                                           const ModelLayout& layout,
                                           const text::Tokenizer& tokenizer,
                                           const text::EncodeOptions& encode) {
    auto ids = tokenizer.encode(text, encode).ids;
    const auto count = static_cast<std::int64_t>(ids.size());
    // A decoder needs a position more for what it makes.
    const std::int64_t most = layout.isSeq2Seq() ? layout.maxPositions : layout.maxPositions - 1;
    if (count > 0 && (layout.maxPositions <= 0 || count <= most)) {
        return ids;
    }
    return makeError(ErrorCode::TargetInvalid,
                     {{"field", field},
                      {"reason", count == 0 ? "is empty"
                                            : "has " + std::to_string(count) +
                                                  " tokens; the model has positions for " +
                                                  std::to_string(layout.maxPositions)}});
}

}  // namespace pareto::jobs
