// The values of prepare.h: names, JSON, CSV.
#include "engine/project/prepare.h"

#include "engine/core/csv.h"

namespace pareto::project {
namespace {

std::size_t indexOf(Split split) { return static_cast<std::size_t>(split); }

}  // namespace

std::string_view nameOf(Split split) {
    switch (split) {
    case Split::Train:
        return "train";
    case Split::Validation:
        return "validation";
    case Split::Test:
        return "test";
    }
    return "";
}

std::string_view nameOf(Leaks value) {
    switch (value) {
    case Leaks::Move:
        return "move";
    case Leaks::Drop:
        return "drop";
    case Leaks::Report:
        return "report";
    }
    return "";
}

bool leaksFromName(std::string_view name, Leaks& out) {
    for (const auto value : {Leaks::Move, Leaks::Drop, Leaks::Report}) {
        if (nameOf(value) == name) {
            out = value;
            return true;
        }
    }
    return false;
}

std::string textOf(const DataNote& note) {
    const auto count = std::to_string(note.count);
    switch (note.kind) {
    case DataNote::ClassNotInTest:
        return "The class \"" + note.label + "\" has no row in test: nothing is measured of it.";
    case DataNote::ClassFewRows:
        return "The class \"" + note.label + "\" has " + count + " rows to learn from.";
    case DataNote::Unbalanced:
        return "The largest class has " + count +
               " times as many rows as the smallest: look at macro F1 beside accuracy.";
    case DataNote::Leaking:
        return count +
               " rows of validation and test have a copy in another split: accuracies are too good.";
    case DataNote::CopiesDropped:
        return count +
               " rows of train and validation were left out because they are (nearly) those of test "
               "or validation, which came with the data.";
    case DataNote::SplitDrawn:
        return "The data came without " + note.label + ": it was drawn from train.";
    }
    return {};
}

std::int64_t DataReport::rowsOf(Split split) const {
    std::int64_t rows = 0;
    for (const auto& counts : classes) {
        rows += counts[indexOf(split)];
    }
    return rows;
}

Json toJson(const DataReport& report) {
    Json out{{"version", 1},
             {"columns",
              {{"text", {{"name", report.textColumn}, {"why", report.textWhy}}},
               {"label", {{"name", report.labelColumn}, {"why", report.labelWhy}}}}},
             {"splits", {{"from", report.splitsFrom}, {"drawn", report.drawn}}},
             {"cleaning",
              {{"read", report.read},
               {"without_text", report.withoutText},
               {"without_label", report.withoutLabel},
               {"respaced", report.respaced},
               {"duplicates", report.duplicates},
               {"duplicates_across_splits", report.duplicatesAcross},
               {"conflicting", report.conflicting},
               {"conflicts", report.conflicts}}},
             {"leakage",
              {{"policy", nameOf(report.leaks)},
               {"copies", report.copies},
               {"groups", report.copyGroups},
               {"moved_to_train", report.moved},
               {"dropped", report.droppedCopies},
               {"leaking", report.leaking},
               {"pairs", Json::array()}}},
             {"files", Json::array()},
             {"classes", Json::array()},
             {"words", Json::object()},
             {"notes", Json::array()}};
    for (const auto& note : report.notes) {
        out["notes"].push_back(textOf(note));
    }
    for (const auto& file : report.files) {
        out["files"].push_back({{"path", file.path}, {"sha256", file.sha256}, {"rows", file.rows}});
    }
    for (const auto& pair : report.pairs) {
        out["leakage"]["pairs"].push_back({{"a", pair.a},
                                           {"b", pair.b},
                                           {"similarity", pair.similarity},
                                           {"same_label", pair.sameLabel},
                                           {"text", pair.text}});
    }
    for (std::size_t c = 0; c < report.labels.size(); ++c) {
        Json row{{"label", report.labels[c]}};
        for (const auto split : kSplits) {
            row[std::string(nameOf(split))] = report.classes[c][indexOf(split)];
        }
        out["classes"].push_back(std::move(row));
    }
    for (const auto split : kSplits) {
        const auto& words = report.lengths[indexOf(split)];
        out["words"][std::string(nameOf(split))] = {
            {"rows", words.rows},     {"mean", words.mean}, {"shortest", words.shortest},
            {"median", words.median}, {"p95", words.p95},   {"longest", words.longest}};
    }
    return out;
}

std::string splitCsv(const std::vector<Example>& examples, Split split) {
    std::string out = "text,label\n";
    for (const auto& example : examples) {
        if (example.split == split) {
            out += csvCell(example.text) + "," + csvCell(example.label) + "\n";
        }
    }
    return out;
}

}  // namespace pareto::project
