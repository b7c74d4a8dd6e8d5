#include "engine/export/verify.h"

#include <algorithm>
#include <cmath>

#include "engine/io/model_files.h"
#include "engine/layout/describe.h"
#include "engine/weights/load.h"

namespace pareto::exporting {

namespace {

bool same(const Buffer& a, const Buffer& b) {
    return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

/// Empty when equal.
std::string difference(const Tensor& expected, const Tensor& found) {
    if (!(expected.shape == found.shape)) {
        return "its shape is " + found.shape.text() + " instead of " + expected.shape.text();
    }
    WeightFormat a = expected.format();
    WeightFormat b = found.format();
    a.range = b.range;  // how a range was found is not written
    if (a.granularity != Granularity::Group) {
        a.groupSize = b.groupSize;
    }
    if (!(a == b)) {
        return "it is held in another number format";
    }
    if (expected.isDense()) {
        return same(expected.dense().values, found.dense().values) ? "" : "its values differ";
    }
    const auto& x = expected.quantized();
    const auto& y = found.quantized();
    if (!same(x.codes, y.codes)) {
        return "its codes differ";
    }
    if (!same(x.scales, y.scales)) {
        return "its scales differ";
    }
    if (x.inputScale != y.inputScale) {
        return "the scale of its inputs differs";
    }
    return same(x.zeroPoints, y.zeroPoints) ? "" : "its zero points differ";
}

Error mismatch(const std::string& folder, const std::string& tensor, std::string reason) {
    return makeError(ErrorCode::ExportMismatch,
                     {{"file", folder}, {"tensor", tensor}, {"reason", std::move(reason)}});
}

/// GGUF holds numbers in fp32.
bool sameFloat(double a, double b) { return static_cast<float>(a) == static_cast<float>(b); }

Error asMismatch(const std::string& folder, const Error& error) {
    return mismatch(folder, "(all)", "it cannot be opened again: " + errorMessage(error));
}

/// config.json holds another form of the number.
bool close(double a, double b) { return std::fabs(a - b) <= 1e-12 * std::fabs(a); }

/// What a checkpoint of transformers says beside the common structure.
std::string positionDifference(const ModelLayout& expected, const ModelLayout& found) {
    for (std::size_t at = 0; at < expected.blocks.size(); ++at) {
        const BlockInfo& a = expected.blocks[at];
        const BlockInfo& b = found.blocks[at];
        if (a.window != b.window || a.rope != b.rope) {
            return a.name + " has another kind of attention";
        }
    }
    return expected.ropes == found.ropes && close(expected.attentionScale, found.attentionScale)
               ? std::string()
               : "positions or attention differ";
}

}  // namespace

std::string structureDifference(const ModelLayout& expected, const ModelLayout& found) {
    if (expected.blocks.size() != found.blocks.size()) {
        return "it has " + std::to_string(found.blocks.size()) + " blocks instead of " +
               std::to_string(expected.blocks.size());
    }
    for (std::size_t at = 0; at < expected.blocks.size(); ++at) {
        const BlockInfo& a = expected.blocks[at];
        const BlockInfo& b = found.blocks[at];
        if (a.heads != b.heads || a.kvHeads != b.kvHeads || a.neurons != b.neurons ||
            a.crossHeads != b.crossHeads || a.name != b.name || a.repeats != b.repeats) {
            return a.name + " has other sizes";
        }
    }
    if (expected.headDim != found.headDim || expected.hidden != found.hidden ||
        !sameFloat(expected.normEpsilon, found.normEpsilon) ||
        !sameFloat(expected.logitScale, found.logitScale) ||
        expected.activation != found.activation ||
        !sameFloat(expected.attentionSoftcap, found.attentionSoftcap) ||
        !sameFloat(expected.logitSoftcap, found.logitSoftcap)) {
        return "a number of the configuration differs";
    }
    return {};
}

Status verifyFolder(const std::string& folder, const LoadedModel& expected, Progress& progress,
                    std::stop_token stop) {
    progress.begin(Stage::Verifying, static_cast<std::int64_t>(expected.tensors.size()),
                   Unit::Layers);
    const auto files = io::ModelFiles::open(folder);
    if (!files.ok()) {
        return asMismatch(folder, files.error());
    }
    auto layout = describeModel(*files.value());
    if (!layout.ok()) {
        return asMismatch(folder, layout.error());
    }
    auto unlike = structureDifference(expected.layout, layout.value());
    unlike = unlike.empty() ? positionDifference(expected.layout, layout.value()) : unlike;
    const bool named = expected.layout.isClassifier() || expected.layout.outputs == Outputs::TokenClasses;
    if (unlike.empty() && named &&
        (layout->outputs != expected.layout.outputs || layout->labels != expected.layout.labels)) {
        unlike = "it does not name the same classes";
    }
    if (!unlike.empty()) {
        return mismatch(folder, "(structure)", unlike);
    }
    Progress reading;
    const auto found = loadWeights(*files.value(), std::move(layout).value(), reading, stop);
    if (found.cancelled()) {
        return Cancelled{};
    }
    if (!found.ok()) {
        return asMismatch(folder, found.error());
    }
    for (const auto& [name, tensor] : expected.tensors) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto back = found.value().tensors.find(name);
        const std::string reason = back == found.value().tensors.end()
                                       ? "it is missing"
                                       : difference(tensor, back->second);
        if (!reason.empty()) {
            return mismatch(folder, name, reason);
        }
        progress.advance();
    }
    if (found.value().tensors.size() != expected.tensors.size()) {
        return mismatch(folder, "(all)", "there are tensors that the model does not have");
    }
    return Done{};
}

}  // namespace pareto::exporting
