#include <limits>
#include <map>

#include "engine/records/numbers.h"
#include "engine/records/profile.h"

namespace pareto {

namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Json toJson(const Roof& roof) { return {{"best", roof.best}, {"median", roof.median}}; }

Json toJson(const Roofs& roofs) {
    return {{"device", roofs.device},
            {"threads", roofs.threads},
            {"weights_gb_per_s", toJson(roofs.weights)},
            {"weights_bytes", roofs.weightsBytes},
            {"memory_gb_per_s", toJson(roofs.memory)},
            {"memory_bytes", roofs.memoryBytes},
            {"fp32_gflops", toJson(roofs.fp32)},
            {"fp32_way", roofs.fp32Way},
            {"fp16_gflops", toJson(roofs.fp16)},
            {"fp16_way", roofs.fp16Way},
            {"int8_gops", toJson(roofs.int8)},
            {"int8_way", roofs.int8Way}};
}

template <typename T>
void put(Json& object, const char* key, const std::optional<T>& value) {
    if (value) {
        object[key] = *value;
    }
}

Json toJson(const ProfiledLayer& layer, const Roofs& roofs) {
    Json out{{"name", layer.name},
             {"kernel", layer.kernel},
             {"arithmetic", std::string(nameOf(layer.arithmetic))},
             {"ms", layer.ms},
             {"share", layer.share},
             {"calls", layer.calls}};
    put(out, "operations", layer.operations);
    put(out, "bytes", layer.bytes);
    put(out, "intensity", layer.intensity());
    put(out, "gops", layer.gops());
    put(out, "gb_per_s", layer.gigabytes());
    put(out, "roof_share", roofShare(layer, roofs));
    return out;
}

Json toJson(const ProfiledStep& step, const Roofs& roofs) {
    Json counts = Json::object();
    put(counts, "cycles", step.counts.cycles);
    put(counts, "instructions", step.counts.instructions);
    put(counts, "cache_misses", step.counts.cacheMisses);
    Json out{{"name", step.name},     {"ms", step.ms},    {"steps", step.steps},
             {"tokens", step.tokens}, {"counts", counts}, {"layers", Json::array()}};
    for (const auto& layer : step.layers) {
        out["layers"].push_back(toJson(layer, roofs));
    }
    return out;
}

/// Columns, not objects: a pass has thousands of events.
Json timelineToJson(const Profile& profile) {
    Json step = Json::array(), layer = Json::array(), start = Json::array(),
         duration = Json::array();
    for (const auto& event : profile.timeline) {
        step.push_back(event.step);
        layer.push_back(event.layer);
        start.push_back(event.startUs);
        duration.push_back(event.durationUs);
    }
    return {{"steps", profile.timelineSteps},
            {"step", std::move(step)},
            {"layer", std::move(layer)},
            {"start_us", std::move(start)},
            {"duration_us", std::move(duration)}};
}

/// Columns; names, of which there are few, once.
Json kernelsToJson(const Profile& profile) {
    std::map<std::string, std::size_t> places;
    Json names = Json::array(), name = Json::array(), stream = Json::array(), start = Json::array(),
         duration = Json::array();
    for (const auto& kernel : profile.kernels) {
        const auto [place, isNew] = places.try_emplace(kernel.name, places.size());
        if (isNew) {
            names.push_back(kernel.name);
        }
        name.push_back(place->second);
        stream.push_back(kernel.stream);
        start.push_back(kernel.startUs);
        duration.push_back(kernel.durationUs);
    }
    return {{"names", std::move(names)},
            {"name", std::move(name)},
            {"stream", std::move(stream)},
            {"start_us", std::move(start)},
            {"duration_us", std::move(duration)}};
}

JsonReader readerOf(const Json& json, const std::string& prefix) {
    return JsonReader(json, ErrorCode::ConfigInvalid, "profile", prefix);
}

/// `read` with the object under `key`, if there is one.
template <typename Read>
void readObject(JsonReader& reader, const std::string& key, Read&& read) {
    if (const Json* object = reader.find(key)) {
        JsonReader inner = readerOf(*object, reader.fieldName(key));
        read(inner);
        if (const auto status = inner.status(); !status.ok()) {
            reader.fail(key,
                        status.error().args.at("field") + " " + status.error().args.at("reason"));
        }
    }
}

template <typename Read>
void readList(JsonReader& reader, const std::string& key, Read&& read) {
    const Json* list = reader.find(key);
    if (list == nullptr) {
        return;
    }
    if (!list->is_array()) {
        reader.fail(key, "must be a list");
        return;
    }
    for (std::size_t i = 0; i < list->size() && !reader.failed(); ++i) {
        JsonReader element = readerOf((*list)[i], reader.fieldName(key));
        read(element);
        if (const auto status = element.status(); !status.ok()) {
            reader.fail(key,
                        status.error().args.at("field") + " " + status.error().args.at("reason"));
        }
    }
}

Roof takeRoof(JsonReader& reader, const std::string& key) {
    Roof roof;
    readObject(reader, key, [&](JsonReader& inner) {
        roof = {takeNumber(inner, "best"), takeNumber(inner, "median")};
    });
    return roof;
}

Roofs takeRoofs(JsonReader& reader) {
    Roofs roofs;
    readObject(reader, "roofs", [&](JsonReader& inner) {
        roofs.device = inner.text("device");
        roofs.threads = static_cast<int>(inner.integer("threads", 0, 0, 1 << 20));
        roofs.weights = takeRoof(inner, "weights_gb_per_s");
        roofs.weightsBytes = takeUnsigned(inner, "weights_bytes");
        roofs.memory = takeRoof(inner, "memory_gb_per_s");
        roofs.memoryBytes = takeUnsigned(inner, "memory_bytes");
        roofs.fp32 = takeRoof(inner, "fp32_gflops");
        roofs.fp32Way = inner.text("fp32_way");
        roofs.fp16 = takeRoof(inner, "fp16_gflops");
        roofs.fp16Way = inner.text("fp16_way");
        roofs.int8 = takeRoof(inner, "int8_gops");
        roofs.int8Way = inner.text("int8_way");
    });
    return roofs;
}

ProfiledLayer takeLayer(JsonReader& reader) {
    ProfiledLayer layer;
    layer.name = reader.require("name").text("name");
    layer.kernel = reader.text("kernel");
    for (const auto arithmetic : {Arithmetic::Fp16, Arithmetic::Int8}) {
        if (reader.text("arithmetic") == nameOf(arithmetic)) {
            layer.arithmetic = arithmetic;
        }
    }
    layer.ms = takeNumber(reader, "ms");
    layer.share = takeNumber(reader, "share");
    layer.calls = static_cast<int>(reader.integer("calls", 1, 0, 1 << 30));
    if (reader.has("operations")) {
        layer.operations = reader.integer("operations", 0, 0, kMax);
    }
    if (reader.has("bytes")) {
        layer.bytes = takeUnsigned(reader, "bytes");
    }
    return layer;
}

ProfiledStep takeStep(JsonReader& reader) {
    ProfiledStep step;
    step.name = reader.require("name").text("name");
    step.ms = takeNumber(reader, "ms");
    step.steps = reader.integer("steps", 0, 0, kMax);
    step.tokens = reader.integer("tokens", 0, 0, kMax);
    readObject(reader, "counts", [&](JsonReader& counts) {
        const auto take = [&](const char* key, std::optional<double>& to) {
            if (counts.has(key)) {
                to = takeNumber(counts, key);
            }
        };
        take("cycles", step.counts.cycles);
        take("instructions", step.counts.instructions);
        take("cache_misses", step.counts.cacheMisses);
    });
    readList(reader, "layers", [&](JsonReader& layer) { step.layers.push_back(takeLayer(layer)); });
    return step;
}

bool fits(const Profile& profile, const TimelineEvent& event) {
    if (event.step < 0 || event.step >= static_cast<std::int32_t>(profile.timelineSteps.size())) {
        return false;
    }
    const auto* step = profile.find(profile.timelineSteps[static_cast<std::size_t>(event.step)]);
    return step != nullptr && event.layer >= -1 &&
           event.layer < static_cast<std::int32_t>(step->layers.size());
}

void takeTimeline(JsonReader& reader, Profile& profile) {
    readObject(reader, "timeline", [&](JsonReader& inner) {
        profile.timelineSteps = takeTexts(inner, "steps");
        const auto step = takeIntegers(inner, "step");
        const auto layer = takeIntegers(inner, "layer");
        const auto start = takeNumbers(inner, "start_us");
        const auto duration = takeNumbers(inner, "duration_us");
        if (layer.size() != step.size() || start.size() != step.size() ||
            duration.size() != step.size()) {
            inner.fail("step", "must be as long as the other columns");
            return;
        }
        for (std::size_t i = 0; i < step.size(); ++i) {
            const TimelineEvent event{static_cast<std::int32_t>(step[i]),
                                      static_cast<std::int32_t>(layer[i]), start[i], duration[i]};
            if (!fits(profile, event)) {
                inner.fail("layer", "names a step or a layer that is not there");
                return;
            }
            profile.timeline.push_back(event);
        }
    });
}

void takeKernels(JsonReader& reader, Profile& profile) {
    readObject(reader, "kernels", [&](JsonReader& inner) {
        const auto names = takeTexts(inner, "names");
        const auto name = takeIntegers(inner, "name");
        const auto stream = takeIntegers(inner, "stream");
        const auto start = takeNumbers(inner, "start_us");
        const auto duration = takeNumbers(inner, "duration_us");
        if (stream.size() != name.size() || start.size() != name.size() ||
            duration.size() != name.size()) {
            inner.fail("name", "must be as long as the other columns");
            return;
        }
        for (std::size_t i = 0; i < name.size(); ++i) {
            if (name[i] < 0 || name[i] >= static_cast<std::int64_t>(names.size())) {
                inner.fail("name", "names a kernel that is not there");
                return;
            }
            profile.kernels.push_back(
                {names[static_cast<std::size_t>(name[i])], stream[i], start[i], duration[i]});
        }
    });
}

Json takeObject(const JsonReader& reader, const char* key) {
    const Json* found = reader.find(key);
    return found != nullptr && found->is_object() ? *found : Json::object();
}

}  // namespace

