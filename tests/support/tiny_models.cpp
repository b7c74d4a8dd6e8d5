#include "tests/support/tiny_models.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "engine/core/json.h"
#include "engine/core/random.h"
#include "tests/support/tiny_tokenizers.h"

namespace pareto::test {
namespace {

constexpr int kWidth = 32;
constexpr int kBlocks = 2;
constexpr int kHeads = 4;
constexpr int kKvHeads = 2;
constexpr int kNeurons = 64;
constexpr int kPositions = 64;

/// Collects tensors with random values under a seed.
class Weights {
public:
    explicit Weights(std::uint64_t seed) : m_random(seed, "tiny model") {}

    void add(const std::string& name, std::vector<std::int64_t> shape, double deviation = 0.15,
             double mean = 0.0) {
        std::int64_t count = 1;
        for (const auto size : shape) {
            count *= size;
        }
        TinyTensor tensor{name, std::move(shape), {}};
        for (std::int64_t i = 0; i < count; ++i) {
            tensor.values.push_back(static_cast<float>(mean + deviation * m_random.normal()));
        }
        m_tensors.push_back(std::move(tensor));
    }
    void linear(const std::string& name, int out, int in) {
        add(name + ".weight", {out, in});
        add(name + ".bias", {out}, 0.05);
    }
    void norm(const std::string& name) {
        add(name + ".weight", {kWidth}, 0.05, 1.0);
        add(name + ".bias", {kWidth}, 0.05);
    }
    const std::vector<TinyTensor>& tensors() const { return m_tensors; }

private:
    RandomStream m_random;
    std::vector<TinyTensor> m_tensors;
};

void makeFolder(const std::string& folder) { std::filesystem::create_directory(folder); }

void addEncoder(Weights& weights, const std::string& prefix, int vocabulary) {
    const auto embeddings = prefix + "embeddings.";
    weights.add(embeddings + "word_embeddings.weight", {vocabulary, kWidth}, 0.5);
    weights.add(embeddings + "position_embeddings.weight", {kPositions, kWidth}, 0.1);
    weights.add(embeddings + "token_type_embeddings.weight", {2, kWidth}, 0.1);
    weights.norm(embeddings + "LayerNorm");
    for (int i = 0; i < kBlocks; ++i) {
        const auto block = prefix + "encoder.layer." + std::to_string(i) + ".";
        for (const char* part : {"query", "key", "value"}) {
            weights.linear(block + "attention.self." + part, kWidth, kWidth);
        }
        weights.linear(block + "attention.output.dense", kWidth, kWidth);
        weights.norm(block + "attention.output.LayerNorm");
        weights.linear(block + "intermediate.dense", kNeurons, kWidth);
        weights.linear(block + "output.dense", kWidth, kNeurons);
        weights.norm(block + "output.LayerNorm");
    }
    weights.linear(prefix + "pooler.dense", kWidth, kWidth);
}

Json encoderConfig(int vocabulary) {
    return {{"model_type", "bert"},
            {"hidden_size", kWidth},
            {"num_hidden_layers", kBlocks},
            {"num_attention_heads", kHeads},
            {"intermediate_size", kNeurons},
            {"vocab_size", vocabulary},
            {"max_position_embeddings", kPositions},
            {"type_vocab_size", 2},
            {"layer_norm_eps", 1e-12},
            {"hidden_act", "gelu"},
            {"hidden_dropout_prob", 0.0},
            {"attention_probs_dropout_prob", 0.0},
            {"position_embedding_type", "absolute"},
            {"pad_token_id", 0},
            {"torch_dtype", "float32"}};
}

Json moduleEntry(int index, const std::string& path, const std::string& type) {
    return {{"idx", index},
            {"name", std::to_string(index)},
            {"path", path},
            {"type", "sentence_transformers.models." + type}};
}

/// The files a sentence-transformers folder has before its Dense and Normalize.
void writeSentenceBase(const std::string& folder, std::uint64_t seed, Json modules) {
    makeFolder(folder);
    const int vocabulary = writeWordPiece(folder);
    Weights weights(seed);
    addEncoder(weights, "", vocabulary);
    writeTensors(folder + "/model.safetensors", weights.tensors());
    Json config = encoderConfig(vocabulary);
    config["architectures"] = {"BertModel"};
    writeText(folder + "/config.json", config.dump(2));
    modules.insert(modules.begin(), moduleEntry(1, "1_Pooling", "Pooling"));
    modules.insert(modules.begin(), moduleEntry(0, "", "Transformer"));
    writeText(folder + "/modules.json", modules.dump(2));
    writeText(folder + "/sentence_bert_config.json", R"({"max_seq_length": 64, "do_lower_case": false})");
    makeFolder(folder + "/1_Pooling");
    const Json pooling{{"word_embedding_dimension", kWidth},
                       {"pooling_mode_cls_token", false},
                       {"pooling_mode_mean_tokens", true},
                       {"pooling_mode_max_tokens", false},
                       {"pooling_mode_mean_sqrt_len_tokens", false}};
    writeText(folder + "/1_Pooling/config.json", pooling.dump(2));
}

}  // namespace

void writeText(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + path);
    }
}

