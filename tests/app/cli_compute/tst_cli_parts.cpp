// A model whose parts lie in several processes: started by --tp and --pp, or by whoever sets RANK and its siblings.
#include <thread>

#include "engine/records/step_timeline.h"
#include "tests/app/cli_compute/rank_processes.h"

using namespace pareto;
using test::rankVariables;

class TestCliParts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void sameText_data();
    void sameText();
    void sameAccuracy_data() { sameText_data(); }
    void sameAccuracy();
    void sameTranslation();
    void timesAreOfAll();
    void sameRecord_data();
    void sameRecord();
    void replicasAreTimedTogether();
    void whereAStepGoes_data();
    void whereAStepGoes();
    void startedBySomebodyElse();
    void overSsh();
    void bySrun();
    void recipesBeforeTheDivision();
    void predictedBesideMeasured();
    void noneHangsWheneverItHappens_data();
    void noneHangsWheneverItHappens();
    void mistakesAreSaid_data();
    void mistakesAreSaid();

private:
    Json answerOf(std::vector<std::string> words, const std::vector<std::string>& more) const {
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), {"--threads", "1", "--json"});
        const auto answer = test::callProgram(m_folder, words);
        [&] { QVERIFY2(answer.exitCode == 0, answer.err.c_str()); }();
        return answer.json();
    }

    /// What the first of two ranks answers that somebody started; the second says nothing.
    Json answerOfTwo(const std::vector<std::string>& words, const std::function<test::Variables(int rank)>& variables) const {
        const auto first = test::startProgram(m_folder, words, variables(0));
        const auto second = test::startProgram(m_folder, words, variables(1));
        [&] {
            QVERIFY(first->waitForFinished(60000));
            QVERIFY(second->waitForFinished(60000));
            QVERIFY2(first->exitCode() == 0, first->readAllStandardError().constData());
            QVERIFY2(second->exitCode() == 0, second->readAllStandardError().constData());
            QCOMPARE(second->readAllStandardOutput(), QByteArray());
        }();
        return Json::parse(first->readAllStandardOutput().toStdString(), nullptr, false);
    }

    Json newestRun() const {
        const auto listed = test::callForJson(m_folder, {"runs", "list"});
        std::int64_t newest = 0;
        for (const auto& run : listed["runs"]) {
            newest = std::max(newest, run["id"].get<std::int64_t>());
        }
        return test::callForJson(m_folder, {"runs", "show", std::to_string(newest)});
    }

    test::ProgramFolder m_folder;
    std::string m_classifier;
    std::string m_llama;
    std::string m_t5;
    std::string m_task;
};

namespace {

std::vector<std::string> wordsOf(const QString& text) {
    std::vector<std::string> out;
    for (const auto& word : text.split(u' ', Qt::SkipEmptyParts)) {
        out.push_back(word.toStdString());
    }
    return out;
}

double measured(const Json& record, const std::string& key) {
    for (const auto& one : record["measurements"]) {
        if (one["key"] == key) {
            return one["value"].get<double>();
        }
    }
    return 0.0;
}

}  // namespace

void TestCliParts::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_llama = test::writeTinyLlama(m_folder.path(QStringLiteral("llama")));
    m_t5 = test::writeTinyT5(m_folder.path(QStringLiteral("t5")));
    m_task = test::writeTinyTask(m_folder);
}

void TestCliParts::sameText_data() {
    QTest::addColumn<QString>("parts");
    QTest::newRow("tp 2") << QStringLiteral("--tp 2");
    QTest::newRow("pp 2") << QStringLiteral("--pp 2");
    QTest::newRow("tp 2 x pp 2") << QStringLiteral("--tp 2 --pp 2");
}

void TestCliParts::sameText() {
    QFETCH(QString, parts);
    const std::vector<std::string> words{"generate", m_llama, "--prompt", "a small model", "--max-tokens", "20"};
    const auto alone = answerOf(words, {});
    const auto found = answerOf(words, wordsOf(parts));
    QVERIFY2(found["token_ids"] == alone["token_ids"] && !alone["token_ids"].empty(), found.dump().c_str());
    auto beams = words;
    beams.insert(beams.end(), {"--beams", "3"});
    QVERIFY(answerOf(beams, wordsOf(parts))["token_ids"] == answerOf(beams, {})["token_ids"]);
}

