#include "app/studio/project_texts.h"

#include <array>

#include <QCoreApplication>
#include <QStringList>

#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using project::DataNote;
using project::StepType;

namespace {

QString recipeText(const project::Step& step) {
    const auto& recipe = step.recipe;
    return fromUtf8(recipe.name.empty() ? recipeSummary(recipe) : recipe.name);
}

template <typename Count>
int number(Count count) {
    return static_cast<int>(count);
}

/// "12 duplicates, 3 rows without text" of what is not 0.
QString leftOutText(std::int64_t duplicates, std::int64_t conflicting, std::int64_t withoutText,
                    std::int64_t withoutLabel, std::int64_t copies) {
    QStringList parts;
    const auto add = [&](std::int64_t count, const QString& text) {
        if (count > 0) {
            parts.append(text);
        }
    };
    add(duplicates, QCoreApplication::translate("ProjectTexts", "%Ln duplicate(s)", nullptr,
                                                number(duplicates)));
    add(conflicting,
        QCoreApplication::translate("ProjectTexts", "%Ln row(s) with contradicting labels", nullptr,
                                    number(conflicting)));
    add(withoutText, QCoreApplication::translate("ProjectTexts", "%Ln row(s) without text", nullptr,
                                                 number(withoutText)));
    add(withoutLabel, QCoreApplication::translate("ProjectTexts", "%Ln row(s) without label",
                                                  nullptr, number(withoutLabel)));
    add(copies, QCoreApplication::translate("ProjectTexts", "%Ln copy(s) in another split", nullptr,
                                            number(copies)));
    return parts.isEmpty() ? QCoreApplication::translate("ProjectTexts", "Nothing was left out")
                           : QCoreApplication::translate("ProjectTexts", "Left out: %1")
                                 .arg(parts.join(u", "_s));
}

QString splitsText(std::int64_t train, std::int64_t validation, std::int64_t test) {
    return QCoreApplication::translate(
               "ProjectTexts", "%1 to learn from, %2 to validate, %3 to test", "numbers of rows")
        .arg(count(train), count(validation), count(test));
}

std::int64_t countAt(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

QString text(project::Split split) {
    switch (split) {
    case project::Split::Train:
        return QCoreApplication::translate("ProjectTexts", "training", "split");
    case project::Split::Validation:
        return QCoreApplication::translate("ProjectTexts", "validation", "split");
    case project::Split::Test:
        return QCoreApplication::translate("ProjectTexts", "test", "split");
    }
    return {};
}

QString text(const DataNote& note) {
    const QString label = fromUtf8(note.label);
    const int rows = number(note.count);
    switch (note.kind) {
    case DataNote::ClassNotInTest:
        return QCoreApplication::translate(
                   "ProjectTexts",
                   "The class %1 has no row in the test split: nothing is measured of it.")
            .arg(label);
    case DataNote::ClassFewRows:
        return QCoreApplication::translate(
                   "ProjectTexts", "The class %1 has %Ln row(s) to learn from.", nullptr, rows)
            .arg(label);
    case DataNote::Unbalanced:
        return QCoreApplication::translate(
                   "ProjectTexts",
                   "The largest class has %L1 times as many rows as the smallest: look at macro F1 "
                   "beside accuracy.")
            .arg(rows);
    case DataNote::Leaking:
        return QCoreApplication::translate(
            "ProjectTexts",
            "%Ln row(s) of validation and test have a copy in another split: accuracies are too "
            "good.",
            nullptr, rows);
    case DataNote::CopiesDropped:
        return QCoreApplication::translate(
            "ProjectTexts",
            "%Ln row(s) were left out because they are (nearly) those of a later split, which "
            "came with the data.",
            nullptr, rows);
    case DataNote::SplitDrawn:
        for (const auto split : project::kSplits) {
            if (nameOf(split) == note.label) {
                return QCoreApplication::translate(
                           "ProjectTexts",
                           "The data came without the split %1: it was drawn from training.")
                    .arg(text(split));
            }
        }
        return label;
    }
    return {};
}

QString text(project::Leaks leaks) {
    switch (leaks) {
    case project::Leaks::Move:
        return QCoreApplication::translate("ProjectTexts", "all go to training");
    case project::Leaks::Drop:
        return QCoreApplication::translate("ProjectTexts", "one stays, the others are left out");
    case project::Leaks::Report:
        return QCoreApplication::translate("ProjectTexts", "stay where they are");
    }
    return {};
}

QString workText(const project::Step& step) {
    switch (step.kind) {
    case StepType::Train:
        return QCoreApplication::translate("ProjectTexts", "Train: %1", "recipe")
            .arg(recipeText(step));
    case StepType::Evaluate:
        return QCoreApplication::translate("ProjectTexts",
                                           "Measure the model the variants start from");
    case StepType::Variant:
        return QCoreApplication::translate("ProjectTexts", "Variant: %1", "recipe")
            .arg(recipeText(step));
    case StepType::Compare:
        return QCoreApplication::translate("ProjectTexts",
                                           "Compare the variants with it, row by row");
    case StepType::Export:
        return step.of == project::kSmallest
                   ? QCoreApplication::translate(
                         "ProjectTexts",
                         "Export the smallest that loses at most %1 accuracy on validation")
                         .arg(percent(step.mostLost, 1))
                   : QCoreApplication::translate("ProjectTexts", "Export %1", "step")
                         .arg(fromUtf8(step.of));
    }
    return {};
}

QString stateText(const ProjectStep& step, const project::StepResult* result) {
    switch (step.state) {
    case StepState::Unknown:
        return QCoreApplication::translate("ProjectTexts", "looking…");
    case StepState::Done:
        return result != nullptr && result->finishedAt > 0
                   ? QCoreApplication::translate("ProjectTexts", "done %1", "date and time")
                         .arg(dateTime(result->finishedAt))
                   : QCoreApplication::translate("ProjectTexts", "done");
    case StepState::Waiting:
        return QCoreApplication::translate("ProjectTexts", "waits");
    case StepState::Running:
        return QCoreApplication::translate("ProjectTexts", "running");
    case StepState::Failed:
        return QCoreApplication::translate("ProjectTexts", "failed: %1", "error")
            .arg(step.error ? text(*step.error) : QString());
    case StepState::Stopped:
        return QCoreApplication::translate("ProjectTexts", "stopped");
    case StepState::Due:
        break;
    }
    switch (step.due) {
    case jobs::Due::No:
    case jobs::Due::NotDone:
        return QCoreApplication::translate("ProjectTexts", "not done yet");
    case jobs::Due::InputsChanged:
        return QCoreApplication::translate("ProjectTexts",
                                           "stale: what it is made from has changed");
    case jobs::Due::OutputChanged:
        return QCoreApplication::translate("ProjectTexts",
                                           "stale: the folder %1 is gone or was changed")
            .arg(result != nullptr ? fromUtf8(result->output) : QString());
    case jobs::Due::RunMissing:
        return QCoreApplication::translate("ProjectTexts", "stale: its run is not in this store");
    }
    return {};
}

QStringList foundText(const project::DataReport& report) {
    using project::Split;
    QStringList lines;
    lines.append(QCoreApplication::translate("ProjectTexts", "Texts in %1, labels in %2", "columns")
                     .arg(fromUtf8(report.textColumn), fromUtf8(report.labelColumn)));
    lines.append(QCoreApplication::translate("ProjectTexts", "%Ln row(s) read", nullptr,
                                             number(report.read)) +
                 u" · "_s +
                 QCoreApplication::translate("ProjectTexts", "%Ln class(es)", nullptr,
                                             number(report.labels.size())));
    lines.append(leftOutText(report.duplicates, report.conflicting, report.withoutText,
                             report.withoutLabel, report.droppedCopies));
    QString copies = report.copies == 0
                         ? QCoreApplication::translate(
                               "ProjectTexts", "No row is a copy or nearly a copy of another")
                         : QCoreApplication::translate(
                               "ProjectTexts", "%Ln row(s) are copies or near copies of others",
                               nullptr, number(report.copies));
    if (report.moved > 0) {
        copies +=
            u" · "_s + QCoreApplication::translate("ProjectTexts", "%Ln of them go to training",
                                                   nullptr, number(report.moved));
    }
    lines.append(copies + u" · "_s +
                 QCoreApplication::translate("ProjectTexts", "%Ln leak(s) into another split",
                                             nullptr, number(report.leaking)));
    lines.append(splitsText(report.rowsOf(Split::Train), report.rowsOf(Split::Validation),
                            report.rowsOf(Split::Test)));
    return lines;
}

QString foundText(const Json& report) {
    if (!report.is_object() || !report.contains("classes") || !report.at("classes").is_array()) {
        return {};
    }
    const Json& classes = report.at("classes");
    std::array<std::int64_t, 3> rows{};
    for (const auto& one : classes) {
        for (const auto split : project::kSplits) {
            rows[static_cast<std::size_t>(split)] +=
                countAt(one, std::string(nameOf(split)).c_str());
        }
    }
    const Json none = Json::object();
    const auto part = [&](const char* key) -> const Json& {
        const auto found = report.find(key);
        return found != report.end() && found->is_object() ? *found : none;
    };
    const Json& cleaning = part("cleaning");
    return QStringList{
        QCoreApplication::translate("ProjectTexts", "%Ln class(es)", nullptr,
                                    number(classes.size())),
        splitsText(rows[0], rows[1], rows[2]),
        leftOutText(countAt(cleaning, "duplicates"), countAt(cleaning, "conflicting"),
                    countAt(cleaning, "without_text"), countAt(cleaning, "without_label"),
                    countAt(part("leakage"), "dropped"))}
        .join(u" · "_s);
}

}  // namespace pareto::studio
