#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/progress.h"

/// A folder in which a model is trained, made smaller, compared and exported, step by step (pareto project,
/// the studio's New project). Torch-free.
namespace pareto::project {

enum class Split { Train, Validation, Test };
inline constexpr std::array kSplits{Split::Train, Split::Validation, Split::Test};
std::string_view nameOf(Split split);  ///< "train", "validation", "test": also the files' names

/// What becomes of rows that stand in one split and, word for word or nearly so, in another.
enum class Leaks {
    Move,  ///< all copies go to train; where splits are drawn they are there from the start
    Drop,  ///< the copies in train (and validation) go; a test split that came with the data stays whole
    Report,  ///< nothing: they are counted and said
};
std::string_view nameOf(Leaks value);
bool leaksFromName(std::string_view name, Leaks& out);

struct DataOptions {
    /// A CSV, TSV or JSONL file, or a folder with one each split (train, validation or valid, dev, val; test).
    std::string source;
    std::string text;  ///< columns; empty: guessed
    std::string label;
    std::string
        split;  ///< column that says each row's split; empty: one of that name, if it says so
    std::array<double, 3> shares{0.8, 0.1, 0.1};  ///< train, validation, test, where they are drawn
    std::optional<Leaks>
        leaks;  ///< absent: Move where splits are drawn, Drop where they came with the data
    std::uint64_t seed = 0;
};

struct Example {
    std::string text;
    std::string label;
    Split split{};
    std::size_t file = 0;  ///< of DataReport::files
    std::int64_t line = 0;
};

/// Two rows that say the same.
struct CopyPair {
    std::string a;  ///< "train.csv:12"
    std::string b;
    double similarity = 1.0;  ///< Jaccard of word 5-grams
    bool sameLabel = true;
    std::string text;  ///< of a, cut
};

/// What a person should know of the data. Which values belong to it stands beside each.
struct DataNote {
    enum Kind {
        ClassNotInTest,  ///< label: nothing is measured of it
        ClassFewRows,    ///< label; count: rows to learn from
        Unbalanced,      ///< count: the largest class has so many times the rows of the smallest
        Leaking,         ///< count: rows of validation and test that have a copy in another split
        CopiesDropped,   ///< count: rows left out for being those of a later split that came with the data
        SplitDrawn,      ///< label: the split's name; it was drawn from train
    };
    Kind kind{};
    std::string label;
    std::int64_t count = 0;
};
std::string textOf(const DataNote& note);  ///< English

struct Lengths {  ///< words a text
    std::int64_t rows = 0;
    double mean = 0.0;
    std::int64_t shortest = 0;
    std::int64_t median = 0;
    std::int64_t p95 = 0;
    std::int64_t longest = 0;
};

/// What was found and what was done about it. Counts are rows unless said otherwise.
struct DataReport {
    struct File {
        std::string path;
        std::string sha256;
        std::int64_t rows = 0;
    };
    std::vector<File> files;
    std::string textColumn, textWhy;  ///< why: "given", or what spoke for it
    std::string labelColumn, labelWhy;
    std::string splitsFrom;          ///< "drawn", "files", "column split"
    std::vector<std::string> drawn;  ///< splits that were drawn although others came with the data

    std::int64_t read = 0;
    std::int64_t withoutText = 0;        ///< dropped
    std::int64_t withoutLabel = 0;       ///< dropped
    std::int64_t respaced = 0;           ///< white space was trimmed or collapsed
    std::int64_t duplicates = 0;         ///< dropped: the same text and label after cleaning
    std::int64_t duplicatesAcross = 0;   ///< of these, the one kept stands in another split
    std::int64_t conflicting = 0;        ///< dropped: the same text with different labels
    std::vector<std::string> conflicts;  ///< such texts, the first few

    Leaks leaks = Leaks::Move;
    std::int64_t copies = 0;      ///< rows that are copies or near copies of others
    std::int64_t copyGroups = 0;  ///< groups they fall into
    std::int64_t moved = 0;       ///< to train, or kept there from the start
    std::int64_t droppedCopies = 0;
    std::int64_t leaking = 0;  ///< validation and test rows that still have a copy in another split
    std::vector<CopyPair> pairs;  ///< the first few pairs across splits (drawn splits: of any rows)

    std::vector<std::string> labels;                   ///< in the order of the classes
    std::vector<std::array<std::int64_t, 3>> classes;  ///< rows of each label in each split
    std::array<Lengths, 3> lengths;
    std::vector<DataNote> notes;

    std::int64_t rowsOf(Split split) const;
};
Json toJson(const DataReport& report);

struct PreparedData {
    std::vector<Example> examples;  ///< in the order of the source
    DataReport report;
};

/// Reads, cleans, splits and checks. Labels stand in the order of orderedLabels (spec/labels.h). Splits are
/// stratified and drawn with `seed` from the streams "project.split.<label>"; a class of three rows and more is
/// in each. The same source, options and seed give the same rows.
/// FileMissing, FileUnreadable, DataRowInvalid, DataColumnMissing; DataEmpty: a split came out empty;
/// TaskInvalid: no column to guess, fewer than two labels, a split nobody knows.
Result<PreparedData> prepareData(const DataOptions& options, Progress& progress,
                                 std::stop_token stop);

/// The examples of a split as CSV with the columns "text" and "label" (RFC 4180, \n).
std::string splitCsv(const std::vector<Example>& examples, Split split);

}  // namespace pareto::project
