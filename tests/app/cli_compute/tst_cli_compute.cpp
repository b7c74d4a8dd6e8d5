#include <QDir>
#include <QFile>
#include <QTest>

#include "engine/jobs/api/machine_lock.h"
#include "tests/app/cli_compute/program.h"

using namespace pareto;

namespace {

const std::string kPresets = PARETO_SOURCE_DIR "/resources/presets/";
const std::string kInt8 = kPresets + "int8-dynamic.json";
const std::string kPruned = kPresets + "half-heads-neurons.json";

}  // namespace

/// The JSON keys that scripts rely on (ARCHITECTURE.md, "JSON results").
class TestCliCompute : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void benchKeys();
    void benchOfATextGenerator();
    void profileKeysAndTimeline();
    void profileForPeople();
    void evalKeys();
    void runIsStoredAndExported();
    void optimizeAndExport();
    void ggufFilesRunAgain();
    void generateClassifyEmbed();
    void draftsProposeTokens();
    void humanOutputNamesTheFigures();
    void calibratedRunsReportTheirLayers();
    void exitCodes();
    void aFullDiskIsSaidAndLeavesNothing();
    void whoMeasuresIsSaid();
    void noTokenizerIsSaid();

private:
    test::Answer call(const std::vector<std::string>& words) const { return test::callWithStore(m_folder, words); }
    Json callJson(const std::vector<std::string>& words) const { return test::callForJson(m_folder, words); }
    std::vector<std::string> quick(std::vector<std::string> words) const {
        words.insert(words.end(), {"--threads", "1", "--min-seconds", "0", "--min-iterations", "5"});
        return words;
    }
    std::string task() const {
        return Json{{"version", 1},
                    {"kind", "classification"},
                    {"name", "tiny"},
                    {"data", m_data},
                    {"max_length", 32}}
            .dump();
    }
    test::ProgramFolder m_folder;
    std::string m_classifier;
    std::string m_sentences;
    std::string m_llama;
    std::string m_data;
};

void TestCliCompute::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_sentences = test::writeTinySentenceModel(m_folder.path(QStringLiteral("sentences")));
    m_llama = test::writeTinyLlama(m_folder.path(QStringLiteral("llama")));
    m_data = test::writeTinyTask(m_folder.path(QStringLiteral("data.csv")), 40);
}

void TestCliCompute::benchKeys() {
    const auto json = callJson(quick({"bench", m_classifier, "--device", "cpu", "--batch", "2",
                                      "--seq", "16", "--recipe", kInt8}));
    for (const auto* key : {"p50", "p90", "p99", "mean", "ci_low", "ci_high"}) {
        QVERIFY2(json["latency_ms"][key].is_number(), key);
    }
    QVERIFY(json["latency_ms"]["n"].get<int>() >= 5);
    QVERIFY(json["throughput"]["value"].get<double>() > 0.0);
    QCOMPARE(json["throughput"]["unit"].get<std::string>(), std::string("items/s"));
    QVERIFY(json["peak_rss_bytes"].is_number_integer() && json["peak_rss_bytes"] > 1000000);
    QVERIFY(json["model_bytes"].is_number_integer() && json["model_bytes"] > 0);
    QCOMPARE(json["target"]["device"].get<std::string>(), std::string("cpu"));
    QCOMPARE(json["target"]["threads"].get<int>(), 1);
    QCOMPARE(json["target"]["batch"].get<int>(), 2);
    QCOMPARE(json["target"]["seq"].get<int>(), 16);
    QVERIFY(json["latency_ratio"]["value"].is_number());
    QVERIFY(json["layers"].size() > 10);
    for (const auto* key : {"name", "ms", "share", "bytes"}) {
        QVERIFY2(json["layers"][0].contains(key), key);
    }
}

void TestCliCompute::benchOfATextGenerator() {
    const auto json = callJson(quick({"bench", m_llama, "--target", "cpu,prompt=8,generate=64", "--generate", "4"}));
    for (const auto* key : {"prefill_tokens_per_s", "decode_tokens_per_s", "first_token_ms"}) {
        QVERIFY2(json[key].get<double>() > 0.0, key);
    }
    QCOMPARE(json["throughput"]["unit"].get<std::string>(), std::string("tokens/s"));
    QCOMPARE(json["target"]["prompt"].get<int>(), 8);
    QCOMPARE(json["target"]["generate"].get<int>(), 4);
}

