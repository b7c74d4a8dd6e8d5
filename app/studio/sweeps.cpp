#include "app/studio/sweeps.h"

#include <algorithm>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QProcess>

#include "app/studio/in_pool.h"
#include "app/studio/settings.h"
#include "app/studio/store_thread.h"
#include "app/studio/texts.h"
#include "engine/core/process.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using jobs::Sweep;

namespace {

namespace fs = std::filesystem;

constexpr int kLookMs = 2000;
constexpr int kQueueMs = 15'000;  ///< between two questions to Slurm
constexpr int kGoodbyeMs = 3000;
constexpr std::size_t kAtOnce = 32;  ///< outcomes a look: they are held until they are stored
constexpr int kIdleLooks = 2;        ///< between two runs a worker holds nothing for a moment
constexpr int kStoreWaits = 5;

QString absolute(const QString& folder) {
    return QDir::cleanPath(QFileInfo(folder).absoluteFilePath());
}

/// An entry of the settings; without a folder where it is none.
struct Known {
    QString folder;
    int workers = 1;
    QStringList hosts;
};
Known knownFrom(const QString& entry) {
    Known known;
    const auto json = parseJson(entry.toStdString(), "settings");
    if (json.ok() && json->is_object()) {
        const auto folder = json->find("folder");
        const auto workers = json->find("workers");
        known.folder = folder != json->end() && folder->is_string()
                           ? fromUtf8(folder->get<std::string>())
                           : QString();
        known.workers =
            workers != json->end() && workers->is_number_integer() ? workers->get<int>() : 1;
        for (const auto& host : json->value("hosts", Json::array())) {
            if (host.is_string()) {
                known.hosts += fromUtf8(host.get<std::string>());
            }
        }
    }
    return known;
}

Error unavailable(const QString& program, const QString& reason) {
    return makeError(ErrorCode::WorkerUnavailable,
                     {{"program", program.toStdString()}, {"reason", reason.toStdString()}});
}

}  // namespace

/// What a look found, and what it went by.
struct Sweeps::Look {
    std::string folder;
    std::shared_ptr<const Sweep> sweep;
    std::vector<SweepRun> runs;
    std::vector<std::pair<std::int64_t, std::shared_ptr<const RunRecord>>>
        finished;  ///< not stored yet
    std::optional<Error> problem;
    bool withStore = true;
    bool toldToEnd = false;
    bool slurm = false;
    bool more = false;  ///< outcomes are left for the next look

    void go() {
        std::error_code ignored;
        const fs::path path(folder);
        if (sweep && !fs::exists(path / "sweep.json", ignored)) {
            problem = makeError(ErrorCode::FileMissing, {{"file", (path / "sweep.json").string()}});
            return;
        }
        if (!sweep) {
            auto opened = Sweep::open(folder);
            if (!opened.ok()) {
                problem = opened.error();
                return;
            }
            sweep = std::make_shared<const Sweep>(std::move(opened.value()));
            runs.assign(sweep->runs().size(), {});
        }
        toldToEnd = jobs::isAskedToEnd(*sweep);
        slurm = fs::exists(path / "slurm.json", ignored);
        for (std::size_t run = 0; run < runs.size(); ++run) {
            look(run);
        }
    }

private:
    void look(std::size_t run) {
        auto& known = runs[run];
        if (known.state == Sweep::State::Finished && (known.stored || !withStore)) {
            return;
        }
        const auto time = sweep->outcomeTime(run);
        if (!time) {
            known = {};
            known.state = sweep->stateOf(run, std::optional<RunRecord>());
            return;
        }
        if (known.state == Sweep::State::Failed && known.time == *time) {
            return;
        }
        if (finished.size() == kAtOnce) {
            more = true;
            return;
        }
        known = {};
        known.time = *time;
        auto outcome = sweep->outcomeOf(run);
        known.state = sweep->stateOf(run, outcome);
        if (!outcome.ok()) {
            known.error = outcome.error();
            return;
        }
        if (!outcome.value()) {  // made to wait again in this moment
            return;
        }
        auto record = std::make_shared<const RunRecord>(std::move(*outcome.value()));
        if (known.state == Sweep::State::Failed) {
            known.error = record->error;
            return;
        }
        if (const auto* headline = record->find(record->headlineKey)) {
            known.headline = *headline;
        }
        if (record->startedAt > 0 && record->finishedAt > record->startedAt) {
            known.seconds = static_cast<double>(record->finishedAt - record->startedAt) / 1000.0;
        }
        finished.emplace_back(static_cast<std::int64_t>(run), std::move(record));
    }
};

