#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/io/model_files.h"
#include "engine/weights/tensor.h"

namespace pareto {

/// One entry of config_groups: what the linears it targets are held in.
struct CompressedScheme {
    int bits = 8;
    bool floating = false;  ///< 8-bit floats (E4M3) instead of integers
    bool symmetric = true;
    Activations activations = Activations::None;
    std::int64_t activationGroup = 0;
};

/// config.json's quantization_config of method "compressed-tensors" (vllm-project/compressed-tensors,
/// src/compressed_tensors/quantization/quant_config.py). Shapes say the rest: granularity and group
/// size follow from the scales.
class CompressedConfig {
public:
    /// Empty when the model has no quantization_config. ConfigInvalid: another method, static activations
    /// of integers other than one symmetric scale a tensor, integers of other than 2 to 8 bits, floats of
    /// other than 8.
    static Result<CompressedConfig> parse(const io::ModelFiles& files);

    bool empty() const { return m_groups.empty(); }
    /// The scheme of the linear module `name` ("bert.pooler.dense"); null when none targets it. A
    /// target that names the module or matches it comes before the class "Linear".
    const CompressedScheme* find(const std::string& name) const;

private:
    struct Group {
        CompressedScheme scheme;
        bool allLinears = false;
        std::vector<std::string> names;
        std::vector<std::regex> patterns;
    };
    static Result<Group> parseGroup(const Json& json, const std::string& file);
    std::vector<Group> m_groups;
};

/// Whether the weight `source` ("X.weight") lies in the files as integer codes.
bool isCompressed(const io::ModelFiles& files, const std::string& source);

/// Reads X.weight (I8) or X.weight_packed with their scales and zero points as integer codes,
/// X.weight (F8_E4M3) as it lies, and X.input_scale of static activations. Groups of scattered inputs
/// (X.weight_g_idx) become fp32 values. Activations that are rounded to 8-bit floats stay as they are.
/// TensorShape, TensorMissing, TensorType, TensorValues (scales), ConfigInvalid.
Result<Tensor> readCompressed(const io::ModelFiles& files, const CompressedConfig& config,
                              const std::string& source, const Shape& shape);

}  // namespace pareto
