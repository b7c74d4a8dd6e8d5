// Answers, entities and fillings against transformers' pipelines (tests/golden/models/make_encoders.py),
// rankers, classes that do not exclude each other, and models that stay ready between calls.
#include <QTest>

#include <cmath>
#include <filesystem>

#include "engine/core/file.h"
#include "engine/jobs/run/job_table.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/text_jobs.h"
#include "engine/jobs/run/token_jobs.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

namespace {

const std::string kModels = PARETO_SOURCE_DIR "/tests/golden/models/";

Json golden() { return readJsonFile(kModels + "encoders/pipelines.json").value(); }

template <typename Params>
Params paramsFor(const std::string& model) {
    Params params;
    params.model = kModels + model;
    params.target.threads = 1;
    return params;
}

bool near(double found, const Json& expected) {
    return std::fabs(found - expected.get<double>()) < 1e-5;
}

std::string messageOf(const auto& result) {
    return result.ok() ? "" : result.cancelled() ? "cancelled" : errorMessage(result.error());
}

}  // namespace

#define CHECK_OK(result) QVERIFY2((result).ok(), messageOf(result).c_str())

class TestTokenJobs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void answers();
    void answersThatCannotBe();
    void entities();
    void fillings();
    void masksMayBeSpelledOtherwise();
    void rankersScorePairs();
    void severalClasses();
    void whatAModelCannotDoIsSaid();
    void namesAndJson();
    void twoModelsStayReady();
    void headsOnTokensAreTimed();

private:
    test::JobsFolder m_folder;
    jobs::ModelCache m_cache;
    Progress m_progress;
};

void TestTokenJobs::answers() {
    for (const auto& expected : golden()["answers"]) {
        auto params = paramsFor<jobs::AnswerParams>("encoders/bert_answer");
        params.question = expected["question"];
        params.context = expected["context"];
        params.maxLength = expected["max_length"];
        params.docStride = expected["doc_stride"];
        const auto result = jobs::runAnswer(m_cache, params, m_progress, {});
        CHECK_OK(result);
        QCOMPARE(result->answers.size(), expected["answers"].size());
        for (std::size_t i = 0; i < result->answers.size(); ++i) {
            const auto& found = result->answers[i];
            const auto& wanted = expected["answers"][i];
            QCOMPARE(found.text, wanted["answer"].get<std::string>());
            QCOMPARE(found.begin, wanted["start"].get<std::int64_t>());
            QCOMPARE(found.end, wanted["end"].get<std::int64_t>());
            QVERIFY(near(found.score, wanted["score"]));
        }
        QVERIFY(jobs::toJson(result.value())["answer"] == result->answers[0].text);
    }
}

void TestTokenJobs::answersThatCannotBe() {
    auto params = paramsFor<jobs::AnswerParams>("encoders/bert_answer");
    params.question = std::string(60, 'q');
    params.context = "some text";
    const auto crowded = jobs::runAnswer(m_cache, params, m_progress, {});
    QVERIFY(!crowded.ok());
    QCOMPARE(crowded.error().code, ErrorCode::TargetInvalid);
    params.question = "who?";
    params.context = "";
    const auto nothing = jobs::runAnswer(m_cache, params, m_progress, {});
    CHECK_OK(nothing);
    QVERIFY(nothing->answers.empty());
    QVERIFY(jobs::toJson(nothing.value())["answer"] == "");
}

void TestTokenJobs::entities() {
    auto params = paramsFor<jobs::TextParams>("encoders/bert_tokens");
    const Json expected = golden()["tagged"];
    for (const auto& item : expected) {
        params.texts.push_back(item["text"]);
    }
    const auto result = jobs::runTag(m_cache, params, m_progress, {});
    CHECK_OK(result);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& found = result->items[i].entities;
        QCOMPARE(found.size(), expected[i]["entities"].size());
        for (std::size_t at = 0; at < found.size(); ++at) {
            const auto& wanted = expected[i]["entities"][at];
            QCOMPARE(found[at].label, wanted["label"].get<std::string>());
            QCOMPARE(found[at].begin, wanted["start"].get<std::int64_t>());
            QCOMPARE(found[at].end, wanted["end"].get<std::int64_t>());
            QVERIFY(near(found[at].score, wanted["score"]));
        }
    }
    QCOMPARE(result->items[0].words.size(), std::size_t{5});
    QCOMPARE(result->items[0].words[1].text, std::string("lovelace"));
    const Json json = jobs::toJson(result.value());
    QVERIFY(json["words"] == json["items"][0]["words"]);
    QVERIFY(json["words"][0].contains("label"));
}