void TestCliCompute::profileKeysAndTimeline() {
    const auto file = m_folder.path(QStringLiteral("trace.json"));
    const auto json = callJson({"profile", m_llama, "--threads", "1", "--prompt", "8", "--generate", "4", "--min-seconds",
                                "0", "--trace", file});
    for (const auto* roof : {"weights_gb_per_s", "memory_gb_per_s", "fp32_gflops", "int8_gops"}) {
        QVERIFY2(json["roofs"][roof]["best"].get<double>() >= json["roofs"][roof]["median"].get<double>(), roof);
        QVERIFY2(json["roofs"][roof]["median"].get<double>() > 0.0, roof);
    }
    QCOMPARE(json["steps"].size(), std::size_t{2});
    QCOMPARE(json["steps"][0]["name"].get<std::string>(), std::string("prefill"));
    QCOMPARE(json["steps"][1]["name"].get<std::string>(), std::string("decode"));
    bool found = false;
    for (const auto& layer : json["steps"][1]["layers"]) {
        if (layer["name"] == "lm_head") {
            found = true;
            for (const auto* key : {"ms", "share", "bytes", "operations", "intensity", "gops", "gb_per_s", "roof_share"}) {
                QVERIFY2(layer[key].is_number(), key);
            }
        }
    }
    QVERIFY(found);
    QVERIFY(!json.contains("timeline"));
    QCOMPARE(json["trace"].get<std::string>(), file);
    QFile trace(QString::fromStdString(file));
    QVERIFY(trace.open(QIODevice::ReadOnly));
    const auto events = Json::parse(trace.readAll().toStdString())["traceEvents"];
    int steps = 0;
    for (const auto& event : events) {
        steps += event.value("cat", std::string()) == "step" ? 1 : 0;
    }
    QCOMPARE(steps, 4);
    QVERIFY(events.size() > 60);
}

void TestCliCompute::profileForPeople() {
    const auto words = std::vector<std::string>{"profile", m_classifier, "--threads", "1", "--seq", "16",
                                                "--min-seconds", "0", "--recipe", kInt8};
    const auto answer = call(words);
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    for (const auto* text : {"Roofs of 1 thread", "GFLOP/s", "of its roof", "encoder.layer.1.ffn.out", "int8 dynamic",
                             "norms and other work"}) {
        QVERIFY2(answer.out.find(text) != std::string::npos, text);
    }
    // Either what was counted or why nothing was.
    QVERIFY((answer.out.find("Hardware counters: not available (") != std::string::npos) !=
            (answer.out.find("Counted a step: ") != std::string::npos));
    auto elsewhere = words;
    elsewhere.insert(elsewhere.end(), {"--trace", m_folder.path(QStringLiteral("none")) + "/t.json", "--json"});
    QCOMPARE(call(elsewhere).json()["error"]["code"].get<std::string>(), std::string("FileWriteDenied"));
    const auto gpu = call({"profile", m_classifier, "--device", "cuda:64", "--json"});
    QCOMPARE(gpu.exitCode, 4);
    QVERIFY(gpu.json()["error"]["message"].get<std::string>().find("cuda:64 cannot be used") != std::string::npos);
}

void TestCliCompute::evalKeys() {
    const auto json = callJson({"eval", m_classifier, "--task", task(), "--limit", "20"});
    QCOMPARE(json["task"].get<std::string>(), std::string("tiny"));
    QCOMPARE(json["metric"].get<std::string>(), std::string("accuracy"));
    QCOMPARE(json["n"].get<int>(), 20);
    const auto value = json["value"].get<double>();
    QVERIFY(json["ci_low"].get<double>() <= value && value <= json["ci_high"].get<double>());
    QVERIFY(json["seconds"].get<double>() > 0.0);
}