void TestCliParts::sameAccuracy() {
    QFETCH(QString, parts);
    const std::vector<std::string> words{"eval", m_classifier, "--task", m_task};
    const auto alone = answerOf(words, {});
    const auto found = answerOf(words, wordsOf(parts));
    QVERIFY2(found["value"] == alone["value"], found.dump().c_str());
    QVERIFY(found["f1_macro"] == alone["f1_macro"]);
}

void TestCliParts::sameTranslation() {
    const std::vector<std::string> words{"translate", m_t5, "a small model", "another one", "--max-tokens", "8"};
    QVERIFY(answerOf(words, {"--tp", "2"})["results"] == answerOf(words, {})["results"]);
    QVERIFY(answerOf(words, {"--pp", "2"})["results"] == answerOf(words, {})["results"]);
}

/// The record says what is held by all, what each did, and what it was divided into.
void TestCliParts::timesAreOfAll() {
    const std::vector<std::string> words{"run", m_llama, "--prompt", "16", "--generate", "4", "--min-seconds", "0.1",
                                         "--min-iterations", "3", "--db", m_folder.path(QStringLiteral("runs.db"))};
    const auto found = answerOf(words, {"--tp", "2", "--recipe", R"({"version":1,"defaults":{"quantize":{"weights":"int8"}}})"});
    QCOMPARE(found["bench"]["target"]["tp"].get<int>(), 2);
    const auto shown = newestRun();
    const auto& parts = shown["details"]["parts"];
    QVERIFY2(parts.size() == 2, shown.dump().c_str());
    for (const auto& part : parts) {
        QVERIFY(part["bytes"].get<double>() > 0.0);
        QVERIFY(part["sums"].get<double>() > 0.0);
        QVERIFY(part["seconds"].get<double>() >= part["sums"].get<double>());
        QVERIFY(part["waiting"].get<double>() <= part["sums"].get<double>() + part["handing"].get<double>());
    }
    QVERIFY(shown["target_key"].get<std::string>().find("/tp2/pp1") != std::string::npos);
}

void TestCliParts::sameRecord_data() {
    QTest::addColumn<QString>("split");
    QTest::addColumn<QString>("recipe");
    const QString pruned = QStringLiteral(R"({"version":1,"defaults":{"prune":{"ratio":0.4,"method":"magnitude"},"quantize":{"weights":"int8"}}})");
    QTest::newRow("untouched, tp 2") << QStringLiteral("--tp 2") << QStringLiteral(R"({"version":1})");
    QTest::newRow("pruned and rounded, tp 2") << QStringLiteral("--tp 2") << pruned;
    QTest::newRow("pruned and rounded, pp 2") << QStringLiteral("--pp 2") << pruned;
    QTest::newRow("heads, tp 2") << QStringLiteral("--tp 2")
                                 << QStringLiteral(R"({"version":1,"defaults":{"prune":[{"pattern":"neurons","ratio":0.4}]}})");
}

/// No process has to hold the whole model, and the record still says of it what that of one process does.
void TestCliParts::sameRecord() {
    QFETCH(QString, split);
    QFETCH(QString, recipe);
    const auto recordOf = [&](const std::vector<std::string>& more) {
        const std::vector<std::string> words{"run", m_llama, "--prompt", "8", "--generate", "2", "--min-seconds", "0.05",
                                       "--min-iterations", "2", "--recipe", recipe.toStdString(), "--db", m_folder.path(QStringLiteral("runs.db"))};
        answerOf(words, more);
        return newestRun();
    };
    const auto alone = recordOf({});
    const auto found = recordOf(wordsOf(split));
    QVERIFY(found["target_key"] != alone["target_key"]);
    QVERIFY2(!alone["weights_hash"].get<std::string>().empty(), alone.dump().c_str());
    for (const char* same : {"weights_hash", "model_hash", "histograms"}) {
        QVERIFY2(found[same] == alone[same], same);
    }
    for (const char* same : {"parameters", "nonzero_parameters"}) {
        QVERIFY2(measured(found, same) > 0.0 && measured(found, same) == measured(alone, same), same);
    }
    const auto& reports = alone["details"]["compress"]["layers"];
    QVERIFY(reports.size() > 5);
    QCOMPARE(found["details"]["compress"]["layers"].size(), reports.size());
    for (std::size_t i = 0; i < reports.size(); ++i) {
        for (const char* same : {"name", "relative_error", "sparsity", "bits_per_weight", "bytes"}) {
            QVERIFY2(found["details"]["compress"]["layers"][i][same] == reports[i][same], reports[i].dump().c_str());
        }
    }
}

