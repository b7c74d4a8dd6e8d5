// project.json and results.json as values, what a step's result follows from, and the table.
#include <filesystem>

#include <QtTest>

#include "engine/project/create.h"
#include "engine/project/results.h"
#include "engine/spec/task.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
using namespace pareto::project;
namespace fs = std::filesystem;

namespace {

std::string said(const auto& result) {
    return result.ok()          ? std::string("ok")
           : result.cancelled() ? "cancelled"
                                : errorMessage(result.error());
}

#define CHECK_OK(result) QVERIFY2((result).ok(), said(result).c_str())

Project sample(bool training = true) {
    Project project;
    project.name = "questions";
    project.model = "encoder";
    project.seed = 5;
    project.target.threads = 2;
    project.steps = classificationSteps(training, 4, 5);
    return project;
}

StepResult measured(const std::string& step, StepType kind, double accuracy, double bytes,
                    std::int64_t run) {
    StepResult out;
    out.step = step;
    out.kind = kind;
    out.inputs = "i" + step;
    out.run = run;
    out.runStartedAt = 1000 + run;
    out.recipe = "recipe of " + step;
    out.figures = {{"accuracy", accuracy, accuracy - 0.02, accuracy + 0.02, 500},
                   {"latency_p50_ms", 12.5, std::nullopt, std::nullopt, 40},
                   {"model_bytes", bytes, std::nullopt, std::nullopt, 1}};
    out.validation = {{"accuracy", accuracy - 0.1, accuracy - 0.2, accuracy, 100}};
    return out;
}

Results sampleResults() {
    Results results;
    StepResult trained;
    trained.step = "train";
    trained.kind = StepType::Train;
    trained.inputs = "abc";
    trained.output = "models/train";
    trained.outputHash = "hash of the trained";
    results.put(trained);
    results.put(measured("base", StepType::Evaluate, 0.95, 1000, 2));
    results.put(measured("pruned", StepType::Variant, 0.80, 600, 3));
    results.put(measured("int8", StepType::Variant, 0.948, 300, 4));
    results.put(measured("pruned-distilled", StepType::Variant, 0.939, 200, 5));
    return results;
}

Inputs sampleInputs() {
    return {"hash of the encoder",
            "{\"kind\":\"classification\"}",
            {{"train", "t"}, {"validation", "v"}, {"test", "x"}},
            "machine"};
}

}  // namespace

class TestProjectFile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void comesBack();
    void refusals_data();
    void refusals();
    void templateRuns();
    void locatedPaths();
    void inputsFollowWhatMatters();
    void exportChooses();
    void exportChoosesWithoutTheTestSplit();
    void tableAndResultsComeBack();
    void folderIsMade();
};

void TestProjectFile::comesBack() {
    for (const bool training : {true, false}) {
        const auto project = sample(training);
        const auto back = projectFromJson(projectToJson(project), "p");
        CHECK_OK(back);
        QVERIFY(back.value() == project);
    }
    QVERIFY(sample(true).training() != nullptr);
    QVERIFY(sample(false).training() == nullptr);
}

void TestProjectFile::refusals_data() {
    QTest::addColumn<QString>("pointer");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const char* pointer, const char* value,
                        const char* says) {
        QTest::newRow(name) << QString::fromLatin1(pointer) << QString::fromLatin1(value)
                            << QString::fromLatin1(says);
    };
    row("newer", "/version", "2", "version");
    row("template", "/template", "\"regression\"", "regression");
    row("key", "/colour", "1", "colour");
    row("kind", "/steps/1/kind", "\"dance\"", "dance");
    row("name twice", "/steps/2/name", "\"base\"", "twice");
    row("path as a name", "/steps/2/name", "\"../x\"", "plain file name");
    row("hidden name", "/steps/2/name", "\".x\"", "plain file name");
    row("no recipe", "/steps/2/recipe", "null", "recipe");
    row("recipe", "/steps/2/recipe/colour", "1", "colour");
    row("training that trains nothing", "/steps/0/recipe", "{\"version\":1}", "recover");
    row("training in the middle", "/steps/2/kind", "\"train\"", "recover");
    row("no evaluation", "/steps/1/kind", "\"compare\"", "evaluates");
    row("export of nothing", "/steps/7/of", "\"none\"", "none");
    row("timing", "/timing/min_iterations", "0", "min_iterations");
    row("target", "/target/threads", "-1", "threads");
}

void TestProjectFile::refusals() {
    QFETCH(QString, pointer);
    QFETCH(QString, value);
    QFETCH(QString, says);
    Json json = projectToJson(sample());
    const Json::json_pointer at(pointer.toStdString());
    const Json wanted = Json::parse(value.toStdString());
    if (wanted.is_null()) {
        json[at.parent_pointer()].erase(at.back());
    } else {
        json[at] = wanted;
    }
    const auto result = projectFromJson(json, "p");
    QVERIFY(!result.ok());
    QVERIFY2(said(result).find(says.toStdString()) != std::string::npos, said(result).c_str());
}

