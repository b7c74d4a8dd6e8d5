#pragma once

#include <string>
#include <vector>

#include "engine/weights/tensor.h"

namespace pareto::exporting {

/// What becomes of one weight, because the format cannot say everything a model can be.
enum class Treatment {
    Keep,
    ToFloat,      ///< codes to fp32: no reader knows them in this place
    ScalePerRow,  ///< one scale a tensor, or one group a row, said as one scale a row
};

/// How a model is brought into the shape of a transformers checkpoint: one size for all blocks, BERT's
/// head size as the format derives it, integer weights only in linears.
struct HfPlan {
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t neurons = 0;
    std::vector<Treatment> layers;   ///< in the layout's order
    std::vector<std::string> notes;  ///< English, for the export dialog and the report
};

/// `formats`: what each layer's weight is held in, in the layout's order.
HfPlan planHf(const ModelLayout& layout, const std::vector<WeightFormat>& formats);

/// The layout with blocks of the plan's sizes.
ModelLayout resizedLayout(const ModelLayout& layout, const HfPlan& plan);

/// A weight as the format can say it, with the same values: int3 and int2 codes as int4's, inputs of 16 bits
/// not at all, fixed input scales that nobody found as a scale a token.
Tensor asWritten(const Tensor& weight);

/// The model as it will stand in the files. Weights are the same: what is added is zero.
LoadedModel applyPlan(const LoadedModel& model, const HfPlan& plan);

}  // namespace pareto::exporting