/// Whole models in two processes, compressed and untouched ones in turns: rates count both.
void TestCliParts::replicasAreTimedTogether() {
    const std::vector<std::string> words{"run", m_classifier, "--seq", "16", "--batch", "3", "--min-seconds", "0.2", "--task", m_task,
                                         "--recipe", R"({"version":1,"defaults":{"quantize":{"weights":"int8"}}})", "--db",
                                         m_folder.path(QStringLiteral("replicas.db"))};
    (void)answerOf(words, {"--replicas", "2"});
    const auto shown = test::callProgram(m_folder, {"runs", "show", "1", "--json", "--db",
                                                    m_folder.path(QStringLiteral("replicas.db"))}).json();
    QVERIFY2(shown["target_key"].get<std::string>().find("/dp2") != std::string::npos, shown.dump().c_str());
    QCOMPARE(shown["details"]["timing"]["replicas"].get<int>(), 2);
    std::map<std::string, double> figures;
    for (const auto& figure : shown["measurements"]) {
        figures[figure["key"].get<std::string>()] = figure["value"].get<double>();
    }
    QVERIFY(figures.contains("latency_ratio") && figures.contains("accuracy"));
    QVERIFY(std::abs(figures["throughput_items_per_s"] * figures["latency_mean_ms"] - 2 * 3 * 1000.0) < 1.0);
    // One that somebody else started serves.
    const std::vector<std::string> quick{"bench",      m_classifier, "--seq",         "16", "--threads", "1", "--json",
                                         "--replicas", "2",          "--min-seconds", "0.1"};
    const auto port = test::freePort();
    const auto joined = answerOfTwo(quick, [&](int rank) { return rankVariables(rank, 2, port); });
    QVERIFY2(joined.contains("latency_ms"), joined.dump().c_str());
}

/// Calls of one step by rank, as the graph of two blocks makes them: a sum behind attention and one behind the gated product, one
/// for rows of the token table, the logits gathered; states handed from stage to stage, the result with its size to rank 0.
void TestCliParts::whereAStepGoes_data() {
    QTest::addColumn<QString>("parts");
    QTest::addColumn<QList<int>>("sums");
    QTest::addColumn<QList<int>>("hands");
    QTest::newRow("tp 2") << QStringLiteral("--tp 2") << QList<int>{6, 6} << QList<int>{0, 0};
    QTest::newRow("pp 2") << QStringLiteral("--pp 2") << QList<int>{0, 0} << QList<int>{3, 3};
    QTest::newRow("tp 2 x pp 2") << QStringLiteral("--tp 2 --pp 2") << QList<int>{3, 3, 3, 3} << QList<int>{3, 1, 3, 1};
}

