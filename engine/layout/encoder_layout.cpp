#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr std::string_view kDecoder = "mlm.decoder";

/// What a checkpoint was trained to say.
enum class HeadKind { None, Classes, TokenClasses, AnswerSpan, MaskedToken };

class EncoderDescriber {
public:
    EncoderDescriber(const io::ModelFiles& files, LayoutBuilder& builder,
                     const EncoderTraits& traits)
        : m_files(files),
          m_builder(builder),
          m_out(builder.layout),
          m_traits(traits),
          m_config(files.config(), ErrorCode::ConfigInvalid,
                   files.transformerFolder() + "/config.json") {}

    void run() {
        readSizes();
        readTraits();
        if (m_config.failed()) {
            m_builder.fail(m_config.status().error());
            return;
        }
        m_builder.choosePrefix("embeddings.word", {"", m_traits.prefix});
        addEncoder(m_builder, m_sizes, m_traits);
        if (m_files.format() == io::Format::SentenceTransformers) {
            addSentenceModules(m_files, m_builder);
        } else {
            head(headKind());
        }
        if (m_config.failed()) {
            m_builder.fail(m_config.status().error());
        }
    }

private:
    std::int64_t required(std::string_view key, std::int64_t most) {
        return m_config.require(key).integer(key, 1, 1, most);
    }

    void readSizes() {
        m_out.hidden = required(m_traits.hiddenKey, kMaxEncoderWidth);
        m_sizes.blocks = required(m_traits.keys.blocks, 10000);
        m_sizes.ownBlocks = m_sizes.blocks;
        if (const auto key = m_traits.keys.ownBlocks; !key.empty()) {
            m_sizes.ownBlocks = m_config.integer(key, 1, 1, m_sizes.blocks);
        }
        m_sizes.heads = required(m_traits.keys.heads, 4096);
        m_sizes.neurons = required(m_traits.keys.neurons, kMaxEncoderWidth);
        m_out.vocabulary = required("vocab_size", kMaxEncoderRows);
        m_out.maxPositions = m_config.integer("max_position_embeddings", 512, 1, kMaxEncoderRows);
        if (m_traits.hasTypes) {
            m_out.typeVocabulary = m_config.integer("type_vocab_size", 2, 1, 1024);
        }
        if (const auto key = m_traits.embeddingKey; !key.empty()) {
            m_out.embeddingWidth = m_config.integer(key, m_out.hidden, 1, kMaxEncoderWidth);
        }
        if (m_out.hidden % m_sizes.heads != 0) {
            m_config.fail(m_traits.keys.heads,
                          "does not divide " + std::string(m_traits.hiddenKey));
        }
        m_out.headDim = m_out.hidden / m_sizes.heads;
    }

    void readTraits() {
        m_out.normEpsilon = m_config.number("layer_norm_eps", 1e-12, 0.0, 1.0);
        m_out.padId = m_traits.padId;
        if (const auto* pad = m_config.find("pad_token_id"); pad != nullptr && !pad->is_null()) {
            m_out.padId = static_cast<int>(
                m_config.integer("pad_token_id", m_traits.padId, 0, m_out.vocabulary - 1));
        }
        if (m_traits.countsBehindPadding) {
            m_out.positionOffset = m_out.padId + 1;
            m_out.maxPositions -= m_out.positionOffset;
            if (m_out.maxPositions < 1) {
                m_config.fail("max_position_embeddings", "leaves no position behind the padding's");
            }
        }
        if (m_traits.relativeMaxDistance > 0) {
            // Half of them count forwards, and half of those one by one.
            m_out.relativeBuckets =
                m_config.integer("relative_attention_num_buckets", 32, 4, kMaxEncoderWidth);
            m_out.relativeMaxDistance = m_traits.relativeMaxDistance;
        }
        const auto activation =
            m_config.text(m_traits.activationKey, std::string(m_traits.activation));
        if (!activationFromName(activation, m_out.activation)) {
            m_config.fail(m_traits.activationKey, "\"" + activation +
                                                      "\" is not known (known: gelu, gelu_new, "
                                                      "relu, silu, tanh)");
        }
        if (const auto kind = m_config.text("position_embedding_type", "absolute");
            kind != "absolute") {
            m_config.fail("position_embedding_type",
                          "\"" + kind + "\" is not known (known: absolute)");
        }
        if (m_config.boolean("is_decoder", false)) {
            m_config.fail("is_decoder", "is true: this family is run as an encoder only");
        }
    }

