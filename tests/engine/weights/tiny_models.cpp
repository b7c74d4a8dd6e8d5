#include "tests/engine/weights/tiny_models.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/layout/describe.h"
#include "engine/weights/load.h"

namespace pareto::test {

namespace {

/// Collects random tensors of a checkpoint.
class Checkpoint {
public:
    Checkpoint(DType dtype, std::uint64_t seed) : m_dtype(dtype), m_seed(seed) {}

    void add(const std::string& name, Shape shape, double scale = 0.3, double shift = 0.0) {
        auto values = randomValues(shape.elements(), m_seed + m_tensors.size() * 1000, scale);
        for (auto& value : values) {
            value += static_cast<float>(shift);
        }
        m_tensors.push_back(floatTensor(name, std::move(shape), values, m_dtype));
    }
    void linear(const std::string& module, std::int64_t rows, std::int64_t cols, bool bias = true) {
        add(module + ".weight", {rows, cols});
        if (bias) {
            add(module + ".bias", {rows}, 0.1);
        }
    }
    void norm(const std::string& module, std::int64_t width, bool bias = true) {
        add(module + ".weight", {width}, 0.1, 1.0);
        if (bias) {
            add(module + ".bias", {width}, 0.1);
        }
    }
    Status write(const std::string& path) { return writeTensors(path, std::move(m_tensors)); }

private:
    DType m_dtype;
    std::uint64_t m_seed;
    std::vector<io::TensorToWrite> m_tensors;
};

std::string torchDtype(DType dtype) {
    return dtype == DType::F16 ? "float16" : dtype == DType::BF16 ? "bfloat16" : "float32";
}

Status writeJson(const std::string& path, const Json& json) {
    return writeFileAtomically(path, json.dump(2));
}

Status writeModules(const std::string& folder, const TinyBert& sizes) {
    namespace fs = std::filesystem;
    Json modules = Json::array();
    const auto add = [&](const std::string& name, const std::string& path) {
        modules.push_back({{"idx", modules.size()},
                           {"name", std::to_string(modules.size())},
                           {"path", path},
                           {"type", "sentence_transformers.models." + name}});
        fs::create_directories(folder + "/" + path);
    };
    add("Transformer", "");
    add("Pooling", "1_Pooling");
    PARETO_CHECK(
        writeJson(folder + "/1_Pooling/config.json", {{"word_embedding_dimension", sizes.hidden},
                                                      {"pooling_mode_cls_token", false},
                                                      {"pooling_mode_mean_tokens", true},
                                                      {"pooling_mode_max_tokens", false}}));
    std::int64_t width = sizes.hidden;
    for (std::size_t at = 0; at < sizes.dense.size(); ++at) {
        const std::string path = std::to_string(at + 2) + "_Dense";
        add("Dense", path);
        const std::int64_t out = sizes.dense[at];
        const bool last = at + 1 == sizes.dense.size();
        PARETO_CHECK(
            writeJson(folder + "/" + path + "/config.json",
                      {{"in_features", width},
                       {"out_features", out},
                       {"bias", true},
                       {"activation_function", last ? "torch.nn.modules.linear.Identity"
                                                    : "torch.nn.modules.activation.ReLU"}}));
        Checkpoint dense(DType::F32, sizes.seed + 77 + at);
        dense.linear("linear", out, width);
        PARETO_CHECK(dense.write(folder + "/" + path + "/model.safetensors"));
        width = out;
    }
    if (sizes.dense.empty()) {
        add("Normalize", "2_Normalize");
    }
    return writeJson(folder + "/modules.json", modules);
}

}  // namespace

std::vector<float> randomValues(std::int64_t count, std::uint64_t seed, double scale) {
    RandomStream random(seed, "tiny model");
    std::vector<float> values(static_cast<std::size_t>(count));
    std::generate(values.begin(), values.end(),
                  [&] { return static_cast<float>(random.normal() * scale); });
    return values;
}

io::TensorToWrite floatTensor(std::string name, Shape shape, const std::vector<float>& values,
                              DType dtype) {
    if (dtype == DType::F32) {
        return rawTensor(std::move(name), dtype, std::move(shape), values);
    }
    std::vector<std::uint16_t> bits(values.size());
    std::transform(values.begin(), values.end(), bits.begin(),
                   dtype == DType::F16 ? floatToHalf : floatToBfloat);
    return rawTensor(std::move(name), dtype, std::move(shape), bits);
}

Status writeTensors(const std::string& path, std::vector<io::TensorToWrite> tensors) {
    Progress progress;
    return io::writeSafetensors(path, std::move(tensors), {}, progress, {});
}

Status writeTiny(const std::string& folder, const TinyBert& sizes) {
    const std::string prefix = sizes.classes > 0 ? "bert." : "";
    Checkpoint out(sizes.dtype, sizes.seed);
    const std::string tables = prefix + "embeddings.";
    out.add(tables + "word_embeddings.weight", {sizes.vocabulary, sizes.hidden});
    out.add(tables + "position_embeddings.weight", {sizes.positions, sizes.hidden});
    out.add(tables + "token_type_embeddings.weight", {2, sizes.hidden});
    out.norm(tables + "LayerNorm", sizes.hidden);
    for (int block = 0; block < sizes.blocks; ++block) {
        const std::string base = prefix + "encoder.layer." + std::to_string(block) + ".";
        for (const char* part : {"query", "key", "value"}) {
            out.linear(base + "attention.self." + part, sizes.hidden, sizes.hidden);
        }
        out.linear(base + "attention.output.dense", sizes.hidden, sizes.hidden);
        out.norm(base + "attention.output.LayerNorm", sizes.hidden);
        out.linear(base + "intermediate.dense", sizes.neurons, sizes.hidden);
        out.linear(base + "output.dense", sizes.hidden, sizes.neurons);
        out.norm(base + "output.LayerNorm", sizes.hidden);
    }
    Json config = {
        {"model_type", "bert"},
        {"architectures", {sizes.classes > 0 ? "BertForSequenceClassification" : "BertModel"}},
        {"hidden_size", sizes.hidden},
        {"num_hidden_layers", sizes.blocks},
        {"num_attention_heads", sizes.heads},
        {"intermediate_size", sizes.neurons},
        {"vocab_size", sizes.vocabulary},
        {"max_position_embeddings", sizes.positions},
        {"type_vocab_size", 2},
        {"hidden_act", "gelu"},
        {"layer_norm_eps", 1e-12},
        {"pad_token_id", 0},
        {"torch_dtype", torchDtype(sizes.dtype)}};
    out.linear(prefix + "pooler.dense", sizes.hidden, sizes.hidden);
    if (sizes.classes > 0) {
        out.linear("classifier", sizes.classes, sizes.hidden);
        for (std::int64_t label = 0; label < sizes.classes; ++label) {
            config["id2label"][std::to_string(label)] = "class " + std::to_string(label);
            config["label2id"]["class " + std::to_string(label)] = label;
        }
    }
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (std::int64_t word = 5; word < sizes.vocabulary; ++word) {
        vocabulary += "word" + std::to_string(word) + "\n";
    }
    PARETO_CHECK(out.write(folder + "/model.safetensors"));
    PARETO_CHECK(writeJson(folder + "/config.json", config));
    PARETO_CHECK(writeFileAtomically(folder + "/vocab.txt", vocabulary));
    PARETO_CHECK(writeFileAtomically(folder + "/LICENSE", "Licence of the tiny model\n"));
    return sizes.sentence ? writeModules(folder, sizes) : Status(Done{});
}

Status writeTiny(const std::string& folder, const TinyLlama& sizes) {
    Checkpoint out(sizes.dtype, sizes.seed);
    const bool bias = sizes.attentionBias;
    out.add("model.embed_tokens.weight", {sizes.vocabulary, sizes.hidden});
    for (int block = 0; block < sizes.blocks; ++block) {
        const std::string base = "model.layers." + std::to_string(block) + ".";
        const std::int64_t queries = sizes.heads * sizes.headDim;
        const std::int64_t keys = sizes.kvHeads * sizes.headDim;
        out.linear(base + "self_attn.q_proj", queries, sizes.hidden, bias);
        out.linear(base + "self_attn.k_proj", keys, sizes.hidden, bias);
        out.linear(base + "self_attn.v_proj", keys, sizes.hidden, bias);
        out.linear(base + "self_attn.o_proj", sizes.hidden, queries, bias);
        out.linear(base + "mlp.gate_proj", sizes.neurons, sizes.hidden, false);
        out.linear(base + "mlp.up_proj", sizes.neurons, sizes.hidden, false);
        out.linear(base + "mlp.down_proj", sizes.hidden, sizes.neurons, false);
        out.norm(base + "input_layernorm", sizes.hidden, false);
        out.norm(base + "post_attention_layernorm", sizes.hidden, false);
    }
    out.norm("model.norm", sizes.hidden, false);
    if (!sizes.tied) {
        out.linear("lm_head", sizes.vocabulary, sizes.hidden, false);
    }
    PARETO_CHECK(out.write(folder + "/model.safetensors"));
    return writeJson(folder + "/config.json", {{"model_type", "llama"},
                                               {"architectures", {"LlamaForCausalLM"}},
                                               {"hidden_size", sizes.hidden},
                                               {"num_hidden_layers", sizes.blocks},
                                               {"num_attention_heads", sizes.heads},
                                               {"num_key_value_heads", sizes.kvHeads},
                                               {"head_dim", sizes.headDim},
                                               {"intermediate_size", sizes.neurons},
                                               {"vocab_size", sizes.vocabulary},
                                               {"max_position_embeddings", 64},
                                               {"rms_norm_eps", 1e-5},
                                               {"rope_theta", 10000.0},
                                               {"hidden_act", "silu"},
                                               {"attention_bias", bias},
                                               {"bos_token_id", 1},
                                               {"eos_token_id", 2},
                                               {"tie_word_embeddings", sizes.tied},
                                               {"torch_dtype", torchDtype(sizes.dtype)}});
}

Result<LoadedModel> loadFolder(const std::string& folder) {
    PARETO_TRY(const auto files, io::ModelFiles::open(folder));
    PARETO_TRY(auto layout, describeModel(*files));
    Progress progress;
    return loadWeights(*files, std::move(layout), progress, {});
}

ParallelFor scatteredFor() {
    return [](std::int64_t count, std::int64_t grain, const auto& body) {
        const std::int64_t step = std::max<std::int64_t>(1, std::min<std::int64_t>(grain, 3));
        std::atomic<std::int64_t> next{(count + step - 1) / step};
        const auto work = [&] {
            for (std::int64_t piece = --next; piece >= 0; piece = --next) {
                body(piece * step, std::min(count, (piece + 1) * step));
            }
        };
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 3; ++thread) {
            threads.emplace_back(work);
        }
        for (auto& thread : threads) {
            thread.join();
        }
    };
}

}  // namespace pareto::test
