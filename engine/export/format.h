#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/io/gguf_dequant.h"
#include "engine/spec/weight_format.h"

namespace pareto::exporting {

/// What the weights of a GGUF file are rounded to.
enum class GgufType { AsHeld, F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K };

/// A kind of file and, for GGUF, the type of its weights.
struct ExportFormat {
    enum class Kind {
        HuggingFace,  ///< a folder that transformers loads
        Gguf,         ///< a folder with one file that llama.cpp loads
    };
    Kind kind = Kind::HuggingFace;
    GgufType weights = GgufType::AsHeld;
    bool operator==(const ExportFormat&) const = default;
};

/// "hf"; "gguf": each weight as the recipe holds it; "gguf:q4_k".
std::string nameOf(const ExportFormat& format);
/// UsageUnknown, with the names that are known.
Result<ExportFormat> exportFormatFromName(const std::string& name);
/// Every format, in the order for people to choose from.
std::vector<ExportFormat> exportFormats();

/// The tensor type of the GGUF specification for a weight held in `held`: its nearest counterpart for
/// AsHeld (int8 → Q8_0; int4, int3 and int2 → Q4_0, with zero points Q4_1; int16 and fp8 → F16).
const io::GgmlType& ggmlTypeFor(GgufType type, const WeightFormat& held);

/// Rows of `cols` are no whole blocks of every type. As llama.cpp's quantization falls back
/// (src/llama-quant.cpp, tensor_type_fallback): Q4_K → Q5_0, Q5_K → Q5_1, Q6_K → Q8_0; where 32 do not
/// divide the row, F16. The type itself when it fits.
const io::GgmlType& fittingType(const io::GgmlType& type, std::int64_t cols);

/// Whether blocks of `type` can hold the codes of a weight as they are, so that only its scales are
/// rounded (to half precision): symmetric int8 in Q8_0, int4 and less in Q8_0, Q5_0, Q5_1 and Q4_1,
/// symmetric ones in Q4_0; groups must be whole blocks.
bool carriesCodes(const io::GgmlType& type, const WeightFormat& held, std::int64_t cols);

/// general.file_type of a file whose weights are of this type (llama.h, llama_ftype).
std::uint32_t ggufFileType(const io::GgmlType& type);

}  // namespace pareto::exporting