QString FollowedSweep::title() const {
    return sweep && !sweep->name().empty() ? fromUtf8(sweep->name()) : QFileInfo(folder).fileName();
}

int FollowedSweep::count(Sweep::State wanted) const {
    return static_cast<int>(std::count_if(
        runs.begin(), runs.end(), [wanted](const SweepRun& run) { return run.state == wanted; }));
}

double FollowedSweep::share() const {
    return runs.empty()
               ? 0.0
               : 1.0 - static_cast<double>(unfinished()) / static_cast<double>(runs.size());
}

double FollowedSweep::secondsLeft() const {
    double seconds = 0.0;
    int finished = 0;
    for (const auto& run : runs) {
        seconds += run.seconds;
        finished += run.seconds > 0.0 ? 1 : 0;
    }
    const int at = count(Sweep::State::Working);
    if (finished == 0 || at == 0 || state != SweepState::Working) {
        return -1.0;
    }
    // Those that are worked on are half done, as far as anybody knows.
    return seconds / finished * (count(Sweep::State::Waiting) + at / 2.0) / at;
}

bool FollowedSweep::isActive() const {
    return state == SweepState::Starting || state == SweepState::Working || state == SweepState::InSlurm ||
           state == SweepState::Stopping;
}

bool FollowedSweep::canCancel() const { return !isAsked && isActive() && state != SweepState::Stopping; }

bool FollowedSweep::canRetry() const {
    return !isAsked && (state == SweepState::Cancelled || state == SweepState::Abandoned ||
                        ((state == SweepState::Working || state == SweepState::Ended) &&
                         count(Sweep::State::Failed) > 0));
}

QString FollowedSweep::logFile() const { return folder + u"/logs/run.log"_s; }

Sweeps::Sweeps(StoreThread& store, Settings& settings, QString program, QObject* parent)
    : QObject(parent), m_store(store), m_settings(settings), m_program(std::move(program)) {
    for (const auto& entry : m_settings.sweeps()) {
        if (const auto known = knownFrom(entry); !known.folder.isEmpty()) {
            follow(known.folder, known.workers, known.hosts);
        }
    }
    m_timer.setInterval(kLookMs);
    connect(&m_timer, &QTimer::timeout, this, &Sweeps::tick);
    m_timer.start();
}

Sweeps::~Sweeps() {
    // Half a submission would be none.
    for (auto* process : m_asking) {
        process->disconnect(this);
        process->waitForFinished(kGoodbyeMs);
    }
}

const FollowedSweep* Sweeps::find(int id) const { return const_cast<Sweeps*>(this)->edit(id); }

FollowedSweep* Sweeps::edit(int id) {
    const auto found = std::find_if(m_sweeps.begin(), m_sweeps.end(),
                                    [id](const FollowedSweep& sweep) { return sweep.id == id; });
    return found == m_sweeps.end() ? nullptr : &*found;
}

int Sweeps::working() const {
    return static_cast<int>(
        std::count_if(m_sweeps.begin(), m_sweeps.end(), [](const FollowedSweep& sweep) { return sweep.isActive(); }));
}

int Sweeps::follow(const QString& folder, int workers, const QStringList& hosts) {
    const QString path = absolute(folder);
    for (const auto& sweep : m_sweeps) {
        if (sweep.folder == path) {
            return sweep.id;
        }
    }
    FollowedSweep sweep;
    sweep.id = ++m_lastId;
    sweep.folder = path;
    sweep.workers = std::clamp(workers, 1, jobs::kMostRanks);
    sweep.hosts = hosts;
    m_sweeps.push_back(std::move(sweep));
    look(m_lastId);
    return m_lastId;
}

