#pragma once

#include <regex>
#include <string>
#include <vector>

#include "engine/io/model_files.h"
#include "engine/spec/weight_format.h"

namespace pareto {

/// What integers of 2 to 8 bits in a file are held in: those of 5 to 7 as int8.
NumberFormat heldIntegers(std::int64_t bits);

/// How GPTQ or AWQ packed one linear.
struct PackedScheme {
    enum class Layout {
        Gptq,  ///< qweight[in·bits/32][out]: inputs one after the other, least significant bits first
        Awq,  ///< qweight[in][out/8]: outputs in the order 0, 2, 4, 6, 1, 3, 5, 7
    };
    Layout layout = Layout::Gptq;
    int bits = 4;                 ///< 2, 3, 4 or 8; AWQ: 4
    std::int64_t groupSize = -1;  ///< inputs a scale covers; -1: all
    bool symmetric = true;
    bool zeroMinusOne = true;  ///< qzeros hold the zero point less one (checkpoint_format "gptq")

    /// What the linear's weight is held in, unless its groups are scattered.
    WeightFormat format(std::int64_t cols) const;
};

/// config.json's quantization_config of the methods "gptq" (ModelCloud/GPTQModel, quantization/config.py)
/// and "awq" (casper-hansen/AutoAWQ, nn_modules/linear/gemm.py).
class PackedConfig {
public:
    /// Empty when the model was quantized by neither. ConfigInvalid: bits or a version that cannot be read.
    static Result<PackedConfig> parse(const io::ModelFiles& files);

    bool empty() const { return !m_known; }
    /// Of the linear `module`, as the first `dynamic` rule that matches it says.
    PackedScheme find(const std::string& module) const;

private:
    struct Rule {
        std::regex pattern;
        PackedScheme scheme;
    };
    Status parseGptq(const Json& json, const std::string& file);
    Status parseAwq(const Json& json, const std::string& file);
    Status parseRules(const Json& rules, const std::string& file);

    bool m_known = false;
    PackedScheme m_scheme;
    std::vector<Rule> m_rules;
};

/// Whether the files hold the linear `module` as GPTQ and AWQ do.
bool isPacked(const io::ModelFiles& files, const std::string& module);

/// The group of each of `cols` inputs as the tensor `name` ("X.g_idx") says; empty when there is none, or
/// when they are the groups of `groupSize` (0: one for all) that would be taken without it, or were never
/// set (-1). TensorShape, TensorType.
Result<std::vector<std::int32_t>> scatteredGroups(const io::ModelFiles& files,
                                                  const std::string& name, std::int64_t cols,
                                                  std::int64_t groupSize);

}  // namespace pareto
