#include <cmath>
#include <map>

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include "engine/core/json.h"
#include "engine/store/store.h"
#include "tests/support/tiny_models.h"

using namespace pareto;

namespace {

struct Outcome {
    int code = -1;
    QByteArray out;
    QByteArray err;
    Json json() const {
        auto parsed = parseJson(out.toStdString(), "stdout");
        return parsed.ok() ? parsed.value() : Json();
    }
};

RunRecord storedRun(double shift, bool worse) {
    RunRecord run;
    run.name = worse ? "pruned" : "baseline";
    run.modelName = "tiny";
    run.recipe = worse ? Json{{"version", 1}, {"defaults", {{"quantize", {{"weights", "int8"}}}}}}
                       : Json{{"version", 1}};
    run.recipeSummary = worse ? "int8" : "–";
    run.task = Json{{"version", 1}, {"kind", "classification"}};
    run.taskName = "prompts, \"quoted\"";
    run.taskKey = "task";
    run.targetKey = "target";
    run.targetText = "CPU";
    run.headlineKey = "accuracy";
    run.startedAt = 1700000000000;
    run.disturbed = worse;
    run.disturbance = worse ? "other programs used 30 % of 2 cores while timing" : "";
    int right = 0;
    for (int i = 0; i < 60; ++i) {
        const bool correct = !worse || i % 3 != 0;
        right += correct ? 1 : 0;
        run.items.push_back({i, correct ? 1.0 : 0.0, 0});
        run.latenciesMs.push_back(10.0 + shift + 0.01 * (i % 7));
    }
    run.measurements = {{"accuracy", right / 60.0, {}, {}, 60},
                        {"latency_p50_ms", 10.03 + shift, 10.0 + shift, 10.06 + shift, 60},
                        {"model_bytes", worse ? 250.0 : 1000.0, {}, {}, 0}};
    return run;
}

}  // namespace

class TestCli : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    QString m_database;
    QString m_model;

    Outcome call(const QStringList& words) {
        QProcess process;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("XDG_DATA_HOME"), m_folder.filePath(QStringLiteral("data")));
        process.setProcessEnvironment(environment);
        process.start(QStringLiteral(PARETO_PROGRAM), words);
        process.waitForFinished(60000);
        return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
                process.readAllStandardOutput(), process.readAllStandardError()};
    }
    Outcome call(const char* words) {
        QStringList list = QString::fromUtf8(words).split(QLatin1Char(' '), Qt::SkipEmptyParts);
        list.replaceInStrings(QStringLiteral("DB"), m_database);
        list.replaceInStrings(QStringLiteral("MODEL"), m_model);
        return call(list);
    }

