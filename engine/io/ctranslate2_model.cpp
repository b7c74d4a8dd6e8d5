// CTranslate2's names and settings turned into those of transformers, the inverse of
// python/ctranslate2/converters/transformers.py.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>

#include "engine/io/ctranslate2_file.h"
#include "engine/io/derived.h"

namespace pareto::io {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxVocabularyBytes = std::size_t{64} << 20;
constexpr const char* kKnown = "BERT, RoBERTa, DistilBERT, GPT-2, Llama, Mistral, Qwen2, Qwen3, T5 and Marian";

/// Which rows of a fused projection.
enum class Part { All, Query, Key, Value, CrossKey, CrossValue };

/// A module of CTranslate2 and the one of transformers. "{}" stands for the layer's number.
struct Row {
    const char* theirs;
    const char* hf;
    Part part = Part::All;
    bool transposed = false;  ///< GPT-2's Conv1D
};

constexpr Row kBert[] = {
    {"encoder/embeddings_0", "embeddings.word_embeddings"},
    {"encoder/embeddings_1", "embeddings.token_type_embeddings"},
    {"encoder/layernorm_embedding", "embeddings.LayerNorm"},
    {"encoder/layer_{}/self_attention/linear_0", "encoder.layer.{}.attention.self.query", Part::Query},
    {"encoder/layer_{}/self_attention/linear_0", "encoder.layer.{}.attention.self.key", Part::Key},
    {"encoder/layer_{}/self_attention/linear_0", "encoder.layer.{}.attention.self.value", Part::Value},
    {"encoder/layer_{}/self_attention/linear_1", "encoder.layer.{}.attention.output.dense"},
    {"encoder/layer_{}/self_attention/layer_norm", "encoder.layer.{}.attention.output.LayerNorm"},
    {"encoder/layer_{}/ffn/linear_0", "encoder.layer.{}.intermediate.dense"},
    {"encoder/layer_{}/ffn/linear_1", "encoder.layer.{}.output.dense"},
    {"encoder/layer_{}/ffn/layer_norm", "encoder.layer.{}.output.LayerNorm"},
    {"pooler_dense", "pooler.dense"},
};
constexpr Row kDistilBert[] = {
    {"encoder/embeddings_0", "embeddings.word_embeddings"},
    {"encoder/layernorm_embedding", "embeddings.LayerNorm"},
    {"encoder/layer_{}/self_attention/linear_0", "transformer.layer.{}.attention.q_lin", Part::Query},
    {"encoder/layer_{}/self_attention/linear_0", "transformer.layer.{}.attention.k_lin", Part::Key},
    {"encoder/layer_{}/self_attention/linear_0", "transformer.layer.{}.attention.v_lin", Part::Value},
    {"encoder/layer_{}/self_attention/linear_1", "transformer.layer.{}.attention.out_lin"},
    {"encoder/layer_{}/self_attention/layer_norm", "transformer.layer.{}.sa_layer_norm"},
    {"encoder/layer_{}/ffn/linear_0", "transformer.layer.{}.ffn.lin1"},
    {"encoder/layer_{}/ffn/linear_1", "transformer.layer.{}.ffn.lin2"},
    {"encoder/layer_{}/ffn/layer_norm", "transformer.layer.{}.output_layer_norm"},
};
constexpr Row kGpt2[] = {
    {"decoder/embeddings", "transformer.wte"},
    {"decoder/layer_{}/self_attention/layer_norm", "transformer.h.{}.ln_1"},
    {"decoder/layer_{}/self_attention/linear_0", "transformer.h.{}.attn.c_attn", Part::All, true},
    {"decoder/layer_{}/self_attention/linear_1", "transformer.h.{}.attn.c_proj", Part::All, true},
    {"decoder/layer_{}/ffn/layer_norm", "transformer.h.{}.ln_2"},
    {"decoder/layer_{}/ffn/linear_0", "transformer.h.{}.mlp.c_fc", Part::All, true},
    {"decoder/layer_{}/ffn/linear_1", "transformer.h.{}.mlp.c_proj", Part::All, true},
    {"decoder/layer_norm", "transformer.ln_f"},
};
constexpr Row kLlama[] = {
    {"decoder/embeddings", "model.embed_tokens"},
    {"decoder/layer_{}/self_attention/layer_norm", "model.layers.{}.input_layernorm"},
    {"decoder/layer_{}/self_attention/linear_0", "model.layers.{}.self_attn.q_proj", Part::Query},
    {"decoder/layer_{}/self_attention/linear_0", "model.layers.{}.self_attn.k_proj", Part::Key},
    {"decoder/layer_{}/self_attention/linear_0", "model.layers.{}.self_attn.v_proj", Part::Value},
    {"decoder/layer_{}/self_attention/linear_1", "model.layers.{}.self_attn.o_proj"},
    {"decoder/layer_{}/self_attention/q_norm", "model.layers.{}.self_attn.q_norm"},
    {"decoder/layer_{}/self_attention/k_norm", "model.layers.{}.self_attn.k_norm"},
    {"decoder/layer_{}/ffn/layer_norm", "model.layers.{}.post_attention_layernorm"},
    {"decoder/layer_{}/ffn/linear_0", "model.layers.{}.mlp.gate_proj"},
    {"decoder/layer_{}/ffn/linear_0_noact", "model.layers.{}.mlp.up_proj"},
    {"decoder/layer_{}/ffn/linear_1", "model.layers.{}.mlp.down_proj"},
    {"decoder/layer_norm", "model.norm"},
};
constexpr Row kT5Encoder[] = {
    {"encoder/embeddings_0", "shared"},
    {"encoder/layer_{}/self_attention/layer_norm", "encoder.block.{}.layer.0.layer_norm"},
    {"encoder/layer_{}/self_attention/linear_0", "encoder.block.{}.layer.0.SelfAttention.q", Part::Query},
    {"encoder/layer_{}/self_attention/linear_0", "encoder.block.{}.layer.0.SelfAttention.k", Part::Key},
    {"encoder/layer_{}/self_attention/linear_0", "encoder.block.{}.layer.0.SelfAttention.v", Part::Value},
    {"encoder/layer_{}/self_attention/linear_1", "encoder.block.{}.layer.0.SelfAttention.o"},
    {"encoder/layer_{}/ffn/layer_norm", "encoder.block.{}.layer.1.layer_norm"},
    {"encoder/layer_{}/ffn/linear_0_noact", "encoder.block.{}.layer.1.DenseReluDense.wi_1"},
    {"encoder/layer_{}/ffn/linear_1", "encoder.block.{}.layer.1.DenseReluDense.wo"},
    {"encoder/layer_norm", "encoder.final_layer_norm"},
};
constexpr Row kT5Decoder[] = {
    {"decoder/layer_{}/self_attention/layer_norm", "decoder.block.{}.layer.0.layer_norm"},
    {"decoder/layer_{}/self_attention/linear_0", "decoder.block.{}.layer.0.SelfAttention.q", Part::Query},
    {"decoder/layer_{}/self_attention/linear_0", "decoder.block.{}.layer.0.SelfAttention.k", Part::Key},
    {"decoder/layer_{}/self_attention/linear_0", "decoder.block.{}.layer.0.SelfAttention.v", Part::Value},
    {"decoder/layer_{}/self_attention/linear_1", "decoder.block.{}.layer.0.SelfAttention.o"},
    {"decoder/layer_{}/attention/layer_norm", "decoder.block.{}.layer.1.layer_norm"},
    {"decoder/layer_{}/attention/linear_0", "decoder.block.{}.layer.1.EncDecAttention.q"},
    {"decoder/layer_{}/attention/linear_1", "decoder.block.{}.layer.1.EncDecAttention.k", Part::CrossKey},
    {"decoder/layer_{}/attention/linear_1", "decoder.block.{}.layer.1.EncDecAttention.v", Part::CrossValue},
    {"decoder/layer_{}/attention/linear_2", "decoder.block.{}.layer.1.EncDecAttention.o"},
    {"decoder/layer_{}/ffn/layer_norm", "decoder.block.{}.layer.2.layer_norm"},
    {"decoder/layer_{}/ffn/linear_0_noact", "decoder.block.{}.layer.2.DenseReluDense.wi_1"},
    {"decoder/layer_{}/ffn/linear_1", "decoder.block.{}.layer.2.DenseReluDense.wo"},
    {"decoder/layer_norm", "decoder.final_layer_norm"},
};
constexpr Row kMarianEncoder[] = {
    {"encoder/layer_{}/self_attention/linear_0", "model.encoder.layers.{}.self_attn.q_proj", Part::Query},
    {"encoder/layer_{}/self_attention/linear_0", "model.encoder.layers.{}.self_attn.k_proj", Part::Key},
    {"encoder/layer_{}/self_attention/linear_0", "model.encoder.layers.{}.self_attn.v_proj", Part::Value},
    {"encoder/layer_{}/self_attention/linear_1", "model.encoder.layers.{}.self_attn.out_proj"},
    {"encoder/layer_{}/self_attention/layer_norm", "model.encoder.layers.{}.self_attn_layer_norm"},
    {"encoder/layer_{}/ffn/linear_0", "model.encoder.layers.{}.fc1"},
    {"encoder/layer_{}/ffn/linear_1", "model.encoder.layers.{}.fc2"},
    {"encoder/layer_{}/ffn/layer_norm", "model.encoder.layers.{}.final_layer_norm"},
};
constexpr Row kMarianDecoder[] = {
    {"decoder/layer_{}/self_attention/linear_0", "model.decoder.layers.{}.self_attn.q_proj", Part::Query},
    {"decoder/layer_{}/self_attention/linear_0", "model.decoder.layers.{}.self_attn.k_proj", Part::Key},
    {"decoder/layer_{}/self_attention/linear_0", "model.decoder.layers.{}.self_attn.v_proj", Part::Value},
    {"decoder/layer_{}/self_attention/linear_1", "model.decoder.layers.{}.self_attn.out_proj"},
    {"decoder/layer_{}/self_attention/layer_norm", "model.decoder.layers.{}.self_attn_layer_norm"},
    {"decoder/layer_{}/attention/linear_0", "model.decoder.layers.{}.encoder_attn.q_proj"},
    {"decoder/layer_{}/attention/linear_1", "model.decoder.layers.{}.encoder_attn.k_proj", Part::CrossKey},
    {"decoder/layer_{}/attention/linear_1", "model.decoder.layers.{}.encoder_attn.v_proj", Part::CrossValue},
    {"decoder/layer_{}/attention/linear_2", "model.decoder.layers.{}.encoder_attn.out_proj"},
    {"decoder/layer_{}/attention/layer_norm", "model.decoder.layers.{}.encoder_attn_layer_norm"},
    {"decoder/layer_{}/ffn/linear_0", "model.decoder.layers.{}.fc1"},
    {"decoder/layer_{}/ffn/linear_1", "model.decoder.layers.{}.fc2"},
    {"decoder/layer_{}/ffn/layer_norm", "model.decoder.layers.{}.final_layer_norm"},
};

/// By the number of common_spec.Activation.
constexpr const char* kActivations[] = {"relu", "gelu_new", "silu", "gelu", "quick_gelu", "tanh"};

std::string numbered(std::string pattern, std::int64_t layer) {
    if (const auto at = pattern.find("{}"); at != std::string::npos) {
        pattern.replace(at, 2, std::to_string(layer));
    }
    return pattern;
}

class Converter {
public:
    Converter(std::string path, std::shared_ptr<InputFile> file) : m_path(std::move(path)) {
        m_out.format = Format::CTranslate2;
        m_out.transformerFolder = std::filesystem::path(m_path).parent_path().string();
        m_out.files.push_back({m_path, std::move(file)});
    }

