#include "engine/export/hf_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "engine/export/compressed_tensors_writer.h"
#include "engine/export/hf_files.h"
#include "engine/export/hf_seq2seq_config.h"
#include "engine/layout/families.h"
#include "engine/layout/layout_builder.h"
#include "engine/layout/rope_settings.h"

namespace pareto::exporting {

namespace {

/// Half precision only where every weight is held so: transformers casts the whole model to this type.
std::string torchDtype(const LoadedModel& model) {
    const auto all = [&](NumberFormat format) {
        return std::all_of(
            model.layout.layers.begin(), model.layout.layers.end(),
            [&](const LayerInfo& layer) { return model.weight(layer).format().format == format; });
    };
    return all(NumberFormat::F16) ? "float16" : all(NumberFormat::BF16) ? "bfloat16" : "float32";
}

/// The class of transformers that a decoder is written for.
struct DecoderClass {
    Family family{};
    const char* architecture;
    const char* modelType;
    const char* activationKey;
    bool layerTypes;  ///< says which blocks have a sliding window
};
constexpr std::array kDecoders{
    DecoderClass{Family::Gpt2, "GPT2LMHeadModel", "gpt2", "activation_function", false},
    DecoderClass{Family::Llama, "LlamaForCausalLM", "llama", "hidden_act", false},
    DecoderClass{Family::Mistral, "MistralForCausalLM", "mistral", "hidden_act", false},
    DecoderClass{Family::Qwen2, "Qwen2ForCausalLM", "qwen2", "hidden_act", true},
    DecoderClass{Family::Qwen3, "Qwen3ForCausalLM", "qwen3", "hidden_act", true},
    DecoderClass{Family::Gemma2, "Gemma2ForCausalLM", "gemma2", "hidden_activation", true},
    DecoderClass{Family::Gemma3, "Gemma3ForCausalLM", "gemma3_text", "hidden_activation", true},
};

const DecoderClass* decoderClass(Family family) {
    const auto found = std::find_if(kDecoders.begin(), kDecoders.end(),
                                    [&](const DecoderClass& one) { return one.family == family; });
    return found == kDecoders.end() ? nullptr : &*found;
}

const char* activationText(Activation activation) {
    switch (activation) {
    case Activation::Gelu:
        return "gelu";
    case Activation::GeluTanh:
        return "gelu_pytorch_tanh";
    case Activation::Relu:
        return "relu";
    case Activation::Tanh:
        return "tanh";
    case Activation::Silu:
    case Activation::None:
        break;
    }
    return "silu";
}

std::int64_t widestWindow(const ModelLayout& layout) {
    std::int64_t window = 0;
    for (const auto& block : layout.blocks) {
        window = std::max(window, block.window);
    }
    return window;
}

Json orNull(double value) { return value > 0.0 ? Json(value) : Json(nullptr); }

/// What only Gemma has.
void setGemma(Json& config, const ModelLayout& layout) {
    const double scalar = 1.0 / (layout.attentionScale * layout.attentionScale);
    const bool whole = std::fabs(scalar - std::round(scalar)) < 1e-6 * scalar;
    config["query_pre_attn_scalar"] =
        whole ? Json(static_cast<std::int64_t>(std::llround(scalar))) : Json(scalar);
    config["attn_logit_softcapping"] = orNull(layout.attentionSoftcap);
    config["final_logit_softcapping"] = orNull(layout.logitSoftcap);
    config["sliding_window"] = widestWindow(layout);
    if (layout.ropes.size() > 1) {
        config["rope_local_base_freq"] = layout.ropes[1].theta;
    }
}

/// The configuration of a decoder that comes from a file without one.
Json decoderBase(const ModelLayout& layout, const DecoderClass& theirs) {
    Json config{{"architectures", {theirs.architecture}},
                {"model_type", theirs.modelType},
                {theirs.activationKey, activationText(layout.activation)},
                {"initializer_range", 0.02},
                {"use_cache", true}};
    if (layout.family == Family::Gpt2) {
        config["n_embd"] = layout.hidden;
        config["n_positions"] = layout.maxPositions;
        config["layer_norm_epsilon"] = layout.normEpsilon;
        return config;
    }
    config["hidden_size"] = layout.hidden;
    config["max_position_embeddings"] = layout.maxPositions;
    config["rms_norm_eps"] = layout.normEpsilon;
    config["attention_dropout"] = 0.0;
    writeHfRope(config, layout.ropes.front());
    if (layout.family == Family::Llama) {
        config["pretraining_tp"] = 1;
    } else if (layout.family == Family::Gemma2 || layout.family == Family::Gemma3) {
        setGemma(config, layout);
    } else {
        config["use_sliding_window"] = widestWindow(layout) > 0;
    }
    return config;
}

void setLabels(Json& config, const ModelLayout& layout) {
    for (std::size_t i = 0; i < layout.labels.size(); ++i) {
        config["id2label"][std::to_string(i)] = layout.labels[i];
        config["label2id"][layout.labels[i]] = i;
    }
}

/// How the classes of transformers with such a head end; empty: they are no heads that recipes make anew.
std::string headEnding(const ModelLayout& layout) {
    switch (layout.outputs) {
        case Outputs::Classes: return "ForSequenceClassification";
        case Outputs::TokenClasses: return "ForTokenClassification";
        case Outputs::AnswerSpan: return "ForQuestionAnswering";
        default: return {};
    }
}

Json bertBase(const ModelLayout& layout) {
    const auto ending = headEnding(layout);
    Json config = {{"architectures", {"Bert" + (ending.empty() ? "Model" : ending)}},
                   {"model_type", "bert"},
                   {"vocab_size", layout.vocabulary},
                   {"hidden_size", layout.hidden},
                   {"num_attention_heads", layout.hidden / layout.headDim},
                   {"hidden_act", activationText(layout.activation)},
                   {"max_position_embeddings", layout.maxPositions},
                   {"type_vocab_size", layout.typeVocabulary},
                   {"layer_norm_eps", layout.normEpsilon},
                   {"pad_token_id", layout.padId}};
    setLabels(config, layout);
    return config;
}

void setToken(Json& config, const char* key, int id) {
    if (id >= 0) {
        config[key] = id;
    }
}

void setStopIds(Json& config, const ModelLayout& layout) {
    setToken(config, "eos_token_id", layout.eosId);
    if (layout.eosId >= 0 && !layout.stopIds.empty()) {
        std::vector<int> ids{layout.eosId};
        ids.insert(ids.end(), layout.stopIds.begin(), layout.stopIds.end());
        config["eos_token_id"] = ids;
    }
}

bool hasBias(const ModelLayout& layout, GroupKind kind) {
    return std::any_of(layout.layers.begin(), layout.layers.end(), [&](const LayerInfo& layer) {
        return layer.hasBias && layer.group >= 0 &&
               layout.groups[static_cast<std::size_t>(layer.group)].kind == kind;
    });
}

/// Sizes and what belongs to single blocks, which a recipe may have changed.
void setDecoder(Json& config, const ModelLayout& layout, const DecoderClass& theirs) {
    const BlockInfo& block = layout.blocks.front();
    const LayerInfo* head = layout.findLayer("lm_head");
    config["vocab_size"] = layout.vocabulary;
    config["tie_word_embeddings"] = head != nullptr && !head->tiedTo.empty();
    if (layout.family == Family::Gpt2) {
        config["n_layer"] = layout.blocks.size();
        config["n_head"] = block.heads;
        config["n_inner"] = block.neurons;
        return;
    }
    config["num_hidden_layers"] = layout.blocks.size();
    config["intermediate_size"] = block.neurons;
    config["num_attention_heads"] = block.heads;
    config["num_key_value_heads"] = block.kvHeads;
    config["head_dim"] = layout.headDim;
    if (layout.family != Family::Mistral && layout.family != Family::Qwen2) {
        config["attention_bias"] = hasBias(layout, GroupKind::Attention);
    }
    if (layout.family == Family::Llama) {
        config["mlp_bias"] = hasBias(layout, GroupKind::FeedForward);
    }
    if (layout.family == Family::Mistral) {
        config["sliding_window"] = block.window > 0 ? Json(block.window) : Json(nullptr);
    }
    if (theirs.layerTypes) {
        Json types = Json::array();
        for (const auto& one : layout.blocks) {
            types.push_back(one.window > 0 ? "sliding_attention" : "full_attention");
        }
        config["layer_types"] = std::move(types);
    }
}

/// config.json of the source; of a model with a vision part the language model's.
Json sourceConfig(const io::ModelFiles& source, const DecoderClass* theirs) {
    Json config = source.config();
    if (theirs != nullptr && config.contains("text_config")) {
        config = config["text_config"];
        config["architectures"] = {theirs->architecture};
        config["model_type"] = theirs->modelType;
    }
    for (const char* key : {"quantization_config", "_name_or_path", "auto_map", "dtype"}) {
        config.erase(key);
    }
    return config;
}

/// The class of transformers with the layout's head, by model_type.
std::string headClass(const std::string& modelType, const ModelLayout& layout) {
    static const std::map<std::string, std::string> kStems{
        {"bert", "Bert"},           {"roberta", "Roberta"}, {"xlm-roberta", "XLMRoberta"},
        {"camembert", "Camembert"}, {"electra", "Electra"}, {"distilbert", "DistilBert"},
        {"mpnet", "MPNet"},         {"albert", "Albert"}};
    const auto found = kStems.find(modelType);
    return found == kStems.end() ? std::string() : found->second + headEnding(layout);
}

/// Whether the source had this head already.
bool describesHead(const Json& config, const ModelLayout& layout, const io::ModelFiles& source) {
    const Json names = config.value("architectures", Json::array());
    const auto name = names.is_array() && !names.empty() && names.front().is_string()
                          ? names.front().get<std::string>()
                          : std::string();
    const bool choice = layout.isClassifier() && name.ends_with("ForMultipleChoice");
    return (name.ends_with(headEnding(layout)) || choice) &&
           (layout.labels.empty() ||
            labelsFor(static_cast<std::int64_t>(layout.labels.size()), source.labels()) == layout.labels);
}

/// What a new head needs said (PretrainedConfig counts id2label for num_labels).
void setHead(Json& config, const ModelLayout& layout) {
    if (auto theirs = headClass(config.value("model_type", std::string()), layout); !theirs.empty()) {
        config["architectures"] = {std::move(theirs)};
    }
    for (const char* key : {"id2label", "label2id", "num_labels", "_num_labels"}) {
        config.erase(key);
    }
    setLabels(config, layout);
    if (layout.isClassifier()) {
        config["problem_type"] = layout.labels.size() == 1 ? "regression" : "single_label_classification";
    }
}

/// What structured pruning changes.
void setEncoder(Json& config, const ModelLayout& layout) {
    const ConfigKeys& keys = configKeysOf(layout.family);
    std::int64_t runs = 0;
    for (const auto& block : layout.blocks) {
        runs += block.repeats;
    }
    config[std::string(keys.blocks)] = runs;
    config[std::string(keys.neurons)] = layout.blocks.front().neurons;
    if (!keys.ownBlocks.empty()) {
        config[std::string(keys.ownBlocks)] = layout.blocks.size();
    }
    if (const LayerInfo* decoder = layout.findLayer("mlm.decoder"); decoder != nullptr) {
        config["tie_word_embeddings"] = !decoder->tiedTo.empty();
    }
}

}  // namespace

Json hfConfig(const LoadedModel& model, const io::ModelFiles& source) {
    const ModelLayout& layout = model.layout;
    const DecoderClass* decoder = decoderClass(layout.family);
    Json config;
    if (source.format() == io::Format::Gguf) {
        config = decoder != nullptr   ? decoderBase(layout, *decoder)
                 : layout.isSeq2Seq() ? t5Base(layout)
                                      : bertBase(layout);
        setToken(config, "bos_token_id", layout.bosId);
        setStopIds(config, layout);
    } else {
        config = sourceConfig(source, decoder);
    }
    config["torch_dtype"] = torchDtype(model);
    if (decoder != nullptr) {
        setDecoder(config, layout, *decoder);
    } else if (layout.isSeq2Seq()) {
        setSeq2Seq(config, layout);
    } else {
        setEncoder(config, layout);
        const bool sentence = source.format() == io::Format::SentenceTransformers;
        if (!headEnding(layout).empty() && source.format() != io::Format::Gguf &&
            (sentence ? leavesSentenceFolder(layout, source) : !describesHead(config, layout, source))) {
            setHead(config, layout);
        }
    }
    if (Json quantization = quantizationConfig(model); !quantization.is_null()) {
        config["quantization_config"] = std::move(quantization);
    }
    return config;
}

Json generationConfig(const ModelLayout& layout) {
    Json config = {{"_from_model_config", true}};
    setToken(config, "bos_token_id", layout.bosId);
    setStopIds(config, layout);
    if (layout.isSeq2Seq()) {
        setToken(config, "pad_token_id", layout.padId);
        setToken(config, "decoder_start_token_id", layout.decoderStartId);
        setToken(config, "forced_bos_token_id", layout.forcedBosId);
        for (const auto id : layout.suppressedIds) {
            config["bad_words_ids"].push_back(Json::array({id}));
        }
    }
    return config;
}

}  // namespace pareto::exporting
