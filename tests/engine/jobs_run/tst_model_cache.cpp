#include <QTest>

#include <chrono>
#include <filesystem>

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

QTEST_GUILESS_MAIN(TestModelCache)
#include "tst_model_cache.moc"