    Result<ModelContents> run() {
        PARETO_TRY(m_file, readCTranslate2File(m_out.files));
        PARETO_CHECK(readCompanions());
        PARETO_CHECK(convert());
        noteIntegers();
        return std::move(m_out);
    }

private:
    // -- what the file holds ------------------------------------------------------------------------------
    const TensorInfo* find(const std::string& name) const {
        const auto found = m_file.variables.find(name);
        return found == m_file.variables.end() ? nullptr : &found->second;
    }
    bool has(const std::string& name) const { return find(name) != nullptr; }

    /// A setting: one number.
    Result<double> number(const std::string& name, double fallback) const {
        const auto* info = find(name);
        if (info == nullptr) {
            return fallback;
        }
        if (info->shape.elements() != 1) {
            return makeError(ErrorCode::TensorShape, {{"file", m_path},
                                                      {"tensor", name},
                                                      {"found", info->shape.text()},
                                                      {"expected", "one value"}});
        }
        PARETO_TRY(const Buffer value, rowsOf(m_out.files, *info)(0, 1));
        return static_cast<double>(value.as<float>().front());
    }
    Result<std::int64_t> whole(const std::string& name, std::int64_t fallback, std::int64_t most) const {
        PARETO_TRY(const double value, number(name, static_cast<double>(fallback)));
        if (!(value >= 0.0) || value > static_cast<double>(most)) {
            return invalid(name, "is " + std::to_string(value) + ", not between 0 and " + std::to_string(most));
        }
        return static_cast<std::int64_t>(value);
    }
    std::int64_t layers(const std::string& side) const {
        std::int64_t count = 0;
        while (has(side + "/layer_" + std::to_string(count) + "/ffn/linear_0/weight")) {
            ++count;
        }
        return count;
    }
    std::int64_t rows(const std::string& name) const {
        const auto* info = find(name);
        return info == nullptr || info->shape.rank() == 0 ? 0 : info->shape[0];
    }
    std::int64_t cols(const std::string& name) const {
        const auto* info = find(name);
        return info == nullptr || info->shape.rank() != 2 ? 0 : info->shape[1];
    }
    Error invalid(std::string field, std::string reason) const {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", m_path}, {"field", std::move(field)}, {"reason", std::move(reason)}});
    }
    Error unknownFamily(const std::string& what) const {
        return makeError(ErrorCode::FamilyUnknown,
                         {{"file", m_path}, {"family", m_file.spec + " " + what}, {"known", kKnown}});
    }