    /// config.json's class, or what the tensors say.
    HeadKind headKind() const {
        struct Ending {
            std::string_view text;
            HeadKind kind;
        };
        static constexpr Ending kEndings[] = {{"ForSequenceClassification", HeadKind::Classes},
                                              {"ForMultipleChoice", HeadKind::Classes},
                                              {"ForTokenClassification", HeadKind::TokenClasses},
                                              {"ForQuestionAnswering", HeadKind::AnswerSpan},
                                              {"ForMaskedLM", HeadKind::MaskedToken}};
        const std::string name = architecture();
        for (const auto& ending : kEndings) {
            if (name.ends_with(ending.text)) {
                return ending.kind;
            }
        }
        if (m_builder.hasLayer("qa")) {
            return HeadKind::AnswerSpan;
        }
        if (m_builder.hasLayer(std::string(m_traits.classifierOut)) &&
            m_builder.hasLayer(std::string(m_traits.classifierDense))) {
            return HeadKind::Classes;
        }
        if (m_builder.hasLayer("classifier")) {
            return HeadKind::TokenClasses;
        }
        return m_builder.hasLayer("mlm.transform") ? HeadKind::MaskedToken : HeadKind::None;
    }

    std::string architecture() const {
        const Json* names = m_config.find("architectures");
        const bool known =
            names != nullptr && names->is_array() && !names->empty() && names->front().is_string();
        return known ? names->front().get<std::string>() : std::string();
    }

    void head(HeadKind kind) {
        switch (kind) {
        case HeadKind::Classes:
            addClassifier(m_files, m_builder, m_traits, m_files.labels());
            break;
        case HeadKind::TokenClasses:
            tokenClassifier();
            break;
        case HeadKind::AnswerSpan:
            m_builder.addLayer(
                {.name = "qa", .role = LayerRole::Head, .rows = 2, .cols = m_out.hidden});
            m_out.outputs = Outputs::AnswerSpan;
            m_out.head = {{HeadStep::Kind::Dense, Pooling::None, "qa", Activation::None}};
            break;
        case HeadKind::MaskedToken:
            maskedTokens();
            break;
        case HeadKind::None:
            // A bare encoder: mean pooling is what its users do with the hidden states.
            m_out.head = {{HeadStep::Kind::Pool, Pooling::Mean, {}, Activation::None}};
            break;
        }
    }

    void tokenClassifier() {
        const auto classes = m_builder.rowsOf("classifier");
        m_builder.addLayer(
            {.name = "classifier", .role = LayerRole::Head, .rows = classes, .cols = m_out.hidden});
        m_out.outputs = Outputs::TokenClasses;
        m_out.head = {{HeadStep::Kind::Dense, Pooling::None, "classifier", Activation::None}};
        m_out.labels = labelsFor(classes, m_files.labels());
    }

    /// The decoder is the table of tokens turned around, with a bias of its own.
    void maskedTokens() {
        const auto width = m_out.embeddingWidth > 0 ? m_out.embeddingWidth : m_out.hidden;
        const std::string decoder(kDecoder);
        m_builder.addLayer({.name = "mlm.transform",
                            .role = LayerRole::Head,
                            .rows = width,
                            .cols = m_out.hidden});
        m_builder.addNorm("mlm.norm", width);
        if (m_config.boolean("tie_word_embeddings", true)) {
            m_builder.addTied(decoder, LayerRole::Head, "embeddings.word");
        } else {
            m_builder.addLayer({.name = decoder,
                                .role = LayerRole::Head,
                                .rows = m_out.vocabulary,
                                .cols = width,
                                .biasApart = true});
        }
        m_builder.addPlain(decoder + ".bias", Shape{m_out.vocabulary});
        m_out.outputs = Outputs::MaskedToken;
        m_out.head = {{HeadStep::Kind::Dense, Pooling::None, "mlm.transform",
                       m_traits.maskedActivationOfModel ? m_out.activation : Activation::Gelu},
                      {HeadStep::Kind::LayerNorm, Pooling::None, "mlm.norm", Activation::None},
                      {HeadStep::Kind::Dense, Pooling::None, decoder, Activation::None}};
    }

    const io::ModelFiles& m_files;
    LayoutBuilder& m_builder;
    ModelLayout& m_out;
    const EncoderTraits& m_traits;
    JsonReader m_config;
    EncoderSizes m_sizes;
};

