#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/models/model.h"
#include "engine/records/profile.h"
#include "engine/spec/target.h"

namespace pareto::bench {

/// What is fed to a model at once: everything that bytes and operations follow from.
struct StepShape {
    enum class Kind {
        Pass,     ///< an encoder: `tokens` of each item
        Prefill,  ///< a decoder's prompt, or an encoder-decoder model's source and first token
        Decode,   ///< one further token of each item
    };
    Kind kind = Kind::Pass;
    std::int64_t batch = 1;
    std::int64_t tokens =
        1;  ///< fed of each item: of the text, the prompt or the source; 1 when decoding
    std::int64_t past = 0;    ///< tokens of each item that the cache holds before
    std::int64_t source = 0;  ///< encoder-decoder: tokens of each source
};
std::string nameOf(StepShape::Kind kind);  ///< ProfiledStep::name

/// All calls of a layer or phase in one step together.
struct PhaseWork {
    std::optional<std::int64_t> operations = std::nullopt;
    std::optional<std::uint64_t> bytes = std::nullopt;
};

/// Operations and bytes as they follow from shapes alone; what cannot be told so is absent.
///
/// Linears: operations = 2 · rows · cols · inputs. Zeros count as any weight: a kernel that leaves them out (or a
/// pruned weight that is kept dense) does fewer multiplications than that. Bytes = weight and bias as packed
/// (Model::bytesOf, so without zeros where they are left out) + fp32 inputs and outputs, each once: what must move at
/// least, whatever caches do.
/// Embeddings: no operations; bytes = the rows looked up + their fp32 form.
/// Attention ("….scores"): operations = 4 · heads · headDim · (query, key) pairs that see each other (q·k and
/// probabilities·v; softmax and rotation are not counted); bytes = queries and outputs + what of keys and values is
/// appended and read, in the cache's format, once for all query heads that share them.
/// Norms, products of gates, pooling: neither.
PhaseWork workOf(const models::Model& model, const std::string& phase, const StepShape& step);

/// Which arithmetic a kernel's name (Model::kernelOf) stands for: integer products of 8-bit inputs with 8- or 4-bit
/// weights; half precision (fp16, bf16) where a GPU multiplies in it; or fp32 for everything else, weight-only formats and
/// rounded inputs included.
Arithmetic arithmeticOf(const std::string& kernel);

}  // namespace pareto::bench
