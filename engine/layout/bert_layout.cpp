// BERT (Devlin et al. 2019) as transformers writes it: BertModel, BertForSequenceClassification, and
// sentence-transformers folders around a BertModel.
#include "engine/layout/families.h"
#include "engine/layout/layout_builder.h"

namespace pareto {
namespace {

constexpr NameRow kNames[] = {
    {"embeddings.word", "{p}embeddings.word_embeddings", "token_embd"},
    {"embeddings.position", "{p}embeddings.position_embeddings", "position_embd"},
    {"embeddings.type", "{p}embeddings.token_type_embeddings", "token_types"},
    {"embeddings.norm", "{p}embeddings.LayerNorm", "token_embd_norm"},
    {"encoder.layer.{}.attention.query", "{p}encoder.layer.{}.attention.self.query", "blk.{}.attn_q"},
    {"encoder.layer.{}.attention.key", "{p}encoder.layer.{}.attention.self.key", "blk.{}.attn_k"},
    {"encoder.layer.{}.attention.value", "{p}encoder.layer.{}.attention.self.value", "blk.{}.attn_v"},
    {"encoder.layer.{}.attention.output", "{p}encoder.layer.{}.attention.output.dense",
     "blk.{}.attn_output"},
    {"encoder.layer.{}.attention.norm", "{p}encoder.layer.{}.attention.output.LayerNorm",
     "blk.{}.attn_output_norm"},
    {"encoder.layer.{}.ffn.in", "{p}encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up"},
    {"encoder.layer.{}.ffn.out", "{p}encoder.layer.{}.output.dense", "blk.{}.ffn_down"},
    {"encoder.layer.{}.ffn.norm", "{p}encoder.layer.{}.output.LayerNorm", "blk.{}.layer_output_norm"},
    {"pooler", "{p}pooler.dense", "cls"},
    {"classifier", "classifier", "cls.output"},
};

constexpr std::int64_t kMaxWidth = 1 << 20;
constexpr std::int64_t kMaxRows = 1 << 24;

/// The class name at the end of "torch.nn.modules.activation.ReLU".
bool activationFromClass(const std::string& path, Activation& out) {
    const auto dot = path.rfind('.');
    const auto name = dot == std::string::npos ? path : path.substr(dot + 1);
    if (name == "Identity") {
        out = Activation::None;
    } else if (name == "ReLU") {
        out = Activation::Relu;
    } else if (name == "Tanh") {
        out = Activation::Tanh;
    } else if (name == "GELU") {
        out = Activation::Gelu;
    } else if (name == "SiLU") {
        out = Activation::Silu;
    } else {
        return false;
    }
    return true;
}

class BertDescriber {
public:
    BertDescriber(const io::ModelFiles& files, LayoutBuilder& builder)
        : m_files(files),
          m_builder(builder),
          m_out(builder.layout),
          m_config(files.config(), ErrorCode::ConfigInvalid, files.transformerFolder() + "/config.json") {}

    void run() {
        readConfig();
        if (m_config.failed()) {
            m_builder.fail(m_config.status().error());
            return;
        }
        m_builder.choosePrefix("embeddings.word", {"", "bert."});
        embeddings();
        for (std::int64_t i = 0; i < m_blocks; ++i) {
            block(i);
        }
        head();
    }

private:
    void readConfig() {
        m_out.hidden = m_config.require("hidden_size").integer("hidden_size", 0, 1, kMaxWidth);
        m_blocks = m_config.require("num_hidden_layers").integer("num_hidden_layers", 0, 1, 10000);
        m_heads = m_config.require("num_attention_heads").integer("num_attention_heads", 1, 1, 4096);
        m_neurons = m_config.require("intermediate_size").integer("intermediate_size", 0, 1, kMaxWidth);
        m_out.vocabulary = m_config.require("vocab_size").integer("vocab_size", 0, 1, kMaxRows);
        m_out.maxPositions = m_config.integer("max_position_embeddings", 512, 1, kMaxRows);
        m_out.typeVocabulary = m_config.integer("type_vocab_size", 2, 1, 1024);
        m_out.normEpsilon = m_config.number("layer_norm_eps", 1e-12, 0.0, 1.0);
        if (const auto* pad = m_config.find("pad_token_id"); pad != nullptr && pad->is_number_integer()) {
            m_out.padId = static_cast<int>(m_config.integer("pad_token_id", 0, 0, kMaxRows));
        }
        const auto activation = m_config.text("hidden_act", "gelu");
        if (!activationFromName(activation, m_out.activation)) {
            m_config.fail("hidden_act", "\"" + activation + "\" is not known (known: gelu, gelu_new, relu, silu, tanh)");
        }
        if (const auto kind = m_config.text("position_embedding_type", "absolute"); kind != "absolute") {
            m_config.fail("position_embedding_type", "\"" + kind + "\" is not known (known: absolute)");
        }
        if (m_out.hidden % m_heads != 0) {
            m_config.fail("num_attention_heads", "does not divide hidden_size");
        }
        m_out.headDim = m_out.hidden / m_heads;
    }

