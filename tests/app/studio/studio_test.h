#pragma once

#include <memory>
#include <string>

#include <QString>
#include <QTemporaryDir>

#include "app/studio/application.h"
#include "app/studio/recipe_document.h"
#include "engine/spec/task.h"

QT_BEGIN_NAMESPACE
class QWidget;
QT_END_NAMESPACE

/// What the tests of the studio share: a program of its own in a temporary folder, with the fake
/// worker, and tiny models to open.
namespace pareto::test {

QString fakeWorker();
/// Empty when this build has no command line.
QString realWorker();

/// The screen of WINDOW.md on the offscreen platform; call before QApplication is made.
void useScreen(int width, int height, double scale);

class StudioFixture {
public:
    explicit StudioFixture(const QString& language = QStringLiteral("en"));
    QString folder() const { return m_folder.path(); }
    QString file(const QString& name) const { return m_folder.filePath(name); }
    /// A classifier, and a task file that fits it.
    QString tinyClassifier();
    QString tinySentenceModel();
    QString tinyLlama();
    Task tinyTask();
    studio::StartOptions options() const;
    /// A program with a shown window; nothing is open.
    std::unique_ptr<studio::Application> start(studio::StartOptions options);
    std::unique_ptr<studio::Application> start() { return start(options()); }
    /// With the command line as its worker (realWorker()), which is given its time.
    std::unique_ptr<studio::Application> startReal();
    /// Opens the tiny classifier with its task and waits until it is there.
    bool open(studio::Application& application);
    /// Opens any model and waits until it is there.
    bool openModel(studio::Application& application, const QString& path);

private:
    QTemporaryDir m_folder;
};

studio::ModelPtr tinyModel(const QString& folder);

}  // namespace pareto::test
