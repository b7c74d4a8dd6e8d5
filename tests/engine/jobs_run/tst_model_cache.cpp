#include <QTest>

#include <chrono>
#include <filesystem>

#include "engine/jobs/run/ready_model.h"
#include "engine/spec/recipe.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

namespace {

Result<std::string> hashOf(const jobs::OpenedModel& model) {
    Progress progress;
    return model.contentHash(progress, {});
}

}  // namespace

class TestModelCache : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theSameFilesAreOpenedOnce();
    void changedFilesAreOpenedAgain();
    void aHashIsOfWhatWasOpened();
    void aModelWithoutTokenizerOpens();
    void tensorsAreReadWhenTheyArePacked_data();
    void tensorsAreReadWhenTheyArePacked();
};

void TestModelCache::theSameFilesAreOpenedOnce() {
    const test::JobsFolder folder;
    const auto one = test::writeTinyClassifier(folder.path(QStringLiteral("one")));
    const auto two = test::writeTinyClassifier(folder.path(QStringLiteral("two")), 9);
    jobs::ModelCache cache;
    Progress progress;
    const auto first = cache.open(one, progress, {});
    const auto second = cache.open(one, progress, {});
    QVERIFY(first.ok() && second.ok());
    QCOMPARE(first.value().get(), second.value().get());
    QVERIFY(first.value()->tokenizer().ok());
    const auto other = cache.open(two, progress, {});
    QVERIFY(other.ok());
    const auto hash = hashOf(*first.value());
    QVERIFY(hash.ok());
    QCOMPARE(hash.value().size(), 64U);
    QCOMPARE(hashOf(*first.value()).value(), hash.value());
    QVERIFY(hashOf(*other.value()).value() != hash.value());
}

void TestModelCache::changedFilesAreOpenedAgain() {
    const test::JobsFolder folder;
    const auto path = test::writeTinyClassifier(folder.path(QStringLiteral("model")));
    jobs::ModelCache cache;
    Progress progress;
    const auto before = cache.open(path, progress, {});
    QVERIFY(before.ok());
    const auto hashBefore = hashOf(*before.value());
    const auto weights = path + "/model.safetensors";
    std::filesystem::remove(weights);
    const auto other = test::writeTinyClassifier(folder.path(QStringLiteral("other")), 77);
    std::filesystem::rename(other + "/model.safetensors", weights);
    const auto after = cache.open(path, progress, {});
    QVERIFY(hashBefore.ok() && after.ok());
    QVERIFY(hashBefore.value() != hashOf(*after.value()).value());
    QCOMPARE(hashOf(*before.value()).value(), hashBefore.value());
}

void TestModelCache::aHashIsOfWhatWasOpened() {
    const test::JobsFolder folder;
    const auto path = test::writeTinyClassifier(folder.path(QStringLiteral("model")));
    jobs::ModelCache cache;
    Progress progress;
    const auto opened = cache.open(path, progress, {});
    QVERIFY(opened.ok());
    const auto other = test::writeTinyClassifier(folder.path(QStringLiteral("other")), 77);
    std::filesystem::rename(other + "/model.safetensors", path + "/model.safetensors");
    const auto hash = hashOf(*opened.value());
    QVERIFY(!hash.ok() && !hash.cancelled());
    QCOMPARE(hash.error().code, ErrorCode::FileChanged);
}

void TestModelCache::aModelWithoutTokenizerOpens() {
    const test::JobsFolder folder;
    const auto path = test::writeTinyClassifier(folder.path(QStringLiteral("bare")));
    for (const auto* name : {"/tokenizer.json", "/vocab.txt", "/tokenizer_config.json"}) {
        std::filesystem::remove(path + name);
    }
    jobs::ModelCache cache;
    Progress progress;
    const auto opened = cache.open(path, progress, {});
    QVERIFY2(opened.ok(), opened.ok() ? "" : errorMessage(opened.error()).c_str());
    QCOMPARE(opened.value()->tokenizer().error().code, ErrorCode::TokenizerMissing);
    QVERIFY(jobs::runRun(cache, test::quickRun(path), progress, {}).ok());
}

void TestModelCache::tensorsAreReadWhenTheyArePacked_data() {
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<bool>("looked");
    QTest::addColumn<bool>("lazily");
    QTest::newRow("as it is") << QStringLiteral(R"({"version": 1})") << false << true;
    QTest::newRow("to nearest") << QStringLiteral(R"({"version": 1, "defaults": {"quantize": {"weights": "int8"}}})") << false << true;
    QTest::newRow("an export looks at them") << QStringLiteral(R"({"version": 1})") << true << false;
    QTest::newRow("heads go") << QStringLiteral(R"({"version": 1, "defaults": {"prune": {"pattern": "heads", "ratio": 0.5}}})") << false << false;
}

/// Where a recipe allows it nothing of the model is held beside what was packed; a whole one that was open goes. Both ways
/// give the same outputs.
void TestModelCache::tensorsAreReadWhenTheyArePacked() {
    QFETCH(QString, recipe);
    QFETCH(bool, looked);
    QFETCH(bool, lazily);
    const test::JobsFolder folder;
    jobs::ReadyRequest request;
    request.model = test::writeTinyClassifier(folder.path(QStringLiteral("model")));
    const auto parsed = recipeFromJson(parseJson(recipe.toStdString(), "test").value());
    QVERIFY2(parsed.ok(), parsed.ok() ? "" : errorMessage(parsed.error()).c_str());
    request.recipe = parsed.value();
    request.target.threads = 1;
    request.whole = looked;
    jobs::ModelCache cache;
    Progress progress;
    const auto outputs = [&](const models::RunnableModel& model) {
        const auto made = model.encoder->run({{{2, 5, 6, 7, 3}}, {}}, {});
        return made.ok() ? made->values : std::vector<float>();
    };
    std::weak_ptr<const jobs::OpenedModel> open;
    {
        const auto whole = cache.open(request.model, progress, {});
        QVERIFY(whole.ok());
        open = whole.value();
    }
    auto ready = jobs::readyModel(cache, request, progress, {});
    QVERIFY2(ready.ok(), ready.ok() ? "" : errorMessage(ready.error()).c_str());
    QCOMPARE(ready->onDemand != nullptr, lazily);
    QCOMPARE(open.expired(), lazily);
    QCOMPARE(ready->opened->weights.tensors.empty(), lazily);
    QCOMPARE(ready->compressed.model.tensors.empty(), lazily);
    request.whole = true;
    const auto whole = jobs::readyModel(cache, request, progress, {});
    QVERIFY(whole.ok());
    QVERIFY(!outputs(ready->runnable).empty());
    QCOMPARE(outputs(ready->runnable), outputs(whole->runnable));
    const auto original = jobs::packOriginal(ready.value(), request.target, progress, {});
    QVERIFY(original.ok());
    QCOMPARE(outputs(original.value()).size(), outputs(ready->runnable).size());
    // Stopped while it reads.
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(jobs::pack(ready.value(), request.target, progress, stop.get_token()).cancelled());
}

QTEST_GUILESS_MAIN(TestModelCache)
#include "tst_model_cache.moc"
