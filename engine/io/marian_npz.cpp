// The models of marian-nmt (Junczys-Dowmunt et al. 2018): names and settings as convert_marian_to_pytorch.py
// of transformers reads them.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "engine/io/derived.h"
#include "engine/io/npz.h"
#include "engine/io/yaml.h"

namespace pareto::io {
namespace {

constexpr const char* kSettings = "special:model.yml";
constexpr std::uint64_t kMaxSettings = std::uint64_t{1} << 20;

struct Name {
    const char* marian;
    const char* hf;
};
/// Behind "encoder_l1_" and "model.encoder.layers.0.". Matrices are [inputs][outputs], vectors one row.
constexpr Name kNames[] = {
    {"self_Wq", "self_attn.q_proj.weight"},
    {"self_Wk", "self_attn.k_proj.weight"},
    {"self_Wv", "self_attn.v_proj.weight"},
    {"self_Wo", "self_attn.out_proj.weight"},
    {"self_bq", "self_attn.q_proj.bias"},
    {"self_bk", "self_attn.k_proj.bias"},
    {"self_bv", "self_attn.v_proj.bias"},
    {"self_bo", "self_attn.out_proj.bias"},
    {"self_Wo_ln_scale", "self_attn_layer_norm.weight"},
    {"self_Wo_ln_bias", "self_attn_layer_norm.bias"},
    {"ffn_W1", "fc1.weight"},
    {"ffn_b1", "fc1.bias"},
    {"ffn_W2", "fc2.weight"},
    {"ffn_b2", "fc2.bias"},
    {"ffn_ffn_ln_scale", "final_layer_norm.weight"},
    {"ffn_ffn_ln_bias", "final_layer_norm.bias"},
};
/// Of the decoder besides.
constexpr Name kCrossNames[] = {
    {"context_Wq", "encoder_attn.q_proj.weight"},
    {"context_Wk", "encoder_attn.k_proj.weight"},
    {"context_Wv", "encoder_attn.v_proj.weight"},
    {"context_Wo", "encoder_attn.out_proj.weight"},
    {"context_bq", "encoder_attn.q_proj.bias"},
    {"context_bk", "encoder_attn.k_proj.bias"},
    {"context_bv", "encoder_attn.v_proj.bias"},
    {"context_bo", "encoder_attn.out_proj.bias"},
    {"context_Wo_ln_scale", "encoder_attn_layer_norm.weight"},
    {"context_Wo_ln_bias", "encoder_attn_layer_norm.bias"},
};

/// Settings that change what is computed, with the one value that transformers' Marian computes.
constexpr Name kExpected[] = {
    {"type", "transformer"},
    {"transformer-ffn-depth", "2"},
    {"transformer-decoder-autoreg", "self-attention"},
    {"transformer-no-projection", "false"},
    {"transformer-postprocess", "dan"},
    {"transformer-postprocess-emb", "d"},
    {"transformer-preprocess", ""},
    {"transformer-train-position-embeddings", "false"},
    {"tied-embeddings-all", "true"},
    {"layer-normalization", "false"},
    {"right-left", "false"},
    {"transformer-decoder-ffn-depth", "0"},
    {"lemma-dim-emb", "0"},
};

class Converter {
public:
    Converter(std::string path, std::shared_ptr<InputFile> file) : m_path(std::move(path)) {
        m_out.format = Format::Marian;
        m_out.transformerFolder = std::filesystem::path(m_path).parent_path().string();
        m_out.files.push_back({m_path, std::move(file)});
    }