    void embeddings() {
        m_builder.addLayer({"embeddings.word", LayerRole::Embedding, m_out.vocabulary, m_out.hidden});
        m_builder.addLayer({"embeddings.position", LayerRole::Embedding, m_out.maxPositions, m_out.hidden});
        m_builder.addLayer({"embeddings.type", LayerRole::Embedding, m_out.typeVocabulary, m_out.hidden});
        m_builder.addNorm("embeddings.norm", m_out.hidden);
    }

    void block(std::int64_t i) {
        const auto name = "encoder.layer." + std::to_string(i);
        m_builder.beginBlock(name);
        auto& info = m_out.blocks.back();
        info.heads = m_heads;
        info.kvHeads = m_heads;
        info.neurons = m_neurons;
        m_builder.beginGroup(name + ".attention", GroupKind::Attention, m_heads);
        const auto width = m_out.hidden;
        m_builder.addLayer({name + ".attention.query", LayerRole::Query, width, width});
        m_builder.addLayer({name + ".attention.key", LayerRole::Key, width, width});
        m_builder.addLayer({name + ".attention.value", LayerRole::Value, width, width});
        m_builder.addLayer({name + ".attention.output", LayerRole::AttentionOutput, width, width});
        m_builder.addNorm(name + ".attention.norm", width);
        m_builder.beginGroup(name + ".ffn", GroupKind::FeedForward, m_neurons);
        m_builder.addLayer({name + ".ffn.in", LayerRole::FfnIn, m_neurons, width});
        m_builder.addLayer({name + ".ffn.out", LayerRole::FfnDown, width, m_neurons});
        m_builder.addNorm(name + ".ffn.norm", width);
        m_builder.endBlock();
    }

    void head() {
        if (m_files.format() == io::Format::SentenceTransformers) {
            sentenceModules();
            return;
        }
        if (m_builder.has("classifier.weight")) {
            m_out.labels = m_files.labels();
            const auto* weight = m_files.find("classifier.weight");
            const auto classes = weight->shape.rank() == 2 ? weight->shape[0] : 0;
            fillLabels(classes);
            m_out.outputs = Outputs::Classes;
            m_builder.addLayer({"pooler", LayerRole::Pooler, m_out.hidden, m_out.hidden});
            m_builder.addLayer({"classifier", LayerRole::Head, classes, m_out.hidden});
            m_out.head = {{HeadStep::Kind::Pool, Pooling::Cls, {}, Activation::None},
                          {HeadStep::Kind::Dense, Pooling::None, "pooler", Activation::Tanh},
                          {HeadStep::Kind::Dense, Pooling::None, "classifier", Activation::None}};
            return;
        }
        // A bare encoder: mean pooling is what its users do with the hidden states.
        m_out.head = {{HeadStep::Kind::Pool, Pooling::Mean, {}, Activation::None}};
    }

    void fillLabels(std::int64_t classes) {
        const auto known = static_cast<std::int64_t>(m_out.labels.size());
        if (known == classes) {
            return;
        }
        m_out.labels.clear();
        for (std::int64_t i = 0; i < classes; ++i) {
            m_out.labels.push_back("LABEL_" + std::to_string(i));
        }
    }

