// Which family an ONNX export is of, its config.json and the names that transformers gives its tensors.
#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <span>

#include "engine/io/derived.h"
#include "engine/io/onnx_names.h"

namespace pareto::io {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;
constexpr std::string_view kWords = "embeddings.word_embeddings.weight";

/// Where the names of a family begin. `prefixes`: what may stand before the anchor; anything else was put
/// there by the program that exported (a module around the model) and gives way to the first.
struct Prefixes {
    std::string_view modelType;
    std::string_view anchor;
    std::array<std::string_view, 2> prefixes;
};
constexpr Prefixes kPrefixes[] = {
    {"bert", kWords, {"", "bert."}},
    {"roberta", kWords, {"", "roberta."}},
    {"xlm-roberta", kWords, {"", "roberta."}},
    {"camembert", kWords, {"", "roberta."}},
    {"distilbert", kWords, {"", "distilbert."}},
    {"electra", kWords, {"", "electra."}},
    {"mpnet", kWords, {"", "mpnet."}},
    {"albert", kWords, {"", "albert."}},
    {"gpt2", "wte.weight", {"transformer.", ""}},
    {"llama", "embed_tokens.weight", {"model.", "model."}},
    {"mistral", "embed_tokens.weight", {"model.", "model."}},
    {"qwen2", "embed_tokens.weight", {"model.", "model."}},
    {"qwen3", "embed_tokens.weight", {"model.", "model."}},
    {"gemma2", "embed_tokens.weight", {"model.", "model."}},
    {"gemma3_text", "embed_tokens.weight", {"model.", "model."}},
};

/// Encoder-decoders are exported in two files; each may leave out which side it is.
struct Sides {
    std::string_view modelType;
    std::string_view first;  ///< how a side's own names begin without it
    std::string_view cross;  ///< a part of names that only the decoder has
    std::string_view encoder;
    std::string_view decoder;
    std::string_view words;  ///< the table that both share
};
constexpr Sides kSides[] = {
    {"t5", "block.", "EncDecAttention", "encoder.", "decoder.", "shared.weight"},
    {"mt5", "block.", "EncDecAttention", "encoder.", "decoder.", "shared.weight"},
    {"marian", "layers.", "encoder_attn", "model.encoder.", "model.decoder.", "model.shared.weight"},
};

using Tensors = std::map<std::string, TensorInfo>;

/// What stands before `suffix` in the name of a tensor that ends with it; false when none does.
bool beforeSuffix(const Tensors& tensors, std::string_view suffix, std::string& out) {
    for (const auto& [name, tensor] : tensors) {
        if (std::string_view(name).ends_with(suffix)) {
            out = name.substr(0, name.size() - suffix.size());
            return true;
        }
    }
    return false;
}

/// What stands before "block.0." where a side's blocks begin: nothing, the side's name, or what the program
/// that exported put around them ("wrapper.decoder.").
std::optional<std::string> beforeBlocks(const Tensors& tensors, std::string_view first) {
    const auto block = std::string(first) + "0.";
    for (const auto& [name, tensor] : tensors) {
        const auto at = name.find(block);
        if (at == 0 || (at != std::string::npos && name[at - 1] == '.')) {
            return name.substr(0, at);
        }
    }
    return std::nullopt;
}

Tensors withPrefix(Tensors tensors, const std::string& before, std::string_view after) {
    Tensors out;
    for (auto& [name, tensor] : tensors) {
        const bool inside = name.starts_with(before) && !name.starts_with("lm_head");
        tensor.name = inside ? std::string(after) + name.substr(before.size()) : name;
        const auto key = tensor.name;
        out.emplace(key, std::move(tensor));
    }
    return out;
}

class Opener {
public:
    Opener(std::string path, std::shared_ptr<InputFile> file) : m_path(std::move(path)) {
        m_out.format = Format::Onnx;
        m_folder = fs::path(m_path).parent_path().string();
        m_out.files.push_back({m_path, std::move(file)});
    }