    Result<ModelContents> run() {
        PARETO_TRY(m_arrays, readNpz(m_out.files));
        PARETO_CHECK(readSettings());
        PARETO_CHECK(checkSettings());
        PARETO_CHECK(putEmbedding());
        PARETO_CHECK(makeConfig());
        PARETO_CHECK(putLayers("encoder", m_encoders, false));
        PARETO_CHECK(putLayers("decoder", m_decoders, true));
        return std::move(m_out);
    }

private:
    const TensorInfo* find(const std::string& name) const {
        const auto found = m_arrays.find(name);
        return found == m_arrays.end() ? nullptr : &found->second;
    }
    Result<TensorInfo> require(const std::string& name) const {
        const auto* found = find(name);
        if (found == nullptr) {
            return makeError(ErrorCode::TensorMissing, {{"file", m_path}, {"tensor", name}});
        }
        if (found->derived == nullptr && !isFloating(found->encoding.dtype)) {
            return makeError(ErrorCode::TensorType,
                             {{"file", m_path},
                              {"tensor", name},
                              {"found", found->typeName},
                              {"reason", "weights of Marian that are integers are not read; take the model "
                                         "before it was packed"}});
        }
        return *found;
    }
    Error invalid(std::string field, std::string reason) const {
        return makeError(ErrorCode::ConfigInvalid, {{"file", m_path},
                                                    {"field", kSettings + (": " + std::move(field))},
                                                    {"reason", std::move(reason)}});
    }