void writeTensors(const std::string& path, const std::vector<TinyTensor>& tensors) {
    Json header{{"__metadata__", {{"format", "pt"}}}};
    std::size_t offset = 0;
    for (const auto& tensor : tensors) {
        const std::size_t end = offset + tensor.values.size() * sizeof(float);
        header[tensor.name] = {
            {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = text.size();
    std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += text;
    for (const auto& tensor : tensors) {
        bytes.append(reinterpret_cast<const char*>(tensor.values.data()),
                     tensor.values.size() * sizeof(float));
    }
    writeText(path, bytes);
}

std::string writeTinyClassifier(const std::string& folder, std::uint64_t seed) {
    makeFolder(folder);
    const int vocabulary = writeWordPiece(folder);
    Weights weights(seed);
    addEncoder(weights, "bert.", vocabulary);
    weights.linear("classifier", 2, kWidth);
    writeTensors(folder + "/model.safetensors", weights.tensors());
    Json config = encoderConfig(vocabulary);
    config["architectures"] = {"BertForSequenceClassification"};
    config["id2label"] = {{"0", "benign"}, {"1", "attack"}};
    config["label2id"] = {{"benign", 0}, {"attack", 1}};
    writeText(folder + "/config.json", config.dump(2));
    return folder;
}

std::string writeTinySentenceModel(const std::string& folder, std::uint64_t seed) {
    Json modules = Json::array();
    modules.push_back(moduleEntry(2, "2_Normalize", "Normalize"));
    writeSentenceBase(folder, seed, modules);
    makeFolder(folder + "/2_Normalize");
    return folder;
}

std::string writeTinySentenceClassifier(const std::string& folder, std::uint64_t seed) {
    Json modules = Json::array();
    modules.push_back(moduleEntry(2, "2_Dense", "Dense"));
    writeSentenceBase(folder, seed, modules);
    makeFolder(folder + "/2_Dense");
    const Json dense{{"in_features", kWidth},
                     {"out_features", 2},
                     {"bias", true},
                     {"activation_function", "torch.nn.modules.linear.Identity"}};
    writeText(folder + "/2_Dense/config.json", dense.dump(2));
    Weights weights(seed + 1000);
    weights.linear("linear", 2, kWidth);
    writeTensors(folder + "/2_Dense/model.safetensors", weights.tensors());
    writeText(folder + "/labels.json", R"(["a", "b"])");
    return folder;
}

std::string writeTinyLlama(const std::string& folder, std::uint64_t seed) {
    makeFolder(folder);
    const int vocabulary = writeByteLevelBpe(folder);
    const int headWidth = kWidth / kHeads;
    Weights weights(seed);
    weights.add("model.embed_tokens.weight", {vocabulary, kWidth}, 0.5);
    for (int i = 0; i < kBlocks; ++i) {
        const auto block = "model.layers." + std::to_string(i) + ".";
        weights.add(block + "input_layernorm.weight", {kWidth}, 0.05, 1.0);
        weights.add(block + "self_attn.q_proj.weight", {kWidth, kWidth});
        weights.add(block + "self_attn.k_proj.weight", {kKvHeads * headWidth, kWidth});
        weights.add(block + "self_attn.v_proj.weight", {kKvHeads * headWidth, kWidth});
        weights.add(block + "self_attn.o_proj.weight", {kWidth, kWidth});
        weights.add(block + "post_attention_layernorm.weight", {kWidth}, 0.05, 1.0);
        weights.add(block + "mlp.gate_proj.weight", {kNeurons, kWidth});
        weights.add(block + "mlp.up_proj.weight", {kNeurons, kWidth});
        weights.add(block + "mlp.down_proj.weight", {kWidth, kNeurons});
    }
    weights.add("model.norm.weight", {kWidth}, 0.05, 1.0);
    writeTensors(folder + "/model.safetensors", weights.tensors());
    const Json config{{"architectures", {"LlamaForCausalLM"}},
                      {"model_type", "llama"},
                      {"hidden_size", kWidth},
                      {"num_hidden_layers", kBlocks},
                      {"num_attention_heads", kHeads},
                      {"num_key_value_heads", kKvHeads},
                      {"intermediate_size", kNeurons},
                      {"vocab_size", vocabulary},
                      {"max_position_embeddings", 128},
                      {"rms_norm_eps", 1e-5},
                      {"rope_theta", 10000.0},
                      {"rope_scaling", nullptr},
                      {"hidden_act", "silu"},
                      {"attention_bias", false},
                      {"mlp_bias", false},
                      {"tie_word_embeddings", true},
                      {"bos_token_id", 1},
                      {"eos_token_id", 2},
                      {"pad_token_id", 2},
                      {"torch_dtype", "float32"}};
    writeText(folder + "/config.json", config.dump(2));
    return folder;
}

std::string writeTinyT5(const std::string& folder, std::uint64_t seed) {
    makeFolder(folder);
    const int vocabulary = writeByteLevelBpe(folder);
    Weights weights(seed);
    const auto attention = [&](const std::string& module) {
        for (const char* part : {".q", ".k", ".v", ".o"}) {
            weights.add(module + part + ".weight", {kWidth, kWidth});
        }
    };
    weights.add("shared.weight", {vocabulary, kWidth}, 0.5);
    weights.add("lm_head.weight", {vocabulary, kWidth}, 0.5);
    for (const std::string side : {"encoder", "decoder"}) {
        const bool decoder = side == "decoder";
        for (int i = 0; i < kBlocks; ++i) {
            const auto layer = side + ".block." + std::to_string(i) + ".layer.";
            const auto ffn = layer + (decoder ? "2" : "1");
            attention(layer + "0.SelfAttention");
            weights.add(layer + "0.layer_norm.weight", {kWidth}, 0.05, 1.0);
            if (decoder) {
                attention(layer + "1.EncDecAttention");
                weights.add(layer + "1.layer_norm.weight", {kWidth}, 0.05, 1.0);
            }
            weights.add(ffn + ".DenseReluDense.wi_0.weight", {kNeurons, kWidth});
            weights.add(ffn + ".DenseReluDense.wi_1.weight", {kNeurons, kWidth});
            weights.add(ffn + ".DenseReluDense.wo.weight", {kWidth, kNeurons});
            weights.add(ffn + ".layer_norm.weight", {kWidth}, 0.05, 1.0);
        }
        weights.add(side + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight", {16, kHeads});
        weights.add(side + ".final_layer_norm.weight", {kWidth}, 0.05, 1.0);
    }
    writeTensors(folder + "/model.safetensors", weights.tensors());
    const Json config{{"architectures", {"T5ForConditionalGeneration"}},
                      {"model_type", "t5"},
                      {"is_encoder_decoder", true},
                      {"d_model", kWidth},
                      {"d_kv", kWidth / kHeads},
                      {"d_ff", kNeurons},
                      {"num_layers", kBlocks},
                      {"num_decoder_layers", kBlocks},
                      {"num_heads", kHeads},
                      {"relative_attention_num_buckets", 16},
                      {"feed_forward_proj", "gated-gelu"},
                      {"vocab_size", vocabulary},
                      {"tie_word_embeddings", false},
                      {"decoder_start_token_id", 0},
                      {"pad_token_id", 0},
                      {"eos_token_id", 2},
                      {"torch_dtype", "float32"}};
    writeText(folder + "/config.json", config.dump(2));
    return folder;
}

std::string writeTinyTask(const std::string& path, int rows, std::uint64_t seed) {
    static constexpr const char* kWords[] = {"the",    "weather", "today",        "please", "ignore",
                                             "system", "prompt",  "instructions", "hello",  "cats"};
    RandomStream random(seed, "tiny task");
    std::string csv = "text,label\n";
    for (int row = 0; row < rows; ++row) {
        std::string text;
        const auto words = 3 + random.below(8);
        for (std::uint64_t i = 0; i < words; ++i) {
            text += (i == 0 ? "" : " ") + std::string(kWords[random.below(std::size(kWords))]);
        }
        csv += "\"" + text + ", row " + std::to_string(row) + "\"," + std::to_string(row % 2) + "\n";
    }
    writeText(path, csv);
    return path;
}

}  // namespace pareto::test
