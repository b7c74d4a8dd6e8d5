#include "app/studio/settings.h"

#include <algorithm>
#include <memory>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QSettings>
#include <QStandardPaths>

#include "engine/store/store.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kRecent = 10;
constexpr int kSettingsVersion = 1;

QString stateHome() {
    const QString set = qEnvironmentVariable("XDG_STATE_HOME");
    return (set.isEmpty() ? QDir::homePath() + u"/.local/state"_s : set) + u"/pareto-studio"_s;
}

void keepAside(const QString& file) {
    QFile::remove(file + u".bak"_s);
    QFile::rename(file, file + u".bak"_s);
}

}  // namespace

Paths Paths::make(const QString& dataDir, const QString& store) {
    Paths paths;
    if (dataDir.isEmpty()) {
        const QString config =
            QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) +
            u"/pareto-studio"_s;
        paths.store = QString::fromStdString(store::Store::defaultPath());
        const QString data = QFileInfo(paths.store).absolutePath();
        paths.configFile = config + u"/studio.ini"_s;
        paths.stateFile = stateHome() + u"/window.json"_s;
        paths.drafts = data + u"/drafts"_s;
        paths.queue = data;
        paths.logs = stateHome() + u"/logs"_s;
    } else {
        const QString folder = QDir(dataDir).absolutePath();
        paths.configFile = folder + u"/studio.ini"_s;
        paths.stateFile = folder + u"/window.json"_s;
        paths.store = folder + u"/studio.db"_s;
        paths.drafts = folder + u"/drafts"_s;
        paths.queue = folder;
        paths.logs = folder + u"/logs"_s;
    }
    if (!store.isEmpty()) {
        paths.store = QFileInfo(store).absoluteFilePath();
    }
    return paths;
}

Settings::Settings(const QString& file) {
    QDir().mkpath(QFileInfo(file).absolutePath());
    m_settings = std::make_unique<QSettings>(file, QSettings::IniFormat);
    m_settings->allKeys();
    if (m_settings->status() == QSettings::FormatError) {
        m_settings.reset();
        keepAside(file);
        m_settings = std::make_unique<QSettings>(file, QSettings::IniFormat);
        m_damaged = true;
    }
    m_settings->setValue(u"version"_s, kSettingsVersion);
}

Settings::~Settings() = default;

QString Settings::language() const { return m_settings->value(u"language"_s).toString(); }
void Settings::setLanguage(const QString& language) {
    m_settings->setValue(u"language"_s, language);
}

ThemeChoice Settings::theme() const {
    const QString name = m_settings->value(u"theme"_s).toString();
    return name == u"light"_s  ? ThemeChoice::Light
           : name == u"dark"_s ? ThemeChoice::Dark
                               : ThemeChoice::System;
}

void Settings::setTheme(ThemeChoice theme) {
    m_settings->setValue(u"theme"_s, theme == ThemeChoice::Light  ? u"light"_s
                                     : theme == ThemeChoice::Dark ? u"dark"_s
                                                                  : u"system"_s);
}

int Settings::fontSize() const {
    const int size = m_settings->value(u"font_size"_s, 0).toInt();
    return size == 0 ? 0 : std::clamp(size, 8, 24);
}
void Settings::setFontSize(int points) { m_settings->setValue(u"font_size"_s, points); }

double Settings::timingSeconds() const {
    return std::clamp(m_settings->value(u"timing_seconds"_s, 3.0).toDouble(), 0.1, 600.0);
}
void Settings::setTimingSeconds(double seconds) {
    m_settings->setValue(u"timing_seconds"_s, seconds);
}

bool Settings::pairedBaseline() const {
    return m_settings->value(u"paired_baseline"_s, true).toBool();
}
void Settings::setPairedBaseline(bool paired) {
    m_settings->setValue(u"paired_baseline"_s, paired);
}

QStringList Settings::recentModels() const {
    return m_settings->value(u"recent_models"_s).toStringList();
}
void Settings::addRecentModel(const QString& path) { addRecent(u"recent_models"_s, path); }

QStringList Settings::recentProjects() const {
    return m_settings->value(u"recent_projects"_s).toStringList();
}
void Settings::addRecentProject(const QString& folder) { addRecent(u"recent_projects"_s, folder); }

void Settings::addRecent(const QString& key, const QString& path) {
    QStringList list = m_settings->value(key).toStringList();
    list.removeAll(path);
    list.prepend(path);
    m_settings->setValue(key, QStringList(list.mid(0, kRecent)));
}

QStringList Settings::sweeps() const { return m_settings->value(u"sweeps"_s).toStringList(); }
void Settings::setSweeps(const QStringList& sweeps) { m_settings->setValue(u"sweeps"_s, sweeps); }

QStringList Settings::ownTasks() const { return m_settings->value(u"own_tasks"_s).toStringList(); }
void Settings::setOwnTasks(const QStringList& tasks) {
    m_settings->setValue(u"own_tasks"_s, tasks);
}

QStringList Settings::hosts() const { return m_settings->value(u"hosts"_s).toStringList(); }
void Settings::setHosts(const QStringList& hosts) { m_settings->setValue(u"hosts"_s, hosts); }

QByteArray Settings::layout(const QString& key) const {
    return m_settings->value(u"layout/"_s + key).toByteArray();
}
void Settings::setLayout(const QString& key, const QByteArray& state) {
    m_settings->setValue(u"layout/"_s + key, state);
}
void Settings::clearLayout() { m_settings->remove(u"layout"_s); }
void Settings::sync() { m_settings->sync(); }

Json readWindowState(const QString& file) {
    if (!QFile::exists(file)) {
        return Json::object();
    }
    auto json = readJsonFile(file.toStdString());
    if (!json.ok() || !json->is_object()) {
        keepAside(file);
        return Json::object();
    }
    return std::move(json).value();
}

bool writeWindowState(const QString& file, const Json& state) {
    QDir().mkpath(QFileInfo(file).absolutePath());
    QSaveFile out(file);
    if (!out.open(QIODevice::WriteOnly)) {
        return false;
    }
    out.write(QByteArray::fromStdString(state.dump(1, ' ', false, Json::error_handler_t::replace)));
    return out.commit();
}

}  // namespace pareto::studio
