// pareto project new, run and show, as a process.
#include <filesystem>
#include <set>

#include <QtTest>

#include "engine/core/file.h"
#include "tests/app/cli_compute/program.h"

using namespace pareto;
namespace fs = std::filesystem;

class TestCliProject : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void newWritesTheFolder();
    void newIsForPeople();
    void runMakesTheTable();
    void finishedStepsAreNotRepeated();
    void changedInputsAreDoneAgain();
    void againAsksForAStep();
    void aLostExportIsMadeAgain();
    void trainingProject();
    void refusals();

private:
    test::Answer call(const std::vector<std::string>& words) const { return test::callWithStore(m_folder, words); }
    Json callJson(const std::vector<std::string>& words) const { return test::callForJson(m_folder, words); }
    std::vector<std::string> newWords(const std::string& folder) const {
        return {"project",
                "new",
                folder,
                "--template",
                "classification",
                "--data",
                m_data,
                "--model",
                m_classifier,
                "--no-training",
                "--threads",
                "1",
                "--seq",
                "16",
                "--min-seconds",
                "0",
                "--min-iterations",
                "5",
                "--max-length",
                "32"};
    }
    /// Run ids by step.
    static std::map<std::string, std::int64_t> runsOf(const Json& shown) {
        std::map<std::string, std::int64_t> out;
        for (const auto& step : shown["steps"]) {
            out[step["step"].get<std::string>()] = step.value("run", std::int64_t{0});
        }
        return out;
    }
    static std::string accuracies(const Json& shown) {
        std::string out;
        for (const auto& row : shown["table"]) {
            out += row["step"].get<std::string>() + " " + row["accuracy"].dump() +
                   row["accuracy_interval"].dump() + row["model_bytes"].dump() +
                   row.value("accuracy_points", Json()).dump() + row["exported"].dump() + "\n";
        }
        return out;
    }
    std::string file(const char* name) const { return m_project + "/" + name; }

    test::ProgramFolder m_folder;
    std::string m_classifier;
    std::string m_data;
    std::string m_project;
    Json m_first;
};

void TestCliProject::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_data = test::writeTinyTask(m_folder.path(QStringLiteral("data.csv")), 200);
    m_project = m_folder.path(QStringLiteral("project"));
}

void TestCliProject::newWritesTheFolder() {
    const auto json = callJson(newWords(m_project));
    QCOMPARE(json["folder"].get<std::string>(), m_project);
    QCOMPARE(json["report"]["columns"]["text"]["name"], Json("text"));
    QCOMPARE(json["report"]["leakage"]["leaking"], Json(0));
    for (const char* name : {"project.json", "task.json", "report.json", "data/train.csv",
                             "data/validation.csv", "data/test.csv"}) {
        QVERIFY2(fs::exists(file(name)), name);
    }
    std::int64_t rows = 0;
    for (const auto& one : json["report"]["classes"]) {
        rows += one["train"].get<std::int64_t>() + one["validation"].get<std::int64_t>() +
                one["test"].get<std::int64_t>();
    }
    QCOMPARE(rows, std::int64_t{200});
}

void TestCliProject::newIsForPeople() {
    const auto folder = m_folder.path(QStringLiteral("people"));
    const auto answer = call(newWords(folder));
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    for (const char* word : {"Text: column \"text\"", "Dropped: nothing", "Across splits now: 0",
                             "Validation", "Words", "pareto project run"}) {
        QVERIFY2(answer.out.find(word) != std::string::npos,
                 (std::string(word) + " in\n" + answer.out).c_str());
    }
    const auto shown = call({"project", "show", folder});
    QVERIFY2(shown.exitCode == 0, shown.err.c_str());
    QVERIFY(shown.out.find("base: due, not done yet") != std::string::npos);
    QVERIFY(shown.out.find("Nothing was measured yet") != std::string::npos);
}

