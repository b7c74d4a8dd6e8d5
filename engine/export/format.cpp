#include "engine/export/format.h"

#include <algorithm>
#include <array>

namespace pareto::exporting {

namespace {

struct TypeRow {
    GgufType type;
    std::string_view name;
    std::uint32_t id;        ///< of the GGUF specification
    std::uint32_t fallback;  ///< id of the type for rows that are no whole blocks
    std::uint32_t fileType;
};

constexpr std::uint32_t kF16 = 1;

constexpr std::array kTypes{
    TypeRow{GgufType::F32, "f32", 0, 0, 0},       TypeRow{GgufType::F16, "f16", kF16, kF16, 1},
    TypeRow{GgufType::BF16, "bf16", 30, 30, 32},  TypeRow{GgufType::Q8_0, "q8_0", 8, kF16, 7},
    TypeRow{GgufType::Q6_K, "q6_k", 14, 8, 18},   TypeRow{GgufType::Q5_K, "q5_k", 13, 7, 16},
    TypeRow{GgufType::Q5_1, "q5_1", 7, kF16, 9},  TypeRow{GgufType::Q5_0, "q5_0", 6, kF16, 8},
    TypeRow{GgufType::Q4_K, "q4_k", 12, 6, 14},   TypeRow{GgufType::Q4_1, "q4_1", 3, kF16, 3},
    TypeRow{GgufType::Q4_0, "q4_0", 2, kF16, 2},
};

const TypeRow& rowOf(GgufType type) {
    return *std::find_if(kTypes.begin(), kTypes.end(),
                         [&](const TypeRow& row) { return row.type == type; });
}

const TypeRow& rowOf(const io::GgmlType& type) {
    return *std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& row) {
        return row.id == static_cast<std::uint32_t>(type.id);
    });
}

GgufType counterpart(const WeightFormat& held) {
    switch (held.format) {
    case NumberFormat::F16:
    case NumberFormat::F8:
    case NumberFormat::Int16:
        return GgufType::F16;
    case NumberFormat::BF16:
        return GgufType::BF16;
    case NumberFormat::Int8:
        return GgufType::Q8_0;
    case NumberFormat::Int4:
    case NumberFormat::Int3:
    case NumberFormat::Int2:
        return held.symmetric ? GgufType::Q4_0 : GgufType::Q4_1;
    default:
        break;
    }
    return GgufType::F32;
}

constexpr std::string_view kGguf = "gguf";

}  // namespace

std::string nameOf(const ExportFormat& format) {
    if (format.kind == ExportFormat::Kind::HuggingFace) {
        return "hf";
    }
    const std::string name(kGguf);
    return format.weights == GgufType::AsHeld ? name
                                              : name + ":" + std::string(rowOf(format.weights).name);
}

std::vector<ExportFormat> exportFormats() {
    std::vector<ExportFormat> out{{ExportFormat::Kind::HuggingFace, GgufType::AsHeld},
                                  {ExportFormat::Kind::Gguf, GgufType::AsHeld}};
    for (const auto& row : kTypes) {
        out.push_back({ExportFormat::Kind::Gguf, row.type});
    }
    return out;
}

Result<ExportFormat> exportFormatFromName(const std::string& name) {
    std::string known;
    for (const auto& format : exportFormats()) {
        if (nameOf(format) == name) {
            return format;
        }
        known += (known.empty() ? "" : ", ") + nameOf(format);
    }
    return makeError(ErrorCode::UsageUnknown, {{"what", "The export format \"" + name + "\""},
                                               {"help", "known are: " + known}});
}

const io::GgmlType& ggmlTypeFor(GgufType type, const WeightFormat& held) {
    return *io::ggmlType(rowOf(type == GgufType::AsHeld ? counterpart(held) : type).id);
}

const io::GgmlType& fittingType(const io::GgmlType& type, std::int64_t cols) {
    const io::GgmlType* fitting = &type;
    while (cols % fitting->blockElements != 0) {
        fitting = io::ggmlType(rowOf(*fitting).fallback);
    }
    return *fitting;
}

bool carriesCodes(const io::GgmlType& type, const WeightFormat& held, std::int64_t cols) {
    constexpr std::int64_t kBlock = 32;
    if (!held.isInteger() || held.format == NumberFormat::Int16 || type.blockElements != kBlock) {
        return false;
    }
    if (held.granularity == Granularity::Group && held.groupSize % kBlock != 0 &&
        held.groupSize < cols) {
        return false;
    }
    const auto counted = rowOf(type).type;
    if (held.format == NumberFormat::Int8) {
        return counted == GgufType::Q8_0 && held.symmetric;
    }
    return counted != GgufType::Q4_0 || held.symmetric;
}

std::uint32_t ggufFileType(const io::GgmlType& type) { return rowOf(type).fileType; }

}  // namespace pareto::exporting
