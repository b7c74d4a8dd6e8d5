#include "app/cli/project_output.h"

#include "app/cli/text_table.h"

namespace pareto::cli {

using project::DataReport;

namespace {

std::string rowsText(std::int64_t count) {
    return formatCount(count) + (count == 1 ? " row" : " rows");
}

/// "a, b" of what is not 0.
std::string listed(std::initializer_list<std::pair<std::int64_t, const char*>> counts) {
    std::string out;
    for (const auto& [count, what] : counts) {
        if (count > 0) {
            out += (out.empty() ? "" : ", ") + formatCount(count) + " " + what;
        }
    }
    return out.empty() ? "nothing" : out;
}

std::string classesText(const DataReport& report) {
    TextTable table({{"Class"},
                     {"Train", Align::Right},
                     {"Validation", Align::Right},
                     {"Test", Align::Right},
                     {"Share", Align::Right}});
    double all = 0.0;
    for (const auto split : project::kSplits) {
        all += static_cast<double>(report.rowsOf(split));
    }
    for (std::size_t c = 0; c < report.labels.size(); ++c) {
        const auto& rows = report.classes[c];
        const double share = static_cast<double>(rows[0] + rows[1] + rows[2]) / all;
        table.add({report.labels[c], formatCount(rows[0]), formatCount(rows[1]),
                   formatCount(rows[2]), formatNumber(100.0 * share, 1) + " %"});
    }
    table.add({"all", formatCount(report.rowsOf(project::Split::Train)),
               formatCount(report.rowsOf(project::Split::Validation)),
               formatCount(report.rowsOf(project::Split::Test)), ""});
    return table.text();
}

std::string lengthsText(const DataReport& report) {
    TextTable table({{"Words"},
                     {"Mean", Align::Right},
                     {"Shortest", Align::Right},
                     {"Median", Align::Right},
                     {"95 %", Align::Right},
                     {"Longest", Align::Right}});
    for (const auto split : project::kSplits) {
        const auto& words = report.lengths[static_cast<std::size_t>(split)];
        table.add({std::string(nameOf(split)), formatNumber(words.mean, 1),
                   formatCount(words.shortest), formatCount(words.median), formatCount(words.p95),
                   formatCount(words.longest)});
    }
    return table.text();
}

std::string leaksText(const DataReport& report) {
    std::string text =
        "Copies: " + formatCount(report.copies) + " rows are copies or near copies of others";
    if (report.copies > 0) {
        text += ", in " + formatCount(report.copyGroups) +
                (report.copyGroups == 1 ? " group" : " groups");
    }
    if (report.moved > 0) {
        text += "; " + rowsText(report.moved) + " of them went to train";
    }
    if (report.droppedCopies > 0) {
        text += "; " + rowsText(report.droppedCopies) + " dropped";
    }
    return text + ". Across splits now: " + formatCount(report.leaking) + ".\n";
}

std::string intervalText(const Measurement& figure) {
    return figure.low && figure.high ? "[" + formatNumber(100.0 * *figure.low, 2) + ", " +
                                           formatNumber(100.0 * *figure.high, 2) + "]"
                                     : std::string();
}

std::string pointsText(const project::Row& row) {
    if (!row.accuracyPoints) {
        return row.base ? "–" : "";
    }
    return (*row.accuracyPoints > 0 ? "+" : "") + formatNumber(*row.accuracyPoints, 2) +
           (row.accuracyDiffers.value_or(false) ? " *" : "");
}

std::string figureText(const std::optional<Measurement>& figure) {
    return figure ? formatMetric(figure->key, figure->value) : "–";
}

}  // namespace

std::string reportText(const DataReport& report) {
    std::string text;
    for (const auto& file : report.files) {
        text += file.path + ": " + rowsText(file.rows) + "\n";
    }
    text += "Text: column \"" + report.textColumn + "\" (" + report.textWhy +
            "). Label: column \"" + report.labelColumn + "\" (" + report.labelWhy +
            "). Splits: " + report.splitsFrom + ".\n";
    text += "Dropped: " +
            listed({{report.withoutText, "without text"},
                    {report.withoutLabel, "without label"},
                    {report.duplicates, "duplicates"},
                    {report.conflicting, "with contradicting labels"}}) +
            ". White space was cleaned in " + rowsText(report.respaced) + ".\n";
    text += leaksText(report) + "\n" + classesText(report) + "\n" + lengthsText(report);
    for (const auto& note : report.notes) {
        text += "\n" + project::textOf(note);
    }
    return text + (report.notes.empty() ? "" : "\n");
}

std::string tableText(const std::vector<project::Row>& rows) {
    if (rows.empty()) {
        return "Nothing was measured yet.\n";
    }
    TextTable table({{"Step"},
                     {"Recipe"},
                     {"Accuracy", Align::Right},
                     {"95 % interval", Align::Right},
                     {"Validation", Align::Right},
                     {"Points", Align::Right},
                     {"Latency", Align::Right},
                     {"× base", Align::Right},
                     {"Size", Align::Right},
                     {""}});
    bool marked = false;
    for (const auto& row : rows) {
        table.add({row.step, row.recipe, figureText(row.accuracy),
                   row.accuracy ? intervalText(*row.accuracy) : "", figureText(row.validation),
                   pointsText(row),
                   figureText(row.latency),
                   row.latencyRatio ? formatNumber(*row.latencyRatio, 2) : (row.base ? "–" : ""),
                   figureText(row.bytes), row.exported ? "exported" : ""});
        marked = marked || row.accuracyDiffers.value_or(false);
    }
    return table.text() +
           (marked ? "* another accuracy than the base's on the same rows (McNemar, 5 %)\n" : "");
}

}  // namespace pareto::cli
