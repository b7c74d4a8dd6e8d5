#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace pareto::io {

struct SquadQuestion {
    std::string id;
    std::string question;
    std::size_t context = 0;           ///< in SquadData::contexts
    std::vector<std::string> answers;  ///< as the file gives them; empty: there is none (v2)
    std::vector<std::int64_t> starts;  ///< of each answer: characters of the context before it; −1: not said
};

/// A reading comprehension data set; each context is held once for its questions.
struct SquadData {
    std::string version;
    std::vector<std::string> contexts;
    std::vector<SquadQuestion> questions;  ///< in the file's order
};

/// SQuAD's JSON, v1.1 and v2.0 (the answers of questions marked "is_impossible" are none). The file is
/// parsed as it is read: only what is kept is held. Keys that are not needed are passed over. JsonInvalid
/// (with the offset), ConfigInvalid (a field that is missing or of another type, with its path as in
/// "data[3].paragraphs[0].qas[2].question"), FileUnsafe (over 2 GiB), errors of the file.
Result<SquadData> readSquad(const std::string& path, Progress& progress, std::stop_token stop);

}  // namespace pareto::io
