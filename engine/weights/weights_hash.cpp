#include "engine/weights/weights_hash.h"

#include "engine/core/hash.h"

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

std::string weightsHash(const LoadedModel& model) {
    Sha256 hash;
    for (const auto& [name, tensor] : model.tensors) {
        hash.add(describe(name, tensor));
        if (tensor.isDense()) {
            hash.add(tensor.dense().values.bytes());
            continue;
        }
        const auto& values = tensor.quantized();
        for (const Buffer* part :
             {&values.codes, &values.scales, &values.zeroPoints, &values.codeSums}) {
            hash.add(part->bytes());
        }
        if (values.inputScale != 0.0F) {
            hash.add(std::as_bytes(std::span(&values.inputScale, 1)));
        }
    }
    return hash.hex();
}

}  // namespace pareto