    void sentenceModules() {
        std::int64_t width = m_out.hidden;
        int dense = 0;
        for (const auto& module : m_files.modules()) {
            const auto source = m_files.path() + "/" + module.path + "/config.json";
            JsonReader config(module.config.is_object() ? module.config : m_empty, ErrorCode::ConfigInvalid, source);
            if (module.type == "Pooling") {
                pooling(config);
            } else if (module.type == "Dense") {
                denseModule(config, module.path, dense++, width);
            } else if (module.type == "Normalize") {
                m_out.head.push_back({HeadStep::Kind::Normalize, Pooling::None, {}, Activation::None});
            } else {
                config.fail("type", "\"" + module.type + "\" is not known (known: Pooling, Dense, Normalize)");
            }
            if (config.failed()) {
                m_builder.fail(config.status().error());
                return;
            }
        }
        const auto labels = m_files.labels();
        if (dense > 0 && !labels.empty() && static_cast<std::int64_t>(labels.size()) == width &&
            m_out.head.back().kind == HeadStep::Kind::Dense) {
            m_out.labels = labels;
            m_out.outputs = Outputs::Classes;
        }
    }

    void pooling(JsonReader& config) {
        struct Mode {
            const char* key;
            Pooling pooling;
        };
        static constexpr Mode kModes[] = {{"pooling_mode_cls_token", Pooling::Cls},
                                          {"pooling_mode_mean_tokens", Pooling::Mean},
                                          {"pooling_mode_max_tokens", Pooling::Max},
                                          {"pooling_mode_mean_sqrt_len_tokens", Pooling::None},
                                          {"pooling_mode_weightedmean_tokens", Pooling::None},
                                          {"pooling_mode_lasttoken", Pooling::None}};
        Pooling chosen = Pooling::None;
        for (const auto& mode : kModes) {
            if (!config.boolean(mode.key, false)) {
                continue;
            }
            if (mode.pooling == Pooling::None || chosen != Pooling::None) {
                config.fail(mode.key, "cannot be used: exactly one of cls, mean and max is known");
            }
            chosen = mode.pooling;
        }
        // Newer sentence-transformers writes one text instead of the flags.
        if (const auto mode = config.text("pooling_mode"); !mode.empty()) {
            chosen = mode == "mean" ? Pooling::Mean : mode == "cls" ? Pooling::Cls : mode == "max" ? Pooling::Max : Pooling::None;
        }
        if (chosen == Pooling::None) {
            config.fail("pooling_mode", "is not one of cls, mean and max");
        }
        m_out.head.push_back({HeadStep::Kind::Pool, chosen, {}, Activation::None});
    }

    void denseModule(JsonReader& config, const std::string& path, int number, std::int64_t& width) {
        const auto in = config.require("in_features").integer("in_features", 0, 1, kMaxWidth);
        const auto out = config.require("out_features").integer("out_features", 0, 1, kMaxWidth);
        Activation activation = Activation::Tanh;  // what sentence-transformers uses when nothing is said
        const auto name = config.text("activation_function", "torch.nn.modules.activation.Tanh");
        if (!activationFromClass(name, activation)) {
            config.fail("activation_function", "\"" + name + "\" is not known (known: Identity, ReLU, Tanh, GELU, SiLU)");
        }
        if (in != width) {
            config.fail("in_features", "is " + std::to_string(in) + ", but " + std::to_string(width) + " values come in");
        }
        if (config.failed()) {
            return;
        }
        const auto layer = "dense." + std::to_string(number);
        m_builder.addLayer({.name = layer, .role = LayerRole::Head, .rows = out, .cols = in,
                            .module = path + "/linear"});
        m_out.head.push_back({HeadStep::Kind::Dense, Pooling::None, layer, activation});
        width = out;
    }

    const io::ModelFiles& m_files;
    LayoutBuilder& m_builder;
    ModelLayout& m_out;
    JsonReader m_config;
    Json m_empty = Json::object();
    std::int64_t m_blocks = 0;
    std::int64_t m_heads = 1;
    std::int64_t m_neurons = 0;
};

}  // namespace

std::span<const NameRow> bertNames() { return kNames; }

void describeBert(const io::ModelFiles& files, LayoutBuilder& builder) {
    BertDescriber(files, builder).run();
}

}  // namespace pareto
