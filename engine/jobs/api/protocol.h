#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/records/run_record.h"

/// What the studio and a worker say to each other: one JSON object a line, at most kMaxLine bytes,
/// on the worker's stdin and stdout. Lines before the worker's hello are its log. Long results travel
/// as several "chunk" lines of base64 before the "result" line that says how many there were.
/// A worker that keeps its jobs (`pareto worker --keep`) goes on with the one in hand when its input ends and keeps the lines that
/// end it (kept_jobs.h). Whoever comes later asks for them with "collect": they are sent as they would have been, "progress"
/// where the job still runs, "absent" where nothing is known of it. "forget" says that they have arrived.
namespace pareto::jobs {

inline constexpr int kProtocolVersion = 2;
inline constexpr std::string_view kProtocolMagic = "pareto-worker";
inline constexpr std::size_t kMaxLine = std::size_t{1} << 20;
inline constexpr int kAliveSeconds = 2;

struct HelloMessage {
    std::string magic;
    int protocol = 0;
    std::string program;            ///< version of the program
    MachineInfo machine;
    Json versions = Json::object();
};
struct StartMessage {
    std::string id;
    std::string job;
    Json params = Json::object();
};
/// What a person wants of the job that runs, beside cancelling it (core/control.h).
enum class ControlAction { Pause, Resume, Finish };
std::string_view nameOf(ControlAction action);  ///< "pause", "resume", "finish"

struct ProgressMessage {
    std::string id;
    ProgressSnapshot progress;
    std::uint64_t residentBytes = 0;
};

std::string helloLine(const HelloMessage& hello);
std::string startLine(const StartMessage& start);
std::string cancelLine(const std::string& id);
/// Passed over by a worker when that job does not run: it may just have ended.
std::string controlLine(const std::string& id, ControlAction action);
std::string collectLine(const std::string& id);
std::string forgetLine(const std::string& id);
std::string absentLine(const std::string& id);
std::string progressLine(const ProgressMessage& progress);
std::string aliveLine(std::uint64_t residentBytes);
std::string eventLine(const std::string& id, const Json& event);
/// One or more lines: chunks first when the result is long.
std::string resultLines(const std::string& id, const Json& result);
std::string cancelledLine(const std::string& id);
std::string errorLine(const std::string& id, const Error& error);

enum class MessageType {
    Hello, Start, Cancel, Control, Collect, Forget, Progress, Alive, Event, Chunk, Result, Cancelled, Error, Absent
};
struct Message {
    MessageType type{};
    std::string id;
    HelloMessage hello;
    StartMessage start;
    ControlAction action{};          ///< control
    ProgressMessage progress;
    std::uint64_t residentBytes = 0;
    Json body;                       ///< event, result
    std::string chunk;               ///< decoded bytes
    int chunks = 0;                  ///< result: how many chunk lines came before; body is in them
    Error error{ErrorCode::EngineFailure, {}, {}};
};
/// WorkerProtocol when the line is no JSON, too long, of unknown type or lacks a field.
Result<Message> parseMessage(std::string_view line);
/// The body of a result message: its own, or the JSON in the chunks that came before it under the same
/// id, appended to `chunks` in order. WorkerProtocol when their number or their content is wrong.
Result<Json> resultBody(const Message& result, const std::string& chunks, int chunkCount);

std::string base64Encode(std::string_view bytes);
/// False when the text is no base64.
bool base64Decode(std::string_view text, std::string& bytes);

}  // namespace pareto::jobs
