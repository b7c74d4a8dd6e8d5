#pragma once

#include "engine/models/generate.h"

namespace pareto::models {

/// Speculative decoding (Leviathan, Kalman, Matias 2023, "Fast Inference from Transformers via Speculative
/// Decoding"; Chen et al. 2023, "Accelerating Large Language Model Decoding with Speculative Sampling"): a
/// draft proposes tokens one after the other, the target looks at all of them in one step. Proposals stay up
/// to the first that the target would not have made, then comes a token of the target's own; both caches
/// forget the rest.
///
/// At temperature 0 every token is the likeliest by the logits that the target gives it in the step that
/// verifies it (after penalties, n-grams, suppressed and forced ids, as in `generate`). A draft, however bad,
/// costs time and changes nothing else. `generate` asks the same of steps of one token:
///   - With up to kSameBitsDraft proposals a round the ids are those of `generate`. On the CPU a step of up to
///     4 tokens gives each of them the bits that a step of its own gives, in every format (tst_speculative
///     holds the kernels to it).
///   - With more, or on CUDA, they are as long as rounding does not decide. fp32 of more than 32 rows
///     is summed in another order, of more than 63 by libtorch; weights unpacked in the kernel change their way
///     somewhere beyond 9 rows; inputs rounded to 8 bits turn a last bit into a step of the rounding. Only
///     int8 with a scale a row stays exact. Where two tokens are nearly as likely, the other one may come, and
///     the text goes on from it: as it may where a prompt is read at once instead of behind a kept cache.
///
/// Above temperature 0 tokens are distributed as `generate` draws them; the same seed gives others.
inline constexpr int kSameBitsDraft = 3;

/// How many tokens are proposed in a round: at first `draftTokens`, one less after a round in which the
/// target refused one, one more after a round in which it refused none; from 1 to `draftTokens`. So the
/// length settles where about every second round is taken whole.
struct SpeculativeOptions {
    GenerateOptions text;  ///< the draft's as well; no beam search
    int draftTokens = kSameBitsDraft;
};

struct SpeculativeFigures {
    std::int64_t drafted = 0;  ///< proposals that the target has judged
    std::int64_t accepted = 0;
    std::int64_t targetSteps = 0;  ///< behind the prompt's
    double draftSeconds = 0.0;     ///< its reading of the prompt among them
    double targetSeconds = 0.0;    ///< of targetSteps
    double acceptance() const {
        return drafted > 0 ? static_cast<double>(accepted) / static_cast<double>(drafted) : 0.0;
    }
};

struct SpeculativeGeneration {
    Generation text;  ///< tokenSeconds: a round's time in equal shares
    SpeculativeFigures figures;
};

/// A decoder, a cache of one sequence, and the ids that it holds from an earlier call, which are brought up to
/// date. The cache has room for prompt and new tokens, or for as many as the decoder has positions.
struct CachedDecoder {
    Decoder& decoder;
    KvCache& cache;
    std::vector<std::int32_t>& held;
};

/// Continues one prompt; `onToken` as in `generate`. `target` and `draft` may be one and the same decoder.
/// EngineFailure: vocabularies of different sizes, beam search, no token to propose.
Result<SpeculativeGeneration> generateSpeculative(Decoder& target, Decoder& draft,
                                                  const std::vector<std::int32_t>& prompt,
                                                  const SpeculativeOptions& options,
                                                  const TokenSink& onToken, std::stop_token stop);
/// With caches that may hold the prompt's beginning; two, even for one decoder.
Result<SpeculativeGeneration> generateSpeculative(const CachedDecoder& target,
                                                  const CachedDecoder& draft,
                                                  const std::vector<std::int32_t>& prompt,
                                                  const SpeculativeOptions& options,
                                                  const TokenSink& onToken, std::stop_token stop);

}  // namespace pareto::models