    Status readSettings() {
        const auto* text = find(kSettings);
        if (text == nullptr) {
            return makeError(ErrorCode::FileFormatUnknown,
                             {{"file", m_path},
                              {"reason", "it is a NumPy archive without special:model.yml, so no model of "
                                         "Marian"}});
        }
        if (text->bytes > kMaxSettings || text->derived != nullptr) {
            return invalid("the text", "is longer than a mebibyte");
        }
        PARETO_TRY(const Buffer bytes, m_out.files.front().file->read(text->offset, text->bytes));
        std::string_view yaml(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        yaml = yaml.substr(0, yaml.find('\0'));
        PARETO_TRY(const auto scalars, yamlScalars(yaml, m_path, kSettings));
        m_settings = {scalars.begin(), scalars.end()};
        return Done{};
    }

    std::string setting(const std::string& key, std::string fallback = {}) const {
        const auto found = m_settings.find(key);
        return found == m_settings.end() ? std::move(fallback) : found->second;
    }
    Result<std::int64_t> size(const std::string& key, std::int64_t most) const {
        const auto value = setting(key);
        if (value.empty() || value.size() > 9 || value.find_first_not_of("0123456789") != std::string::npos ||
            std::stoll(value) < 1 || std::stoll(value) > most) {
            return invalid(key, value.empty() ? "is missing" : "is not a number from 1 to " + std::to_string(most));
        }
        return std::stoll(value);
    }

    Status checkSettings() const {
        for (const auto& [key, expected] : kExpected) {
            if (const auto value = setting(key, expected); value != expected) {
                return invalid(key, "is \"" + value + "\"; only \"" + expected + "\" is computed here");
            }
        }
        return Done{};
    }

    Status put(TensorInfo tensor, const std::string& name) {
        m_out.tensors.insert_or_assign(name, renamed(std::move(tensor), name));
        return Done{};
    }

    /// transformers starts its decoder with a padding token that Marian does not have.
    Status putEmbedding() {
        PARETO_TRY(TensorInfo table, require("Wemb"));
        if (table.shape.rank() != 2) {
            return makeError(ErrorCode::TensorShape, {{"file", m_path},
                                                      {"tensor", "Wemb"},
                                                      {"found", table.shape.text()},
                                                      {"expected", "a matrix"}});
        }
        m_words = table.shape[0];
        m_width = table.shape[1];
        PARETO_TRY(table, padded(m_out.files, table, 0, 1));
        PARETO_CHECK(put(std::move(table), "model.shared.weight"));
        PARETO_TRY(TensorInfo bias, require("decoder_ff_logit_out_b"));
        PARETO_TRY(bias, reshaped(bias, Shape{m_words}, m_path));
        PARETO_TRY(bias, padded(m_out.files, bias, 0, 1));
        PARETO_TRY(bias, reshaped(bias, Shape{1, m_words + 1}, m_path));
        return put(std::move(bias), "final_logits_bias");
    }

    Result<std::int64_t> columns(const std::string& name) const {
        PARETO_TRY(const TensorInfo tensor, require(name));
        return tensor.shape.rank() == 2 ? tensor.shape[1] : 0;
    }

    Status makeConfig() {
        PARETO_TRY(m_encoders, size("enc-depth", 10'000));
        PARETO_TRY(m_decoders, size("dec-depth", 10'000));
        PARETO_TRY(const auto heads, size("transformer-heads", 1 << 12));
        PARETO_TRY(const auto encoderNeurons, columns("encoder_l1_ffn_W1"));
        PARETO_TRY(const auto decoderNeurons, columns("decoder_l1_ffn_W1"));
        PARETO_TRY(const auto width, size("dim-emb", 1 << 20));
        if (width != m_width) {
            return invalid("dim-emb", "is " + std::to_string(width) + ", but Wemb has " + std::to_string(m_width) +
                                          " columns");
        }
        const auto activation = setting("transformer-ffn-activation", "swish");
        m_out.config = {{"model_type", "marian"},
                        {"architectures", {"MarianMTModel"}},
                        {"is_encoder_decoder", true},
                        {"d_model", width},
                        {"encoder_layers", m_encoders},
                        {"decoder_layers", m_decoders},
                        {"encoder_attention_heads", heads},
                        {"decoder_attention_heads", heads},
                        {"encoder_ffn_dim", encoderNeurons},
                        {"decoder_ffn_dim", decoderNeurons},
                        {"activation_function", activation},
                        {"scale_embedding", true},
                        {"static_position_embeddings", true},
                        {"normalize_embedding", false},
                        {"max_position_embeddings", width},
                        {"vocab_size", m_words + 1},
                        {"decoder_vocab_size", m_words + 1},
                        {"share_encoder_decoder_embeddings", true},
                        {"tie_word_embeddings", true},
                        {"bos_token_id", 0},
                        {"eos_token_id", 0},
                        {"forced_eos_token_id", 0},
                        {"pad_token_id", m_words},
                        {"decoder_start_token_id", m_words},
                        {"bad_words_ids", {{m_words}}}};
        return Done{};
    }

    Status putOne(const std::string& from, const std::string& to) {
        PARETO_TRY(TensorInfo tensor, require(from));
        const bool matrix = to.ends_with(".weight") && to.find("layer_norm") == std::string::npos;
        if (matrix) {
            PARETO_TRY(tensor, transposed(m_out.files, tensor));
        } else {
            PARETO_TRY(tensor, reshaped(tensor, Shape{tensor.shape.elements()}, m_path));
        }
        return put(std::move(tensor), to);
    }

    Status putLayers(const std::string& side, std::int64_t count, bool cross) {
        for (std::int64_t i = 0; i < count; ++i) {
            // Marian counts from 1.
            const auto from = side + "_l" + std::to_string(i + 1) + "_";
            const auto to = "model." + side + ".layers." + std::to_string(i) + ".";
            for (const auto& [marian, hf] : kNames) {
                PARETO_CHECK(putOne(from + marian, to + hf));
            }
            if (cross) {
                for (const auto& [marian, hf] : kCrossNames) {
                    PARETO_CHECK(putOne(from + marian, to + hf));
                }
            }
        }
        return Done{};
    }

    std::string m_path;
    ModelContents m_out;
    std::map<std::string, TensorInfo> m_arrays;
    std::map<std::string, std::string> m_settings;
    std::int64_t m_words = 0;
    std::int64_t m_width = 0;
    std::int64_t m_encoders = 0;
    std::int64_t m_decoders = 0;
};

}  // namespace

Result<ModelContents> openMarian(const std::string& path, std::shared_ptr<InputFile> file) {
    return Converter(path, std::move(file)).run();
}

}  // namespace pareto::io