void TestCliCompute::runIsStoredAndExported() {
    const auto out = m_folder.path(QStringLiteral("exported"));
    const auto json = callJson(quick({"run", m_classifier, "--recipe", kPruned, "--task", task(),
                                      "--seq", "16", "--out", out, "--name", "half"}));
    QVERIFY(json["run_id"].get<int>() > 0);
    QVERIFY(json["bench"]["latency_ms"]["p50"].get<double>() > 0.0);
    QCOMPARE(json["eval"]["metric"].get<std::string>(), std::string("accuracy"));
    QVERIFY(json["nonzero_parameters"].get<std::int64_t>() <= json["parameters"].get<std::int64_t>());
    QVERIFY(json["model_bytes"].is_number_integer());
    QCOMPARE(json["export"]["path"].get<std::string>(), out);
    QCOMPARE(json["export"]["format"].get<std::string>(), std::string("hf"));
    QVERIFY(json["export"]["verified"].get<bool>());
    const auto runs = callJson({"runs", "list"});
    QCOMPARE(runs["runs"].size(), std::size_t{1});
    QVERIFY(runs.dump().find("half") != std::string::npos);
    const auto figures = runs["runs"][0]["figures"];
    for (const auto* key : {"model_bytes", "parameters", "nonzero_parameters", "peak_rss_bytes"}) {
        QVERIFY2(figures[key]["value"].is_number_integer(), key);
    }
    const auto record = callJson({"runs", "show", std::to_string(json["run_id"].get<int>())});
    for (const auto& measurement : record["measurements"]) {
        QVERIFY(measurement["key"] != "model_bytes" || measurement["value"].is_number_integer());
    }
    // A run that fails stays as such, and its error reaches the caller.
    const auto failed = call(quick({"run", m_llama, "--task", task(), "--json"}));
    QCOMPARE(failed.exitCode, 4);
    QCOMPARE(failed.json()["error"]["code"].get<std::string>(), std::string("TaskUnfit"));
    QVERIFY(callJson({"runs", "list"}).dump().find("failed") != std::string::npos);
    // The stored run's model again, from the store alone.
    const auto again = callJson({"export", "--run", std::to_string(json["run_id"].get<int>()), "--out",
                                 m_folder.path(QStringLiteral("again"))});
    QVERIFY(again["verified"].get<bool>());
}

void TestCliCompute::optimizeAndExport() {
    for (const auto* command : {"optimize", "export"}) {
        const auto out = m_folder.path(QString::fromLatin1(command));
        const auto json = callJson({command, m_classifier, "--recipe", kInt8, "--out", out});
        QCOMPARE(json["path"].get<std::string>(), out);
        QCOMPARE(json["format"].get<std::string>(), std::string("hf"));
        QVERIFY(json["verified"].get<bool>());
        QVERIFY(json["bytes"].get<std::int64_t>() > 0);
        QVERIFY(QFile::exists(QString::fromStdString(out + "/config.json")));
    }
}

void TestCliCompute::ggufFilesRunAgain() {
    const auto out = m_folder.path(QStringLiteral("gguf"));
    const auto json = callJson({"export", m_llama, "--out", out, "--format", "gguf:f32"});
    QCOMPARE(json["format"].get<std::string>(), std::string("gguf:f32"));
    QVERIFY(json["verified"].get<bool>());
    const auto ids = [&](const std::string& model) {
        return callJson({"generate", model, "--prompt", "the cat", "--max-tokens", "12"})["token_ids"];
    };
    QVERIFY(!ids(m_llama).empty());
    QVERIFY(ids(out + "/model.gguf") == ids(m_llama));
    const auto refused = call({"export", m_llama, "--out", out + "2", "--format", "gguf:q9", "--json"});
    QCOMPARE(refused.exitCode, 2);
    QCOMPARE(refused.json()["error"]["code"].get<std::string>(), std::string("UsageUnknown"));
}

void TestCliCompute::generateClassifyEmbed() {
    const auto text = callJson({"generate", m_llama, "--prompt", "the cat", "--max-tokens", "8"});
    QVERIFY(text["text"].is_string());
    QVERIFY(text["token_ids"].size() <= 8);
    QVERIFY(text["tokens_per_s"].is_number());
    const auto label = callJson({"classify", m_classifier, "hello cats"});
    QVERIFY(label["label"] == "benign" || label["label"] == "attack");
    QCOMPARE(label["scores"].size(), std::size_t{2});
    const auto vector = callJson({"embed", m_sentences, "--text", "hello cats"});
    QCOMPARE(vector["vector"].size(), std::size_t{32});
}

void TestCliCompute::draftsProposeTokens() {
    const std::vector<std::string> words{"generate", m_llama, "--prompt", "the cat", "--max-tokens", "16"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), words.begin(), words.end());
        return more;
    };
    const auto plain = callJson(words);
    const auto other = test::writeTinyLlama(m_folder.path(QStringLiteral("other-llama")), 8);
    for (const auto& options : {std::vector<std::string>{"--draft-recipe", kInt8},
                                std::vector<std::string>{"--draft", other, "--draft-recipe", kPruned, "--draft-tokens", "2"},
                                std::vector<std::string>{"--draft", other}}) {
        const auto json = callJson(with(options));
        QVERIFY(json["token_ids"] == plain["token_ids"]);
        const auto& draft = json["draft"];
        QVERIFY(draft["drafted"].get<int>() > 0 && draft["accepted"] <= draft["drafted"]);
        QVERIFY(draft["target_steps"].get<int>() > 0);
        for (const auto* key : {"acceptance", "draft_s", "target_s"}) {
            QVERIFY2(draft[key].is_number(), key);
        }
    }
    const auto said = call(with({"--draft-recipe", kInt8}));
    QCOMPARE(said.exitCode, 0);
    QVERIFY2(said.err.find("accepted") != std::string::npos, said.err.c_str());
    QVERIFY(said.err.find("tokens/s") != std::string::npos);
    QCOMPARE(call(with({"--draft-tokens", "2"})).exitCode, 2);
    QCOMPARE(call(with({"--draft-recipe", kInt8, "--draft-tokens", "0"})).exitCode, 2);
    QCOMPARE(call(with({"--draft", m_folder.path(QStringLiteral("nothing"))})).exitCode, 4);
    QCOMPARE(call(with({"--draft", m_classifier})).exitCode, 4);
    const auto golden = call(with({"--draft", PARETO_SOURCE_DIR "/tests/golden/models/tiny_llama", "--json"}));
    QVERIFY(golden.exitCode != 0);
    QVERIFY2(golden.out.find("vocabulary has 120 tokens") != std::string::npos, golden.out.c_str());
}