void TestCliParts::whereAStepGoes() {
    QFETCH(QString, parts);
    QFETCH(QList<int>, sums);
    QFETCH(QList<int>, hands);
    const bool stages = parts.contains(QStringLiteral("pp"));
    const auto trace = m_folder.path(QStringLiteral("trace.json"));
    const std::vector<std::string> words{"bench", m_llama, "--prompt", "16", "--generate", "6", "--min-seconds", "0.05",
                                         "--min-iterations", "2", "--trace", trace};
    const auto found = answerOf(words, wordsOf(parts));
    QCOMPARE(found["parts"].size(), static_cast<std::size_t>(sums.size()));
    const auto read = partTimelinesFromJson(found["parts"]);
    QVERIFY2(read.ok(), found.dump().c_str());
    QCOMPARE(read->size(), static_cast<std::size_t>(sums.size()));
    for (const auto& timeline : read.value()) {
        QCOMPARE(timeline.clockError, 0.0);
        QVERIFY(timeline.waitsKnown);
        QCOMPARE(timeline.steps.size(), std::size_t{2});
        QCOMPARE(timeline.steps[0].name, std::string("prefill"));
        QCOMPARE(timeline.steps[1].name, std::string("decode"));
        for (const auto& step : timeline.steps) {
            constexpr double kRounding = 2e-7;
            double at = 0.0;
            bool cut = false;
            bool waits = false;
            int counted[kPartDoings] = {};
            for (const auto& segment : step.segments) {
                QVERIFY(std::abs(segment.begin - at) < kRounding);
                at = segment.end;
                // What the beginning cuts is the step's before: who gives may end a little later than who takes.
                cut = segment.begin == 0.0 ? segment.doing != PartDoing::Compute : cut && waits;
                waits = segment.doing == PartDoing::WaitPart || segment.doing == PartDoing::WaitStage;
                counted[static_cast<int>(segment.doing)] += cut ? 0 : 1;
            }
            QVERIFY2(std::abs(at - step.seconds) < kRounding, step.name.c_str());
            QCOMPARE(counted[static_cast<int>(PartDoing::Sum)], sums[timeline.rank]);
            QCOMPARE(counted[static_cast<int>(PartDoing::Hand)], hands[timeline.rank]);
            QVERIFY(std::abs(step.shares.compute + step.shares.transfer + step.shares.wait - 1.0) < 1e-6);
            QVERIFY(step.shares.compute > 0.0);
            QCOMPARE(step.shares.bubble.has_value(), stages);
            QCOMPARE(step.seconds, read->front().steps[&step - timeline.steps.data()].seconds);
        }
        QVERIFY(timeline.steps[1].begin >= timeline.steps[0].seconds - 1e-6);
    }
    // The second stage waits for the first, which waits for the result.
    if (stages) {
        QVERIFY(*read->front().steps[0].shares.bubble > 0.0);
        QVERIFY(*read->back().steps[0].shares.bubble > 0.0);
    }
    QFile file(QString::fromStdString(trace));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll().count("thread_name") == sums.size());
}

void TestCliParts::startedBySomebodyElse() {
    const std::vector<std::string> words{"generate", m_llama, "--prompt", "a small model", "--max-tokens", "12", "--tp", "2",
                                         "--threads", "1", "--json"};
    const auto port = test::freePort();
    const auto variables = [&](int rank) { return rankVariables(rank, 2, port); };
    const auto alone = answerOf({"generate", m_llama, "--prompt", "a small model", "--max-tokens", "12"}, {});
    QVERIFY(answerOfTwo(words, variables)["token_ids"] == alone["token_ids"]);
    // What nobody serves is refused, and nobody waits for it.
    const std::vector<std::string> texts{"classify", m_classifier, "a text", "--tp", "2", "--threads", "1"};
    const auto first = test::startProgram(m_folder, texts, variables(0));
    const auto second = test::startProgram(m_folder, texts, variables(1));
    QVERIFY(first->waitForFinished(30000));
    QVERIFY(second->waitForFinished(30000));
    QVERIFY(first->exitCode() != 0);
    QVERIFY(second->readAllStandardError().contains("leave RANK out"));
    const std::vector<std::string> eval{"eval", m_classifier, "--task", m_task, "--pp", "2", "--threads", "1", "--json"};
    QVERIFY(answerOfTwo(eval, variables)["value"] == answerOf({"eval", m_classifier, "--task", m_task}, {})["value"]);
}

