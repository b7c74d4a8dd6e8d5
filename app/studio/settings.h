#pragma once

#include <memory>

#include <QByteArray>
#include <QString>
#include <QStringList>

#include "engine/core/json.h"

QT_BEGIN_NAMESPACE
class QSettings;
QT_END_NAMESPACE

namespace pareto::studio {

/// Where the program keeps its files: the XDG folders, or one folder of everything (--data-dir).
struct Paths {
    QString configFile;  ///< studio.ini
    QString stateFile;   ///< window.json: the open work
    QString store;       ///< studio.db
    QString drafts;      ///< recipe drafts
    QString queue;       ///< the jobs of each window
    QString logs;
    /// `dataDir` empty: XDG. `store` empty: the default one.
    static Paths make(const QString& dataDir, const QString& store);
};

enum class ThemeChoice { System, Light, Dark };

/// What the user has chosen for the program, in an INI file. A file that cannot be read is kept as
/// .bak and the defaults hold. GUI thread.
class Settings {
public:
    explicit Settings(const QString& file);
    ~Settings();

    bool wasDamaged() const { return m_damaged; }
    QString language() const;  ///< "en", "zh_CN"; empty: the system's
    void setLanguage(const QString& language);
    ThemeChoice theme() const;
    void setTheme(ThemeChoice theme);
    int fontSize() const;  ///< points; 0: the system's
    void setFontSize(int points);
    double timingSeconds() const;  ///< at least this long a latency is timed
    void setTimingSeconds(double seconds);
    bool pairedBaseline() const;
    void setPairedBaseline(bool paired);

    QStringList recentModels() const;  ///< newest first, at most 10
    void addRecentModel(const QString& path);
    QStringList recentProjects() const;  ///< folders, newest first, at most 10
    void addRecentProject(const QString& folder);
    QStringList sweeps() const;  ///< those that are followed, as JSON, one a text
    void setSweeps(const QStringList& sweeps);
    QStringList ownTasks() const;  ///< task JSON, one a text
    void setOwnTasks(const QStringList& tasks);

    QStringList hosts() const;  ///< machines that ssh reaches, JSON, one a text (Workers)
    void setHosts(const QStringList& hosts);

    QByteArray layout(const QString& key) const;
    void setLayout(const QString& key, const QByteArray& state);
    void clearLayout();
    void sync();

private:
    void addRecent(const QString& key, const QString& path);

    std::unique_ptr<QSettings> m_settings;
    bool m_damaged = false;
};

/// The open work of the last window: model, task, target, selection. Written at the end and after
/// changes; a damaged file is kept as .bak and counts as none.
Json readWindowState(const QString& file);
bool writeWindowState(const QString& file, const Json& state);

}  // namespace pareto::studio
