#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/models/model.h"
#include "engine/spec/recover.h"
#include "engine/train/example.h"

namespace pareto::jobs {

/// What a teacher writes, greedily, for sequence-level distillation (see SequenceSpec): examples made of the first
/// `prompt` tokens of `sources`, of as many as `count` drawn by `seed`, and of what the teacher goes on with, which alone
/// is learned; of encoder-decoder models of whole sources and what the teacher makes of them. Examples without a new token
/// are left out. `file`: they are kept there and taken from there where it exists, so that they are written once for a
/// training (empty: they are not). TaskUnfit for models that do not generate; errors of the model.
Result<std::vector<train::Example>> textsOfTeacher(const LoadedModel& teacher, const SequenceSpec& spec,
                                                   const std::vector<train::Example>& sources, std::uint64_t seed,
                                                   const models::DeviceOptions& device, const std::string& file,
                                                   Progress& progress, std::stop_token stop);
/// As they are kept.
Json textsToJson(const std::vector<train::Example>& texts);
/// Empty where one of them has no ids of a vocabulary of that size, or nothing to learn. `from`: for messages.
std::vector<train::Example> textsFromJson(const Json& json, const std::string& from, std::int64_t vocabulary);

}  // namespace pareto::jobs