    Result<ModelContents> run() {
        PARETO_CHECK(readConfig());
        PARETO_TRY(const auto graph, readOnnxGraph(*m_out.files.front().file));
        PARETO_TRY(auto weights, nameOnnxWeights(graph, m_out.files));
        m_integers = weights.integers;
        const auto type = modelType();
        const auto sides = std::find_if(std::begin(kSides), std::end(kSides),
                                        [&](const Sides& one) { return one.modelType == type; });
        if (sides != std::end(kSides)) {
            PARETO_CHECK(addSide(std::move(weights.tensors), *sides));
            PARETO_CHECK(readOtherSide(*sides));
        } else {
            if (m_out.config.is_null()) {
                PARETO_CHECK(makeBertConfig(graph, weights));
            }
            normalize(std::move(weights.tensors));
        }
        note();
        return std::move(m_out);
    }

private:
    /// Beside the file or, of a folder "onnx" inside the model's, one above.
    Status readConfig() {
        const auto above = fs::path(m_folder).parent_path().string();
        for (const auto& folder : {m_folder, above}) {
            PARETO_TRY(const auto root, ModelRoot::open(folder));
            if (!root.exists("config.json")) {
                continue;
            }
            const auto path = root.path("config.json");
            PARETO_TRY(std::string text, root.readText("config.json", kMaxConfigBytes));
            PARETO_TRY(m_out.config, parseJson(text, path));
            PARETO_CHECK(checkModelConfig(m_out.config, path));
            if (!m_out.config.contains("model_type") || !m_out.config["model_type"].is_string()) {
                return makeError(ErrorCode::ConfigInvalid,
                                 {{"file", path}, {"field", "model_type"}, {"reason", "is missing"}});
            }
            m_out.config.erase("quantization_config");
            PARETO_TRY(m_out.labels, configLabels(m_out.config, path));
            m_out.configTexts["config.json"] = std::move(text);
            m_out.transformerFolder = folder;
            return Done{};
        }
        m_out.transformerFolder = m_folder;
        return Done{};
    }

    std::string modelType() const {
        return m_out.config.is_object() ? m_out.config.value("model_type", "") : std::string();
    }

    void normalize(Tensors tensors) {
        const auto type = modelType();
        const auto rule = std::find_if(std::begin(kPrefixes), std::end(kPrefixes),
                                       [&](const Prefixes& one) { return one.modelType == type; });
        std::string before;
        if (rule != std::end(kPrefixes) && beforeSuffix(tensors, rule->anchor, before) &&
            before != rule->prefixes[0] && before != rule->prefixes[1]) {
            tensors = withPrefix(std::move(tensors), before, rule->prefixes[0]);
        }
        m_out.tensors = std::move(tensors);
    }

    // -- encoder-decoders ---------------------------------------------------------------------------------
    Status addSide(Tensors tensors, const Sides& sides) {
        const auto side = std::any_of(tensors.begin(), tensors.end(),
                                      [&](const auto& entry) {
                                          return entry.first.find(sides.cross) != std::string::npos;
                                      })
                              ? sides.decoder
                              : sides.encoder;
        if (const auto around = beforeBlocks(tensors, sides.first); around && around->ends_with(side)) {
            tensors = withPrefix(std::move(tensors), around->substr(0, around->size() - side.size()), "");
        } else if (around) {
            tensors = withPrefix(std::move(tensors), *around, side);
        }
        for (const auto& [name, tensor] : tensors) {
            if (name.ends_with("embed_tokens.weight") && tensors.count(std::string(sides.words)) == 0 &&
                m_out.tensors.count(std::string(sides.words)) == 0) {
                m_out.tensors.emplace(sides.words, renamed(tensor, std::string(sides.words)));
            }
        }
        m_out.tensors.merge(tensors);
        return Done{};
    }