    // -- tensors ------------------------------------------------------------------------------------------
    /// A weight with its scale, or as it is. int8 and float in one file: only what has a scale is codes.
    Result<TensorInfo> values(const std::string& name) const {
        const TensorInfo& info = *find(name);
        // Another name for a variable is none for its scale.
        const auto alias = m_file.aliases.find(name);
        const auto* scale = find((alias == m_file.aliases.end() ? name : alias->second) + "_scale");
        if (scale != nullptr) {
            return dequantized(m_out.files, info, {.scale = *scale, .divide = true});
        }
        if (!isFloating(info.encoding.dtype)) {
            return makeError(ErrorCode::TensorType, {{"file", m_path},
                                                     {"tensor", name},
                                                     {"found", info.typeName},
                                                     {"reason", "it has no " + name + "_scale"}});
        }
        return info;
    }

    Status put(TensorInfo tensor, std::string name) {
        tensor.name = name;
        m_out.tensors.insert_or_assign(std::move(name), std::move(tensor));
        return Done{};
    }

    Result<TensorInfo> part(const TensorInfo& whole, Part which) const {
        if (which == Part::All) {
            return whole;
        }
        const auto all = whole.shape.rank() == 0 ? 0 : whole.shape[0];
        const auto query = which == Part::CrossKey || which == Part::CrossValue ? 0 : m_heads * m_headDim;
        const auto each = (all - query) / 2;
        if (which == Part::Query) {
            return rowPart(whole, 0, query, m_path);
        }
        const bool value = which == Part::Value || which == Part::CrossValue;
        return rowPart(whole, query + (value ? each : 0), each, m_path);
    }

