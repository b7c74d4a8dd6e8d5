#include "engine/spec/target.h"

#include <sstream>
#include <utility>

namespace pareto {
namespace {

constexpr std::int64_t kMaxBatch = 4096;
constexpr std::int64_t kMaxTokens = 1 << 20;

bool deviceNameFine(const std::string& device) {
    if (device == "cpu") {
        return true;
    }
    return device.rfind("cuda:", 0) == 0 && device.size() > 5 && device.size() < 9 &&
           device.find_first_not_of("0123456789", 5) == std::string::npos;
}

/// "threads=2,batch=1,seq=128,cpu" as JSON; the short names are those of the command line's options.
Result<Json> shorthand(const std::string& text) {
    Json json = Json::object();
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        const auto equals = part.find('=');
        if (equals == std::string::npos) {
            json["device"] = part;
            continue;
        }
        std::string key = part.substr(0, equals);
        const std::string value = part.substr(equals + 1);
        key = key == "seq" ? "sequence" : key;
        const bool number = !value.empty() && value.size() < 10 &&
                            value.find_first_not_of("0123456789") == std::string::npos;
        json[key] = number ? Json(std::stoll(value)) : Json(value);
    }
    return json;
}

}  // namespace

Result<Target> targetFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::TargetInvalid, "target");
    reader.allowOnly({"version", "machine", "device", "threads", "batch", "sequence", "seq", "prompt",
                      "generate", "tp", "pp", "replicas"});
    Target out;
    out.machine = reader.text("machine", out.machine);
    out.device = reader.text("device", out.device);
    if (!deviceNameFine(out.device)) {
        reader.fail("device", "must be \"cpu\" or \"cuda:N\", not \"" + out.device + "\"");
    }
    out.threads = static_cast<int>(reader.integer("threads", 0, 0, 1024));
    out.batch = reader.integer("batch", out.batch, 1, kMaxBatch);
    out.sequence = reader.integer(reader.has("seq") ? "seq" : "sequence", out.sequence, 1, kMaxTokens);
    out.prompt = reader.integer("prompt", out.prompt, 1, kMaxTokens);
    out.generate = reader.integer("generate", out.generate, 1, kMaxTokens);
    out.tensorParallel = static_cast<int>(reader.integer("tp", 1, 1, kMostParallel));
    out.pipelineParallel = static_cast<int>(reader.integer("pp", 1, 1, kMostParallel));
    out.replicas = static_cast<int>(reader.integer("replicas", 1, 1, kMostParallel));
    if (!reader.failed() && out.replicas > 1 && out.processes() > 1) {
        reader.fail("replicas", "is " + std::to_string(out.replicas) + " beside tp or pp: a replica is one process");
    }
    if (!reader.failed() && out.replicas > 1 && out.device != "cpu") {
        reader.fail("replicas", "is " + std::to_string(out.replicas) + ", but replicas run on the CPU only");
    }
    PARETO_CHECK(reader.status());
    return out;
}

Result<Target> parseTarget(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\n");
    if (first != std::string::npos && text[first] == '{') {
        PARETO_TRY(const Json json, parseJson(text, "target"));
        return targetFromJson(json);
    }
    PARETO_TRY(const Json json, shorthand(text));
    return targetFromJson(json);
}

Json targetToJson(const Target& target) {
    return {{"machine", target.machine},   {"device", target.device},     {"threads", target.threads},
            {"batch", target.batch},       {"sequence", target.sequence}, {"prompt", target.prompt},
            {"generate", target.generate}, {"tp", target.tensorParallel},
            {"pp", target.pipelineParallel}, {"replicas", target.replicas}};
}

std::string targetSummary(const Target& target, bool decoder) {
    std::string out = target.device == "cpu" ? "CPU" : target.device;
    if (target.device == "cpu") {
        out += target.threads == 0 ? " · all cores"
                                   : " · " + std::to_string(target.threads) +
                                         (target.threads == 1 ? " thread" : " threads");
    }
    for (const auto& [name, size] : {std::pair{" · tp ", target.tensorParallel}, {" · pp ", target.pipelineParallel},
                                     {" · dp ", target.replicas}}) {
        out += size > 1 ? name + std::to_string(size) : std::string();
    }
    out += " · " + std::to_string(target.batch) + "×";
    out += decoder ? std::to_string(target.prompt) + "+" + std::to_string(target.generate)
                   : std::to_string(target.sequence);
    return out;
}

std::string targetKey(const Target& target, bool decoder) {
    std::string out = target.device + "/t" + std::to_string(target.threads) + "/b" +
                      std::to_string(target.batch);
    out += decoder ? "/p" + std::to_string(target.prompt) + "/g" + std::to_string(target.generate)
                   : "/s" + std::to_string(target.sequence);
    if (target.processes() > 1) {
        out += "/tp" + std::to_string(target.tensorParallel) + "/pp" + std::to_string(target.pipelineParallel);
    }
    if (target.replicas > 1) {
        out += "/dp" + std::to_string(target.replicas);
    }
    return out;
}

}  // namespace pareto