void TestCliProject::runMakesTheTable() {
    m_first = callJson({"project", "run", m_project});
    std::vector<std::string> steps;
    for (const auto& row : m_first["table"]) {
        steps.push_back(row["step"].get<std::string>());
        for (const char* key : {"accuracy", "f1_macro", "latency_p50_ms", "model_bytes"}) {
            QVERIFY2(row[key].is_number(), key);
        }
        QVERIFY(row["accuracy_interval"][0] <= row["accuracy"] &&
                row["accuracy"] <= row["accuracy_interval"][1]);
        if (row["step"] != "base") {
            QVERIFY(row["latency_ratio"].is_number());
            const double points = 100.0 * (row["accuracy"].get<double>() -
                                           m_first["table"][0]["accuracy"].get<double>());
            QVERIFY(std::abs(row["accuracy_points"].get<double>() - points) < 1e-9);
        }
    }
    QCOMPARE(steps, (std::vector<std::string>{"base", "pruned", "int8", "pruned-int8"}));
    for (const auto& step : m_first["steps"]) {
        QVERIFY2(step["done"].get<bool>(), step.dump().c_str());
    }
    // What was exported is a model that opens, and the smallest of those that are good enough.
    const auto exported = callJson({"inspect", file("export")});
    QCOMPARE(exported["family"], Json("bert"));
    const Json* best = nullptr;
    for (const auto& row : m_first["table"]) {
        if (row["validation_accuracy"].get<double>() >=
                m_first["table"][0]["validation_accuracy"].get<double>() - 0.01 &&
            (best == nullptr || row["model_bytes"] < (*best)["model_bytes"])) {
            best = &row;
        }
    }
    QVERIFY(best != nullptr && (*best)["exported"].get<bool>());
    const auto results = readJsonFile(file("results.json"));
    QVERIFY(results.ok());
    QCOMPARE(results.value()["steps"].back()["details"]["chosen_by"], Json("validation"));
    // Each measured step is a run of the store, of the test split.
    const auto run = callJson({"runs", "show", std::to_string(runsOf(m_first)["int8"])});
    QCOMPARE(run["task"]["split"], Json("test"));
    QCOMPARE(run["details"]["validation"]["split"], Json("validation"));
    const auto text = call({"project", "show", m_project});
    QVERIFY(text.out.find("95 % interval") != std::string::npos);
    QVERIFY(text.out.find("exported") != std::string::npos);
}

void TestCliProject::finishedStepsAreNotRepeated() {
    const auto again = callJson({"project", "run", m_project});
    QVERIFY(runsOf(again) == runsOf(m_first));
    QCOMPARE(again["table"], m_first["table"]);
    // In another store none of the runs is there.
    std::vector<std::string> words{"project", "show", m_project,
                                   "--json",  "--db", m_folder.path(QStringLiteral("other.db"))};
    const auto elsewhere = test::callProgram(m_folder, words).json();
    QCOMPARE(elsewhere["steps"][0]["due"], Json("its run is not in this store"));
    // The same file in another place, from the beginning: the same table but for times.
    const auto copy = m_folder.path(QStringLiteral("copy"));
    fs::copy(m_project, copy, fs::copy_options::recursive);
    for (const char* made : {"results.json", "export", "models"}) {
        fs::remove_all(copy + "/" + made);
    }
    QCOMPARE(accuracies(callJson({"project", "run", copy})), accuracies(m_first));
}

void TestCliProject::changedInputsAreDoneAgain() {
    auto project = readJsonFile(file("project.json"));
    QVERIFY(project.ok());
    for (auto& step : project.value()["steps"]) {
        if (step["name"] == "pruned") {
            step["recipe"]["defaults"]["prune"][1]["ratio"] = 0.25;
        }
    }
    test::writeText(file("project.json"), project->dump(2));
    const auto before = runsOf(m_first);
    const auto due = callJson({"project", "show", m_project});
    std::set<std::string> wanted;
    for (const auto& step : due["steps"]) {
        if (!step["done"].get<bool>()) {
            wanted.insert(step["step"].get<std::string>());
        }
    }
    QCOMPARE(wanted, std::set<std::string>{"pruned"});
    const auto json = callJson({"project", "run", m_project});
    const auto after = runsOf(json);
    QVERIFY(after.at("pruned") > before.at("pruned"));
    for (const char* same : {"base", "int8", "pruned-int8"}) {
        QCOMPARE(after.at(same), before.at(same));
    }
    QVERIFY(json["table"][1]["model_bytes"] > m_first["table"][1]["model_bytes"]);
    QVERIFY(json["table"][1].contains("accuracy_points"));
    m_first = json;

    // A row less to test on: everything is measured again, and on the rows that are left.
    auto content = readTextFile(file("data/test.csv"));
    QVERIFY(content.ok());
    const auto shorter = content->substr(0, content->find_last_of('\n', content->size() - 2) + 1);
    test::writeText(file("data/test.csv"), shorter);
    const auto all = runsOf(callJson({"project", "run", m_project}));
    for (const char* step : {"base", "pruned", "int8", "pruned-int8"}) {
        QVERIFY(all.at(step) > after.at(step));
    }
    const auto run = callJson({"runs", "show", std::to_string(all.at("base"))});
    std::ptrdiff_t tested = 0;
    for (const auto& measurement : run["measurements"]) {
        tested = measurement["key"] == "accuracy" ? measurement["n"].get<std::ptrdiff_t>() : tested;
    }
    QCOMPARE(tested + 1, std::count(shorter.begin(), shorter.end(), '\n'));
}