    Status readOtherSide(const Sides& sides) {
        const auto name = fs::path(m_path).filename().string();
        std::string other = name;
        for (const auto& [from, to] : {std::pair{"encoder", "decoder"}, std::pair{"decoder", "encoder"}}) {
            if (const auto at = name.find(from); at != std::string::npos) {
                other.replace(at, 7, to);
                break;
            }
        }
        PARETO_TRY(const auto root, ModelRoot::open(m_folder));
        if (other == name || !root.exists(other)) {
            return makeError(ErrorCode::FileMissing, {{"file", root.path(other == name ? "decoder_model.onnx" : other)}},
                             "the other half of " + m_path);
        }
        PARETO_TRY(auto file, root.openFile(other));
        PARETO_TRY(const auto graph, readOnnxGraph(*file));
        m_out.files.push_back({root.path(other), std::move(file)});
        PARETO_TRY(auto weights, nameOnnxWeights(graph, m_out.files));
        m_integers += weights.integers;
        return addSide(std::move(weights.tensors), sides);
    }

    // -- BERT without a config.json -----------------------------------------------------------------------
    Error noConfig(std::string reason) const {
        return makeError(ErrorCode::ConfigInvalid, {{"file", m_path},
                                                    {"field", "config.json"},
                                                    {"reason", reason + "; put the source model's config.json "
                                                                        "beside the file"}});
    }

    Status makeBertConfig(const OnnxGraph& graph, const OnnxWeights& weights) {
        std::string prefix;
        const auto sizes = [&](const std::string& name) -> const Shape* {
            const auto found = weights.tensors.find(prefix + name);
            return found == weights.tensors.end() ? nullptr : &found->second.shape;
        };
        if (!beforeSuffix(weights.tensors, kWords, prefix) ||
            sizes("encoder.layer.0.attention.self.query.bias") == nullptr) {
            return noConfig("is missing and the file is no BERT, whose sizes could be read off its weights");
        }
        const Shape* words = sizes(std::string(kWords));
        const Shape* positions = sizes("embeddings.position_embeddings.weight");
        const Shape* types = sizes("embeddings.token_type_embeddings.weight");
        const Shape* neurons = sizes("encoder.layer.0.intermediate.dense.bias");
        if (words->rank() != 2 || positions == nullptr || positions->rank() != 2 || types == nullptr ||
            types->rank() != 2 || neurons == nullptr || neurons->rank() != 1) {
            return noConfig("is missing and the sizes cannot be read off the weights");
        }
        if (weights.heads == 0) {
            return noConfig("is missing and the graph does not say how many heads there are");
        }
        std::int64_t layers = 0;
        while (sizes("encoder.layer." + std::to_string(layers) + ".attention.self.query.bias") != nullptr) {
            ++layers;
        }
        const bool tanh = std::none_of(graph.nodes.begin(), graph.nodes.end(), [](const OnnxNode& node) {
            return node.op == "Erf" || node.op == "Gelu";
        });
        const bool relu = tanh && std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const OnnxNode& node) {
            return node.op == "Relu" && node.name.find("intermediate") != std::string::npos;
        });
        m_out.config = {{"model_type", "bert"},
                        {"architectures", {"BertModel"}},
                        {"hidden_size", (*words)[1]},
                        {"num_hidden_layers", layers},
                        {"num_attention_heads", weights.heads},
                        {"intermediate_size", (*neurons)[0]},
                        {"hidden_act", relu ? "relu" : tanh ? "gelu_new" : "gelu"},
                        {"vocab_size", (*words)[0]},
                        {"max_position_embeddings", (*positions)[0]},
                        {"type_vocab_size", (*types)[0]},
                        {"layer_norm_eps", 1e-12},
                        {"pad_token_id", 0}};
        m_out.notices.push_back("There is no config.json beside the file: sizes were read off the weights and "
                                "the graph, and BERT's usual settings are assumed.");
        return Done{};
    }

    void note() {
        if (m_integers > 0) {
            m_out.notices.push_back(std::to_string(m_integers) +
                                    " tensors are kept as integers with scales; they are opened as the values "
                                    "that these stand for. Activations, which ONNX programs may quantize while "
                                    "they run, are computed in floating point.");
        }
    }

    std::string m_path;
    std::string m_folder;
    std::int64_t m_integers = 0;
    ModelContents m_out;
};

}  // namespace

Result<ModelContents> openOnnx(const std::string& path, std::shared_ptr<InputFile> file) {
    return Opener(path, std::move(file)).run();
}

}  // namespace pareto::io