    Status putRow(const Row& row, std::int64_t layer) {
        const auto theirs = numbered(row.theirs, layer);
        const auto hf = numbered(row.hf, layer);
        for (const auto& [from, to] : {std::pair{"/weight", ".weight"}, std::pair{"/bias", ".bias"},
                                       std::pair{"/gamma", ".weight"}, std::pair{"/beta", ".bias"}}) {
            if (!has(theirs + from)) {
                continue;
            }
            PARETO_TRY(TensorInfo tensor, values(theirs + from));
            PARETO_TRY(tensor, part(tensor, row.part));
            if (row.transposed && tensor.shape.rank() == 2) {
                PARETO_TRY(tensor, transposed(m_out.files, tensor));
            }
            PARETO_CHECK(put(std::move(tensor), hf + to));
        }
        return Done{};
    }
    Status putRows(std::span<const Row> table, std::int64_t layerCount) {
        for (const auto& row : table) {
            const bool each = std::string_view(row.theirs).find("{}") != std::string_view::npos;
            for (std::int64_t i = 0; i < (each ? layerCount : 1); ++i) {
                PARETO_CHECK(putRow(row, i));
            }
        }
        return Done{};
    }
    Status putOne(const std::string& theirs, const std::string& hf) {
        if (!has(theirs)) {
            return makeError(ErrorCode::TensorMissing, {{"file", m_path}, {"tensor", theirs}});
        }
        PARETO_TRY(TensorInfo tensor, values(theirs));
        return put(std::move(tensor), hf);
    }
    /// The output projection, unless it is the embedding.
    Status putHead(const std::string& embedding) {
        const auto alias = m_file.aliases.find("decoder/projection/weight");
        const bool tied = !has("decoder/projection/weight") ||
                          (alias != m_file.aliases.end() &&
                           (alias->second == embedding || m_file.aliases.count(embedding) != 0));
        m_out.config["tie_word_embeddings"] = tied;
        return tied ? Status(Done{}) : putOne("decoder/projection/weight", "lm_head.weight");
    }

