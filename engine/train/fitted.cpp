#include "engine/train/fitted.h"

#include <ATen/core/Tensor.h>

#include "engine/train/checkpoint.h"
#include "engine/train/tensors.h"

namespace pareto::train {

Status saveFitted(const std::string& path, const std::string& key, const LoadedModel& before, const TrainOutcome& outcome) {
    Checkpoint out;
    for (const auto& [name, tensor] : outcome.model.tensors) {
        const auto found = before.tensors.find(name);
        const bool same = !tensor.isDense() || (found != before.tensors.end() && found->second.isDense() &&
                                                found->second.dense().values.data() == tensor.dense().values.data());
        if (!same) {
            out.tensors.emplace(name, floatsOf(tensor));
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
        out.model.tensors.insert_or_assign(name, denseOf(held->second.shape, values));
    }
    for (auto& layer : out.model.layout.layers) {
        layer.sourceFormat = out.model.weight(layer).format();
    }
    PARETO_TRY(out.record, trainingRecordFromJson(found->state.value("record", Json::object())));
    return std::optional<TrainOutcome>(std::move(out));
}

}  // namespace pareto::train
