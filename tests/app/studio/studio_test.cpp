#include "tests/app/studio/studio_test.h"

#include <unistd.h>

#include <QApplication>
#include <QDir>
#include <QFile>
#include <QSettings>
#include <QTest>

#include "app/studio/main_window.h"
#include "app/studio/model_opener.h"
#include "app/studio/services.h"
#include "app/studio/workspace.h"
#include "tests/support/tiny_models.h"

namespace pareto::test {

using namespace Qt::StringLiterals;

QString fakeWorker() { return QStringLiteral(FAKE_WORKER); }
QString realWorker() { return QStringLiteral(REAL_WORKER); }

void useScreen(int width, int height, double scale) {
    const QString file =
        QDir::temp().filePath(u"pareto-screen-%1-%2.json"_s.arg(scale).arg(::getpid()));
    QFile out(file);
    if (out.open(QIODevice::WriteOnly)) {
        out.write(
            u"{\"synchronousWindowSystemEvents\": false, \"windowFrameMargins\": false, "
            u"\"screens\": [{\"name\": "
            "\"test\", \"x\": 0, \"y\": 0, \"width\": %1, \"height\": %2, \"logicalDpi\": 96, \"dpr\": %3}]}"_s
                .arg(width)
                .arg(height)
                .arg(scale)
                .toUtf8());
    }
    qputenv("QT_QPA_PLATFORM", QByteArray("offscreen:configfile=").append(file.toUtf8()));
}

StudioFixture::StudioFixture(const QString& language) {
    // Who measures on this machine beside the test is none of its business: the lock lies there.
    qputenv("XDG_RUNTIME_DIR", folder().toUtf8());
    QSettings settings(file(u"data/studio.ini"_s), QSettings::IniFormat);
    settings.setValue(u"language"_s, language);
    settings.setValue(u"theme"_s, u"light"_s);
    settings.setValue(u"timing_seconds"_s, 0.1);
    // The first start opens a sample where there is one; a session says that this is not the first.
    QFile state(file(u"data/window.json"_s));
    QDir().mkpath(file(u"data"_s));
    if (state.open(QIODevice::WriteOnly)) {
        state.write("{\"model\": \"\"}");
    }
}

QString StudioFixture::tinyClassifier() {
    const QString folder = file(u"tiny-classifier"_s);
    if (!QFile::exists(folder)) {
        writeTinyClassifier(folder.toStdString());
    }
    return folder;
}

QString StudioFixture::tinySentenceModel() {
    const QString folder = file(u"tiny-sentences"_s);
    if (!QFile::exists(folder)) {
        writeTinySentenceModel(folder.toStdString());
    }
    return folder;
}

QString StudioFixture::tinyLlama() {
    const QString folder = file(u"tiny-llama"_s);
    if (!QFile::exists(folder)) {
        writeTinyLlama(folder.toStdString());
    }
    return folder;
}

Task StudioFixture::tinyTask() {
    const QString data = file(u"tiny.csv"_s);
    if (!QFile::exists(data)) {
        writeTinyTask(data.toStdString());
    }
    Task task;
    task.name = "tiny";
    task.kind = TaskKind::Classification;
    task.data = data.toStdString();
    task.format = DataFormat::Csv;
    task.limit = 12;
    task.maxLength = 32;
    return task;
}

studio::StartOptions StudioFixture::options() const {
    studio::StartOptions options;
    options.dataDir = file(u"data"_s);
    options.worker = fakeWorker();
    options.patience.greetingMs = 3000;
    options.patience.aliveMs = 3000;
    options.patience.goodbyeMs = 500;
    return options;
}

std::unique_ptr<studio::Application> StudioFixture::start(studio::StartOptions options) {
    auto application = std::make_unique<studio::Application>(*qApp, std::move(options));
    application->start();
    return application;
}

std::unique_ptr<studio::Application> StudioFixture::startReal() {
    auto real = options();
    real.worker = realWorker();
    real.patience = {};
    return start(std::move(real));
}

bool StudioFixture::openModel(studio::Application& application, const QString& path) {
    auto& workspace = application.services().workspace;
    workspace.openModel(path);
    return QTest::qWaitFor(
        [&] { return workspace.model() != nullptr && workspace.model()->path == path; }, 10'000);
}

bool StudioFixture::open(studio::Application& application) {
    auto services = application.services();
    if (!openModel(application, tinyClassifier())) {
        return false;
    }
    services.workspace.setTask(tinyTask());
    Target target = services.workspace.target();
    target.threads = 1;
    target.sequence = 16;
    services.workspace.setTarget(target);
    return QTest::qWaitFor([&] { return !services.workspace.modelHash().isEmpty(); }, 10'000);
}

studio::ModelPtr tinyModel(const QString& folder) {
    writeTinyClassifier(folder.toStdString());
    auto model = studio::readModel(folder);
    return model.ok() ? model.value() : nullptr;
}

}  // namespace pareto::test