    // -- settings -----------------------------------------------------------------------------------------
    /// CTranslate2's own config.json and the vocabulary beside the model, both optional.
    Status readCompanions() {
        PARETO_TRY(const auto root, ModelRoot::open(m_out.transformerFolder));
        if (root.exists("config.json")) {
            PARETO_TRY(std::string text, root.readText("config.json", kMaxConfigBytes));
            PARETO_TRY(m_settings, parseJson(text, root.path("config.json")));
            m_out.configTexts["config.json"] = std::move(text);
            if (!m_settings.is_object()) {
                m_settings = Json::object();
            }
        }
        for (const char* name : {"vocabulary.json", "shared_vocabulary.json"}) {
            if (root.exists(name)) {
                JsonLimits limits;
                limits.maxBytes = kMaxVocabularyBytes;
                PARETO_TRY(const std::string text, root.readText(name, kMaxVocabularyBytes));
                PARETO_TRY(m_vocabulary, parseJson(text, root.path(name), limits));
                break;
            }
        }
        return Done{};
    }
    /// The id of a token that config.json names.
    void setToken(const char* key, const char* setting) {
        const auto named = m_settings.find(setting);
        if (named == m_settings.end() || !named->is_string() || !m_vocabulary.is_array()) {
            return;
        }
        const auto found = std::find(m_vocabulary.begin(), m_vocabulary.end(), *named);
        if (found != m_vocabulary.end()) {
            m_out.config[key] = found - m_vocabulary.begin();
        }
    }
    double epsilon(double fallback) const {
        const auto found = m_settings.find("layer_norm_epsilon");
        return found != m_settings.end() && found->is_number() ? found->get<double>() : fallback;
    }
    Result<std::string> activation(const std::string& side) const {
        PARETO_TRY(const auto kind, whole(side + "/activation", 0, std::size(kActivations) - 1));
        return std::string(kActivations[kind]);
    }
    /// Heads, their size, and that the fused projection is as they say.
    Status readHeads(const std::string& side, const std::string& projection) {
        PARETO_TRY(m_heads, whole(side + "/num_heads", 0, 1 << 16));
        if (m_heads == 0) {
            return makeError(ErrorCode::TensorMissing, {{"file", m_path}, {"tensor", side + "/num_heads"}});
        }
        const auto attention = side + "/layer_0/self_attention/";
        PARETO_TRY(m_kvHeads, whole(attention + "num_heads_kv", m_heads, 1 << 16));
        PARETO_TRY(m_headDim, whole(attention + "head_dim", 0, 1 << 16));
        const auto fused = rows(projection);
        const auto parts = m_heads + 2 * m_kvHeads;
        m_headDim = m_headDim == 0 ? fused / parts : m_headDim;
        if (fused == 0 || fused != parts * m_headDim) {
            return invalid(projection, "has " + std::to_string(fused) + " rows, which are not " +
                                           std::to_string(m_heads) + " + 2 · " + std::to_string(m_kvHeads) +
                                           " heads");
        }
        return Done{};
    }

    // -- families -----------------------------------------------------------------------------------------
    Status convert() {
        if (m_file.spec == "TransformerEncoderSpec") {
            return encoder();
        }
        if (m_file.spec == "TransformerDecoderSpec") {
            return decoder();
        }
        if (m_file.spec == "TransformerSpec") {
            PARETO_TRY(const auto start, whole("decoder/start_from_zero_embedding", 0, 1));
            if (has("decoder/layer_0/self_attention/relative_attention_bias")) {
                return t5();
            }
            PARETO_TRY(const auto pre, whole("encoder/pre_norm", 1, 1));
            return start == 1 && pre == 0 ? marian()
                                          : unknownFamily("without relative positions that starts with a token");
        }
        return unknownFamily("");
    }

    Status encoder() {
        PARETO_TRY(const auto preNorm, whole("encoder/pre_norm", 1, 1));
        if (preNorm != 0 || !has("encoder/position_encodings/encodings") ||
            !has("encoder/layernorm_embedding/beta")) {
            return unknownFamily("without learned positions or with norms before its layers");
        }
        PARETO_CHECK(readHeads("encoder", "encoder/layer_0/self_attention/linear_0/weight"));
        PARETO_TRY(const auto act, activation("encoder"));
        const auto count = layers("encoder");
        const auto width = cols("encoder/embeddings_0/weight");
        const auto vocabulary = rows("encoder/embeddings_0/weight");
        const auto positions = rows("encoder/position_encodings/encodings");
        if (!has("encoder/embeddings_1/weight")) {
            m_out.config = {{"model_type", "distilbert"},     {"architectures", {"DistilBertModel"}},
                            {"dim", width},                   {"n_layers", count},
                            {"n_heads", m_heads},             {"activation", act},
                            {"vocab_size", vocabulary},       {"max_position_embeddings", positions},
                            {"hidden_dim", rows("encoder/layer_0/ffn/linear_0/weight")},
                            {"sinusoidal_pos_embds", false},  {"pad_token_id", 0}};
            PARETO_CHECK(putRows(kDistilBert, count));
            return putOne("encoder/position_encodings/encodings", "embeddings.position_embeddings.weight");
        }
        // RoBERTa's kinds have one type, and lose the two rows of positions that stand for padding.
        const bool roberta = rows("encoder/embeddings_1/weight") == 1;
        m_out.config = {{"model_type", roberta ? "roberta" : "bert"},
                        {"architectures", {roberta ? "RobertaModel" : "BertModel"}},
                        {"hidden_size", width},
                        {"num_hidden_layers", count},
                        {"num_attention_heads", m_heads},
                        {"intermediate_size", rows("encoder/layer_0/ffn/linear_0/weight")},
                        {"hidden_act", act},
                        {"vocab_size", vocabulary},
                        {"max_position_embeddings", positions + (roberta ? 2 : 0)},
                        {"type_vocab_size", rows("encoder/embeddings_1/weight")},
                        {"layer_norm_eps", epsilon(roberta ? 1e-5 : 1e-12)},
                        {"position_embedding_type", "absolute"},
                        {"pad_token_id", roberta ? 1 : 0}};
        PARETO_CHECK(putRows(kBert, count));
        PARETO_CHECK(putOne("encoder/position_encodings/encodings", "embeddings.position_embeddings.weight"));
        if (roberta) {
            auto& table = m_out.tensors["embeddings.position_embeddings.weight"];
            PARETO_TRY(table, padded(m_out.files, table, 2, 0));
        }
        return Done{};
    }

