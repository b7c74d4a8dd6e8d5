// The modules of sentence-transformers (Reimers and Gurevych 2019) behind a transformer: Pooling, Dense,
// Normalize.
#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

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

class SentenceModules {
public:
    SentenceModules(const io::ModelFiles& files, LayoutBuilder& builder)
        : m_files(files), m_builder(builder), m_out(builder.layout), m_width(m_out.hidden) {}

    void run() {
        for (const auto& module : m_files.modules()) {
            const auto source = m_files.path() + "/" + module.path + "/config.json";
            JsonReader config(module.config.is_object() ? module.config : m_empty,
                              ErrorCode::ConfigInvalid, source);
            if (module.type == "Pooling") {
                pooling(config);
            } else if (module.type == "Dense") {
                dense(config, module.path);
            } else if (module.type == "Normalize") {
                m_out.head.push_back(
                    {HeadStep::Kind::Normalize, Pooling::None, {}, Activation::None});
            } else {
                config.fail("type", "\"" + module.type +
                                        "\" is not known (known: Pooling, Dense, Normalize)");
            }
            if (config.failed()) {
                m_builder.fail(config.status().error());
                return;
            }
        }
        nameClasses();
    }

private:
    void pooling(JsonReader& config) {
        struct Mode {
            const char* key;
            const char* name;  ///< in newer files, which hold one text instead of the flags
            Pooling pooling;
        };
        static constexpr Mode kModes[] = {
            {"pooling_mode_cls_token", "cls", Pooling::Cls},
            {"pooling_mode_mean_tokens", "mean", Pooling::Mean},
            {"pooling_mode_max_tokens", "max", Pooling::Max},
            {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::MeanSqrtLength},
            {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::WeightedMean},
            {"pooling_mode_lasttoken", "lasttoken", Pooling::LastToken}};
        const auto named = config.text("pooling_mode");
        Pooling chosen = Pooling::None;
        for (const auto& mode : kModes) {
            if (!(named.empty() ? config.boolean(mode.key, false) : named == mode.name)) {
                continue;
            }
            if (chosen != Pooling::None) {
                config.fail(mode.key, "cannot be joined to another pooling: one mode is known, not several");
            }
            chosen = mode.pooling;
        }
        if (chosen == Pooling::None) {
            config.fail("pooling_mode", "is not one of cls, mean, max, mean_sqrt_len_tokens, weightedmean and lasttoken");
        }
        m_out.head.push_back({HeadStep::Kind::Pool, chosen, {}, Activation::None});
    }

    void dense(JsonReader& config, const std::string& path) {
        const auto in =
            config.require("in_features").integer("in_features", 0, 1, kMaxEncoderWidth);
        const auto out =
            config.require("out_features").integer("out_features", 0, 1, kMaxEncoderWidth);
        Activation activation =
            Activation::Tanh;  // what sentence-transformers uses when nothing is said
        const auto name = config.text("activation_function", "torch.nn.modules.activation.Tanh");
        if (!activationFromClass(name, activation)) {
            config.fail("activation_function",
                        "\"" + name + "\" is not known (known: Identity, ReLU, Tanh, GELU, SiLU)");
        }
        if (in != m_width) {
            config.fail("in_features", "is " + std::to_string(in) + ", but " +
                                           std::to_string(m_width) + " values come in");
        }
        if (config.failed()) {
            return;
        }
        const auto layer = "dense." + std::to_string(m_dense++);
        m_builder.addLayer({.name = layer,
                            .role = LayerRole::Head,
                            .rows = out,
                            .cols = in,
                            .module = path + "/linear"});
        m_out.head.push_back({HeadStep::Kind::Dense, Pooling::None, layer, activation});
        m_width = out;
    }

    /// A last Dense with as many outputs as the folder names labels is a classifier.
    void nameClasses() {
        const auto labels = m_files.labels();
        if (m_dense > 0 && !labels.empty() && static_cast<std::int64_t>(labels.size()) == m_width &&
            m_out.head.back().kind == HeadStep::Kind::Dense) {
            m_out.labels = labels;
            m_out.outputs = Outputs::Classes;
        }
    }

    const io::ModelFiles& m_files;
    LayoutBuilder& m_builder;
    ModelLayout& m_out;
    Json m_empty = Json::object();
    std::int64_t m_width;
    int m_dense = 0;
};

}  // namespace

void addSentenceModules(const io::ModelFiles& files, LayoutBuilder& builder) {
    SentenceModules(files, builder).run();
}

}  // namespace pareto