void TestCliProject::againAsksForAStep() {
    const auto before = callJson({"project", "show", m_project});
    const auto after = callJson({"project", "run", m_project, "--again", "int8"});
    auto expected = runsOf(before);
    QVERIFY(runsOf(after)["int8"] > expected["int8"]);
    expected["int8"] = runsOf(after)["int8"];
    QVERIFY(runsOf(after) == expected);
    QCOMPARE(accuracies(after), accuracies(before));
    QCOMPARE(call({"project", "run", m_project, "--again", "none"}).exitCode, 2);
}

void TestCliProject::aLostExportIsMadeAgain() {
    fs::remove_all(file("export"));
    const auto due = callJson({"project", "show", m_project});
    QVERIFY(due["steps"].back()["due"].get<std::string>().find("export") != std::string::npos);
    callJson({"project", "run", m_project});
    QVERIFY(fs::exists(file("export/config.json")));
    QVERIFY(!fs::exists(file(".old-export")));
}

/// A bare encoder gets a head and is trained; what trains is written, and the table is the same again.
void TestCliProject::trainingProject() {
    const auto folder = m_folder.path(QStringLiteral("training"));
    const auto json =
        callJson({"project",
                  "new",
                  folder,
                  "--template",
                  "classification",
                  "--data",
                  m_data,
                  "--model",
                  test::writeTinySentenceModel(m_folder.path(QStringLiteral("encoder"))),
                  "--epochs",
                  "1",
                  "--seed",
                  "4",
                  "--splits",
                  "0.6,0.2,0.2",
                  "--threads",
                  "1",
                  "--seq",
                  "16",
                  "--min-seconds",
                  "0",
                  "--min-iterations",
                  "5",
                  "--max-length",
                  "32"});
    const auto& steps = json["project"]["steps"];
    QCOMPARE(steps[0]["kind"], Json("train"));
    QCOMPARE(steps[0]["recipe"]["recover"]["source"], Json("task.json"));
    QCOMPARE(steps[0]["recipe"]["recover"]["epochs"], Json(1));
    QCOMPARE(json["report"]["classes"][0]["test"], Json(20));
    const auto task = readJsonFile(folder + "/task.json");
    QVERIFY(task.ok());
    QCOMPARE(task.value()["labels"]["1"], Json(1));
    const auto shown = callJson({"project", "run", folder});
    for (const auto& step : shown["steps"]) {
        QVERIFY2(step["done"].get<bool>(), step.dump().c_str());
    }
    QCOMPARE(shown["table"].size(), std::size_t{5});
    for (const char* name : {"train", "pruned-distilled", "pruned-distilled-int8"}) {
        QVERIFY2(fs::exists(folder + "/models/" + name + "/config.json"), name);
    }
    const auto config = readJsonFile(folder + "/models/train/config.json");
    QVERIFY(config.ok());
    QCOMPARE(config.value()["architectures"][0], Json("BertForSequenceClassification"));
    const auto trained = callJson({"runs", "show", std::to_string(runsOf(shown)["train"])});
    QVERIFY(trained["task"].is_null());  // the test split is not looked at while training
    QCOMPARE(trained["details"]["recover"].size(), std::size_t{1});
    QCOMPARE(callJson({"project", "run", folder})["table"], shown["table"]);
    fs::remove(folder + "/results.json");
    QCOMPARE(accuracies(callJson({"project", "run", folder})), accuracies(shown));
}

void TestCliProject::refusals() {
    QCOMPARE(
        call({"project", "new", m_folder.path(QStringLiteral("x")), "--data", m_data}).exitCode, 2);
    QCOMPARE(call({"project", "new", m_folder.path(QStringLiteral("x")), "--template", "regression",
                   "--data", m_data})
                 .exitCode,
             2);
    QCOMPARE(call({"project", "dance", m_project}).exitCode, 2);
    QCOMPARE(call({"project", "show"}).exitCode, 2);
    QCOMPARE(call({"project", "show", m_folder.path(QStringLiteral("nothing"))}).exitCode, 4);
    QCOMPARE(call(newWords(m_project)).exitCode, 4);  // is there already
    auto words = newWords(m_folder.path(QStringLiteral("y")));
    words.insert(words.end(), {"--label", "colour"});
    const auto answer = call(words);
    QCOMPARE(answer.exitCode, 4);
    QVERIFY(answer.err.find("colour") != std::string::npos);
    QVERIFY(!fs::exists(m_folder.path(QStringLiteral("y"))));
}

QTEST_GUILESS_MAIN(TestCliProject)
#include "tst_cli_project.moc"
