#include "engine/export/exporter.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "engine/core/file.h"
#include "engine/export/hf_config.h"
#include "engine/export/hf_files.h"
#include "engine/export/hf_plan.h"
#include "engine/export/hf_tensors.h"
#include "engine/export/verify.h"
#include "engine/io/safetensors_writer.h"
#include "engine/weights/weights_hash.h"

namespace pareto::exporting {

namespace fs = std::filesystem;

namespace {

io::TensorToWrite denseToWrite(std::string name, const Tensor& tensor) {
    const DenseValues& dense = tensor.dense();
    return {std::move(name), dense.dtype, tensor.shape,
            [values = dense.values]() -> Result<Buffer> { return values; }};
}

std::uint64_t bytesIn(const std::string& folder) {
    std::uint64_t bytes = 0;
    std::error_code problem;
    for (fs::recursive_directory_iterator it(folder, problem), end; !problem && it != end;
         it.increment(problem)) {
        if (it->is_regular_file(problem)) {
            bytes += it->file_size(problem);
        }
    }
    return bytes;
}

/// Writes one folder; it is the pending one until all is well.
class HfWriter {
public:
    HfWriter(const LoadedModel& model, const io::ModelFiles& source, std::string folder,
             Progress& progress, std::stop_token stop)
        : m_model(model),
          m_source(source),
          m_folder(std::move(folder)),
          m_transformer(transformerPath(source).empty() ? m_folder
                                                        : m_folder + "/" + transformerPath(source)),
          m_progress(progress),
          m_stop(std::move(stop)) {}

    Status run(std::vector<std::string>& notes) {
        std::error_code problem;
        fs::create_directories(m_transformer, problem);
        PARETO_CHECK(copyCompanions(m_source, m_model.layout, m_folder, notes));
        PARETO_CHECK(writeFileAtomically(m_transformer + "/config.json",
                                         hfConfig(m_model, m_source).dump(2) + "\n"));
        PARETO_CHECK(writeDenseModules());
        return io::writeSafetensors(m_transformer + "/model.safetensors", collect(), {}, m_progress,
                                    m_stop);
    }

private:
    std::vector<io::TensorToWrite> collect() {
        auto out = hfTensors(m_model);
        addPooler(out);
        return out;
    }

    /// An encoder's checkpoint often has a pooler that sentence encoders do not use. transformers makes
    /// one anyway, with random values where the file has none.
    void addPooler(std::vector<io::TensorToWrite>& out) {
        const auto& layout = m_model.layout;
        if (layout.outputs != Outputs::Embedding || layout.layerIndex("pooler") >= 0) {
            return;
        }
        for (const char* canonical : {"pooler.weight", "pooler.bias"}) {
            const std::string name = hfTensorName(layout, canonical);
            const io::TensorInfo* info = m_source.find(name);
            if (info != nullptr && !info->encoding.block && isFloating(info->encoding.dtype)) {
                out.push_back({name, DType::F32, info->shape,
                               [this, info] { return m_source.floats(*info); }});
            }
        }
    }

    Status writeDenseModules() {
        std::size_t number = 0;
        for (const auto& module : m_source.modules()) {
            if (module.type != "Dense") {
                continue;
            }
            const std::string layer = "dense." + std::to_string(number++);
            std::vector<io::TensorToWrite> tensors;
            for (const char* part : {".weight", ".bias"}) {
                if (const auto found = m_model.tensors.find(layer + part);
                    found != m_model.tensors.end()) {
                    tensors.push_back(denseToWrite(std::string("linear") + part, found->second));
                }
            }
            PARETO_CHECK(io::writeSafetensors(m_folder + "/" + module.path + "/model.safetensors",
                                              std::move(tensors), {}, m_progress, m_stop));
        }
        return Done{};
    }

    const LoadedModel& m_model;
    const io::ModelFiles& m_source;
    std::string m_folder;
    std::string m_transformer;
    Progress& m_progress;
    std::stop_token m_stop;
};

std::vector<WeightFormat> formatsOf(const LoadedModel& model) {
    std::vector<WeightFormat> formats;
    for (const auto& layer : model.layout.layers) {
        formats.push_back(model.weight(layer).format());
    }
    return formats;
}

Json reportJson(const ExportRequest& request, const LoadedModel& original,
                const std::vector<std::string>& notes) {
    Json report = request.report.is_object() ? request.report : Json::object();
    report["format"] = nameOf(request.format);
    report["weights_sha256"] = weightsHash(original);
    report["notes"] = notes;
    return report;
}

/// The folder that was read back is gone by the time the message is read: it names the target instead.
Status named(const std::string& target, Status status) {
    if (status.ok() || status.cancelled()) {
        return status;
    }
    Error error = status.error();
    error.args["file"] = target;
    return error;
}

}  // namespace

std::string_view nameOf(ExportFormat) { return "hf"; }

Result<ExportFormat> exportFormatFromName(const std::string& name) {
    if (name == nameOf(ExportFormat::HuggingFace)) {
        return ExportFormat::HuggingFace;
    }
    return makeError(ErrorCode::UsageUnknown,
                     {{"what", "The export format \"" + name + "\""}, {"help", "known are: hf"}});
}

std::vector<std::string> exportNotes(const ModelLayout& layout,
                                     const std::vector<WeightFormat>& formats, ExportFormat) {
    return planHf(layout, formats).notes;
}

Status checkTarget(const std::string& target) {
    const auto denied = [&](const char* reason) {
        return makeError(ErrorCode::FileWriteDenied, {{"file", target}, {"reason", reason}});
    };
    std::error_code problem;
    const fs::path path = fs::absolute(fs::path(target), problem).lexically_normal();
    const fs::path clean = path.has_filename() ? path : path.parent_path();
    if (!fs::is_directory(clean.parent_path(), problem)) {
        return denied("the folder above it does not exist");
    }
    const auto status = fs::symlink_status(clean, problem);
    if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(clean, problem))) {
        return denied("it exists already and is not empty");
    }
    if (::access(clean.parent_path().c_str(), W_OK | X_OK) != 0) {
        return denied(std::strerror(errno));
    }
    return Done{};
}

Result<ExportOutcome> exportModel(const LoadedModel& model, const io::ModelFiles& source,
                                  const ExportRequest& request, Progress& progress,
                                  std::stop_token stop) {
    const HfPlan plan = planHf(model.layout, formatsOf(model));
    ExportOutcome outcome;
    outcome.format = nameOf(request.format);
    outcome.notes = plan.notes;
    PARETO_TRY(PendingFolder folder, PendingFolder::create(request.target));
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    const LoadedModel prepared = applyPlan(model, plan);
    PARETO_CHECK(checkFreeSpace(folder.path(), prepared.bytes()));
    PARETO_CHECK(HfWriter(prepared, source, folder.path(), progress, stop).run(outcome.notes));
    PARETO_CHECK(writeFileAtomically(folder.path() + "/pareto_report.json",
                                     reportJson(request, model, outcome.notes).dump(2) + "\n"));
    PARETO_CHECK(named(request.target, verifyFolder(folder.path(), prepared, progress, stop)));
    outcome.bytes = bytesIn(folder.path());
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    PARETO_CHECK(folder.commit());
    outcome.path = fs::absolute(request.target).lexically_normal().string();
    outcome.verified = true;
    return outcome;
}

}  // namespace pareto::exporting