void TestCliCompute::humanOutputNamesTheFigures() {
    const auto bench = call(quick({"bench", m_classifier, "--seq", "16"}));
    QCOMPARE(bench.exitCode, 0);
    for (const auto* words : {"Latency p50", "Throughput", "Model size", "ms", "slowest layers"}) {
        QVERIFY2(bench.out.find(words) != std::string::npos, words);
    }
    const auto text = call({"generate", m_llama, "--prompt", "the cat", "--max-tokens", "8", "--quiet"});
    QCOMPARE(text.exitCode, 0);
    QVERIFY(text.err.empty());
}

/// What calibrated methods did to each layer's output, worst first; from a text of one's own.
void TestCliCompute::calibratedRunsReportTheirLayers() {
    const auto source = m_folder.path(QStringLiteral("calibration.txt"));
    std::string lines;
    for (int line = 0; line < 40; ++line) {
        lines += "hello cats and the dog number " + std::to_string(line * 37 % 11) +
                 " say hello to the world and to all the other cats\n";
    }
    QFile file(QString::fromStdString(source));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(lines));
    file.close();
    const std::string recipe =
        R"({"version": 1, "defaults": {"prune": {"pattern": "heads", "ratio": 0.5, "method": "second-order"},)"
        R"( "quantize": {"weights": "int4", "group": 8, "method": "gptq"}},)"
        R"( "calibration": {"source": ")" + source + R"(", "samples": 8, "length": 16}})";
    const auto json = callJson({"run", m_classifier, "--recipe", recipe, "--no-timing"});
    int measured = 0;
    for (const auto& layer : json["compress"]["layers"]) {
        const bool inside = layer["name"].get<std::string>().rfind("encoder.layer", 0) == 0;
        QCOMPARE(layer.contains("output_error"), inside);
        measured += inside && layer["output_cosine"].get<double>() > 0.5 ? 1 : 0;
    }
    QVERIFY(measured > 0);
    QCOMPARE(json["compress"]["calibration"]["samples"].get<int>(), 8);
    const auto text = call({"run", m_classifier, "--recipe", recipe, "--no-timing"});
    QCOMPARE(text.exitCode, 0);
    for (const auto* words : {"worst layers", "SQNR", "dB", "encoder.layer"}) {
        QVERIFY2(text.out.find(words) != std::string::npos, words);
    }
    // A command never measures here what was meant for another machine.
    const auto elsewhere = call({"run", m_classifier, "--target", R"({"machine": "gpu-box", "threads": 1})", "--json"});
    QCOMPARE(elsewhere.exitCode, 4);
    QVERIFY(elsewhere.json()["error"]["message"].get<std::string>().find("ssh gpu-box pareto") != std::string::npos);
    const auto refused = call({"run", m_classifier, "--recipe",
                               R"({"version": 1, "defaults": {"quantize": {"weights": "int4", "rotate": true}}})",
                               "--no-timing", "--json"});
    QCOMPARE(refused.exitCode, 4);
    QVERIFY(refused.json()["error"]["message"].get<std::string>().find("rotate") != std::string::npos ||
            refused.json()["error"]["code"] == "RecipeInvalid");
}