    Status decoder() {
        for (const char* flag : {"decoder/alibi", "decoder/start_from_zero_embedding"}) {
            PARETO_TRY(const auto set, whole(flag, 0, 1));
            if (set != 0) {
                return unknownFamily(std::string("with ") + flag);
            }
        }
        const std::string layer = "decoder/layer_0/";
        if (has(layer + "shared_layer_norm/gamma") || has(layer + "input_layer_norm/gamma") ||
            has("decoder/project_in/weight") || has("decoder/layernorm_embedding/gamma")) {
            return unknownFamily("with other norms or projections");
        }
        PARETO_CHECK(readHeads("decoder", layer + "self_attention/linear_0/weight"));
        PARETO_TRY(m_activation, activation("decoder"));
        if (has("decoder/position_encodings/encodings") && has(layer + "ffn/layer_norm/beta") &&
            !has(layer + "self_attention/rotary_dim")) {
            return gpt2();
        }
        if (has(layer + "self_attention/rotary_dim") && !has(layer + "ffn/layer_norm/beta") &&
            has(layer + "ffn/linear_0_noact/weight") && m_activation == "silu") {
            return llama();
        }
        return unknownFamily("with other positions, norms or activations");
    }

    Status gpt2() {
        if (m_activation != "gelu_new" && m_activation != "gelu") {
            return unknownFamily("with learned positions and the activation " + m_activation);
        }
        const auto count = layers("decoder");
        m_out.config = {{"model_type", "gpt2"},
                        {"architectures", {"GPT2LMHeadModel"}},
                        {"n_embd", cols("decoder/embeddings/weight")},
                        {"n_layer", count},
                        {"n_head", m_heads},
                        {"n_inner", rows("decoder/layer_0/ffn/linear_0/weight")},
                        {"n_positions", rows("decoder/position_encodings/encodings")},
                        {"vocab_size", rows("decoder/embeddings/weight")},
                        {"activation_function", m_activation},
                        {"layer_norm_epsilon", epsilon(1e-5)}};
        setToken("bos_token_id", "bos_token");
        setToken("eos_token_id", "eos_token");
        PARETO_CHECK(putRows(kGpt2, count));
        PARETO_CHECK(putOne("decoder/position_encodings/encodings", "transformer.wpe.weight"));
        return putHead("decoder/embeddings/weight");
    }