/// Other windows add theirs to the same list.
void Sweeps::forget(const QString& folder) {
    m_settings.sync();
    auto entries = m_settings.sweeps();
    entries.removeIf([&](const QString& entry) { return knownFrom(entry).folder == folder; });
    m_settings.setSweeps(entries);
    m_settings.sync();
}

void Sweeps::remember(const FollowedSweep& sweep) {
    forget(sweep.folder);
    Json entry{{"folder", sweep.folder.toStdString()}, {"workers", sweep.workers}};
    for (const auto& host : sweep.hosts) {
        entry["hosts"].push_back(host.toStdString());
    }
    m_settings.setSweeps(
        m_settings.sweeps() +
        QStringList{fromUtf8(entry.dump(-1, ' ', false, Json::error_handler_t::replace))});
    m_settings.sync();
}

int Sweeps::open(const QString& folder) {
    const int id = follow(folder, 1);
    remember(*find(id));
    Q_EMIT changed();
    return id;
}

void Sweeps::start(const GridPlace& place, const std::vector<jobs::RunParams>& runs) {
    const QString folder = absolute(place.folder);
    inPool<Status>(
        this,
        [folder, runs]() -> Status {
            std::error_code ignored;  // create() says what is wrong
            fs::create_directories(fs::path(folder.toStdString()).parent_path(), ignored);
            return Sweep::create(folder.toStdString(), QFileInfo(folder).fileName().toStdString(),
                                 runs);
        },
        [this, place, folder](Status& made) {
            if (!made.ok()) {
                Q_EMIT failed(made.error());
                return;
            }
            const int id = follow(folder, place.workers, place.hosts);
            remember(*find(id));
            edit(id)->slurm = place.where == GridPlace::Where::Slurm;
            goOn(id);
        });
}

void Sweeps::remove(int id) {
    const auto* sweep = find(id);
    if (sweep == nullptr) {
        return;
    }
    forget(sweep->folder);
    std::erase_if(m_sweeps, [id](const FollowedSweep& removed) { return removed.id == id; });
    Q_EMIT changed();
}

void Sweeps::cancel(int id) {
    if (const auto* sweep = find(id); sweep != nullptr && sweep->canCancel()) {
        command(id, {u"cancel"_s}, [](FollowedSweep& cancelled) { cancelled.toldToEnd = true; });
    }
}

void Sweeps::retry(int id) {
    const auto* sweep = find(id);
    if (sweep == nullptr || !sweep->canRetry()) {
        return;
    }
    const bool goesOn = sweep->state != SweepState::Working;
    if (sweep->count(Sweep::State::Failed) == 0) {
        goOn(id);
        return;
    }
    command(id, {u"retry"_s}, [this, goesOn](FollowedSweep& waiting) {
        for (auto& run : waiting.runs) {
            run = run.state == Sweep::State::Failed ? SweepRun{} : run;
        }
        if (goesOn) {
            goOn(waiting.id);
        }
    });
}

/// As it was begun.
void Sweeps::goOn(int id) {
    auto* sweep = edit(id);
    sweep->trouble.reset();
    sweep->toldToEnd = false;
    sweep->idleLooks = 0;
    if (sweep->sweep) {
        // The program does so too, a moment later: until then it would seem to end.
        if (const auto status = jobs::mayGoOn(*sweep->sweep); !status.ok()) {
            sweep->trouble = status.error();
        }
    }
    if (sweep->slurm) {
        command(id, {u"slurm"_s}, [](FollowedSweep& submitted) {
            submitted.queued = std::max(1, submitted.unfinished());  // until Slurm is asked
            submitted.queueAsked = 0;
        });
        return;
    }
    startHere(*sweep);
    judge(*sweep);
    Q_EMIT changed();
    look(id);
}

