#include "engine/jobs/api/protocol.h"

#include <array>
#include <limits>
#include <utility>

#include "engine/records/numbers.h"

namespace pareto::jobs {
namespace {

/// Bytes of the result a chunk line carries: their base64 and the frame stay below kMaxLine.
constexpr std::size_t kChunkBytes = std::size_t{512} << 10;
constexpr std::size_t kMaxResult = std::size_t{512} << 20;
/// A result up to this size is one line.
constexpr std::size_t kInlineBytes = std::size_t{768} << 10;

constexpr std::array<std::pair<std::string_view, MessageType>, 14> kTypes{{
    {"hello", MessageType::Hello},
    {"start", MessageType::Start},
    {"cancel", MessageType::Cancel},
    {"control", MessageType::Control},
    {"collect", MessageType::Collect},
    {"forget", MessageType::Forget},
    {"progress", MessageType::Progress},
    {"alive", MessageType::Alive},
    {"event", MessageType::Event},
    {"chunk", MessageType::Chunk},
    {"result", MessageType::Result},
    {"cancelled", MessageType::Cancelled},
    {"error", MessageType::Error},
    {"absent", MessageType::Absent},
}};

std::string lineOf(const Json& message) { return compactJson(message) + "\n"; }

Error protocolError(const std::string& reason, std::string_view line = {}) {
    return makeError(ErrorCode::WorkerProtocol, {{"reason", reason}},
                     std::string(line.substr(0, 200)));
}

bool unitFromName(std::string_view name, Unit& unit) {
    for (const auto candidate :
         {Unit::None, Unit::Layers, Unit::Samples, Unit::Tokens, Unit::Bytes, Unit::Iterations}) {
        if (unitName(candidate) == name) {
            unit = candidate;
            return true;
        }
    }
    return false;
}

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

void readProgress(JsonReader& reader, Message& message) {
    auto& progress = message.progress;
    progress.id = message.id;
    if (!stageFromName(reader.require("stage").text("stage"), progress.progress.stage)) {
        reader.fail("stage", "is not known");
    }
    progress.progress.done = reader.integer("done", 0, 0, kMax);
    progress.progress.total = reader.integer("total", 0, 0, kMax);
    // A unit that a newer worker knows is no reason to give up on its result.
    unitFromName(reader.text("unit"), progress.progress.unit);
    progress.residentBytes = takeUnsigned(reader, "rss");
    message.residentBytes = progress.residentBytes;
}

void readHello(JsonReader& reader, Message& message) {
    auto& hello = message.hello;
    hello.magic = reader.require("magic").text("magic");
    hello.protocol = static_cast<int>(reader.require("protocol").integer("protocol", 0, 0, 1 << 20));
    hello.program = reader.text("program");
    if (const Json* machine = reader.find("machine")) {
        hello.machine = machineFromJson(*machine);
    }
    if (const Json* versions = reader.find("versions"); versions && versions->is_object()) {
        hello.versions = *versions;
    }
    if (hello.magic != kProtocolMagic) {
        reader.fail("magic", "is not " + std::string(kProtocolMagic));
    }
}

void readStart(JsonReader& reader, Message& message) {
    auto& start = message.start;
    start.id = message.id;
    start.job = reader.require("job").text("job");
    const Json* params = reader.require("params").find("params");
    if (params != nullptr && !params->is_object()) {
        reader.fail("params", "must be an object");
    } else if (params != nullptr) {
        start.params = *params;
    }
}

void readControl(JsonReader& reader, Message& message) {
    const std::string name = reader.require("action").text("action");
    for (const auto action : {ControlAction::Pause, ControlAction::Resume, ControlAction::Finish}) {
        if (nameOf(action) == name) {
            message.action = action;
            return;
        }
    }
    reader.fail("action", "\"" + name + "\" is not known (pause, resume, finish)");
}

void readChunk(JsonReader& reader, Message& message) {
    if (!base64Decode(reader.require("data").text("data"), message.chunk)) {
        reader.fail("data", "is no base64");
    }
}

void readResult(JsonReader& reader, Message& message) {
    message.chunks = static_cast<int>(reader.integer("chunks", 0, 0, 1 << 20));
    if (message.chunks == 0) {
        reader.require("result");
    }
    if (const Json* result = reader.find("result")) {
        message.body = *result;
    }
}

void readFields(JsonReader& reader, Message& message) {
    switch (message.type) {
    case MessageType::Hello: readHello(reader, message); break;
    case MessageType::Start: readStart(reader, message); break;
    case MessageType::Progress: readProgress(reader, message); break;
    case MessageType::Alive: message.residentBytes = takeUnsigned(reader, "rss"); break;
    case MessageType::Control: readControl(reader, message); break;
    case MessageType::Chunk: readChunk(reader, message); break;
    case MessageType::Result: readResult(reader, message); break;
    case MessageType::Event:
        if (const Json* event = reader.require("event").find("event")) {
            message.body = *event;
        }
        break;
    case MessageType::Error:
        if (const Json* error = reader.require("error").find("error")) {
            message.error = errorFromJson(*error);
        }
        break;
    case MessageType::Cancel:
    case MessageType::Collect:
    case MessageType::Forget:
    case MessageType::Absent:
    case MessageType::Cancelled: break;
    }
}

bool needsId(MessageType type) { return type != MessageType::Hello && type != MessageType::Alive; }

}  // namespace

std::string_view nameOf(ControlAction action) {
    switch (action) {
    case ControlAction::Pause: return "pause";
    case ControlAction::Resume: return "resume";
    case ControlAction::Finish: return "finish";
    }
    return "";
}

std::string helloLine(const HelloMessage& hello) {
    return lineOf({{"type", "hello"},
                   {"magic", hello.magic.empty() ? std::string(kProtocolMagic) : hello.magic},
                   {"protocol", hello.protocol == 0 ? kProtocolVersion : hello.protocol},
                   {"program", hello.program},
                   {"machine", machineToJson(hello.machine)},
                   {"versions", hello.versions}});
}

std::string startLine(const StartMessage& start) {
    return lineOf({{"type", "start"}, {"id", start.id}, {"job", start.job}, {"params", start.params}});
}

std::string cancelLine(const std::string& id) { return lineOf({{"type", "cancel"}, {"id", id}}); }

std::string controlLine(const std::string& id, ControlAction action) {
    return lineOf({{"type", "control"}, {"id", id}, {"action", nameOf(action)}});
}

std::string collectLine(const std::string& id) { return lineOf({{"type", "collect"}, {"id", id}}); }

std::string forgetLine(const std::string& id) { return lineOf({{"type", "forget"}, {"id", id}}); }

std::string absentLine(const std::string& id) { return lineOf({{"type", "absent"}, {"id", id}}); }

std::string progressLine(const ProgressMessage& progress) {
    return lineOf({{"type", "progress"},
                   {"id", progress.id},
                   {"stage", stageName(progress.progress.stage)},
                   {"done", progress.progress.done},
                   {"total", progress.progress.total},
                   {"unit", unitName(progress.progress.unit)},
                   {"rss", progress.residentBytes}});
}

std::string aliveLine(std::uint64_t residentBytes) {
    return lineOf({{"type", "alive"}, {"rss", residentBytes}});
}

std::string eventLine(const std::string& id, const Json& event) {
    return lineOf({{"type", "event"}, {"id", id}, {"event", event}});
}

std::string resultLines(const std::string& id, const Json& result) {
    const std::string body = compactJson(result);
    if (body.size() <= kInlineBytes) {
        return lineOf({{"type", "result"}, {"id", id}, {"chunks", 0}, {"result", result}});
    }
    std::string lines;
    int chunks = 0;
    for (std::size_t offset = 0; offset < body.size(); offset += kChunkBytes) {
        const auto piece = std::string_view(body).substr(offset, kChunkBytes);
        lines += lineOf({{"type", "chunk"}, {"id", id}, {"data", base64Encode(piece)}});
        ++chunks;
    }
    return lines + lineOf({{"type", "result"}, {"id", id}, {"chunks", chunks}});
}

std::string cancelledLine(const std::string& id) { return lineOf({{"type", "cancelled"}, {"id", id}}); }

std::string errorLine(const std::string& id, const Error& error) {
    return lineOf({{"type", "error"}, {"id", id}, {"error", errorToJson(error)}});
}

Result<Message> parseMessage(std::string_view line) {
    if (line.size() > kMaxLine) {
        return protocolError("a line of " + std::to_string(line.size()) + " bytes", line);
    }
    auto parsed = parseJson(line, "line");
    if (!parsed.ok()) {
        return protocolError(errorMessage(parsed.error()), line);
    }
    JsonReader reader(parsed.value(), ErrorCode::ConfigInvalid, "line");
    const std::string name = reader.require("type").text("type");
    Message message;
    bool known = false;
    for (const auto& [typeName, type] : kTypes) {
        if (typeName == name) {
            message.type = type;
            known = true;
        }
    }
    if (!reader.failed() && !known) {
        return protocolError("a message of the unknown type \"" + name + "\"", line);
    }
    if (!reader.failed() && needsId(message.type)) {
        message.id = reader.require("id").text("id");
    }
    if (!reader.failed()) {
        readFields(reader, message);
    }
    if (const auto status = reader.status(); !status.ok()) {
        return protocolError(status.error().args.at("field") + " " + status.error().args.at("reason"),
                             line);
    }
    return message;
}

Result<Json> resultBody(const Message& result, const std::string& chunks, int chunkCount) {
    if (result.chunks != chunkCount) {
        return protocolError("a result of " + std::to_string(result.chunks) + " chunks, " +
                             std::to_string(chunkCount) + " came");
    }
    if (result.chunks == 0) {
        return result.body;
    }
    auto body = parseJson(chunks, "result", {.maxDepth = 64, .maxBytes = kMaxResult});
    if (!body.ok()) {
        return protocolError(errorMessage(body.error()));
    }
    return body;
}

}  // namespace pareto::jobs