    Status llama() {
        const std::string attention = "decoder/layer_0/self_attention/";
        const auto count = layers("decoder");
        PARETO_TRY(const auto window, whole("decoder/sliding_window", 0, 1 << 24));
        const bool queryBias = has(attention + "linear_0/bias");
        const bool outputBias = has(attention + "linear_1/bias");
        const bool normed = has(attention + "q_norm/gamma");
        const char* type = normed ? "qwen3" : queryBias && !outputBias ? "qwen2" : window > 0 ? "mistral" : "llama";
        const char* architecture = normed                     ? "Qwen3ForCausalLM"
                                   : queryBias && !outputBias ? "Qwen2ForCausalLM"
                                   : window > 0               ? "MistralForCausalLM"
                                                              : "LlamaForCausalLM";
        PARETO_TRY(const double base, number(attention + "rotary_base", 10000.0));
        m_out.config = {{"model_type", type},
                        {"architectures", {architecture}},
                        {"hidden_size", cols("decoder/embeddings/weight")},
                        {"num_hidden_layers", count},
                        {"num_attention_heads", m_heads},
                        {"num_key_value_heads", m_kvHeads},
                        {"head_dim", m_headDim},
                        {"intermediate_size", rows("decoder/layer_0/ffn/linear_0/weight")},
                        {"vocab_size", rows("decoder/embeddings/weight")},
                        {"hidden_act", m_activation},
                        {"rms_norm_eps", epsilon(1e-6)},
                        {"rope_theta", base}};
        if (std::string_view(type) == "llama") {
            m_out.config["attention_bias"] = queryBias;
            m_out.config["mlp_bias"] = has("decoder/layer_0/ffn/linear_0/bias");
        }
        if (std::string_view(type) == "mistral") {
            m_out.config["sliding_window"] = window;
        }
        m_out.notices.push_back("CTranslate2 keeps no largest position; the family's usual one is assumed.");
        setToken("bos_token_id", "bos_token");
        setToken("eos_token_id", "eos_token");
        PARETO_CHECK(readRope(attention));
        PARETO_CHECK(putRows(kLlama, count));
        return putHead("decoder/embeddings/weight");
    }

    /// attention_spec.RotaryScalingType: 0 linear, 1 su, 2 llama3.
    Status readRope(const std::string& attention) {
        PARETO_TRY(const auto interleaved, whole(attention + "rotary_interleave", 0, 1));
        PARETO_TRY(const auto dims, whole(attention + "rotary_dim", 0, 1 << 16));
        if (interleaved != 0 || (dims != 0 && dims != m_headDim)) {
            return unknownFamily("with rotary positions of pairs or of a part of each head");
        }
        if (!has(attention + "rotary_scaling_type")) {
            return Done{};
        }
        PARETO_TRY(const double factor, number(attention + "rotary_scaling_factor", 1.0));
        const auto* kind = find(attention + "rotary_scaling_type");
        PARETO_TRY(const double type, number(kind->name, -1.0));
        if (type == 0.0) {
            m_out.config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", factor}};
        } else if (type == 2.0) {
            PARETO_TRY(const double low, number(attention + "rotary_low_freq_factor", 1.0));
            PARETO_TRY(const double high, number(attention + "rotary_high_freq_factor", 4.0));
            // CTranslate2 computes with this length, whatever the source said.
            m_out.config["rope_scaling"] = {{"rope_type", "llama3"},
                                            {"factor", factor},
                                            {"low_freq_factor", low},
                                            {"high_freq_factor", high},
                                            {"original_max_position_embeddings", 8192}};
        } else if (type >= 0.0) {
            return invalid(kind->name, "is " + std::to_string(static_cast<int>(type)) +
                                           "; known are 0 (linear) and 2 (llama3)");
        }
        return Done{};
    }

