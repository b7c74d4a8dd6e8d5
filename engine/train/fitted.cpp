#include "engine/train/fitted.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "engine/train/checkpoint.h"

namespace pareto::train {

Status saveFitted(const std::string& path, const std::string& key, const LoadedModel& before, const TrainOutcome& outcome) {
    Checkpoint out;
    for (const auto& [name, tensor] : outcome.model.tensors) {
        const auto found = before.tensors.find(name);
        const bool same = !tensor.isDense() || (found != before.tensors.end() && found->second.isDense() &&
                                                found->second.dense().values.data() == tensor.dense().values.data());
        if (!same) {
            auto values = dequantize(tensor);
            out.tensors.emplace(name, at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                                                    at::TensorOptions().dtype(at::kFloat))
                                          .clone());
        }
    }
    out.state = {{"key", key}, {"record", toJson(outcome.record, outcome.record.points.size())}};
    return saveCheckpoint(path, out);
}

Result<std::optional<TrainOutcome>> loadFitted(const std::string& path, const std::string& key, const LoadedModel& before) {
    PARETO_TRY(const auto found, loadCheckpoint(path, key));
    if (!found) {
        return std::optional<TrainOutcome>();
    }
    TrainOutcome out{before, {}};
    for (const auto& [name, values] : found->tensors) {
        const auto held = before.tensors.find(name);
        if (held == before.tensors.end() || held->second.shape.elements() != values.numel()) {
            return makeError(ErrorCode::FileCorrupt,
                             {{"file", path}, {"offset", "0"}, {"reason", name + " is no tensor of the model"}});
        }
        out.model.tensors.insert_or_assign(
            name, denseTensor(held->second.shape, std::span<const float>(values.const_data_ptr<float>(),
                                                                         static_cast<std::size_t>(values.numel()))));
    }
    for (auto& layer : out.model.layout.layers) {
        layer.sourceFormat = out.model.weight(layer).format();
    }
    PARETO_TRY(out.record, trainingRecordFromJson(found->state.value("record", Json::object())));
    return std::optional<TrainOutcome>(std::move(out));
}

}  // namespace pareto::train