void TestCliCompute::exitCodes() {
    QCOMPARE(call({"run", m_folder.path(QStringLiteral("nothing"))}).exitCode, 4);
    QCOMPARE(call({"bench", m_classifier, "--threads", "many"}).exitCode, 2);
    QCOMPARE(call({"eval", m_classifier}).exitCode, 2);
    QCOMPARE(call({"eval", m_classifier, "--task", "no-such-task"}).exitCode, 4);
    QCOMPARE(call({"bench", m_classifier, "--recipe", "{\"version\": 1, \"defaults\": {\"quantize\": {\"weights\": \"int1\"}}}"}).exitCode, 4);
    QCOMPARE(call({"bench", m_classifier, "--device", "cuda:9"}).exitCode, 4);
    QCOMPARE(call({"classify", m_classifier}).exitCode, 2);
    const auto prompt = call({"generate", m_llama, "--prompt", ""});
    QCOMPARE(prompt.exitCode, 2);
    QVERIFY(prompt.err.find("--prompt") != std::string::npos);
    QCOMPARE(call({"export", "--run", "1", m_classifier, "--out", m_folder.path(QStringLiteral("x"))}).exitCode, 2);
    const auto threads = call({"bench", m_classifier, "--threads", "1000"});
    QCOMPARE(threads.exitCode, 4);
    QVERIFY(threads.err.find("1000") != std::string::npos);
    // Nothing is measured, and no run stored, when the folder for the export is not to be had.
    const auto runs = callJson({"runs", "list"})["runs"].size();
    QCOMPARE(call(quick({"run", m_classifier, "--out", m_sentences})).exitCode, 4);
    QCOMPARE(callJson({"runs", "list"})["runs"].size(), runs);
    const auto answer = call({"run", m_folder.path(QStringLiteral("nothing")), "--json"});
    QCOMPARE(answer.json()["error"]["code"].get<std::string>(), std::string("FileMissing"));
}

/// `ulimit -f` stands for the full disk: without care its signal ends the program.
void TestCliCompute::aFullDiskIsSaidAndLeavesNothing() {
    QDir().mkpath(QString::fromStdString(m_folder.path(QStringLiteral("full"))));
    const auto out = m_folder.path(QStringLiteral("full/model"));
    QProcess process;
    process.setProcessEnvironment(m_folder.environment());
    process.start(QStringLiteral("bash"),
                  {QStringLiteral("-c"), QStringLiteral("ulimit -f 8; exec \"$@\""), QStringLiteral("bash"),
                   QStringLiteral(PARETO_PROGRAM), QStringLiteral("optimize"),
                   QString::fromStdString(m_classifier), QStringLiteral("--out"),
                   QString::fromStdString(out), QStringLiteral("--json")});
    QVERIFY(process.waitForFinished(60000));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 5);
    const auto said = Json::parse(process.readAllStandardOutput().toStdString(), nullptr, false);
    QVERIFY(said["error"]["code"] == "DiskFull");
    const QDir folder(QString::fromStdString(m_folder.path(QStringLiteral("full"))));
    QVERIFY(folder.entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot).isEmpty());
}

void TestCliCompute::whoMeasuresIsSaid() {
    qputenv("XDG_RUNTIME_DIR", m_folder.environment().value(QStringLiteral("XDG_RUNTIME_DIR")).toUtf8());
    auto lock = jobs::MachineLock::acquire("a long run", {});
    QVERIFY(lock.ok());
    QProcess process;
    process.setProcessEnvironment(m_folder.environment());
    process.start(QStringLiteral(PARETO_PROGRAM),
                  {QStringLiteral("bench"), QString::fromStdString(m_classifier), QStringLiteral("--seq"),
                   QStringLiteral("16"), QStringLiteral("--threads"), QStringLiteral("1")});
    QByteArray said;
    for (int i = 0; i < 100 && !said.contains("a long run"); ++i) {
        process.waitForReadyRead(200);
        said += process.readAllStandardError();
    }
    process.terminate();
    QVERIFY(process.waitForFinished(10000));
    QVERIFY2(said.contains("a long run"), said.constData());
    QVERIFY(said.contains(QByteArray::number(QCoreApplication::applicationPid())));
    QCOMPARE(process.exitCode(), 3);
}

void TestCliCompute::noTokenizerIsSaid() {
    const auto model = test::writeTinyClassifier(m_folder.path(QStringLiteral("wordless")));
    for (const auto* name : {"/tokenizer.json", "/vocab.txt"}) {
        QVERIFY(QFile::remove(QString::fromStdString(model + name)));
    }
    const auto json = callJson({"export", model, "--out", m_folder.path(QStringLiteral("wordless-out"))});
    QVERIFY(json["notes"].dump().find("no tokenizer") != std::string::npos);
    const auto whole = callJson({"export", m_classifier, "--out", m_folder.path(QStringLiteral("whole-out"))});
    QVERIFY(whole["notes"].dump().find("no tokenizer") == std::string::npos);
}

QTEST_GUILESS_MAIN(TestCliCompute)
#include "tst_cli_compute.moc"
