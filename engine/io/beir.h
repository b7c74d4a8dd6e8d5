#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace pareto::io {

/// The three files of a retrieval data set in the layout of BEIR (Thakur et al. 2021).
struct BeirFiles {
    std::string corpus;   ///< corpus.jsonl
    std::string queries;  ///< queries.jsonl
    std::string qrels;    ///< qrels/<split>.tsv
};
/// FileMissing names the first that is not there.
Result<BeirFiles> beirFiles(const std::string& folder, const std::string& split);

/// A document, or a query (its title is empty).
struct BeirText {
    std::int64_t line = 0;  ///< in its file, from 1
    std::string id;
    std::string title;
    std::string text;
    /// As models are fed: title and text with a space between, without either what the other is.
    std::string joined() const;
};

/// One line after the other of a corpus.jsonl or queries.jsonl, whatever its size: `take` gets each
/// once, and its failure ends the reading. Keys: "_id", "text", "title" (may be missing); others are
/// passed over, an id may be a whole number. DataRowInvalid; errors of the file.
Status readBeirTexts(const std::string& path, const std::function<Status(BeirText)>& take,
                     Progress& progress, std::stop_token stop);

/// Grades by query, then by document.
using BeirQrels = std::map<std::string, std::unordered_map<std::string, int>>;
/// query-id, corpus-id and a whole number between tabs; a heading is passed over. DataRowInvalid
/// (columns, grade, a pair that stands twice); errors of the file.
Result<BeirQrels> readBeirQrels(const std::string& path, Progress& progress, std::stop_token stop);

}  // namespace pareto::io
