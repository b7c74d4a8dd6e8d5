#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/jobs/api/file_sets.h"
#include "engine/jobs/api/job_files.h"
#include "engine/jobs/api/kept_jobs.h"
#include "engine/jobs/api/protocol.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
using namespace pareto::jobs;

/// What a job reads, told by content and taken in elsewhere; jobs that outlive who asked for them.
class TestJobFiles : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        qputenv("XDG_CACHE_HOME", m_folder->filePath(QStringLiteral("there")).toUtf8());
    }
    void aModelIsItsFiles();
    void contentNamesASet();
    void splitsComeWithAFileOfData();
    void filesAreTakenIn();
    void whatIsDamagedComesAgain();
    void namesStayBelowTheFolder();
    void everyPathIsReplaced();
    void aTaskInARecipeIsWrittenOut();
    void keptJobsAnswerOnce();
    void aKeptJobOfADeadProcess();

private:
    std::string path(const char* name) const { return m_folder->filePath(QString::fromUtf8(name)).toStdString(); }
    static std::vector<std::string> namesOf(const FileSet& set) {
        std::vector<std::string> out;
        for (const auto& file : set.files) {
            out.push_back(file.name);
        }
        return out;
    }
    Result<FileSet> model(const std::string& path) { return modelFileSet(path, m_hashes, m_progress, {}); }
    Result<FileSet> data(const std::string& path) { return dataFileSet(path, m_hashes, m_progress, {}); }
    static void copy(const FileSet& set, const std::string& name, const std::string& to) {
        const auto from = QString::fromStdString(set.folder + "/" + name);
        QVERIFY(QFile::copy(from, QString::fromStdString(to + "/" + name)));
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    FileHashes m_hashes;
    Progress m_progress;
};

void TestJobFiles::aModelIsItsFiles() {
    const auto folder = test::writeTinyClassifier(path("model"));
    test::writeText(folder + "/pytorch_model.bin", "weights of another format");
    QVERIFY(QDir(QString::fromStdString(folder)).mkpath(QStringLiteral(".git")));
    test::writeText(folder + "/.git/HEAD", "ref");
    QVERIFY(QDir(QString::fromStdString(folder)).mkpath(QStringLiteral("1_Pooling")));
    test::writeText(folder + "/1_Pooling/config.json", "{}");
    const auto set = model(folder);
    QVERIFY2(set.ok(), set.ok() ? "" : errorMessage(set.error()).c_str());
    const auto names = namesOf(set.value());
    const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    QVERIFY(has("model.safetensors") && has("config.json") && has("1_Pooling/config.json"));
    QVERIFY(!has("pytorch_model.bin") && !has(".git/HEAD"));
    QCOMPARE(set->leaf, std::string());
    // Named by its weights it is the same set.
    const auto named = model(folder + "/model.safetensors");
    QVERIFY(named.ok());
    QCOMPARE(named->key, set->key);
    QCOMPARE(named->leaf, std::string("model.safetensors"));
    QCOMPARE(m_progress.snapshot().done, static_cast<std::int64_t>(set->bytes()));
    const auto absent = model(path("nothing"));
    QVERIFY(!absent.ok());
    QCOMPARE(absent.error().code, ErrorCode::FileMissing);
}

void TestJobFiles::contentNamesASet() {
    const auto one = model(test::writeTinyClassifier(path("one")));
    const auto same = model(test::writeTinyClassifier(path("same")));
    const auto other = model(test::writeTinyClassifier(path("other"), 2));
    QCOMPARE(one->key, same->key);
    QVERIFY(one->key != other->key);
    // A file that has changed is read again.
    test::writeText(path("one") + "/config.json", "{\"changed\": true}");
    QVERIFY(data(path("one"))->key != data(path("same"))->key);
}

void TestJobFiles::splitsComeWithAFileOfData() {
    QVERIFY(QDir().mkpath(QString::fromStdString(path("data"))));
    for (const char* name : {"test.csv", "train.csv", "validation.tsv", "notes.csv"}) {
        test::writeText(path("data") + "/" + name, std::string("text,label\n") + name);
    }
    const auto set = data(path("data") + "/test.csv");
    QVERIFY(set.ok());
    QCOMPARE(namesOf(set.value()), (std::vector<std::string>{"test.csv", "train.csv"}));
    QCOMPARE(set->leaf, std::string("test.csv"));
    QCOMPARE(namesOf(data(path("data")).value()).size(), std::size_t{4});
}