void TestTokenJobs::fillings() {
    auto params = paramsFor<jobs::TextParams>("encoders/bert_masked");
    const Json expected = golden()["filled"];
    for (const auto& item : expected) {
        params.texts.push_back(item["text"]);
    }
    const auto result = jobs::runFill(m_cache, params, m_progress, {});
    CHECK_OK(result);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& masks = result->items[i].masks;
        QCOMPARE(masks.size(), expected[i]["masks"].size());
        for (std::size_t mask = 0; mask < masks.size(); ++mask) {
            for (std::size_t place = 0; place < masks[mask].size(); ++place) {
                const auto& wanted = expected[i]["masks"][mask][place];
                QCOMPARE(masks[mask][place].id, wanted["id"].get<std::int32_t>());
                QVERIFY(near(masks[mask][place].score, wanted["score"]));
            }
        }
    }
    QCOMPARE(jobs::toJson(result.value())["masks"][0]["candidates"].size(), std::size_t{5});
}

void TestTokenJobs::masksMayBeSpelledOtherwise() {
    auto params = paramsFor<jobs::TextParams>("encoders/bert_masked");
    params.texts = {"a [MASK] c", "a <mask> c"};
    const auto result = jobs::runFill(m_cache, params, m_progress, {});
    CHECK_OK(result);
    QCOMPARE(result->items[0].masks[0][0].id, result->items[1].masks[0][0].id);
    params.texts = {"a b c"};
    QCOMPARE(jobs::runFill(m_cache, params, m_progress, {}).error().code, ErrorCode::TargetInvalid);
}

void TestTokenJobs::rankersScorePairs() {
    auto params = paramsFor<jobs::TextParams>("encoders/bert_rank");
    params.texts = {"who wrote it", "who wrote it"};
    params.pairs = {"ada did.", "no one"};
    const auto result = jobs::runClassify(m_cache, params, m_progress, {});
    CHECK_OK(result);
    QVERIFY(result->items[0].score && result->items[1].score);
    QVERIFY(*result->items[0].score != *result->items[1].score);
    QVERIFY(std::fabs(result->items[0].scores[0] -
                      1.0 / (1.0 + std::exp(-*result->items[0].score))) < 1e-12);
    QVERIFY(jobs::toJson(result.value())["items"][1]["score"] == *result->items[1].score);
    Json json = jobs::toJson(params);
    QCOMPARE(jobs::textParamsFromJson(json)->pairs, params.pairs);
    json["pairs"] = Json::array({"one"});
    QVERIFY(!jobs::textParamsFromJson(json).ok());
}

void TestTokenJobs::severalClasses() {
    const auto folder = m_folder.path(QStringLiteral("several"));
    std::filesystem::copy(kModels + "tiny_bert", folder);
    Json config = readJsonFile(folder + "/config.json").value();
    config["problem_type"] = "multi_label_classification";
    CHECK_OK(writeFileAtomically(folder + "/config.json", config.dump()));
    auto params = paramsFor<jobs::TextParams>("tiny_bert");
    params.texts = {"w1 w2 w3", "w40 w50"};
    const auto one = jobs::runClassify(m_cache, params, m_progress, {});
    CHECK_OK(one);
    params.model = folder;
    const auto several = jobs::runClassify(m_cache, params, m_progress, {});
    CHECK_OK(several);
    for (std::size_t i = 0; i < 2; ++i) {
        std::size_t above = 0;
        for (const double score : several->items[i].scores) {
            above += score > 0.5 ? 1U : 0U;
        }
        QCOMPARE(several->items[i].chosen.size(), above);
        QCOMPARE(several->items[i].label, one->items[i].label);
        const auto odds = [](double p) { return std::log(p / (1.0 - p)); };
        const auto& s = several->items[i].scores;
        const auto& o = one->items[i].scores;
        QVERIFY(std::fabs((odds(s[0]) - odds(s[1])) - std::log(o[0] / o[1])) < 1e-4);
    }
    QVERIFY(jobs::toJson(several.value())["items"][0].contains("labels"));
}

