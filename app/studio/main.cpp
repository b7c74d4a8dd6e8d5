#include <csignal>
#include <cstdio>

#include <sys/socket.h>
#include <unistd.h>

#include <QApplication>
#include <QCommandLineParser>
#include <QSocketNotifier>

#include "app/studio/application.h"
#include "app/studio/dialogs/info_dialogs.h"
#include "app/studio/main_window.h"
#include "app/studio/plot_command.h"
#include "engine/core/version.h"

namespace {

using namespace Qt::StringLiterals;

int g_signalPipe[2];

extern "C" void onSignal(int) {
    const char byte = 1;
    [[maybe_unused]] const auto written = ::write(g_signalPipe[0], &byte, 1);
}

/// SIGINT and SIGTERM close the window as the user would: the session is saved.
void closeOnSignals(pareto::studio::MainWindow& window) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, g_signalPipe) != 0) {
        return;
    }
    auto* notifier = new QSocketNotifier(g_signalPipe[1], QSocketNotifier::Read, qApp);
    QObject::connect(notifier, &QSocketNotifier::activated, &window, [&window, notifier] {
        notifier->setEnabled(false);
        window.close();
        QCoreApplication::quit();
    });
    struct sigaction action {};
    action.sa_handler = onSignal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool wantsNoWindow(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--plot" || word == "--version" || word == "-v" || word == "--help" ||
            word == "-h" || word.substr(0, 7) == "--plot=") {
            return true;
        }
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write(), said like others
    if (wantsNoWindow(argc, argv)) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication app(argc, argv);
    QApplication::setApplicationName(u"pareto-studio"_s);
    QApplication::setApplicationDisplayName(u"Pareto Studio"_s);
    QApplication::setDesktopFileName(u"org.paretostudio.ParetoStudio"_s);
    const auto version = pareto::programVersion();
    QApplication::setApplicationVersion(
        QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size())));
    QApplication::setWindowIcon(QIcon(u":/icons/pareto-studio.svg"_s));

    QCommandLineParser parser;
    parser.setApplicationDescription(
        u"Optimize transformer models for fast inference and compare the results."_s);
    const QCommandLineOption help(QStringList{u"h"_s, u"help"_s}, u"Show this help."_s);
    const QCommandLineOption showVersion(QStringList{u"v"_s, u"version"_s}, u"Show versions."_s);
    const QCommandLineOption dataDir(u"data-dir"_s, u"Keep settings, session and runs in FOLDER."_s,
                                     u"FOLDER"_s);
    const QCommandLineOption database(u"db"_s, u"The store of runs."_s, u"FILE"_s);
    const QCommandLineOption worker(
        u"worker"_s, u"The program that measures, started with 'worker'."_s, u"PROGRAM"_s);
    const QCommandLineOption sample(u"sample"_s, u"Open a sample model."_s, u"NAME"_s);
    const QCommandLineOption plot(u"plot"_s, u"Write a plot and end; 'pareto' is known."_s,
                                  u"KIND"_s);
    const QCommandLineOption out(u"out"_s, u"Where the plot goes: .png, .svg, .pdf or .csv."_s,
                                 u"FILE"_s);
    const QCommandLineOption dark(u"dark"_s, u"Dark colours for the plot."_s);
    parser.addOptions({help, showVersion, dataDir, database, worker, sample, plot, out, dark});
    parser.addPositionalArgument(u"MODEL"_s, u"Folder or file to open."_s, u"[MODEL]"_s);
    if (!parser.parse(QApplication::arguments())) {
        std::fprintf(stderr, "pareto-studio: %s\n", qPrintable(parser.errorText()));
        return 2;
    }
    if (parser.isSet(help)) {
        std::fputs(qPrintable(parser.helpText()), stdout);
        return 0;
    }
    if (parser.isSet(showVersion)) {
        std::printf("%s\n", qPrintable(pareto::studio::AboutDialog::versions(nullptr)));
        return 0;
    }
    if (parser.isSet(plot)) {
        const QString kind = parser.value(plot);
        if (kind != u"pareto"_s) {
            std::fprintf(stderr, "pareto-studio: no plot is named '%s'; known: pareto\n",
                         qPrintable(kind));
            return 2;
        }
        if (!parser.isSet(out)) {
            std::fprintf(stderr, "pareto-studio: --plot pareto needs --out FILE\n");
            return 2;
        }
        return pareto::studio::runPlotCommand(
            {parser.value(database), parser.value(out), parser.isSet(dark)});
    }
    pareto::studio::StartOptions options;
    options.dataDir = parser.value(dataDir);
    options.database = parser.value(database);
    options.worker = parser.value(worker);
    options.sample = parser.value(sample);
    if (!parser.positionalArguments().isEmpty()) {
        options.model = parser.positionalArguments().constFirst();
    }
    pareto::studio::Application studio(app, options);
    closeOnSignals(studio.window());
    studio.start();
    return QApplication::exec();
}
