#include "engine/io/hf_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "engine/io/safetensors.h"
#include "engine/io/torch_file.h"

namespace pareto::io {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxIndexBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxModules = 64;
constexpr std::size_t kMaxLabels = 1 << 20;
constexpr const char* kWeightsName = "model.safetensors";
constexpr const char* kIndexName = "model.safetensors.index.json";
constexpr const char* kTorchName = "pytorch_model.bin";
constexpr const char* kTorchIndexName = "pytorch_model.bin.index.json";
/// What trainers leave beside a model.
constexpr std::array<const char*, 6> kNotWeights{"training_args.bin", "optimizer.bin", "optimizer.pt",
                                                 "scheduler.bin",     "scheduler.pt",  "scaler.pt"};

Error configError(const std::string& file, std::string field, std::string reason) {
    return makeError(ErrorCode::ConfigInvalid, {{"file", file},
                                                {"field", std::move(field)},
                                                {"reason", std::move(reason)}});
}

std::string joined(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
}

/// Numbers that sizes are computed from, with the most that is believable.
struct NumberRule {
    const char* name;
    std::int64_t min;
    std::int64_t max;
};
constexpr std::array<NumberRule, 14> kNumberRules{{
    {"num_hidden_layers", 0, 10'000},
    {"n_layer", 0, 10'000},
    {"n_layers", 0, 10'000},
    {"hidden_size", 1, 1 << 20},
    {"n_embd", 1, 1 << 20},
    {"dim", 1, 1 << 20},
    {"intermediate_size", 0, 1 << 22},
    {"num_attention_heads", 1, 1 << 16},
    {"num_key_value_heads", 1, 1 << 16},
    {"head_dim", 1, 1 << 16},
    {"vocab_size", 1, 1 << 24},
    {"max_position_embeddings", 1, 1 << 28},
    {"type_vocab_size", 0, 1 << 16},
    {"num_labels", 0, 1 << 20},
}};

Result<std::vector<std::string>> labelList(const Json& value, const std::string& path,
                                           const std::string& field) {
    std::vector<std::string> out;
    if (value.size() > kMaxLabels) {
        return configError(path, field, "has more than a million labels");
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto key = std::to_string(i);
        const Json* label = nullptr;
        if (value.is_array()) {
            label = &value[i];
        } else if (value.is_object() && value.contains(key)) {
            label = &value[key];
        } else {
            return configError(path, field, "does not number the labels from 0 to " +
                                                std::to_string(value.size() - 1));
        }
        out.push_back(label->is_string() ? label->get<std::string>() : label->dump());
    }
    return out;
}

class FolderReader {
public:
    FolderReader(ModelRoot root, std::string weightsFile)
        : m_root(std::move(root)), m_weightsFile(std::move(weightsFile)) {}

    Result<ModelContents> run() {
        m_out.transformerFolder = m_root.folder();
        std::string transformer;
        if (m_root.exists("modules.json")) {
            m_out.format = Format::SentenceTransformers;
            PARETO_TRY(transformer, readModules());
            m_out.transformerFolder = m_root.path(transformer.empty() ? "." : transformer);
            if (m_out.transformerFolder.back() == '/') {
                m_out.transformerFolder.pop_back();
            }
        }
        PARETO_TRY(m_out.config, readConfig(joined(transformer, "config.json")));
        const auto configPath = m_root.path(joined(transformer, "config.json"));
        PARETO_CHECK(checkModelConfig(m_out.config, configPath));
        if (const auto generation = joined(transformer, "generation_config.json"); m_root.exists(generation)) {
            PARETO_TRY(m_out.generation, readConfigObject(generation));
        }
        PARETO_CHECK(readOldQuantization(transformer));
        if (m_out.config.contains("auto_map")) {
            m_out.notices.push_back("config.json names program code of its own (auto_map); it is "
                                    "never run.");
        }
        PARETO_CHECK(readLabels(configPath));
        PARETO_CHECK(readWeights(transformer, "", m_weightsFile));
        for (const auto& module : m_out.modules) {
            if (module.type == "Dense") {
                PARETO_CHECK(readWeights(module.path, module.path + "/", ""));
            }
        }
        return std::move(m_out);
    }

private:
    Result<Json> readConfig(const std::string& relative, std::size_t maxBytes = kMaxConfigBytes) {
        PARETO_TRY(std::string text, m_root.readText(relative, maxBytes));
        JsonLimits limits;
        limits.maxBytes = maxBytes;
        PARETO_TRY(Json json, parseJson(text, m_root.path(relative), limits));
        m_out.configTexts[relative] = std::move(text);
        return json;
    }
    Result<Json> readConfigObject(const std::string& relative) {
        PARETO_TRY(Json json, readConfig(relative));
        if (!json.is_object()) {
            return configError(m_root.path(relative), "the file", "is not a JSON object");
        }
        return json;
    }

    /// Before config.json had a quantization_config, AutoGPTQ and AutoAWQ kept theirs in files of their own.
    Status readOldQuantization(const std::string& folder) {
        for (const auto& [name, method] :
             {std::pair{"quantize_config.json", "gptq"}, std::pair{"quant_config.json", "awq"}}) {
            const auto relative = joined(folder, name);
            if (!m_out.config.is_object() || m_out.config.contains("quantization_config") ||
                !m_root.exists(relative)) {
                continue;
            }
            PARETO_TRY(Json settings, readConfigObject(relative));
            if (!settings.contains("quant_method")) {
                settings["quant_method"] = method;
            }
            m_out.config["quantization_config"] = std::move(settings);
        }
        return Done{};
    }

    /// Returns the transformer's folder, relative.
    Result<std::string> readModules() {
        const auto path = m_root.path("modules.json");
        PARETO_TRY(const Json list, readConfig("modules.json"));
        if (!list.is_array() || list.empty() || list.size() > kMaxModules) {
            return configError(path, "the file", "is not a list of 1 to 64 modules");
        }
        std::string transformer;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto field = "[" + std::to_string(i) + "]";
            JsonReader reader(list[i], ErrorCode::ConfigInvalid, path, field);
            std::string type = reader.require("type").text("type");
            std::string folder = reader.text("path");
            PARETO_CHECK(reader.status());
            type.erase(0, type.rfind('.') + 1);
            while (!folder.empty() && folder.back() == '/') {
                folder.pop_back();
            }
            if (folder == ".") {
                folder.clear();
            }
            if ((i == 0) != (type == "Transformer")) {
                return configError(path, field + ".type",
                                   i == 0 ? "must be a Transformer, the first module"
                                          : "is a second Transformer");
            }
            if (i == 0) {
                transformer = folder;
                continue;
            }
            PARETO_TRY(auto module, readModule(type, folder, path, field));
            m_out.modules.push_back(std::move(module));
        }
        return transformer;
    }

    Result<SentenceModule> readModule(const std::string& type, const std::string& folder,
                                      const std::string& path, const std::string& field) {
        if (type != "Pooling" && type != "Dense" && type != "Normalize") {
            return configError(path, field + ".type",
                               "is the module " + type +
                                   "; known are Transformer, Pooling, Dense, Normalize");
        }
        SentenceModule module{type, folder, Json::object()};
        const auto config = joined(folder, "config.json");
        if (type == "Normalize" && !m_root.exists(config)) {
            return module;
        }
        if (folder.empty() && type != "Normalize") {
            return configError(path, field + ".path", "is missing");
        }
        PARETO_TRY(module.config, readConfigObject(config));
        return module;
    }

    Status readLabels(const std::string& configPath) {
        if (m_out.format == Format::SentenceTransformers) {
            if (m_root.exists("config_sentence_transformers.json")) {
                PARETO_TRY(const Json json, readConfigObject("config_sentence_transformers.json"));
                for (const char* key : {"id2label", "labels"}) {
                    if (json.contains(key)) {
                        PARETO_TRY(m_out.labels,
                                   labelList(json[key],
                                             m_root.path("config_sentence_transformers.json"), key));
                        return Done{};
                    }
                }
            }
            if (m_root.exists("labels.json")) {
                PARETO_TRY(const Json json, readConfig("labels.json"));
                PARETO_TRY(m_out.labels, labelList(json, m_root.path("labels.json"), "the file"));
                return Done{};
            }
        }
        PARETO_TRY(m_out.labels, configLabels(m_out.config, configPath));
        return Done{};
    }

    Status readWeights(const std::string& folder, const std::string& prefix,
                       const std::string& onlyFile) {
        if (!onlyFile.empty()) {
            return readShard(folder, onlyFile, prefix, nullptr);
        }
        if (m_root.exists(joined(folder, kWeightsName))) {
            return readShard(folder, kWeightsName, prefix, nullptr);
        }
        if (m_root.exists(joined(folder, kIndexName))) {
            return readSharded(folder, prefix, kIndexName, ".safetensors");
        }
        auto names = namesIn(folder, {".safetensors"});
        if (names.empty()) {
            if (m_root.exists(joined(folder, kTorchName))) {
                return readShard(folder, kTorchName, prefix, nullptr);
            }
            if (m_root.exists(joined(folder, kTorchIndexName))) {
                return readSharded(folder, prefix, kTorchIndexName, ".bin");
            }
            PARETO_TRY(names, torchFilesIn(folder));
        }
        if (names.size() == 1) {
            return readShard(folder, names.front(), prefix, nullptr);
        }
        return noWeights(folder, names);
    }

    /// Files that may be state dicts under names of their own.
    Result<std::vector<std::string>> torchFilesIn(const std::string& folder) const {
        std::vector<std::string> found;
        for (const auto& name : namesIn(folder, {".bin", ".pt", ".pth", ".ckpt"})) {
            if (std::find(kNotWeights.begin(), kNotWeights.end(), name) != kNotWeights.end() ||
                name.starts_with("rng_state")) {
                continue;
            }
            PARETO_TRY(const auto file, m_root.openFile(joined(folder, name)));
            PARETO_TRY(const auto content, contentOf(*file));
            if (content == Content::Pickle || content == Content::Zip) {
                found.push_back(name);
            }
        }
        return found;
    }

    std::vector<std::string> namesIn(const std::string& folder,
                                     const std::set<std::string>& extensions) const {
        std::vector<std::string> names;
        std::error_code problem;
        for (fs::directory_iterator it(m_root.path(folder.empty() ? "." : folder), problem), end;
             !problem && it != end; it.increment(problem)) {
            if (extensions.count(it->path().extension().string()) != 0) {
                names.push_back(it->path().filename().string());
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    /// Why there is nothing to read: several candidates, a pickle, or no weights at all.
    Status noWeights(const std::string& folder, const std::vector<std::string>& several) const {
        const auto path = m_root.path(folder.empty() ? "." : folder);
        const auto unknown = [&](std::string reason) {
            return makeError(ErrorCode::FileFormatUnknown,
                             {{"file", path}, {"reason", std::move(reason)}});
        };
        if (!several.empty()) {
            std::string list;
            for (const auto& name : several) {
                list += (list.empty() ? "" : ", ") + name;
            }
            return unknown("it holds several weight files and no " + std::string(kIndexName) +
                           "; open one of them: " + list);
        }
        for (const auto& name : namesIn(folder, {".pkl"})) {
            const auto relative = joined(folder, name);
            PARETO_TRY(const auto file, m_root.openFile(relative));
            PARETO_TRY(const auto content, contentOf(*file));
            if (content == Content::Pickle || content == Content::Zip) {
                return pickleRefusal(m_root.path(relative), content);
            }
        }
        return unknown("it holds no weights (looked for " + std::string(kWeightsName) + ", " + kIndexName +
                       ", " + kTorchName + " and " + kTorchIndexName + ")");
    }

    /// `extension`: of the files that the index may name.
    Status readSharded(const std::string& folder, const std::string& prefix, const std::string& indexName,
                       const std::string& extension) {
        const auto relative = joined(folder, indexName);
        const auto path = m_root.path(relative);
        PARETO_TRY(const Json index, readConfig(relative, kMaxIndexBytes));
        if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object() ||
            index["weight_map"].empty()) {
            return configError(path, "weight_map", "is missing or empty");
        }
        std::map<std::string, std::set<std::string>> shards;
        for (const auto& [tensor, file] : index["weight_map"].items()) {
            const std::string name = file.is_string() ? file.get<std::string>() : std::string();
            const bool plain = name.size() <= 255 && name.find_first_of(std::string("/\\\0", 3)) ==
                                                         std::string::npos &&
                               name.size() > extension.size() && name.ends_with(extension);
            if (!plain) {
                return makeError(ErrorCode::FileUnsafe,
                                 {{"file", path},
                                  {"reason", "weight_map sends tensor " + tensor + " to " +
                                                 file.dump(-1, ' ', true).substr(0, 200) +
                                                 ", which is not the name of a " + extension +
                                                 " file in the folder"}});
            }
            shards[name].insert(tensor);
        }
        const auto before = m_out.files.size();
        for (const auto& [name, expected] : shards) {
            PARETO_CHECK(readShard(folder, name, prefix, &expected));
        }
        noteTotalSize(index, indexName, before);
        return Done{};
    }

    void noteTotalSize(const Json& index, const std::string& indexName, std::size_t firstFile) {
        std::uint64_t total = 0;
        for (const auto& [name, tensor] : m_out.tensors) {
            if (static_cast<std::size_t>(tensor.file) >= firstFile) {
                total += tensor.bytes;
            }
        }
        const auto metadata = index.find("metadata");
        if (metadata != index.end() && metadata->is_object() && metadata->contains("total_size") &&
            (*metadata)["total_size"] != total) {
            m_out.notices.push_back(indexName + " announces " +
                                    (*metadata)["total_size"].dump().substr(0, 40) +
                                    " bytes of tensors, there are " + std::to_string(total) + ".");
        }
    }

    /// What the file holds, told by content.
    Result<std::vector<TensorInfo>> readTensors(const InputFile& file, const std::string& path) {
        PARETO_TRY(const auto content, contentOf(file));
        if (content != Content::Pickle && content != Content::Zip) {
            PARETO_TRY(auto header, readSafetensorsHeader(file));
            for (const auto& tensor : header.unusable) {
                m_leftOut.insert(tensor.name);
            }
            if (!header.unusable.empty()) {
                const auto& first = header.unusable.front();
                m_out.notices.push_back(std::to_string(header.unusable.size()) +
                                        " tensors of types that no model computes with were left out, among them " +
                                        first.name + " (" + first.typeName + ").");
            }
            return std::move(header.tensors);
        }
        if (path.ends_with(".safetensors")) {
            return disguisedPickle(path);
        }
        PARETO_TRY(auto header, readTorchFile(file, content));
        m_out.notices.insert(m_out.notices.end(), header.notices.begin(), header.notices.end());
        return std::move(header.tensors);
    }

    /// `expected`: the tensors an index says are in this file.
    Status readShard(const std::string& folder, const std::string& name, const std::string& prefix,
                     const std::set<std::string>* expected) {
        const auto relative = joined(folder, name);
        const auto path = m_root.path(relative);
        PARETO_TRY(auto file, m_root.openFile(relative));
        PARETO_TRY(auto tensors, readTensors(*file, path));
        std::size_t matched = 0;
        for (auto& tensor : tensors) {
            if (expected != nullptr && expected->count(tensor.name) == 0) {
                return makeError(ErrorCode::FileCorrupt,
                                 {{"file", path},
                                  {"offset", std::to_string(tensor.offset)},
                                  {"reason", "the tensor " + tensor.name +
                                                 " is in this file, but the index does not say so"}});
            }
            ++matched;
            tensor.name = prefix + tensor.name;
            tensor.file = static_cast<int>(m_out.files.size());
            const auto key = tensor.name;
            if (!m_out.tensors.emplace(key, std::move(tensor)).second) {
                return makeError(ErrorCode::FileCorrupt,
                                 {{"file", path},
                                  {"offset", "8"},
                                  {"reason", "the tensor " + key + " is in two files"}});
            }
        }
        if (expected != nullptr && matched != expected->size()) {
            for (const auto& tensor : *expected) {
                if (m_out.tensors.count(prefix + tensor) == 0 && m_leftOut.count(tensor) == 0) {
                    return makeError(ErrorCode::TensorMissing, {{"file", path}, {"tensor", tensor}});
                }
            }
        }
        m_out.files.push_back({path, std::move(file)});
        return Done{};
    }

    ModelRoot m_root;
    std::string m_weightsFile;
    std::set<std::string> m_leftOut;  ///< tensors of types that are not used
    ModelContents m_out;
};

}  // namespace

Status checkModelConfig(const Json& config, const std::string& path) {
    JsonReader reader(config, ErrorCode::ConfigInvalid, path);
    for (const auto& rule : kNumberRules) {
        if (const Json* value = reader.find(rule.name); value != nullptr && !value->is_null()) {
            // Per-layer lists (as in pruned models) are the layout's to judge.
            if (!value->is_array()) {
                reader.integer(rule.name, rule.min, rule.min, rule.max);
            }
        }
    }
    for (const char* name : {"layer_norm_eps", "rms_norm_eps", "rope_theta"}) {
        if (const Json* value = reader.find(name); value != nullptr && !value->is_null()) {
            reader.number(name, 1.0, 0.0, 1e12);
        }
    }
    return reader.status();
}

Result<std::vector<std::string>> configLabels(const Json& config, const std::string& path) {
    const auto found = config.find("id2label");
    if (found == config.end() || found->is_null()) {
        return std::vector<std::string>{};
    }
    return labelList(*found, path, "id2label");
}

Result<ModelContents> openHfFolder(const std::string& folder, const std::string& weightsFile) {
    PARETO_TRY(auto root, ModelRoot::open(folder));
    return FolderReader(std::move(root), weightsFile).run();
}

std::string resolveCacheFolder(const std::string& folder) {
    std::error_code problem;
    const fs::path snapshots = fs::path(folder) / "snapshots";
    if (!fs::is_directory(snapshots, problem) ||
        fs::exists(fs::path(folder) / "config.json", problem)) {
        return folder;
    }
    if (auto main = readTextFile((fs::path(folder) / "refs" / "main").string(), 4096); main.ok()) {
        std::string revision = main.value();
        while (!revision.empty() && (revision.back() == '\n' || revision.back() == ' ')) {
            revision.pop_back();
        }
        const bool plain = !revision.empty() && revision.find('/') == std::string::npos &&
                           revision.find("..") == std::string::npos;
        if (plain && fs::is_directory(snapshots / revision, problem)) {
            return (snapshots / revision).string();
        }
    }
    std::vector<fs::path> found;
    for (fs::directory_iterator it(snapshots, problem), end; !problem && it != end;
         it.increment(problem)) {
        found.push_back(it->path());
    }
    return found.size() == 1 ? found.front().string() : folder;
}

}  // namespace pareto::io
