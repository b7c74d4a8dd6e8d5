#include "engine/records/run_record.h"

#include <algorithm>
#include <array>
#include <limits>

#include "engine/records/measured.h"
#include "engine/records/numbers.h"

namespace pareto {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::array<std::string_view, 6> kStatusNames{"queued", "running",   "finished",
                                                       "failed", "cancelled", "interrupted"};

JsonReader readerOf(const Json& json, const std::string& prefix) {
    return JsonReader(json, ErrorCode::ConfigInvalid, "run record", prefix);
}

Json layersToJson(const std::vector<LayerMeasurement>& layers) {
    Json list = Json::array();
    for (const auto& layer : layers) {
        Json object{{"name", layer.name},     {"bytes", layer.bytes}, {"kernel", layer.kernel},
                    {"rows", layer.rows},     {"cols", layer.cols}};
        putNumber(object, "ms", layer.ms);
        putNumber(object, "share", layer.share);
        putNumber(object, "relative_error", layer.relativeError);
        putNumber(object, "sparsity", layer.sparsity);
        list.push_back(std::move(object));
    }
    return list;
}

/// Columns, not objects: a task has thousands of items.
Json itemsToJson(const std::vector<ItemResult>& items) {
    Json item = Json::array();
    Json predicted = Json::array();
    std::vector<double> scores;
    scores.reserve(items.size());
    for (const auto& entry : items) {
        item.push_back(entry.item);
        predicted.push_back(entry.predicted);
        scores.push_back(entry.score);
    }
    Json object{{"item", std::move(item)}, {"predicted", std::move(predicted)}};
    putNumbers(object, "score", scores);
    const auto any = [&](auto has) { return std::any_of(items.begin(), items.end(), has); };
    if (any([](const ItemResult& entry) { return !entry.answer.empty(); })) {
        for (const auto& entry : items) {
            object["answer"].push_back(entry.answer);
        }
    }
    if (any([](const ItemResult& entry) { return !entry.parts.empty(); })) {
        for (const auto& entry : items) {
            object["parts"].push_back(entry.parts);
        }
    }
    return object;
}

/// Calls `read` for every element of the list under `key`, with a reader of its own.
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
        const auto name = key + "[" + std::to_string(i) + "]";
        JsonReader element = readerOf((*list)[i], reader.fieldName(name));
        read(element);
        if (const auto status = element.status(); !status.ok()) {
            reader.fail(name, status.error().args.at("field") + " " +
                                  status.error().args.at("reason"));
        }
    }
}

std::vector<LayerMeasurement> readLayers(JsonReader& reader) {
    std::vector<LayerMeasurement> layers;
    readList(reader, "layers", [&](JsonReader& element) {
        LayerMeasurement layer;
        layer.name = element.require("name").text("name");
        layer.kernel = element.text("kernel");
        layer.bytes = takeUnsigned(element, "bytes");
        layer.rows = element.integer("rows", 0, 0, kMax);
        layer.cols = element.integer("cols", 0, 0, kMax);
        layer.ms = takeNumber(element, "ms");
        layer.share = takeNumber(element, "share");
        layer.relativeError = takeNumber(element, "relative_error");
        layer.sparsity = takeNumber(element, "sparsity");
        layers.push_back(std::move(layer));
    });
    return layers;
}

/// The columns that not every task has.
void readItemDetails(const Json& columns, std::vector<ItemResult>& items, JsonReader& reader) {
    const auto each = [&](const char* key, auto fits, auto take) {
        const auto found = columns.find(key);
        if (found == columns.end()) {
            return;
        }
        if (!found->is_array() || found->size() != items.size() ||
            !std::all_of(found->begin(), found->end(), fits)) {
            reader.fail("items", std::string("has a column \"") + key + "\" that cannot be used");
            return;
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            take(items[i], (*found)[i]);
        }
    };
    each("answer", [](const Json& one) { return one.is_string(); },
         [](ItemResult& item, const Json& one) { item.answer = one.get<std::string>(); });
    each("parts",
         [](const Json& one) {
             return one.is_array() && std::all_of(one.begin(), one.end(),
                                                  [](const Json& value) { return value.is_number(); });
         },
         [](ItemResult& item, const Json& one) { item.parts = one.get<std::vector<double>>(); });
}

std::vector<ItemResult> readItems(JsonReader& reader) {
    const Json* object = reader.find("items");
    if (object == nullptr) {
        return {};
    }
    JsonReader columns = readerOf(*object, reader.fieldName("items"));
    const auto item = takeIntegers(columns, "item");
    const auto predicted = takeIntegers(columns, "predicted");
    const auto score = takeNumbers(columns, "score");
    if (const auto status = columns.status(); !status.ok()) {
        reader.fail("items", status.error().args.at("reason"));
        return {};
    }
    if (item.size() != predicted.size() || item.size() != score.size()) {
        reader.fail("items", "must have columns of equal length");
        return {};
    }
    std::vector<ItemResult> items(item.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        items[i] = {item[i], score[i], static_cast<int>(predicted[i])};
    }
    readItemDetails(*object, items, reader);
    return items;
}