void TestJobFiles::filesAreTakenIn() {
    const auto set = model(test::writeTinyClassifier(path("model"))).value();
    const auto params = receiveParamsFromJson(toJson(receiveParamsOf(set)));
    QVERIFY(params.ok());
    auto first = receiveFiles(params.value(), m_progress, {});
    QVERIFY2(first.ok(), first.ok() ? "" : errorMessage(first.error()).c_str());
    QVERIFY(!first->complete);
    QCOMPARE(first->missing, namesOf(set));
    for (std::size_t i = 0; i + 1 < set.files.size(); ++i) {
        copy(set, set.files[i].name, first->folder);
    }
    auto second = receiveResultFromJson(toJson(receiveFiles(params.value(), m_progress, {}).value()));
    QCOMPARE(second->missing, std::vector<std::string>{set.files.back().name});
    copy(set, set.files.back().name, second->folder);
    const auto last = receiveFiles(params.value(), m_progress, {});
    QVERIFY(last->complete);
    QVERIFY(last->folder.ends_with(set.key));
    QCOMPARE(model(last->folder)->key, set.key);
    QVERIFY(receiveFiles(params.value(), m_progress, {})->complete);
}

void TestJobFiles::whatIsDamagedComesAgain() {
    const auto set = model(test::writeTinyClassifier(path("model"))).value();
    const auto params = receiveParamsOf(set);
    const auto folder = receiveFiles(params, m_progress, {})->folder;
    for (const auto& file : set.files) {
        copy(set, file.name, folder);
    }
    QFile weights(QString::fromStdString(folder + "/model.safetensors"));
    QVERIFY(weights.open(QIODevice::ReadWrite));
    QVERIFY(weights.seek(weights.size() - 1));
    QVERIFY(weights.write("!") == 1);
    weights.close();
    QFile config(QString::fromStdString(folder + "/config.json"));
    QVERIFY(config.resize(3));
    const auto answer = receiveFiles(params, m_progress, {});
    QVERIFY(!answer->complete);
    QCOMPARE(answer->missing, (std::vector<std::string>{"config.json", "model.safetensors"}));
    QVERIFY(!weights.exists());        // of the right size and wrong
    QCOMPARE(config.size(), qint64{3});  // to be gone on with
}

void TestJobFiles::namesStayBelowTheFolder() {
    const auto set = model(test::writeTinyClassifier(path("model"))).value();
    for (const char* name : {"../escape", "/etc/passwd", "a/../../b", ""}) {
        auto json = toJson(receiveParamsOf(set));
        json["files"][0]["name"] = name;
        const auto params = receiveParamsFromJson(json);
        QVERIFY2(!params.ok() && params.error().code == ErrorCode::ConfigInvalid, name);
    }
    auto json = toJson(receiveParamsOf(set));
    json["key"] = std::string(64, 'a');
    QVERIFY(!receiveParamsFromJson(json).ok());
    json["files"] = Json::array();
    QVERIFY(!receiveParamsFromJson(json).ok());
}