/// What is called in place of ssh writes down how it was called, and runs the command here.
void TestCliParts::overSsh() {
    const auto ssh = m_folder.path(QStringLiteral("ssh"));
    const auto log = m_folder.path(QStringLiteral("ssh.log"));
    test::writeText(ssh, "#!/bin/sh\necho \"$@\" >> " + log + "\nenv | grep -c PARETO_RANKS_TOKEN >> " + log +
                             "\nwhile [ \"$1\" != other ]; do shift; done\nshift\nexec sh -c \"$*\"\n");
    QFile::setPermissions(QString::fromStdString(ssh), QFile::ReadOwner | QFile::ExeOwner);
    const test::Variables variables{{"PARETO_SSH", ssh}, {"PARETO_RANKS_LISTEN", "127.0.0.1"}};
    const std::vector<std::string> words{"generate",  m_llama, "--prompt", "a small model", "--max-tokens", "12",
                                         "--threads", "1",     "--json",   "--tp",          "2",            "--hosts",
                                         "other:" PARETO_PROGRAM};
    const auto found = test::callProgram(m_folder, words, variables);
    QVERIFY2(found.exitCode == 0, found.err.c_str());
    const auto alone = answerOf({"generate", m_llama, "--prompt", "a small model", "--max-tokens", "12"}, {});
    QVERIFY(found.json()["token_ids"] == alone["token_ids"]);
    QFile said(QString::fromStdString(log));
    QVERIFY(said.open(QIODevice::ReadOnly));
    const auto lines = said.readAll().split('\n');
    // No secret among the words that everybody sees, nor in what ssh inherits.
    QVERIFY2(lines[0].contains("other " PARETO_PROGRAM " worker --die-with-parent --environment"), lines[0].constData());
    QVERIFY(!lines[0].contains("TOKEN"));
    QCOMPARE(lines[1], QByteArray("0"));
    for (const char* wrong : {"-oProxyCommand=x", "a;b", "a:b c", ""}) {
        auto others = words;
        others.back() = wrong;
        others.back() += std::string(wrong).empty() ? "," : "";
        const auto refused = test::callProgram(m_folder, others, variables);
        QVERIFY2(refused.exitCode == 4 && refused.out.find("neither a host") != std::string::npos, refused.out.c_str());
    }
    // Clocks of several machines are compared. These are one machine's, so what a rank does is where it was seen to be.
    const auto timed = test::callProgram(m_folder, {"bench", m_llama, "--prompt", "16", "--generate", "3", "--threads", "1", "--json", "--tp",
                                                    "2", "--hosts", "other:" PARETO_PROGRAM, "--min-seconds", "0.05", "--min-iterations", "2"},
                                         variables);
    QVERIFY2(timed.exitCode == 0, timed.err.c_str());
    const auto timelines = partTimelinesFromJson(timed.json()["parts"]);
    QVERIFY(timelines.ok());
    QCOMPARE(timelines->size(), std::size_t{2});
    QCOMPARE(timelines->front().clockError, 0.0);
    QVERIFY(timelines->back().clockError > 0.0 && timelines->back().clockError < 0.1);
    QCOMPARE(timelines->back().steps.size(), std::size_t{2});
    QVERIFY(timelines->back().steps[1].shares.compute > 0.0);
    // One that cannot be reached is named, and nothing waits for it.
    auto broken = words;
    broken.back() = "other:/no/such/pareto";
    const auto lost = test::callProgram(m_folder, broken, variables);
    QVERIFY2(lost.exitCode != 0 && lost.out.find("ank 1") != std::string::npos, lost.out.c_str());
}