void TestTokenJobs::whatAModelCannotDoIsSaid() {
    auto params = paramsFor<jobs::TextParams>("encoders/bert_tokens");
    params.texts = {"a"};
    QCOMPARE(jobs::runFill(m_cache, params, m_progress, {}).error().code, ErrorCode::TaskUnfit);
    QCOMPARE(jobs::runClassify(m_cache, params, m_progress, {}).error().code, ErrorCode::TaskUnfit);
    QCOMPARE(jobs::runEmbed(m_cache, params, m_progress, {}).error().code, ErrorCode::TaskUnfit);
    params = paramsFor<jobs::TextParams>("encoders/bert_masked");
    params.texts = {"a"};
    QCOMPARE(jobs::runTag(m_cache, params, m_progress, {}).error().code, ErrorCode::TaskUnfit);
    auto answer = paramsFor<jobs::AnswerParams>("encoders/bert_masked");
    answer.question = answer.context = "a";
    QCOMPARE(jobs::runAnswer(m_cache, answer, m_progress, {}).error().code, ErrorCode::TaskUnfit);
}

void TestTokenJobs::namesAndJson() {
    const auto table = jobs::jobTable(std::make_shared<jobs::ModelCache>());
    test::NoSink sink;
    auto params = paramsFor<jobs::AnswerParams>("encoders/bert_answer");
    params.question = "who?";
    params.context = "ada wrote it";
    const auto answer =
        jobs::findJob(table, jobs::kJobAnswer).value()(jobs::toJson(params), m_progress, {}, sink);
    CHECK_OK(answer);
    QVERIFY(!answer.value()["answer"].get<std::string>().empty());
    auto texts = paramsFor<jobs::TextParams>("encoders/bert_tokens");
    texts.texts = {"ada"};
    CHECK_OK(
        jobs::findJob(table, jobs::kJobTag).value()(jobs::toJson(texts), m_progress, {}, sink));
    texts.model = kModels + "encoders/bert_masked";
    texts.texts = {"[MASK]"};
    CHECK_OK(
        jobs::findJob(table, jobs::kJobFill).value()(jobs::toJson(texts), m_progress, {}, sink));
}

void TestTokenJobs::twoModelsStayReady() {
    jobs::ModelCache cache;
    const auto request = [&](const std::string& model, const Recipe& recipe = {}) {
        jobs::ReadyRequest out;
        out.model = model;
        out.recipe = recipe;
        out.target.threads = 1;
        return out;
    };
    const std::string model = test::writeTinyClassifier(m_folder.path(QStringLiteral("kept")));
    const auto original = jobs::keptModel(cache, request(model), m_progress, {});
    CHECK_OK(original);
    const auto optimized =
        jobs::keptModel(cache, request(model, test::recipe(test::kInt8)), m_progress, {});
    CHECK_OK(optimized);
    QVERIFY(original.value() != optimized.value());
    auto longer = request(model);
    longer.target.sequence = 8;
    QCOMPARE(jobs::keptModel(cache, longer, m_progress, {}).value(), original.value());
    QCOMPARE(
        jobs::keptModel(cache, request(model, test::recipe(test::kInt8)), m_progress, {}).value(),
        optimized.value());
    // A third takes the place of the one used longest ago.
    CHECK_OK(
        jobs::keptModel(cache, request(model, test::recipe(test::kHalfPruned)), m_progress, {}));
    QCOMPARE(
        jobs::keptModel(cache, request(model, test::recipe(test::kInt8)), m_progress, {}).value(),
        optimized.value());
    QVERIFY(jobs::keptModel(cache, request(model), m_progress, {}).value() != original.value());
    // Measured runs have the memory for themselves, and changed files are another model.
    const std::weak_ptr<jobs::ReadyModel> seen =
        jobs::keptModel(cache, request(model), m_progress, {}).value();
    const auto weights = model + "/model.safetensors";
    std::filesystem::last_write_time(
        weights, std::filesystem::last_write_time(weights) + std::chrono::seconds(5));
    QVERIFY(jobs::keptModel(cache, request(model), m_progress, {}).value() != seen.lock());
    CHECK_OK(jobs::readyModel(cache, request(model), m_progress, {}));
    QVERIFY(seen.expired());
}

void TestTokenJobs::headsOnTokensAreTimed() {
    for (const char* model :
         {"encoders/bert_masked", "encoders/bert_answer", "encoders/mpnet_tokens"}) {
        auto run = test::quickRun(kModels + model);
        run.recipe = test::recipe(test::kHalfPruned);
        const auto record = jobs::runRun(m_cache, run, m_progress, {});
        CHECK_OK(record);
        QVERIFY(!record->layers.empty());
    }
}

QTEST_GUILESS_MAIN(TestTokenJobs)
#include "tst_token_jobs.moc"