/// A part of the record that is kept as JSON. `kind` is what it must be.
Json readObject(JsonReader& reader, const std::string& key, bool mayBeNull) {
    const Json* value = reader.find(key);
    if (value == nullptr) {
        return mayBeNull ? Json() : Json::object();
    }
    if (!value->is_object() && !(mayBeNull && value->is_null())) {
        reader.fail(key, "must be an object");
        return mayBeNull ? Json() : Json::object();
    }
    return *value;
}

void readIdentity(JsonReader& reader, RunRecord& record) {
    record.id = reader.integer("id", 0, 0, kMax);
    record.name = reader.text("name");
    record.note = reader.text("note");
    if (reader.has("status") && !statusFromName(reader.text("status"), record.status)) {
        reader.fail("status", "is none of queued, running, finished, failed, cancelled, interrupted");
    }
    record.startedAt = reader.integer("started_at", 0, 0, kMax);
    record.finishedAt = reader.integer("finished_at", 0, 0, kMax);
    record.modelPath = reader.text("model_path");
    record.modelName = reader.text("model_name");
    record.modelHash = reader.text("model_hash");
    record.family = reader.text("family");
    record.weightsHash = reader.text("weights_hash");
    record.seed = takeUnsigned(reader, "seed");
    record.disturbed = reader.boolean("disturbed", false);
    record.disturbance = reader.text("disturbance");
    record.exportPath = reader.text("export_path");
}

void readSpecs(JsonReader& reader, RunRecord& record) {
    record.recipe = readObject(reader, "recipe", false);
    record.recipeName = reader.text("recipe_name");
    record.recipeHash = reader.text("recipe_hash");
    record.recipeSummary = reader.text("recipe_summary");
    record.task = readObject(reader, "task", true);
    record.taskName = reader.text("task_name");
    record.taskKey = reader.text("task_key");
    record.target = readObject(reader, "target", false);
    record.targetKey = reader.text("target_key");
    record.targetText = reader.text("target_text");
    record.headlineKey = reader.text("headline_key");
    record.versions = readObject(reader, "versions", false);
    record.details = readObject(reader, "details", false);
    record.machine = machineFromJson(readObject(reader, "machine", false));
}

std::string textOr(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> textsOr(const Json& json, const char* key) {
    std::vector<std::string> texts;
    if (const auto found = json.find(key); found != json.end() && found->is_array()) {
        for (const auto& element : *found) {
            if (element.is_string()) {
                texts.push_back(element.get<std::string>());
            }
        }
    }
    return texts;
}

Json gpuToJson(const GpuInfo& gpu) {
    return {{"device", gpu.device}, {"name", gpu.name},     {"capability", gpu.capability},
            {"driver", gpu.driver}, {"cuda", gpu.cuda},     {"memory_bytes", gpu.memoryBytes},
            {"pci_id", gpu.pciId},  {"uuid", gpu.uuid}};
}

GpuInfo gpuFromJson(const Json& json) {
    GpuInfo gpu;
    if (json.is_object()) {
        JsonReader reader = readerOf(json, "gpus");
        gpu = {textOr(json, "device"),
               textOr(json, "name"),
               textOr(json, "capability"),
               takeUnsigned(reader, "memory_bytes"),
               textOr(json, "driver"),
               textOr(json, "cuda"),
               textOr(json, "pci_id"),
               textOr(json, "uuid")};
    }
    return gpu;
}

}  // namespace

std::string_view nameOf(RunStatus status) { return kStatusNames[static_cast<std::size_t>(status)]; }

bool statusFromName(std::string_view name, RunStatus& status) {
    const auto found = std::find(kStatusNames.begin(), kStatusNames.end(), name);
    if (found == kStatusNames.end()) {
        return false;
    }
    status = static_cast<RunStatus>(found - kStatusNames.begin());
    return true;
}

const Measurement* RunRecord::find(std::string_view key) const {
    const auto found = std::find_if(measurements.begin(), measurements.end(),
                                    [&](const Measurement& m) { return m.key == key; });
    return found == measurements.end() ? nullptr : &*found;
}

bool RunRecord::isBaseline() const {
    if (!recipe.is_object()) {
        return true;
    }
    const auto saysNothing = [](const Json& object, const char* key) {
        const auto found = object.find(key);
        return found == object.end() || found->is_null() || found->empty();
    };
    const auto defaults = recipe.find("defaults");
    const bool plain = defaults == recipe.end() || !defaults->is_object() ||
                       (saysNothing(*defaults, "prune") && saysNothing(*defaults, "quantize"));
    return plain && saysNothing(recipe, "layers");
}

