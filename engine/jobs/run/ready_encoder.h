#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/ready_model.h"

namespace pareto::jobs {

inline constexpr std::int64_t kEncoderBatchTokens = 2048;

/// What a job asks of an encoder.
struct EncoderNeed {
    const char* job;  ///< for the sentence
    Outputs outputs;
    const char* otherwise;  ///< why it does not fit when the model gives something else
};

struct ReadyEncoder {
    std::shared_ptr<ReadyModel> model;
    models::Encoder* encoder = nullptr;  ///< the model's
    std::shared_ptr<const text::Tokenizer> tokenizer;
};

/// A kept model (keptModel) with its tokenizer; TaskUnfit when it is no encoder or gives something else.
Result<ReadyEncoder> readyEncoder(ModelCache& cache, const ReadyRequest& request,
                                  const EncoderNeed& need, Progress& progress,
                                  std::stop_token stop);

/// The texts' tokens, cut to the job's and to the model's limit.
Result<std::vector<text::TokenSequence>> tokenizeTexts(const TextParams& params,
                                                       const ReadyEncoder& ready,
                                                       Progress& progress, std::stop_token stop);

std::vector<double> softmax(std::span<const float> logits);

}  // namespace pareto::jobs