void addEmbeddings(LayoutBuilder& builder, const EncoderTraits& traits) {
    auto& out = builder.layout;
    const auto width = out.embeddingWidth > 0 ? out.embeddingWidth : out.hidden;
    const auto table = [&](const char* name, std::int64_t rows) {
        builder.addLayer({.name = name, .role = LayerRole::Embedding, .rows = rows, .cols = width});
    };
    table("embeddings.word", out.vocabulary);
    table("embeddings.position", out.maxPositions + out.positionOffset);
    if (traits.hasTypes) {
        table("embeddings.type", out.typeVocabulary);
    }
    builder.addNorm("embeddings.norm", width);
    if (traits.projectsAlways || width != out.hidden) {
        builder.addLayer({.name = "embeddings.projection",
                          .role = LayerRole::Projection,
                          .rows = out.hidden,
                          .cols = width});
    }
}

/// How often own block `index` of `own` is run when `blocks` runs are dealt out in order: run i is of
/// block ⌊i · own / blocks⌋ (AlbertTransformer).
std::int64_t repeatsOf(std::int64_t index, const EncoderSizes& sizes) {
    const auto firstRun = [&](std::int64_t block) {
        return (block * sizes.blocks + sizes.ownBlocks - 1) / sizes.ownBlocks;
    };
    return firstRun(index + 1) - firstRun(index);
}

void addBlock(LayoutBuilder& builder, const EncoderSizes& sizes, std::int64_t index) {
    auto& out = builder.layout;
    const auto name = "encoder.layer." + std::to_string(index);
    const auto width = out.hidden;
    const auto linear = [&](const std::string& part, LayerRole role, std::int64_t rows,
                            std::int64_t cols) {
        builder.addLayer({.name = name + part, .role = role, .rows = rows, .cols = cols});
    };
    builder.beginBlock(name);
    auto& block = out.blocks.back();
    block.heads = sizes.heads;
    block.kvHeads = sizes.heads;
    block.neurons = sizes.neurons;
    block.repeats = repeatsOf(index, sizes);
    builder.beginGroup(name + ".attention", GroupKind::Attention, sizes.heads);
    linear(".attention.query", LayerRole::Query, width, width);
    linear(".attention.key", LayerRole::Key, width, width);
    linear(".attention.value", LayerRole::Value, width, width);
    linear(".attention.output", LayerRole::AttentionOutput, width, width);
    builder.addNorm(name + ".attention.norm", width);
    builder.beginGroup(name + ".ffn", GroupKind::FeedForward, sizes.neurons);
    linear(".ffn.in", LayerRole::FfnIn, sizes.neurons, width);
    linear(".ffn.out", LayerRole::FfnDown, width, sizes.neurons);
    builder.addNorm(name + ".ffn.norm", width);
    builder.endBlock();
}

}  // namespace

void describeEncoder(const io::ModelFiles& files, LayoutBuilder& builder,
                     const EncoderTraits& traits) {
    EncoderDescriber(files, builder, traits).run();
}

void addEncoder(LayoutBuilder& builder, const EncoderSizes& sizes, const EncoderTraits& traits) {
    auto& out = builder.layout;
    addEmbeddings(builder, traits);
    if (out.relativeBuckets > 0) {
        builder.addPlain("encoder.relative_bias.weight", Shape{out.relativeBuckets, sizes.heads});
    }
    for (std::int64_t i = 0; i < sizes.ownBlocks; ++i) {
        addBlock(builder, sizes, i);
    }
}

void addClassifier(const io::ModelFiles& files, LayoutBuilder& builder, const EncoderTraits& traits,
                   std::vector<std::string> labels) {
    auto& out = builder.layout;
    const std::string dense(traits.classifierDense);
    const std::string last(traits.classifierOut);
    const auto classes = builder.rowsOf(last);
    out.outputs = Outputs::Classes;
    out.labels = labelsFor(classes, std::move(labels));
    // GGUF files of rankers may lack the first of the two.
    const bool both = files.format() != io::Format::Gguf || builder.hasLayer(dense);
    if (both) {
        builder.addLayer(
            {.name = dense, .role = LayerRole::Pooler, .rows = out.hidden, .cols = out.hidden});
    }
    builder.addLayer({.name = last, .role = LayerRole::Head, .rows = classes, .cols = out.hidden});
    out.head = classifierSteps(traits, both);
}

std::vector<HeadStep> classifierSteps(const EncoderTraits& traits, bool dense) {
    std::vector<HeadStep> steps{{HeadStep::Kind::Pool, Pooling::Cls, {}, Activation::None}};
    if (dense) {
        steps.push_back({HeadStep::Kind::Dense, Pooling::None, std::string(traits.classifierDense),
                         traits.classifierActivation});
    }
    steps.push_back({HeadStep::Kind::Dense, Pooling::None, std::string(traits.classifierOut),
                     Activation::None});
    return steps;
}

}  // namespace pareto
