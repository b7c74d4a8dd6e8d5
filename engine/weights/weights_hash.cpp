#include "engine/weights/weights_hash.h"

namespace pareto {

namespace {

std::string describe(const std::string& name, const Tensor& tensor) {
    const WeightFormat format = tensor.format();
    std::string text =
        name + '\n' + tensor.shape.text() + '\n' + std::string(nameOf(format.format));
    if (format.isCoded()) {
        text += ' ' + std::to_string(static_cast<int>(format.granularity)) + ' ' +
                std::to_string(format.groupSize) + ' ' + (format.symmetric ? "sym" : "asym") + ' ' +
                std::string(nameOf(format.activations)) + ' ' +
                std::to_string(format.activationGroup);
    }
    return text + '\n' + std::to_string(tensor.bytes()) + '\n';
}

}  // namespace

void WeightsHash::add(const std::string& name, const Tensor& tensor) {
    m_hash.add(describe(name, tensor));
    if (tensor.isDense()) {
        m_hash.add(tensor.dense().values.bytes());
        return;
    }
    const auto& values = tensor.quantized();
    for (const Buffer* part : {&values.codes, &values.scales, &values.zeroPoints, &values.codeSums}) {
        m_hash.add(part->bytes());
    }
    if (values.inputScale != 0.0F) {
        m_hash.add(std::as_bytes(std::span(&values.inputScale, 1)));
    }
}

std::string weightsHash(const LoadedModel& model) {
    WeightsHash hash;
    for (const auto& [name, tensor] : model.tensors) {
        hash.add(name, tensor);
    }
    return hash.hex();
}

Result<std::string> weightsHash(const TensorSource& model) {
    WeightsHash hash;
    for (const auto& name : model.names()) {
        PARETO_TRY(const auto tensor, model.tensor(name));
        hash.add(name, tensor);
        releasePages(tensor);
    }
    return hash.hex();
}

}  // namespace pareto
