#include <QtTest>

#include "engine/core/random.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/protocol.h"

using namespace pareto;
using namespace pareto::jobs;

namespace {

std::vector<std::string> linesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = text.find('\n', begin);
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

Message parsed(const std::string& line) {
    auto message = parseMessage(std::string_view(line).substr(0, line.size() - 1));
    return message.ok() ? std::move(message).value() : Message{};
}

}  // namespace

class TestProtocol : public QObject {
    Q_OBJECT
private Q_SLOTS:
    // RFC 4648, section 10
    void base64Vectors_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("0") << QByteArray("") << QByteArray("");
        QTest::newRow("1") << QByteArray("f") << QByteArray("Zg==");
        QTest::newRow("2") << QByteArray("fo") << QByteArray("Zm8=");
        QTest::newRow("3") << QByteArray("foo") << QByteArray("Zm9v");
        QTest::newRow("6") << QByteArray("foobar") << QByteArray("Zm9vYmFy");
    }
    void base64Vectors() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, text);
        QCOMPARE(QByteArray::fromStdString(base64Encode(bytes.toStdString())), text);
        std::string back;
        QVERIFY(base64Decode(text.toStdString(), back));
        QCOMPARE(QByteArray::fromStdString(back), bytes);
    }

    void base64AgreesWithQt() {
        RandomStream random(41, "base64");
        for (int trial = 0; trial < 200; ++trial) {
            std::string bytes(random.below(100), '\0');
            for (auto& byte : bytes) {
                byte = static_cast<char>(random.next());
            }
            QCOMPARE(QByteArray::fromStdString(base64Encode(bytes)),
                     QByteArray::fromStdString(bytes).toBase64());
        }
        std::string out;
        for (const char* bad : {"Zg=", "Zg", "Z===", "====", "Z g=", "Zm9v\n", "Zg==Zg==", "Z=g="}) {
            QVERIFY2(!base64Decode(bad, out), bad);
        }
    }

    void messagesComeBack() {
        HelloMessage hello;
        hello.program = "0.1.0";
        hello.machine.host = "host";
        hello.machine.cores = 3;
        const Message greeting = parsed(helloLine(hello));
        QVERIFY(greeting.type == MessageType::Hello);
        QCOMPARE(greeting.hello.protocol, kProtocolVersion);
        QCOMPARE(greeting.hello.machine.cores, 3);

        const Message start = parsed(startLine({"j1", kJobRun, {{"model", "m"}}}));
        QVERIFY(start.type == MessageType::Start);
        QCOMPARE(start.start.job, std::string("run"));
        QCOMPARE(start.start.id, std::string("j1"));
        QVERIFY(start.start.params["model"] == "m");

        QVERIFY(parsed(cancelLine("j1")).type == MessageType::Cancel);
        for (const auto action : {ControlAction::Pause, ControlAction::Resume, ControlAction::Finish}) {
            const Message control = parsed(controlLine("j1", action));
            QVERIFY(control.type == MessageType::Control);
            QVERIFY(control.action == action);
            QCOMPARE(control.id, std::string("j1"));
        }
        QCOMPARE(controlLine("7", ControlAction::Finish),
                 std::string("{\"action\":\"finish\",\"id\":\"7\",\"type\":\"control\"}\n"));
        QVERIFY(parsed(cancelledLine("j1")).type == MessageType::Cancelled);
        QVERIFY(parsed(aliveLine(123)).residentBytes == 123);

        const Message progress = parsed(progressLine({"j1", {Stage::Timing, 3, 20, Unit::Iterations}, 55}));
        QVERIFY(progress.type == MessageType::Progress);
        QVERIFY(progress.progress.progress.stage == Stage::Timing);
        QVERIFY(progress.progress.progress.done == 3 && progress.progress.progress.total == 20);
        QVERIFY(progress.progress.progress.unit == Unit::Iterations);

        const Message event = parsed(eventLine("j1", {{"token", "line\nbreak"}}));
        QVERIFY(event.type == MessageType::Event);
        QVERIFY(event.body["token"] == "line\nbreak");

        const Message error = parsed(errorLine("j1", makeError(ErrorCode::DiskFull, {{"file", "f"}}, "d")));
        QVERIFY(error.type == MessageType::Error);
        QVERIFY(error.error.code == ErrorCode::DiskFull);
        QCOMPARE(error.error.args.at("file"), std::string("f"));
        QCOMPARE(error.error.detail, std::string("d"));
    }

    void everyLineIsOneLine() {
        for (const auto& text : {eventLine("a\nb", {{"x", "1\n2\r\n"}}), startLine({"\n", "\n", {}})}) {
            QVERIFY(std::count(text.begin(), text.end(), '\n') == 1);
        }
    }

    void shortResultsAreOneLine() {
        const Message result = parsed(resultLines("j", {{"a", 1}}));
        QVERIFY(result.type == MessageType::Result);
        const auto body = resultBody(result, "", 0);
        QVERIFY(body.ok() && body.value()["a"] == 1);
    }

    void longResultsTravelInChunks() {
        Json result{{"values", Json::array()}};
        for (int i = 0; i < 400000; ++i) {
            result["values"].push_back(i * 0.37);
        }
        const auto lines = linesOf(resultLines("j", result));
        QVERIFY(lines.size() > 3);
        std::string chunks;
        int count = 0;
        for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
            QVERIFY(lines[i].size() < kMaxLine);
            const auto message = parseMessage(lines[i]);
            QVERIFY(message.ok() && message->type == MessageType::Chunk);
            chunks += message->chunk;
            ++count;
        }
        const auto last = parseMessage(lines.back());
        QVERIFY(last.ok() && last->chunks == count);
        const auto body = resultBody(last.value(), chunks, count);
        QVERIFY(body.ok());
        QVERIFY(body.value() == result);
        QVERIFY(!resultBody(last.value(), chunks, count - 1).ok());
        chunks.pop_back();
        QVERIFY(resultBody(last.value(), chunks, count).error().code == ErrorCode::WorkerProtocol);
    }

    void whatIsNoMessageIsRefused_data() {
        QTest::addColumn<QByteArray>("line");
        for (const char* line :
             {"", "hello", "[]", "{}", R"({"type":3})", R"({"type":"nonsense","id":"j"})",
              R"({"type":"cancel"})", R"({"type":"control","action":"pause"})", R"({"type":"control","id":"j"})",
              R"({"type":"control","id":"j","action":"dance"})", R"({"type":"control","id":"j","action":1})",
              R"({"type":"start","id":"j"})",
              R"({"type":"start","id":"j","job":"run","params":[]})",
              R"({"type":"progress","id":"j","stage":"dancing"})",
              R"({"type":"progress","id":"j","stage":"timing","done":-1})",
              R"({"type":"chunk","id":"j","data":"###"})", R"({"type":"result","id":"j"})",
              R"({"type":"hello","magic":"other","protocol":1})", R"({"type":"hello","protocol":1})",
              R"({"type":"alive","rss":-4})", R"({"type":"cancel","id":"a","id":"b"})"}) {
            QTest::newRow(*line == '\0' ? "empty" : line) << QByteArray(line);
        }
        QTest::newRow("too long") << QByteArray(static_cast<int>(kMaxLine) + 1, ' ');
    }
    void whatIsNoMessageIsRefused() {
        QFETCH(QByteArray, line);
        const auto message = parseMessage(std::string_view(line.constData(), static_cast<std::size_t>(line.size())));
        QVERIFY(!message.ok());
        QVERIFY(message.error().code == ErrorCode::WorkerProtocol);
    }

    void randomLinesNeverCrash() {
        RandomStream random(42, "lines");
        const std::string seed = progressLine({"j1", {Stage::Timing, 3, 20, Unit::Iterations}, 55});
        for (int trial = 0; trial < 5000; ++trial) {
            std::string line = seed;
            for (std::uint64_t i = 0, n = 1 + random.below(6); i < n; ++i) {
                line[random.below(line.size())] = static_cast<char>(random.next());
            }
            const auto message = parseMessage(line);
            QVERIFY(message.ok() || message.error().code == ErrorCode::WorkerProtocol);
        }
    }

    void runParamsComeBack() {
        RunParams params;
        params.model = "m";
        params.name = "n";
        params.recipe.quantize = QuantizeSpec{};
        params.target.threads = 2;
        params.timing = false;
        params.pairedBaseline = false;
        params.minSeconds = 0.5;
        params.maxIterations = 7;
        params.seed = 18446744073709551615ULL;
        params.exportTo = "out";
        Task task;
        task.name = "t";
        task.kind = TaskKind::Perplexity;
        task.data = "/data/x.txt";
        task.format = DataFormat::Text;
        params.task = task;
        const auto back = runParamsFromJson(parseJson(compactJson(toJson(params)), "test").value());
        QVERIFY2(back.ok(), back.ok() ? "" : errorMessage(back.error()).c_str());
        QVERIFY(back->recipe == params.recipe);
        QVERIFY(back->target == params.target);
        QVERIFY(back->task && back->task->data == task.data);
        QVERIFY(back->seed == params.seed);
        QVERIFY(!back->timing && !back->pairedBaseline && back->maxIterations == 7);
        QCOMPARE(QByteArray::fromStdString(compactJson(toJson(back.value()))),
                 QByteArray::fromStdString(compactJson(toJson(params))));
        QVERIFY(!runParamsFromJson(Json::object()).ok());
        QVERIFY(!runParamsFromJson({{"model", "m"}, {"min_iterations", 0}}).ok());
        QVERIFY(!runParamsFromJson({{"model", "m"}, {"recipe", {{"version", 9}}}}).ok());
    }

    void theRowOfARunIsKnownBeforehand() {
        RunParams params;
        params.model = "/models/small/";
        const RunRecord baseline = recordOf(params);
        QCOMPARE(baseline.modelName, std::string("small"));
        QCOMPARE(baseline.name, std::string("Baseline"));
        QVERIFY(baseline.isBaseline() && baseline.status == RunStatus::Running);
        QVERIFY(baseline.startedAt > 1700000000000 && !baseline.targetText.empty());
        params.recipe.quantize = QuantizeSpec{};
        const RunRecord record = recordOf(params);
        QVERIFY(!record.isBaseline());
        QCOMPARE(record.name, record.recipeSummary);
        QVERIFY(record.recipeHash != baseline.recipeHash);
    }

    void otherParamsComeBack() {
        GenerateParams generate;
        generate.model = "m";
        generate.prompt = "p";
        generate.sampling.temperature = 0.7;
        const auto back = generateParamsFromJson(toJson(generate));
        QVERIFY(back.ok() && back->sampling.temperature == 0.7 && back->prompt == "p" && !back->draft);
        generate.draft = DraftParams{"d", {}, 5};
        generate.draft->recipe.quantize = QuantizeSpec{};
        auto json = toJson(generate);
        const auto drafted = generateParamsFromJson(json);
        QVERIFY(drafted.ok() && drafted->draft && drafted->draft->model == "d" && drafted->draft->tokens == 5);
        QVERIFY(!drafted->draft->recipe.isEmpty());
        for (const Json& bad : {Json(3), Json{{"tokens", 0}}, Json{{"tokens", 1000}}, Json{{"recipe", "x"}}}) {
            json["draft"] = bad;
            QVERIFY(!generateParamsFromJson(json).ok());
        }
        TextParams text;
        text.model = "m";
        text.texts = {"a", "b"};
        const auto texts = textParamsFromJson(toJson(text));
        QVERIFY(texts.ok() && texts->texts == text.texts);
        ExportParams exported;
        exported.model = "m";
        exported.target = "out";
        exported.expectWeightsHash = "h";
        const auto params = exportParamsFromJson(toJson(exported));
        QVERIFY(params.ok() && params->expectWeightsHash == "h" && params->format == "hf");
        ExportResult result;
        result.path = "out";
        result.verified = true;
        result.bytes = 1ULL << 40;
        result.notes = {"n"};
        const auto done = exportResultFromJson(toJson(result));
        QVERIFY(done.ok() && done->verified && done->bytes == result.bytes && done->notes == result.notes);
    }
};

QTEST_GUILESS_MAIN(TestProtocol)
#include "tst_protocol.moc"