void Sweeps::startHere(FollowedSweep& sweep) {
    QDir().mkpath(QFileInfo(sweep.logFile()).path());
    QProcess process;
    process.setProgram(m_program);
    QStringList words{u"sweep"_s, u"run"_s, sweep.folder, u"--workers"_s,
                      QString::number(sweep.workers), u"--db"_s, m_store.path()};
    if (!sweep.hosts.isEmpty()) {
        words << u"--hosts"_s << sweep.hosts.join(u',');
    }
    process.setArguments(words);
    process.setStandardInputFile(QProcess::nullDevice());
    process.setStandardOutputFile(sweep.logFile(), QIODevice::Append);
    process.setStandardErrorFile(sweep.logFile(), QIODevice::Append);
    qint64 number = 0;
    if (!process.startDetached(&number)) {
        sweep.trouble = unavailable(m_program, process.errorString());
        return;
    }
    sweep.process = number;
    sweep.processStart = processStart(std::to_string(number));
}

void Sweeps::ask(int id, const QStringList& words, Answered done) {
    auto* process = new QProcess(this);
    m_asking.push_back(process);
    const auto answer = [this, process, id, done = std::move(done)](const Result<Json>& json) {
        std::erase(m_asking, process);
        process->deleteLater();
        if (auto* asked = edit(id)) {
            done(*asked, json);
            judge(*asked);
            look(id);
            Q_EMIT changed();
        }
    };
    connect(process, &QProcess::errorOccurred, this,
            [this, process, answer](QProcess::ProcessError error) {
                if (error == QProcess::FailedToStart) {  // else `finished` follows
                    answer(unavailable(m_program, process->errorString()));
                }
            });
    connect(process, &QProcess::finished, this,
            [this, process, answer](int code, QProcess::ExitStatus status) {
                auto json =
                    parseJson(process->readAllStandardOutput().toStdString(), "pareto sweep");
                const bool ended = status == QProcess::NormalExit;
                if (json.ok() && ended && code == 0) {
                    answer(json);
                } else if (json.ok() && json->is_object() && json->contains("error")) {
                    answer(errorFromJson(json.value().at("error")));
                } else {
                    const QString said =
                        QString::fromLocal8Bit(process->readAllStandardError()).trimmed();
                    answer(unavailable(m_program, !said.isEmpty() ? said
                                                  : ended ? tr("it ended with code %1").arg(code)
                                                          : process->errorString()));
                }
            });
    process->start(
        m_program,
        QStringList{u"sweep"_s, words.front(), find(id)->folder, u"--json"_s} + words.mid(1));
}

void Sweeps::command(int id, const QStringList& words, std::function<void(FollowedSweep&)> done) {
    auto* sweep = edit(id);
    sweep->isAsked = true;
    sweep->trouble.reset();
    ask(id, words, [done = std::move(done)](FollowedSweep& asked, const Result<Json>& json) {
        asked.isAsked = false;
        if (json.ok()) {
            done(asked);
        } else if (!json.cancelled()) {
            asked.trouble = json.error();
        }
    });
    Q_EMIT changed();
}

void Sweeps::askSlurm(int id) {
    edit(id)->queueAsked = QDateTime::currentMSecsSinceEpoch();
    ask(id, {u"status"_s, u"--queue"_s}, [](FollowedSweep& sweep, const Result<Json>& json) {
        sweep.queued = 0;
        sweep.slurmTrouble.reset();
        if (!json.ok()) {
            sweep.slurmTrouble = json.error();
            return;
        }
        const auto states = json->find("slurm");
        if (states != json->end() && states->is_object()) {
            for (const auto& [state, count] : states->items()) {
                sweep.queued += count.is_number_integer() ? count.get<int>() : 0;
            }
        }
    });
}

void Sweeps::tick() {
    std::vector<int> ids;
    for (const auto& sweep : m_sweeps) {
        const bool settled = sweep.sweep && !sweep.problem &&
                             std::all_of(sweep.runs.begin(), sweep.runs.end(),
                                         [](const SweepRun& run) { return run.stored; });
        if (!settled) {
            ids.push_back(sweep.id);
        }
    }
    for (const int id : ids) {
        look(id);
    }
}

