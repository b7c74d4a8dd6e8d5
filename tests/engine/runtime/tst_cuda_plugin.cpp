// What is said of plugins that are missing, of another version, or no plugins; and where they are looked for.
#include <QtTest>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/runtime/cuda_plugin.h"

using namespace pareto;

namespace {

const std::string kPlugins = PARETO_TEST_PLUGINS;

QString problemOf(const std::string& path) {
    const auto plugin = runtime::openCudaPlugin(path);
    return plugin.table == nullptr ? QString::fromStdString(plugin.problem)
                                   : QStringLiteral("opened");
}

}  // namespace

class TestCudaPlugin : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void refusals();
    void rightVersion();
    void places();
};

void TestCudaPlugin::refusals() {
    const QTemporaryDir folder;
    const std::string text = folder.filePath(QStringLiteral("libpareto_cuda.so")).toStdString();
    std::ofstream(text) << "not a library";
    QVERIFY(problemOf(text).contains(u"cannot be loaded"));
    QVERIFY(problemOf(text).contains(QString::fromStdString(text)));
    QVERIFY(problemOf(text + ".absent").contains(u"cannot be loaded"));
    QVERIFY(
        problemOf(kPlugins + "/libplugin_without_entry.so").contains(u"has no pareto_cuda_table"));
    QVERIFY(problemOf(kPlugins + "/libplugin_of_old_version.so").contains(u"another version"));
    QVERIFY(problemOf(kPlugins + "/libplugin_that_lies.so").contains(u"another version"));
    QVERIFY(
        problemOf(kPlugins + "/libplugin_with_unknown_symbol.so").contains(u"no_such_function"));
}

void TestCudaPlugin::rightVersion() {
    const auto plugin = runtime::openCudaPlugin(kPlugins + "/libplugin_of_this_version.so");
    QVERIFY2(plugin.table != nullptr, plugin.problem.c_str());
    QCOMPARE(QString::fromLatin1(plugin.table->name), QStringLiteral("test"));
}

void TestCudaPlugin::places() {
    unsetenv("PARETO_CUDA_PLUGIN");
    const auto places = runtime::cudaPluginPlaces();
    QCOMPARE(places.size(), std::size_t{2});
    const std::filesystem::path program = QCoreApplication::applicationFilePath().toStdString();
    QCOMPARE(places[0], (program.parent_path() / "libpareto_cuda.so").string());
    QCOMPARE(places[1],
             (program.parent_path().parent_path() / "lib" / "libpareto_cuda.so").string());
    setenv("PARETO_CUDA_PLUGIN", "elsewhere.so", 1);
    QCOMPARE(runtime::cudaPluginPlaces(), std::vector<std::string>{"elsewhere.so"});
}

QTEST_GUILESS_MAIN(TestCudaPlugin)
#include "tst_cuda_plugin.moc"