/// Every recipe of the template is one that the program reads, and the distilled ones learn from the base.
void TestProjectFile::templateRuns() {
    const auto project = sample();
    int recovering = 0;
    for (const auto& step : project.steps) {
        const auto back = recipeFromJson(recipeToJson(step.recipe));
        CHECK_OK(back);
        QVERIFY(back.value() == step.recipe);
        for (const auto& recover : step.recipe.recover) {
            ++recovering;
            QCOMPARE(recover.source, std::string("task.json"));
            QCOMPARE(recover.epochs, 4);
            QCOMPARE(recover.distil.has_value(), step.kind == StepType::Variant);
        }
        QCOMPARE(step.recipe.seed, step.recipe.isEmpty() ? 0ULL : 5ULL);
    }
    QCOMPARE(recovering, 3);
    for (const auto& step : sample(false).steps) {
        QVERIFY(step.recipe.recover.empty());
    }
}

void TestProjectFile::locatedPaths() {
    QTemporaryDir folder;
    const auto root = folder.path().toStdString();
    test::writeText(root + "/task.json", "{}");
    test::writeText(root + "/train.csv", "");
    Recipe recipe;
    recipe.recover.resize(2);
    recipe.recover[0].source = "task.json";
    recipe.recover[0].distil = DistilSpec{};
    recipe.recover[1].source = "prompt-injection";
    recipe.calibration = CalibrationSpec{"train.csv#text"};
    const auto there = located(recipe, root);
    QCOMPARE(there.recover[0].source, root + "/task.json");
    QVERIFY(there.recover[0].distil->teacher.empty());
    QCOMPARE(there.recover[1].source, std::string("prompt-injection"));
    QCOMPARE(there.calibration->source, root + "/train.csv#text");
    QCOMPARE(located(std::string("somebody/encoder"), root), std::string("somebody/encoder"));
}

void TestProjectFile::inputsFollowWhatMatters() {
    const auto project = sample();
    const auto inputs = sampleInputs();
    const auto results = sampleResults();
    const auto of = [&](const char* step, const Project& p, const Inputs& i, const Results& r) {
        return inputsOf(p, *p.find(step), i, r);
    };
    const auto changed = [&](const Project& p, const Inputs& i, const Results& r) {
        std::string steps;
        for (const char* step :
             {"train", "base", "pruned", "int8", "pruned-distilled", "compare", "export"}) {
            if (of(step, p, i, r) != of(step, project, inputs, results)) {
                steps += std::string(steps.empty() ? "" : " ") + step;
            }
        }
        return steps;
    };
    QCOMPARE(changed(project, inputs, results), std::string());
    const std::string measuring = "base pruned int8 pruned-distilled";

    Inputs i = inputs;
    i.data["test"] = "another";
    QCOMPARE(changed(project, i, results), measuring);
    i = inputs;
    i.data["train"] = "another";
    QCOMPARE(changed(project, i, results), std::string("train pruned-distilled"));
    i = inputs;
    i.data["validation"] = "another";  // the export's rule looks at it
    QCOMPARE(changed(project, i, results), "train " + measuring);
    i = inputs;
    i.machine = "another";
    QCOMPARE(changed(project, i, results), measuring);
    i = inputs;
    i.model = "another";  // the others begin with what training made of it
    QCOMPARE(changed(project, i, results), std::string("train"));
    i = inputs;
    i.task = "{}";
    QCOMPARE(changed(project, i, results), "train " + measuring);

    Results r = results;
    StepResult trained = *results.find("train");
    trained.outputHash = "another";
    r.put(trained);
    QCOMPARE(changed(project, inputs, r), measuring + " compare export");
    r = results;
    r.put(measured("int8", StepType::Variant, 0.9, 300, 9));
    QCOMPARE(changed(project, inputs, r), std::string("compare export"));

    Project p = project;
    p.steps[2].recipe.prune[0].ratio = 0.5;
    QCOMPARE(changed(p, inputs, results), std::string("pruned"));
    p = project;
    p.seed = 6;
    QCOMPARE(changed(p, inputs, results), "train " + measuring + " compare export");
    p = project;
    p.target.threads = 1;
    QCOMPARE(changed(p, inputs, results), measuring);
    p = project;
    p.name = "another";
    QCOMPARE(changed(p, inputs, results), std::string());
    p.steps.back().mostLost = 0.2;
    QCOMPARE(changed(p, inputs, results), std::string("export"));
}

void TestProjectFile::exportChooses() {
    auto project = sample();
    Step& exporting = project.steps.back();
    const auto results = sampleResults();
    QCOMPARE(chosenFor(project, exporting, results)->step, std::string("int8"));
    exporting.mostLost = 0.011;
    QCOMPARE(chosenFor(project, exporting, results)->step, std::string("pruned-distilled"));
    exporting.mostLost = 0.0;
    QCOMPARE(chosenFor(project, exporting, results)->step, std::string("base"));
    exporting.of = "pruned";
    QCOMPARE(chosenFor(project, exporting, results)->step, std::string("pruned"));
    exporting.of = "pruned-distilled-int8";
    QVERIFY(!chosenFor(project, exporting, results).ok());
    exporting.of = "smallest";
    QVERIFY(!chosenFor(project, exporting, {}).ok());
}