/// As Slurm's srun starts them, on whatever nodes.
void TestCliParts::bySrun() {
    const std::vector<std::string> words{"generate", m_llama, "--prompt", "a small model", "--max-tokens", "12", "--tp", "2",
                                         "--threads", "1", "--json"};
    const auto job = std::to_string(::getpid());
    const auto variables = [&](int rank) {
        return test::Variables{{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", std::to_string(rank)}, {"SLURM_JOB_ID", job},
                               {"SLURM_STEP_NODELIST", "localhost"}, {"SLURM_NODEID", "0"}, {"SLURM_LOCALID", std::to_string(rank)},
                               {"SLURM_STEP_TASKS_PER_NODE", "2"}, {"SLURM_STEP_ID", "0"}, {"PARETO_RANKS_TOKEN", "secret"}};
    };
    const auto alone = answerOf({"generate", m_llama, "--prompt", "a small model", "--max-tokens", "12"}, {});
    QVERIFY(answerOfTwo(words, variables)["token_ids"] == alone["token_ids"]);
    auto open = variables(0);
    open.back().second = "";
    const auto refused = test::callProgram(m_folder, words, open);
    QVERIFY2(refused.exitCode != 0 && refused.out.find("PARETO_RANKS_TOKEN") != std::string::npos, refused.out.c_str());
}

/// Parts are those of the compressed model: uneven heads, other widths, rounded weights.
void TestCliParts::recipesBeforeTheDivision() {
    const std::vector<std::string> words{
        "eval", m_classifier, "--task", m_task, "--recipe",
        R"({"version":1,"defaults":{"prune":[{"pattern":"heads","ratio":0.25},{"pattern":"neurons","ratio":0.4}],"quantize":{"weights":"int8"}}})"};
    const auto alone = answerOf(words, {});
    const auto found = answerOf(words, {"--tp", "2", "--pp", "2"});
    QVERIFY2(found["value"] == alone["value"], found.dump().c_str());
}

/// What two processes took, with an interval, and what they were predicted to; up to as many as were asked for.
void TestCliParts::predictedBesideMeasured() {
    if (std::thread::hardware_concurrency() < 2) {
        QSKIP("needs two cores");
    }
    const std::vector<std::string> words{"scaling", m_llama, "--prompt", "16", "--generate", "8", "--min-seconds", "0.1", "--rounds", "1"};
    const auto found = answerOf(words, {"--most", "16"});
    QVERIFY(found["link_measured"].get<bool>());
    QVERIFY(found["link"]["latency_us"].get<double>() > 0.0);
    QCOMPARE(found["alone"].size(), std::size_t{2});
    int measured = 0;
    int most = 0;
    for (const auto& point : found["points"]) {
        QVERIFY(point["predicted_ms"].get<double>() > 0.0);
        most = std::max(most, point["tp"].get<int>() * point["pp"].get<int>() * point["replicas"].get<int>());
        if (point.contains("measured_ms")) {
            ++measured;
            QVERIFY(point["ci_low"].get<double>() <= point["measured_ms"].get<double>());
            QVERIFY(point["waiting"].get<double>() < 1.0);
        }
    }
    QVERIFY(measured >= 4);
    // Of each number of processes the fastest division, and what each way alone would give.
    for (const char* step : {"prefill", "decode"}) {
        const auto count = [&](auto&& fits) {
            return std::count_if(found["points"].begin(), found["points"].end(), [&](const Json& point) {
                return point["step"] == step && fits(point["tp"].get<int>(), point["pp"].get<int>(), point["replicas"].get<int>(), point);
            });
        };
        QCOMPARE(count([](int, int, int, const Json& point) { return point["fastest"].get<bool>(); }), 4);
        QCOMPARE(count([](int tp, int pp, int replicas, const Json&) { return tp == 2 && pp == 1 && replicas == 1; }), 1);
        QCOMPARE(count([](int tp, int pp, int replicas, const Json&) { return tp == 1 && pp == 2 && replicas == 1; }), 1);
        QCOMPARE(count([](int tp, int pp, int replicas, const Json&) { return tp == 1 && pp == 1 && replicas == 16; }), 1);
        // The model has two blocks and two key/value heads, which four of its heads share.
        QCOMPARE(count([](int, int pp, int, const Json&) { return pp > 2; }), 0);
    }
    QCOMPARE(most, 16);
    const auto given = answerOf({"scaling", m_classifier, "--seq", "16", "--min-seconds", "0.05"}, {"--no-measure", "--link", "100us,1GB/s"});
    QVERIFY(!given["link_measured"].get<bool>());
    QVERIFY(given["not_measured"].get<std::string>().find("not asked for") != std::string::npos);
    const auto wrong = test::callProgram(m_folder, {"scaling", m_llama, "--link", "fast"});
    QCOMPARE(wrong.exitCode, 4);
    QVERIFY2(wrong.err.find("25us,12.5GB/s") != std::string::npos, wrong.err.c_str());
}

void TestCliParts::noneHangsWheneverItHappens_data() {
    QTest::addColumn<QString>("parts");
    QTest::addColumn<int>("others");
    QTest::addColumn<int>("signal");
    for (const auto& [parts, others] : {std::pair{"--tp 2", 1}, std::pair{"--pp 2", 1}, std::pair{"--replicas 2", 1}, std::pair{"--tp 2 --pp 2", 3}}) {
        for (const auto& [name, signal] : {std::pair{"killed", SIGKILL}, std::pair{"stopped", SIGSTOP}, std::pair{"interrupted", SIGINT}}) {
            QTest::addRow("%s, %s", parts, name) << QString::fromLatin1(parts) << others << signal;
        }
    }
}

void TestCliParts::noneHangsWheneverItHappens() {
    QFETCH(QString, parts);
    QFETCH(int, others);
    QFETCH(int, signal);
    constexpr int kTimeout = 5;
    std::vector<std::string> words{"bench", m_llama, "--prompt", "16", "--generate", "16", "--threads", "1", "--min-seconds", "600",
                                   "--max-iterations", "10000000"};
    const auto more = wordsOf(parts);
    words.insert(words.end(), more.begin(), more.end());
    RandomStream random(static_cast<std::uint64_t>(signal), parts.toStdString());
    int hit = 0;
    for (int round = 0; round < test::disturbedRounds(); ++round) {
        const auto process = test::startProgram(m_folder, words, {{"PARETO_RANKS_TIMEOUT", std::to_string(kTimeout)}});
        QVERIFY(process->waitForStarted());
        QVERIFY(!process->waitForFinished(300 + static_cast<int>(random.below(2500))));
        hit += test::disturbed(*process, static_cast<std::size_t>(others), signal, kTimeout, random) ? 1 : 0;
        QVERIFY2(!QTest::currentTestFailed(), qPrintable(QStringLiteral("round %1").arg(round)));
    }
    qInfo("%d rounds were hit in the middle", hit);
}

void TestCliParts::mistakesAreSaid_data() {
    QTest::addColumn<QString>("command");
    QTest::addColumn<QString>("said");
    const auto llama = QString::fromStdString(m_llama);
    const auto classifier = QString::fromStdString(m_classifier);
    QTest::newRow("too many stages") << QStringLiteral("bench %1 --pp 3").arg(llama) << QStringLiteral("has 2 blocks");
    QTest::newRow("too many parts") << QStringLiteral("bench %1 --tp 3").arg(llama) << QStringLiteral("2 key/value heads");
    QTest::newRow("no such number") << QStringLiteral("bench %1 --tp 0").arg(llama) << QStringLiteral("tp");
    QTest::newRow("two numbers") << QStringLiteral("bench %1 --tp 2 --ranks 3").arg(llama) << QStringLiteral("tp × pp is 2");
    QTest::newRow("rows and parts") << QStringLiteral("eval %1 --task %2 --tp 2 --ranks 3").arg(classifier, QString::fromStdString(m_task))
                                    << QStringLiteral("tp × pp is 2");
    QTest::newRow("a profile") << QStringLiteral("profile %1 --tp 2").arg(llama) << QStringLiteral("a profile is of one process");
    QTest::newRow("replicas in parts") << QStringLiteral("bench %1 --tp 2 --replicas 2").arg(llama) << QStringLiteral("a replica is one process");
    QTest::newRow("replicas without times") << QStringLiteral("eval %1 --task %2 --replicas 2").arg(classifier, QString::fromStdString(m_task))
                                            << QStringLiteral("shared with ranks");
    QTest::newRow("replicas of a text") << QStringLiteral("generate %1 --prompt a --replicas 2").arg(llama) << QStringLiteral("replicas");
    QTest::newRow("a training") << QStringLiteral("train %1 --task %2 --tp 2 --steps 2").arg(classifier, QString::fromStdString(m_task))
                                << QStringLiteral("the recipe trains");
    QTest::newRow("a trace of one") << QStringLiteral("bench %1 --trace none.json").arg(llama) << QStringLiteral("pareto profile --trace");
    QTest::newRow("a GPU") << QStringLiteral("bench %1 --tp 2 --device cuda:99").arg(llama) << QString();
}

void TestCliParts::mistakesAreSaid() {
    QFETCH(QString, command);
    QFETCH(QString, said);
    const auto answer = test::callProgram(m_folder, wordsOf(command));
    QVERIFY2(answer.exitCode != 0, answer.out.c_str());
    QVERIFY2(QString::fromStdString(answer.err).contains(said), answer.err.c_str());
}

QTEST_GUILESS_MAIN(TestCliParts)
#include "tst_cli_parts.moc"
