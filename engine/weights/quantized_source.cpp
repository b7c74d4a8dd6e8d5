#include "engine/weights/quantized_source.h"

#include "engine/weights/packed_linear.h"

namespace pareto {
namespace {

std::string moduleOf(const std::string& source) {
    constexpr std::string_view kSuffix = ".weight";
    return source.ends_with(kSuffix) ? source.substr(0, source.size() - kSuffix.size()) : source;
}

}  // namespace

Result<QuantizedSource> QuantizedSource::open(const io::ModelFiles& files) {
    QuantizedSource source;
    PARETO_TRY(source.m_packed, PackedConfig::parse(files));
    if (source.m_packed.empty()) {
        PARETO_TRY(source.m_compressed, CompressedConfig::parse(files));
    }
    return source;
}

bool QuantizedSource::holds(const io::ModelFiles& files, const std::string& source) const {
    return isCompressed(files, source) || isPacked(files, moduleOf(source));
}

Result<Tensor> QuantizedSource::read(const io::ModelFiles& files, const std::string& source,
                                     const Shape& shape) const {
    if (!isPacked(files, moduleOf(source))) {
        return readCompressed(files, m_compressed, source, shape);
    }
    if (m_packed.empty()) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", files.transformerFolder() + "/config.json"},
                          {"field", "quantization_config"},
                          {"reason", "does not say how " + moduleOf(source) + " is quantized"}});
    }
    return readPacked(files, m_packed, moduleOf(source), shape);
}

}  // namespace pareto