void TestJobFiles::everyPathIsReplaced() {
    test::writeText(path("calibration.csv"), "text\nsome words\n");
    test::writeText(path("train.txt"), "words\n");
    RunParams params;
    params.model = path("model");
    params.task.emplace();
    params.task->data = path("test.csv");
    params.validation.emplace();
    params.validation->data = path("validation.csv");
    params.recipe.calibration.emplace();
    params.recipe.calibration->source = path("calibration.csv") + "#text";
    RecoverSpec step;
    step.source = path("train.txt");
    step.distil.emplace();
    step.distil->teacher = m_folder->path().toStdString();
    params.recipe.recover.push_back(step);
    std::vector<std::pair<FilesOf, std::string>> seen;
    const auto visit = [&](FilesOf of, const std::string& path) -> Result<std::string> {
        seen.emplace_back(of, path);
        return "/there" + path;
    };
    QVERIFY(replacePaths(params, visit).ok());
    QCOMPARE(seen.size(), std::size_t{6});
    QCOMPARE(params.model, "/there" + path("model"));
    QCOMPARE(params.task->data, "/there" + path("test.csv"));
    QCOMPARE(params.validation->data, "/there" + path("validation.csv"));
    QCOMPARE(params.recipe.calibration->source, "/there" + path("calibration.csv") + "#text");
    QCOMPARE(params.recipe.recover[0].source, "/there" + path("train.txt"));
    QCOMPARE(params.recipe.recover[0].distil->teacher, "/there" + m_folder->path().toStdString());
    QVERIFY(seen.back().first == FilesOf::Model);
    // What is refused stays so; a method that looks at texts without naming them gets its default written out.
    QVERIFY(!replacePaths(params, [](FilesOf, const std::string&) -> Result<std::string> {
                 return makeError(ErrorCode::FileMissing, {{"file", "x"}});
             }).ok());
    ProfileParams profile;
    profile.model = "m";
    profile.recipe.quantize.emplace();
    profile.recipe.quantize->method = QuantizeMethod::Gptq;
    qputenv("PARETO_SAMPLES", m_folder->filePath(QStringLiteral("samples")).toUtf8());
    QVERIFY(QDir().mkpath(m_folder->filePath(QStringLiteral("samples/wikitext2"))));
    test::writeText(defaultCalibrationText(), "text");
    QVERIFY(replacePaths(profile, visit).ok());
    QCOMPARE(profile.recipe.calibration->source, "/there" + defaultCalibrationText());
    qunsetenv("PARETO_SAMPLES");
}

void TestJobFiles::aTaskInARecipeIsWrittenOut() {
    test::writeText(path("rows.csv"), "text,label\na,0\n");
    test::writeText(path("task.json"), R"({"kind": "classification", "data": "rows.csv", "format": "csv"})");
    RunParams params;
    RecoverSpec step;
    step.source = path("task.json");
    params.recipe.recover.push_back(step);
    QVERIFY(replacePaths(params, [](FilesOf, const std::string& path) -> Result<std::string> { return "/there" + path; }).ok());
    const auto task = loadTask(params.recipe.recover[0].source);
    QVERIFY2(task.ok(), task.ok() ? "" : errorMessage(task.error()).c_str());
    QCOMPARE(task->data, "/there" + path("rows.csv"));
}

void TestJobFiles::keptJobsAnswerOnce() {
    const KeptJobs kept(m_folder->path().toStdString());
    QVERIFY(kept.look("a-1").state == KeptJobs::State::Absent);
    {
        auto claim = kept.begin("a-1");
        QVERIFY2(claim.ok(), claim.ok() ? "" : errorMessage(claim.error()).c_str());
        QVERIFY(!kept.begin("a-1").ok());
        claim.value().say({Stage::Timing, 3, 10, Unit::Iterations});
        const auto seen = kept.look("a-1");
        QVERIFY(seen.state == KeptJobs::State::Working);
        QVERIFY(seen.progress.stage == Stage::Timing);
        QCOMPARE(seen.progress.done, std::int64_t{3});
        QVERIFY(!claim.value().isCancelAsked());
        kept.askToCancel("a-1");
        QVERIFY(claim.value().isCancelAsked());
        kept.forget("a-1");  // somebody works on it: nothing is taken away
        QVERIFY(kept.look("a-1").state == KeptJobs::State::Working);
        QVERIFY(claim.value().answer(cancelledLine("a-1")).ok());
    }
    const auto seen = kept.look("a-1");
    QVERIFY(seen.state == KeptJobs::State::Answered);
    QCOMPARE(seen.lines, cancelledLine("a-1"));
    kept.forget("a-1");
    QVERIFY(kept.look("a-1").state == KeptJobs::State::Absent);
    for (const char* id : {"../x", "a/b", "", "a b"}) {
        QVERIFY(!kept.begin(id).ok());
        QVERIFY(kept.look(id).state == KeptJobs::State::Absent);
    }
}

void TestJobFiles::aKeptJobOfADeadProcess() {
    const KeptJobs kept(m_folder->path().toStdString());
    const pid_t child = ::fork();
    if (child == 0) {
        const auto claim = kept.begin("b");
        ::_exit(claim.ok() ? 0 : 1);
    }
    int status = -1;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QCOMPARE(status, 0);
    QVERIFY(kept.look("b").state == KeptJobs::State::Died);
    QVERIFY(!kept.begin("b").ok());
    kept.forget("b");
    QVERIFY(kept.begin("b").ok());
}

QTEST_GUILESS_MAIN(TestJobFiles)
#include "tst_job_files.moc"