/// The step that looks best on test is not taken where validation says otherwise.
void TestProjectFile::exportChoosesWithoutTheTestSplit() {
    const auto project = sample();
    const Step& exporting = project.steps.back();
    auto results = sampleResults();
    StepResult lucky = *results.find("pruned");
    lucky.figures[0].value = 0.97;  // on test better than the base, and smaller than int8
    lucky.figures[2].value = 100;
    results.put(lucky);
    auto chosen = chosenFor(project, exporting, results);
    CHECK_OK(chosen);
    QCOMPARE(chosen->step, std::string("int8"));
    QVERIFY(chosen->by == Split::Validation);
    lucky.validation[0].value = 0.85;  // as good as the base there
    results.put(lucky);
    QCOMPARE(chosenFor(project, exporting, results)->step, std::string("pruned"));
    QCOMPARE(tableOf(project, results)[1].validation->value, 0.85);
    // Without a validation split there is only test, and that is said.
    Results without;
    for (auto one : results.steps) {
        one.validation.clear();
        without.put(one);
    }
    chosen = chosenFor(project, exporting, without);
    CHECK_OK(chosen);
    QCOMPARE(chosen->step, std::string("pruned"));
    QVERIFY(chosen->by == Split::Test);
}

void TestProjectFile::tableAndResultsComeBack() {
    const auto project = sample();
    auto results = sampleResults();
    StepResult compare;
    compare.step = "compare";
    compare.kind = StepType::Compare;
    compare.inputs = "c";
    compare.details["pruned"] = {
        {"run", 3}, {"accuracy_points", -15.0}, {"accuracy_differs", true}};
    compare.details["int8"] = {{"run", 99}, {"accuracy_points", -0.2}, {"accuracy_differs", false}};
    results.put(compare);
    StepResult exported;
    exported.step = "export";
    exported.kind = StepType::Export;
    exported.inputs = "e";
    exported.details = {{"step", "int8"}};
    results.put(exported);
    const auto back = resultsFromJson(resultsToJson(results), "r");
    CHECK_OK(back);
    QCOMPARE(resultsToJson(back.value()), resultsToJson(results));
    const auto rows = tableOf(project, back.value());
    QCOMPARE(rows.size(), std::size_t{4});
    QVERIFY(rows[0].base && rows[0].step == "base");
    QCOMPARE(rows[1].accuracyPoints.value(), -15.0);
    QCOMPARE(rows[1].accuracyDiffers, std::optional(true));
    QVERIFY(!rows[2].accuracyPoints);  // what was compared was another run
    QVERIFY(rows[2].exported);
    QCOMPARE(*rows[1].accuracy->low, 0.78);
    const Json json = toJson(rows);
    QCOMPARE(json[2]["model_bytes"], Json(300));
    QCOMPARE(json[1]["accuracy_interval"][1].get<double>(), 0.82);
    QCOMPARE(json[1]["validation_accuracy"].get<double>(), 0.80 - 0.1);
    QVERIFY(!resultsFromJson({{"version", 2}, {"steps", Json::array()}}, "r").ok());
}

void TestProjectFile::folderIsMade() {
    QTemporaryDir folder;
    const auto root = folder.path().toStdString();
    CreateOptions options;
    options.folder = root + "/made";
    options.model = "encoder";
    options.data.source = test::writeTinyTask(root + "/data.csv", 60);
    options.data.seed = 3;
    Progress progress;
    const auto created = createProject(options, progress, {});
    CHECK_OK(created);
    QCOMPARE(created->project.name, std::string("made"));
    const auto loaded = loadProject(options.folder);
    CHECK_OK(loaded);
    QVERIFY(loaded.value() == created->project);
    const auto task = loadTask(options.folder + "/task.json");
    CHECK_OK(task);
    QCOMPARE(task->data, options.folder + "/data");
    QCOMPARE(task->split, std::string("test"));
    QCOMPARE(task->labels, (std::map<std::string, int>{{"0", 0}, {"1", 1}}));
    const auto inputs = readInputs(options.folder, {});
    CHECK_OK(inputs);
    QCOMPARE(inputs->data.size(), std::size_t{3});
    QVERIFY(fs::exists(options.folder + "/report.json"));
    CHECK_OK(loadResults(options.folder));
    // An own folder is never written over.
    const auto again = createProject(options, progress, {});
    QVERIFY(!again.ok());
    QVERIFY(again.error().code == ErrorCode::FileWriteDenied);
    options.folder = root + "/other";
    options.data.label = "none";
    QVERIFY(!createProject(options, progress, {}).ok());
    QVERIFY(!fs::exists(options.folder));
}

QTEST_GUILESS_MAIN(TestProjectFile)
#include "tst_project_file.moc"