private Q_SLOTS:
    void initTestCase() {
        m_database = m_folder.filePath(QStringLiteral("runs.db"));
        m_model = m_folder.filePath(QStringLiteral("tiny"));
        test::writeTinyClassifier(m_model.toStdString());
        const auto store = store::Store::open(m_database.toStdString());
        QVERIFY(store.ok());
        QVERIFY(store.value()->finishRun(storedRun(0.0, false)).ok());
        QVERIFY(store.value()->finishRun(storedRun(-4.0, true)).ok());
        QVERIFY(store.value()->finishRun(storedRun(0.0, false)).ok());
    }

    void helpAndVersion() {
        const Outcome help = call("--help");
        QCOMPARE(help.code, 0);
        for (const char* name : {"inspect", "estimate", "runs", "compare"}) {
            QVERIFY2(help.out.contains(name), name);
            const Outcome one = call({QString::fromUtf8(name), QStringLiteral("--help")});
            QCOMPARE(one.code, 0);
            QVERIFY(one.out.startsWith("Usage: pareto "));
        }
        const Outcome version = call("--version --json");
        QCOMPARE(version.code, 0);
        QVERIFY(version.json().contains("sqlite"));
    }

    void usageErrors_data() {
        QTest::addColumn<QString>("words");
        for (const char* words :
             {"", "frobnicate", "inspect", "inspect a b", "inspect MODEL --nonsense", "inspect MODEL -x",
              "inspect MODEL --json=1", "estimate MODEL --recipe", "runs", "runs dance", "runs show",
              "runs show x", "runs delete", "runs export --format xml", "compare 1", "runs list --db a --db b"}) {
            QTest::newRow(*words == '\0' ? "nothing" : words) << QString::fromUtf8(words);
        }
    }
    void usageErrors() {
        QFETCH(QString, words);
        const Outcome outcome = call(words.toUtf8().constData());
        QVERIFY2(outcome.code == 2, outcome.err.constData());
        QVERIFY(outcome.out.isEmpty());
        QVERIFY(outcome.err.contains("See: pareto"));
    }

    void failuresAreJsonWithJson() {
        const Outcome usage = call("inspect --json");
        QCOMPARE(usage.code, 2);
        QVERIFY(usage.json()["error"]["code"] == "UsageMissing");
        const Outcome missing = call("inspect no/such/model --json");
        QCOMPARE(missing.code, 4);
        QVERIFY(missing.json()["error"]["code"] == "FileMissing");
        QVERIFY(missing.json()["error"].contains("message") && missing.json()["error"].contains("detail"));
        QCOMPARE(call("runs show 99 --db DB").code, 4);
        QCOMPARE(call("runs list --db no/such.db").code, 4);
        QCOMPARE(call({QStringLiteral("estimate"), m_model, QStringLiteral("--recipe"),
                       QStringLiteral("{\"version\": 1, \"defaults\": {\"prune\": {\"ratio\": 3}}}")})
                     .code,
                 4);
    }

    void inspectSaysWhatIsThere() {
        const Outcome outcome = call("inspect MODEL --json");
        QCOMPARE(outcome.code, 0);
        const Json json = outcome.json();
        QVERIFY(json["family"] == "bert");
        QVERIFY(json["parameters"] == json["nonzero_parameters"]);
        QVERIFY(json["bytes"] == json["parameters"].get<std::int64_t>() * 4);
        QVERIFY(json["layers"].size() == 17);
        QVERIFY(json["layers"][0]["held_as"] == "fp32");
        for (const char* key : {"name", "shape", "dtype", "held_as", "nonzero"}) {
            QVERIFY2(json["layers"][0].contains(key), key);
        }
        const Outcome quick = call("inspect MODEL --json --no-statistics --quiet");
        QVERIFY(quick.json()["nonzero_parameters"].is_null());
        QVERIFY(quick.err.isEmpty());
        QVERIFY(call("inspect MODEL").out.contains("encoder.layer.1.ffn.out"));
    }

    void estimateIsSmaller() {
        const Outcome outcome =
            call({QStringLiteral("estimate"), m_model, QStringLiteral("--json"), QStringLiteral("--recipe"),
                  QStringLiteral("{\"version\": 1, \"defaults\": {\"prune\": {\"method\": \"l1\", \"pattern\": "
                                 "\"neurons\", \"ratio\": 0.5}}}")});
        QVERIFY2(outcome.code == 0, outcome.out.constData());
        const Json json = outcome.json();
        // 2 blocks lose 32 of 64 neurons: rows of ffn.in with their biases and columns of ffn.out.
        const auto lost = json["original"]["parameters"].get<std::int64_t>() - json["parameters"].get<std::int64_t>();
        QVERIFY(lost == 2 * 32 * (32 + 1 + 32));
        QVERIFY(json["exact"] == true);
        QCOMPARE(call("estimate MODEL").code, 0);
    }

    void runsAreListedShownAndExported() {
        const Outcome list = call("runs list --json --db DB");
        QCOMPARE(list.code, 0);
        const Json answer = list.json();
        const Json runs = answer["runs"];
        QVERIFY(runs.size() == 3);
        QVERIFY(runs[0]["figures"]["accuracy"]["value"] == 1.0);
        QVERIFY(runs[0]["baseline"] == true && runs[1]["baseline"] == false);
        QVERIFY(call("runs list --db DB").out.contains("pruned"));
        const Outcome show = call("runs show 2 --json --db DB");
        QVERIFY(show.json()["items"]["score"].size() == 60);
        QVERIFY(call("runs show 1 2 --db DB").out.contains("Accuracy"));

        const Outcome csv = call("runs export --format csv --db DB");
        QCOMPARE(csv.code, 0);
        const auto lines = csv.out.split('\n');
        QVERIFY(lines.size() == 5 && lines[0].startsWith("id,name,"));
        QVERIFY(lines[1].contains("\"prompts, \"\"quoted\"\"\""));
        QVERIFY(lines[1].contains("2023-11-14T22:13:20Z"));
        const QString file = m_folder.filePath(QStringLiteral("all.json"));
        const Outcome written =
            call({QStringLiteral("runs"), QStringLiteral("export"), QStringLiteral("2"), QStringLiteral("--db"),
                  m_database, QStringLiteral("--out"), file});
        QCOMPARE(written.code, 0);
        QFile content(file);
        QVERIFY(content.open(QIODevice::ReadOnly));
        const auto json = parseJson(content.readAll().toStdString(), "file");
        QVERIFY(json.ok() && json.value()["runs"].size() == 1);
    }

    void aNewerStoreIsSaidToBe() {
        QVERIFY(!call("runs list --db DB").err.contains("newer"));
        const QString path = m_folder.filePath(QStringLiteral("newer.db"));
        QVERIFY(QFile::copy(m_database, path));
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(60));  // PRAGMA user_version
        file.write(QByteArray::fromHex("00000063"));
        file.close();
        const Outcome outcome = call({QStringLiteral("runs"), QStringLiteral("list"), QStringLiteral("--json"),
                                      QStringLiteral("--db"), path});
        QCOMPARE(outcome.code, 0);
        QVERIFY(outcome.json()["runs"].size() == 3);
        QVERIFY(outcome.err.contains("A newer Pareto Studio"));
    }

    void noStoreYetMeansNoRuns() {
        const Outcome outcome = call("runs list --json");
        QCOMPARE(outcome.code, 0);
        QVERIFY(outcome.json()["runs"].empty());
    }

    void compareTestsWhatCanBeTested() {
        const Outcome outcome = call("compare 1 2 --json --db DB");
        QVERIFY2(outcome.code == 0, outcome.out.constData());
        const Json answer = outcome.json();
        std::map<std::string, Json> differences;
        for (const auto& difference : answer["differences"]) {
            differences[difference["metric"].get<std::string>()] = difference;
        }
        const Json accuracy = differences["accuracy"];
        QVERIFY(accuracy["test"] == "McNemar" && accuracy["significant"] == true);
        QVERIFY(accuracy["p"].get<double>() < 1e-4);
        QVERIFY(std::abs(accuracy["delta_pct"].get<double>() + 100.0 / 3.0) < 0.1);
        QVERIFY(accuracy["ci"][0].get<double>() < -33.0 && accuracy["ci"][1].get<double>() > -34.0);
        QVERIFY(std::abs(accuracy["delta_points"].get<double>() + 100.0 / 3.0) < 0.1);
        QVERIFY(differences["model_bytes"]["a"].is_number_integer());
        QVERIFY(!differences["model_bytes"].contains("delta_points"));
        QVERIFY(answer["comparable"][0]["disturbed"] == true && answer["reference_disturbed"] == false);
        const QByteArray text = call("compare 1 2 --db DB").out;
        QVERIFY(text.contains("Run 2 was disturbed: other programs"));
        QVERIFY(!text.contains("Run 1 was disturbed"));
        QVERIFY(text.contains("points)"));
        const Json latency = differences["latency_p50_ms"];
        QVERIFY(latency["test"] == "bootstrap" && latency["significant"] == true);
        QVERIFY(std::abs(latency["delta_pct"].get<double>() + 39.88) < 0.1);
        QVERIFY(differences["model_bytes"]["delta_pct"] == -75.0);
        QVERIFY(differences["model_bytes"]["significant"].is_null());
        bool said = false;
        for (const auto& setting : answer["settings"]) {
            said = said || (setting["setting"] == "recipe.defaults.quantize.weights" && setting["b"] == "int8");
        }
        QVERIFY(said);
        // Equal runs: no difference is claimed.
        const Json equal = call("compare 1 3 --json --db DB").json();
        QVERIFY(equal["differences"].size() == 3);
        for (const auto& difference : equal["differences"]) {
            QVERIFY(difference["significant"].is_null() || difference["significant"] == false);
        }
        QVERIFY(call("compare 1 2 3 --db DB").out.contains("worse"));
        QCOMPARE(call("compare 1 99 --db DB").code, 4);
    }

    void runsAreDeletedAndRestored() {
        QCOMPARE(call("runs delete 3 --db DB").code, 0);
        QVERIFY(call("runs list --json --db DB").json()["runs"].size() == 2);
        QVERIFY(call("runs list --deleted --json --db DB").json()["runs"].size() == 3);
        QCOMPARE(call("runs delete 3 --restore --db DB").code, 0);
        QVERIFY(call("runs list --json --db DB").json()["runs"].size() == 3);
        QCOMPARE(call("runs delete 1 99 --db DB").code, 4);
        QVERIFY(call("runs list --json --db DB").json()["runs"].size() == 3);
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
