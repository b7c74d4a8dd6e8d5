#include <array>
#include <filesystem>
#include <sstream>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/project_output.h"
#include "app/cli/project_run.h"
#include "engine/project/create.h"

namespace pareto::cli {

namespace {

namespace fs = std::filesystem;

Error unknown(const std::string& what, const Arguments& arguments) {
    return makeError(ErrorCode::UsageUnknown, {{"what", what}, {"help", arguments.help()}});
}

/// "0.8,0.1,0.1"
Result<std::array<double, 3>> sharesOf(const Arguments& arguments) {
    std::array<double, 3> shares{0.8, 0.1, 0.1};
    if (!arguments.has("splits")) {
        return shares;
    }
    std::istringstream text(arguments.text("splits"));
    text.imbue(std::locale::classic());
    std::size_t count = 0;
    for (std::string part; std::getline(text, part, ',');) {
        char* end = nullptr;
        const double share = std::strtod(part.c_str(), &end);
        if (count == shares.size() || part.empty() || *end != '\0') {
            return unknown(
                "The splits " + arguments.text("splits") + " (three shares: 0.8,0.1,0.1)",
                arguments);
        }
        shares[count++] = share;
    }
    return count == shares.size()
               ? Result<std::array<double, 3>>(shares)
               : unknown("The splits " + arguments.text("splits") + " (three shares: 0.8,0.1,0.1)",
                         arguments);
}

std::string absolutePath(const std::string& path) {
    return fs::absolute(path).lexically_normal().string();
}

/// The encoder of --model: a path, made absolute, or a name of the Hugging Face cache; else the sample.
Result<std::string> modelOf(const Arguments& arguments) {
    std::error_code ignored;
    if (arguments.has("model")) {
        const auto model = arguments.text("model");
        return fs::exists(model, ignored) ? absolutePath(model) : model;
    }
    const auto sample = samplesFolder() + "/minilm";
    if (fs::exists(sample, ignored)) {
        return sample;
    }
    return makeError(ErrorCode::UsageMissing,
                     {{"what", "--model (the encoder to train)"}, {"help", arguments.help()}});
}

Result<project::CreateOptions> optionsOf(const Arguments& arguments) {
    constexpr std::int64_t kMost = INT64_MAX;
    project::CreateOptions out;
    out.folder = absolutePath(arguments.positional()[1]);
    out.name = arguments.text("name");
    PARETO_TRY(const auto kind, arguments.required("template"));
    if (kind != "classification") {
        return unknown("The template " + kind + " (known: classification)", arguments);
    }
    PARETO_TRY(const auto data, arguments.required("data"));
    std::error_code ignored;
    if (!fs::exists(data, ignored)) {
        return makeError(ErrorCode::FileMissing, {{"file", data}});
    }
    out.data.source = absolutePath(data);
    out.data.text = arguments.text("text");
    out.data.label = arguments.text("label");
    out.data.split = arguments.text("split");
    PARETO_TRY(out.data.shares, sharesOf(arguments));
    if (project::Leaks leaks{}; arguments.has("leaks")) {
        if (!project::leaksFromName(arguments.text("leaks"), leaks)) {
            return unknown("--leaks " + arguments.text("leaks") + " (known: move, drop, report)",
                           arguments);
        }
        out.data.leaks = leaks;
    }
    PARETO_TRY(const auto seed, arguments.integer("seed", 0, 0, kMost));
    out.data.seed = static_cast<std::uint64_t>(seed);
    PARETO_TRY(out.model, modelOf(arguments));
    PARETO_TRY(out.maxLength, arguments.integer("max-length", out.maxLength, 4, 1 << 20));
    PARETO_TRY(const auto epochs, arguments.integer("epochs", out.epochs, 1, 100'000));
    out.epochs = static_cast<int>(epochs);
    out.training = !arguments.has("no-training");
    PARETO_TRY(out.target, targetOf(arguments));
    PARETO_TRY(out.minSeconds, arguments.number("min-seconds", out.minSeconds, 0.0, 86400.0));
    PARETO_TRY(const auto least,
               arguments.integer("min-iterations", out.minIterations, 1, 1'000'000));
    out.minIterations = static_cast<int>(least);
    return out;
}

Result<Output> create(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto options, optionsOf(arguments));
    // A model that cannot be opened is heard of now, not in the first run.
    PARETO_CHECK(project::modelHash(options.model, context.progress, context.stop));
    PARETO_TRY(const auto created, project::createProject(options, context.progress, context.stop));
    return Output{{{"folder", options.folder},
                   {"project", projectToJson(created.project)},
                   {"report", project::toJson(created.report)}},
                  reportText(created.report) + "\nProject " + options.folder +
                      ". Next: pareto project run " + arguments.positional()[1] + "\n"};
}

Output shown(const jobs::OpenedProject& opened, Context& context) {
    const auto rows = project::tableOf(opened.project, opened.results);
    Json steps = Json::array();
    std::string text = opened.project.name + "\n";
    for (const auto& step : opened.project.steps) {
        const auto reason = whyDue(opened, step, context);
        const auto* result = opened.results.find(step.name);
        Json one{{"step", step.name}, {"kind", nameOf(step.kind)}, {"done", reason.empty()}};
        if (!reason.empty()) {
            one["due"] = reason;
        }
        if (result != nullptr && result->run > 0) {
            one["run"] = result->run;
        }
        if (result != nullptr && !result->output.empty()) {
            one["output"] = opened.folder + "/" + result->output;
        }
        text += "  " + step.name + ": " + (reason.empty() ? "done" : "due, " + reason) + "\n";
        steps.push_back(std::move(one));
    }
    return {{{"folder", opened.folder},
             {"name", opened.project.name},
             {"steps", steps},
             {"table", toJson(rows)}},
            text + "\n" + tableText(rows)};
}

Result<Output> runCommand(const Arguments& arguments, Context& context) {
    const auto& action = arguments.positional()[0];
    if (arguments.positional().size() < 2) {
        return makeError(ErrorCode::UsageMissing,
                         {{"what", "The project's folder"}, {"help", arguments.help()}});
    }
    if (action == "new") {
        return create(arguments, context);
    }
    if (action != "run" && action != "show") {
        return unknown("The action " + action + " (known: new, run, show)", arguments);
    }
    PARETO_TRY(auto opened,
               jobs::openProject(arguments.positional()[1], context.progress, context.stop));
    if (action == "run") {
        PARETO_CHECK(runProject(opened, arguments.text("again"), context));
    }
    return shown(opened, context);
}

}  // namespace

const Command kProjectCommand{
    "project",
    "new DIR | run DIR | show DIR",
    "A folder in which a model is trained, made smaller, compared and exported",
    joined(
        {{{"template", "T", "new: classification (texts to classes)"},
          {"data", "FILE",
           "new: labelled CSV, TSV or JSONL, or a folder with train, validation and test"},
          {"text", "COL", "new: the column of texts (default: guessed, and said)"},
          {"label", "COL", "new: the column of labels (default: guessed, and said)"},
          {"split", "COL", "new: the column of splits (default: one named so)"},
          {"splits", "A,B,C", "new: shares of train, validation and test (default 0.8,0.1,0.1)"},
          {"leaks", "P", "new: rows that are copies of others: move (to train), drop or report"},
          {"model", "MODEL", "new: the encoder (default: the sample minilm)"},
          {"no-training", "", "new: the model is a classifier of these labels and stays as it is"},
          {"epochs", "N", "new: of training (default 3)"},
          {"max-length", "N", "new: cut texts to this many tokens (default 128)"},
          {"name", "NAME", "new: of the project (default: the folder's)"},
          {"seed", "N", "new: of splits, training and everything drawn at random (default 0)"},
          {"min-seconds", "S", "new: time each variant for at least this long (default 3)"},
          {"min-iterations", "N", "new: and at least this many passes (default 20)"},
          {"again", "STEP",
           "run: do this step whether or not its inputs changed; all: every step"}},
         targetOptions()}),
    1,
    2,
    runCommand};

}  // namespace pareto::cli
