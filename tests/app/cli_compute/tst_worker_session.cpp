#include <QtTest>

#include <atomic>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "app/cli/worker_session.h"

using namespace pareto;
using namespace pareto::jobs;
using namespace std::chrono_literals;

namespace {

/// A conversation over pipes with jobs that the test made.
class Talk {
public:
    explicit Talk(JobTable table, int patienceMs = -1, std::optional<KeptJobs> kept = {}) {
        if (::pipe2(m_in, O_CLOEXEC) != 0 || ::pipe2(m_out, O_CLOEXEC) != 0) {
            qFatal("no pipes");
        }
        m_writer = std::make_unique<cli::LineWriter>(m_out[1], patienceMs);
        m_session = std::make_unique<cli::WorkerSession>(m_in[0], *m_writer, std::move(table), std::move(kept));
        m_thread = std::jthread([this](std::stop_token stop) { m_session->run(stop); });
    }
    ~Talk() {
        ::close(m_in[1]);  // the end of the conversation
        m_thread.join();
        m_session.reset();
        for (const int descriptor : {m_in[0], m_out[0], m_out[1]}) {
            ::close(descriptor);
        }
    }
    void send(const std::string& line) {
        QVERIFY(::write(m_in[1], line.data(), line.size()) == static_cast<ssize_t>(line.size()));
    }
    /// The next message of that type; the others are passed over.
    std::optional<Message> waitFor(MessageType type, int milliseconds = 10'000) {
        QElapsedTimer timer;
        timer.start();
        while (timer.elapsed() < milliseconds) {
            if (const auto end = m_buffer.find('\n'); end != std::string::npos) {
                auto message = parseMessage(std::string_view(m_buffer).substr(0, end));
                m_buffer.erase(0, end + 1);
                if (message.ok() && message->type == type) {
                    return std::move(message).value();
                }
                continue;
            }
            pollfd input{m_out[0], POLLIN, 0};
            char piece[4096];
            if (::poll(&input, 1, 50) > 0) {
                const auto size = ::read(m_out[0], piece, sizeof piece);
                m_buffer.append(piece, static_cast<std::size_t>(std::max<ssize_t>(0, size)));
            }
        }
        return std::nullopt;
    }

private:
    int m_in[2]{};
    int m_out[2]{};
    std::string m_buffer;
    std::unique_ptr<cli::LineWriter> m_writer;
    std::unique_ptr<cli::WorkerSession> m_session;
    std::jthread m_thread;
};

/// Says a lot, and ends.
Result<Json> chatter(const Json&, Progress&, std::stop_token, RunSink& sink) {
    for (int i = 0; i < 2000; ++i) {
        sink.partial({{"text", std::string(1000, 'x')}});
    }
    return Json{{"ended", "itself"}};
}

/// Says what it is told as soon as it is told, the way a trainer looks at its control between two
/// steps.
Result<Json> obey(const Json&, Progress&, std::stop_token stop, RunSink& sink) {
    sink.partial({{"told", "nothing"}});
    bool paused = false;
    while (!stop.stop_requested()) {
        if (sink.control().finishing()) {
            return Json{{"ended", "asked"}, {"paused", sink.control().paused()}};
        }
        if (sink.control().paused() != paused) {
            paused = sink.control().paused();
            sink.partial({{"told", paused ? "pause" : "resume"}});
        }
        std::this_thread::sleep_for(1ms);
    }
    return Cancelled{};
}

}  // namespace

/// What reaches a job while it computes.
class TestWorkerSession : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pauseResumeAndFinishReachTheJob() {
        Talk talk({{"train", obey}});
        talk.send(startLine({"1", "train", Json::object()}));
        QCOMPARE(told(talk), std::string("nothing"));
        talk.send(controlLine("1", ControlAction::Pause));
        QCOMPARE(told(talk), std::string("pause"));
        talk.send(controlLine("1", ControlAction::Resume));
        QCOMPARE(told(talk), std::string("resume"));
        talk.send(controlLine("1", ControlAction::Finish));
        const auto result = talk.waitFor(MessageType::Result);
        QVERIFY(result);
        QCOMPARE(result->id, std::string("1"));
        QVERIFY(result->body["ended"] == "asked");
    }

    void finishingAPausedJobNeedsNoResume() {
        Talk talk({{"train", obey}});
        talk.send(startLine({"1", "train", Json::object()}));
        QCOMPARE(told(talk), std::string("nothing"));
        talk.send(controlLine("1", ControlAction::Pause));
        QCOMPARE(told(talk), std::string("pause"));
        talk.send(controlLine("1", ControlAction::Finish));
        const auto result = talk.waitFor(MessageType::Result);
        QVERIFY(result);
        QVERIFY(result->body["paused"] == false);
    }

    void whatIsForAnotherJobIsPassedOver() {
        Talk talk({{"train", obey}});
        talk.send(controlLine("1", ControlAction::Finish));  // before it is there
        talk.send(startLine({"1", "train", Json::object()}));
        QCOMPARE(told(talk), std::string("nothing"));
        talk.send(controlLine("0", ControlAction::Finish));
        talk.send(controlLine("1", ControlAction::Pause));
        QCOMPARE(told(talk), std::string("pause"));
        talk.send(cancelLine("1"));  // also of a paused job
        QVERIFY(talk.waitFor(MessageType::Cancelled));
        // The next job has a control of its own.
        talk.send(startLine({"2", "train", Json::object()}));
        QCOMPARE(told(talk), std::string("nothing"));
        talk.send(controlLine("2", ControlAction::Pause));
        QCOMPARE(told(talk), std::string("pause"));
    }

    void unknownActionsAreErrors() {
        Talk talk({{"train", obey}});
        talk.send(startLine({"1", "train", Json::object()}));
        QCOMPARE(told(talk), std::string("nothing"));
        talk.send("{\"type\": \"control\", \"id\": \"1\", \"action\": \"dance\"}\n");
        const auto error = talk.waitFor(MessageType::Error);
        QVERIFY(error);
        QVERIFY(error->id.empty());  // of the conversation, not of the job
        QCOMPARE(error->error.code, ErrorCode::WorkerProtocol);
        talk.send(controlLine("1", ControlAction::Finish));
        QVERIFY(talk.waitFor(MessageType::Result));
    }

    /// As where a connection is down and nobody has noticed: the pipe is full, and is not closed.
    void nobodyWhoReadsHoldsUpAKeptJob() {
        const QTemporaryDir folder;
        const KeptJobs kept(folder.path().toStdString());
        Talk talk({{"chatter", chatter}}, 200, kept);
        talk.send(startLine({"1", "chatter", Json::object()}));
        QTRY_VERIFY_WITH_TIMEOUT(kept.look("1").state == KeptJobs::State::Answered, 20'000);
        QVERIFY(kept.look("1").lines.find("itself") != std::string::npos);
    }

    /// A job that ignores nothing but has nothing to look at: the sink of others answers "never".
    void aSinkWithoutAControlSaysNever() {
        struct Quiet : RunSink {
            void partial(const Json&) override {}
        } quiet;
        QVERIFY(!quiet.control().paused());
        QVERIFY(!quiet.control().finishing());
    }

private:
    static std::string told(Talk& talk) {
        const auto event = talk.waitFor(MessageType::Event);
        return event ? event->body["told"].get<std::string>() : "no event";
    }
};

QTEST_GUILESS_MAIN(TestWorkerSession)
#include "tst_worker_session.moc"