Json profileToJson(const Profile& profile) {
    Json steps = Json::array();
    for (const auto& step : profile.steps) {
        steps.push_back(toJson(step, profile.roofs));
    }
    return {{"model", profile.modelPath},
            {"model_name", profile.modelName},
            {"recipe", profile.recipe},
            {"recipe_summary", profile.recipeSummary},
            {"target", profile.target},
            {"target_text", profile.targetText},
            {"machine", machineToJson(profile.machine)},
            {"versions", profile.versions},
            {"model_bytes", profile.modelBytes},
            {"roofs", toJson(profile.roofs)},
            {"no_counters", profile.noCounters},
            {"disturbed", profile.disturbed},
            {"disturbance", profile.disturbance},
            {"notes", profile.notes},
            {"steps", std::move(steps)},
            {"timeline", timelineToJson(profile)},
            {"timeline_clock", profile.timelineClock},
            {"kernels", kernelsToJson(profile)},
            {"no_kernels", profile.noKernels},
            {"gpu", profile.gpu}};
}

Result<Profile> profileFromJson(const Json& json) {
    JsonReader reader = readerOf(json, {});
    Profile profile;
    profile.modelPath = reader.text("model");
    profile.modelName = reader.text("model_name");
    profile.recipe = takeObject(reader, "recipe");
    profile.recipeSummary = reader.text("recipe_summary");
    profile.target = takeObject(reader, "target");
    profile.targetText = reader.text("target_text");
    profile.machine = machineFromJson(takeObject(reader, "machine"));
    profile.versions = takeObject(reader, "versions");
    profile.modelBytes = takeUnsigned(reader, "model_bytes");
    profile.roofs = takeRoofs(reader);
    profile.noCounters = reader.text("no_counters");
    profile.disturbed = reader.boolean("disturbed", false);
    profile.disturbance = reader.text("disturbance");
    profile.notes = takeTexts(reader, "notes");
    readList(reader.require("steps"), "steps",
             [&](JsonReader& step) { profile.steps.push_back(takeStep(step)); });
    takeTimeline(reader, profile);
    profile.timelineClock = reader.text("timeline_clock");
    takeKernels(reader, profile);
    profile.noKernels = reader.text("no_kernels");
    profile.gpu = takeObject(reader, "gpu");
    PARETO_CHECK(reader.status());
    return profile;
}

}  // namespace pareto