    Status t5() {
        PARETO_CHECK(readHeads("encoder", "encoder/layer_0/self_attention/linear_0/weight"));
        PARETO_TRY(const auto act, activation("encoder"));
        const auto encoders = layers("encoder");
        const auto decoders = layers("decoder");
        const bool gated = has("encoder/layer_0/ffn/linear_0_noact/weight");
        const std::string bias = "/layer_0/self_attention/relative_attention_bias";
        PARETO_TRY(const auto distance,
                   whole("encoder/layer_0/self_attention/relative_attention_max_distance", 128, 1 << 20));
        m_out.config = {{"model_type", "t5"},
                        {"architectures", {"T5ForConditionalGeneration"}},
                        {"is_encoder_decoder", true},
                        {"d_model", cols("encoder/embeddings_0/weight")},
                        {"d_kv", m_headDim},
                        {"d_ff", rows("encoder/layer_0/ffn/linear_0/weight")},
                        {"num_layers", encoders},
                        {"num_decoder_layers", decoders},
                        {"num_heads", m_heads},
                        {"relative_attention_num_buckets", rows("encoder" + bias)},
                        {"relative_attention_max_distance", distance},
                        {"vocab_size", rows("encoder/embeddings_0/weight")},
                        {"feed_forward_proj",
                         (gated ? "gated-" : "") + (gated && act == "gelu_new" ? std::string("gelu") : act)},
                        {"layer_norm_epsilon", epsilon(1e-6)},
                        {"pad_token_id", 0},
                        {"eos_token_id", 1},
                        {"decoder_start_token_id", 0}};
        setToken("eos_token_id", "eos_token");
        setToken("decoder_start_token_id", "decoder_start_token");
        PARETO_CHECK(putRows(kT5Encoder, encoders));
        PARETO_CHECK(putRows(kT5Decoder, decoders));
        for (std::int64_t i = 0; i < encoders; ++i) {
            PARETO_CHECK(putRow({"encoder/layer_{}/ffn/linear_0",
                                 gated ? "encoder.block.{}.layer.1.DenseReluDense.wi_0"
                                       : "encoder.block.{}.layer.1.DenseReluDense.wi"},
                                i));
        }
        for (std::int64_t i = 0; i < decoders; ++i) {
            PARETO_CHECK(putRow({"decoder/layer_{}/ffn/linear_0",
                                 gated ? "decoder.block.{}.layer.2.DenseReluDense.wi_0"
                                       : "decoder.block.{}.layer.2.DenseReluDense.wi"},
                                i));
        }
        for (const std::string side : {"encoder", "decoder"}) {
            PARETO_CHECK(putOne(side + bias,
                                side + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight"));
        }
        return putHead("decoder/embeddings/weight");
    }

    Status marian() {
        PARETO_CHECK(readHeads("encoder", "encoder/layer_0/self_attention/linear_0/weight"));
        PARETO_TRY(const auto act, activation("encoder"));
        PARETO_TRY(const double scale, number("encoder/scale_embeddings", 0.0));
        const auto encoders = layers("encoder");
        const auto decoders = layers("decoder");
        const auto words = rows("encoder/embeddings_0/weight");
        m_out.config = {{"model_type", "marian"},
                        {"architectures", {"MarianMTModel"}},
                        {"is_encoder_decoder", true},
                        {"d_model", cols("encoder/embeddings_0/weight")},
                        {"encoder_layers", encoders},
                        {"decoder_layers", decoders},
                        {"encoder_attention_heads", m_heads},
                        {"decoder_attention_heads", m_heads},
                        {"encoder_ffn_dim", rows("encoder/layer_0/ffn/linear_0/weight")},
                        {"decoder_ffn_dim", rows("decoder/layer_0/ffn/linear_0/weight")},
                        {"activation_function", act == "silu" ? "swish" : act},
                        {"scale_embedding", scale != 0.0},
                        {"max_position_embeddings", rows("encoder/position_encodings/encodings")},
                        {"vocab_size", words + 1},
                        {"decoder_vocab_size", words + 1},
                        {"share_encoder_decoder_embeddings", has("decoder/embeddings/weight") &&
                                                                 m_file.aliases.count("encoder/embeddings_0/weight") != 0},
                        {"bos_token_id", 0},
                        {"eos_token_id", 0},
                        {"forced_eos_token_id", 0},
                        {"pad_token_id", words},
                        {"decoder_start_token_id", words},
                        {"bad_words_ids", {{words}}}};
        setToken("eos_token_id", "eos_token");
        m_out.config["forced_eos_token_id"] = m_out.config["eos_token_id"];
        PARETO_CHECK(putRows(kMarianEncoder, encoders));
        PARETO_CHECK(putRows(kMarianDecoder, decoders));
        PARETO_CHECK(putHead("decoder/embeddings/weight"));
        // transformers starts with a padding token of its own: a row of zeros at the end.
        PARETO_CHECK(putOne("encoder/embeddings_0/weight", "model.shared.weight"));
        auto& table = m_out.tensors["model.shared.weight"];
        PARETO_TRY(table, padded(m_out.files, table, 0, 1));
        if (!has("decoder/projection/bias")) {
            return Done{};
        }
        PARETO_TRY(TensorInfo bias, values("decoder/projection/bias"));
        PARETO_TRY(bias, padded(m_out.files, bias, 0, 1));
        PARETO_TRY(bias, reshaped(bias, Shape{1, bias.shape[0]}, m_path));
        return put(std::move(bias), "final_logits_bias");
    }

    void noteIntegers() {
        const auto codes = std::count_if(m_out.tensors.begin(), m_out.tensors.end(), [](const auto& entry) {
            return !entry.second.typeName.empty() && entry.second.typeName.front() == 'I';
        });
        if (codes > 0) {
            m_out.notices.push_back(std::to_string(codes) +
                                    " tensors are kept as integers with scales; they are opened as the values "
                                    "that these stand for.");
        }
    }

    std::string m_path;
    ModelContents m_out;
    CTranslate2File m_file;
    Json m_settings = Json::object();
    Json m_vocabulary;
    std::string m_activation;
    std::int64_t m_heads = 0;
    std::int64_t m_kvHeads = 0;
    std::int64_t m_headDim = 0;
};

}  // namespace

Result<ModelContents> openCTranslate2(const std::string& path, std::shared_ptr<InputFile> file) {
    return Converter(path, std::move(file)).run();
}

}  // namespace pareto::io