void Sweeps::look(int id) {
    auto* sweep = edit(id);
    if (sweep == nullptr || sweep->isLookedAt) {
        return;
    }
    sweep->isLookedAt = true;
    Look look;
    look.folder = sweep->folder.toStdString();
    look.sweep = sweep->sweep;
    look.runs = sweep->runs;
    look.withStore = sweep->storeWaits == 0;
    sweep->storeWaits = std::max(0, sweep->storeWaits - 1);
    inPool<Look>(
        this,
        [look = std::move(look)]() mutable {
            look.go();
            return std::move(look);
        },
        [this, id](Look& seen) { take(id, seen); });
}

void Sweeps::take(int id, const Look& look) {
    auto* sweep = edit(id);
    if (sweep == nullptr) {
        return;
    }
    sweep->problem = look.problem;
    if (!look.problem) {
        sweep->sweep = look.sweep;
        sweep->runs = look.runs;
        sweep->toldToEnd = look.toldToEnd;
        sweep->slurm = sweep->slurm || look.slurm;
        sweep->idleLooks = sweep->count(Sweep::State::Working) > 0 ? 0 : sweep->idleLooks + 1;
    }
    judge(*sweep);
    Q_EMIT changed();
    store(id, look);
}

/// Each once: the store knows by sweep and number what has come in, from wherever.
void Sweeps::store(int id, const Look& look) {
    auto* sweep = edit(id);
    if (sweep == nullptr) {
        return;
    }
    const bool more = look.more;
    if (look.finished.empty()) {
        sweep->isLookedAt = false;
        if (more) {
            this->look(id);
        }
        return;
    }
    const auto origin = "sweep " + look.sweep->id();
    m_store.ask<int>(
        [origin, finished = look.finished](store::Store& store) -> Result<int> {
            int came = 0;
            for (const auto& [run, record] : finished) {
                PARETO_TRY(const auto row, store.importRun(*record, origin, run));
                came += row ? 1 : 0;
            }
            return came;
        },
        this,
        [this, id, more, finished = look.finished](Result<int> came) {
            auto* stored = edit(id);
            if (stored != nullptr) {
                stored->isLookedAt = false;
                stored->storeTrouble.reset();
                if (came.ok()) {
                    for (const auto& [run, record] : finished) {
                        stored->runs[static_cast<std::size_t>(run)].stored = true;
                    }
                } else if (!came.cancelled()) {
                    stored->storeTrouble = came.error();
                    stored->storeWaits = kStoreWaits;
                }
            }
            if (came.ok() && came.value() > 0) {
                Q_EMIT runsCame();
            }
            Q_EMIT changed();
            if (stored != nullptr && more && came.ok()) {
                this->look(id);
            }
        });
}

void Sweeps::judge(FollowedSweep& sweep) {
    const bool lives = sweep.process != 0 && sweep.processStart != 0 &&
                       processStart(std::to_string(sweep.process)) == sweep.processStart;
    if (!lives) {
        sweep.process = 0;
    }
    const bool works = sweep.count(Sweep::State::Working) > 0;
    if (sweep.problem) {
        sweep.state = SweepState::Broken;
    } else if (!sweep.sweep) {
        sweep.state = lives || sweep.isAsked ? SweepState::Starting : SweepState::Unread;
    } else if (sweep.unfinished() == 0) {
        sweep.state = SweepState::Ended;
    } else if (sweep.toldToEnd) {
        sweep.state = works || lives ? SweepState::Stopping : SweepState::Cancelled;
    } else if (works) {
        sweep.state = SweepState::Working;
    } else if (lives) {
        sweep.state = SweepState::Starting;
    } else if (sweep.queued > 0) {
        sweep.state = SweepState::InSlurm;
    } else if (sweep.idleLooks >= kIdleLooks) {
        sweep.state = SweepState::Abandoned;
    }
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    if (sweep.slurm && sweep.sweep && sweep.unfinished() > 0 && !works && !sweep.toldToEnd &&
        now - sweep.queueAsked >= kQueueMs) {
        sweep.queueAsked = now;
        QMetaObject::invokeMethod(
            this,
            [this, id = sweep.id] {
                if (find(id) != nullptr) {
                    askSlurm(id);
                }
            },
            Qt::QueuedConnection);
    }
}

}  // namespace pareto::studio