Json runRecordToJson(const RunRecord& record) {
    Json json{{"id", record.id},
              {"name", record.name},
              {"note", record.note},
              {"status", nameOf(record.status)},
              {"started_at", record.startedAt},
              {"finished_at", record.finishedAt},
              {"model_path", record.modelPath},
              {"model_name", record.modelName},
              {"model_hash", record.modelHash},
              {"family", record.family},
              {"recipe", record.recipe},
              {"recipe_name", record.recipeName},
              {"recipe_hash", record.recipeHash},
              {"recipe_summary", record.recipeSummary},
              {"task", record.task},
              {"task_name", record.taskName},
              {"task_key", record.taskKey},
              {"target", record.target},
              {"target_key", record.targetKey},
              {"target_text", record.targetText},
              {"headline_key", record.headlineKey},
              {"machine", machineToJson(record.machine)},
              {"seed", record.seed},
              {"versions", record.versions},
              {"weights_hash", record.weightsHash},
              {"disturbed", record.disturbed},
              {"disturbance", record.disturbance},
              {"details", record.details},
              {"export_path", record.exportPath}};
    json["measurements"] = measurementsToJson(record.measurements);
    putNumbers(json, "latencies_ms", record.latenciesMs);
    json["layers"] = layersToJson(record.layers);
    json["items"] = itemsToJson(record.items);
    Json histograms = Json::array();
    for (const auto& histogram : record.histograms) {
        histograms.push_back(histogramToJson(histogram));
    }
    json["histograms"] = std::move(histograms);
    if (record.status == RunStatus::Failed) {
        json["error"] = errorToJson(record.error);
    }
    return json;
}

Result<RunRecord> runRecordFromJson(const Json& json) {
    JsonReader reader = readerOf(json, "");
    RunRecord record;
    readIdentity(reader, record);
    readSpecs(reader, record);
    record.measurements = takeMeasurements(reader, "measurements");
    record.latenciesMs = takeNumbers(reader, "latencies_ms");
    record.layers = readLayers(reader);
    record.items = readItems(reader);
    if (const Json* histograms = reader.find("histograms")) {
        if (!histograms->is_array()) {
            reader.fail("histograms", "must be a list");
        } else {
            for (const auto& histogram : *histograms) {
                record.histograms.push_back(histogramFromJson(histogram));
            }
        }
    }
    if (const Json* error = reader.find("error")) {
        record.error = errorFromJson(*error);
    }
    PARETO_CHECK(reader.status());
    return record;
}

Json machineToJson(const MachineInfo& machine) {
    Json out{{"id", machine.id},         {"host", machine.host},
             {"cpu", machine.cpu},       {"cores", machine.cores},
             {"memory_bytes", machine.memoryBytes},
             {"kernel", machine.kernel}, {"governor", machine.governor},
             {"features", machine.features}, {"devices", machine.devices}};
    for (const auto& gpu : machine.gpus) {
        out["gpus"].push_back(gpuToJson(gpu));
    }
    return out;
}

MachineInfo machineFromJson(const Json& json) {
    MachineInfo machine;
    if (!json.is_object()) {
        return machine;
    }
    machine.id = textOr(json, "id");
    machine.host = textOr(json, "host");
    machine.cpu = textOr(json, "cpu");
    machine.kernel = textOr(json, "kernel");
    machine.governor = textOr(json, "governor");
    machine.features = textsOr(json, "features");
    machine.devices = textsOr(json, "devices");
    JsonReader reader = readerOf(json, "machine");
    machine.cores = static_cast<int>(reader.integer("cores", 0, 0, 1 << 20));
    machine.memoryBytes = takeUnsigned(reader, "memory_bytes");
    if (const auto gpus = json.find("gpus"); gpus != json.end() && gpus->is_array()) {
        for (const auto& gpu : *gpus) {
            machine.gpus.push_back(gpuFromJson(gpu));
        }
    }
    return machine;
}

Json histogramToJson(const Histogram& histogram) {
    Json json{{"layer", histogram.layer},
              {"counts", histogram.counts},
              {"zeros", histogram.zeros},
              {"nonfinite", histogram.nonFinite}};
    putNumber(json, "low", histogram.low);
    putNumber(json, "high", histogram.high);
    return json;
}

Histogram histogramFromJson(const Json& json) {
    JsonReader reader = readerOf(json, "histogram");
    Histogram histogram;
    histogram.layer = reader.text("layer");
    histogram.counts = takeIntegers(reader, "counts");
    histogram.zeros = reader.integer("zeros", 0, 0, kMax);
    histogram.nonFinite = reader.integer("nonfinite", 0, 0, kMax);
    histogram.low = takeNumber(reader, "low");
    histogram.high = takeNumber(reader, "high");
    return histogram;
}

std::string compactJson(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pareto
