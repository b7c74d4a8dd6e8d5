#include "engine/export/exporter.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "engine/core/file.h"
#include "engine/core/file_hash.h"
#include "engine/export/gguf_file.h"
#include "engine/export/gguf_metadata.h"
#include "engine/export/hf_config.h"
#include "engine/export/hf_files.h"
#include "engine/export/hf_plan.h"
#include "engine/export/hf_tensors.h"
#include "engine/export/verify.h"
#include "engine/io/safetensors_writer.h"
#include "engine/layout/names.h"
#include "engine/weights/weights_hash.h"

namespace pareto::exporting {

namespace fs = std::filesystem;

namespace {

io::TensorToWrite denseToWrite(std::string name, const Tensor& tensor) {
    const DenseValues& dense = tensor.dense();
    return {std::move(name), dense.dtype, tensor.shape,
            [values = dense.values]() -> Result<Buffer> { return values; }};
}

/// Writes one folder; it is the pending one until all is well.
class HfWriter {
public:
    HfWriter(const LoadedModel& model, const io::ModelFiles& source, std::string folder,
             Progress& progress, std::stop_token stop)
        : m_model(model),
          m_source(source),
          m_folder(std::move(folder)),
          m_transformer(writtenPath(model.layout, source).empty()
                            ? m_folder
                            : m_folder + "/" + writtenPath(model.layout, source)),
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
        if (leavesSentenceFolder(m_model.layout, m_source)) {
            return Done{};
        }
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

void noteCache(const ModelLayout& layout, std::vector<std::string>& notes) {
    if (layout.cache != NumberFormat::F32) {
        notes.push_back("That keys and values are held in " + std::string(nameOf(layout.cache)) +
                        " is no part of the file: whoever runs it chooses.");
    }
}

std::vector<WeightFormat> formatsOf(const LoadedModel& model) {
    std::vector<WeightFormat> formats;
    for (const auto& layer : model.layout.layers) {
        formats.push_back(model.weight(layer).format());
    }
    return formats;
}

/// Every file of a folder by its path in it, in order.
std::vector<fs::path> filesIn(const std::string& folder) {
    std::vector<fs::path> out;
    std::error_code problem;
    for (fs::recursive_directory_iterator it(folder, problem), end; !problem && it != end;
         it.increment(problem)) {
        if (it->is_regular_file(problem)) {
            out.push_back(it->path().lexically_relative(folder));
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// SHA-256 and size of every file written so far.
Result<Json> fileHashes(const std::string& folder, const std::stop_token& stop) {
    Json out = Json::object();
    for (const auto& name : filesIn(folder)) {
        const std::string path = folder + "/" + name.string();
        PARETO_TRY(const auto hash, hashFile(path, stop));
        std::error_code problem;
        out[name.generic_string()] = {{"bytes", fs::file_size(path, problem)}, {"sha256", hash}};
    }
    return out;
}

/// The folder that was read back is gone by the time the message is read: it names the target instead.
template <typename T>
Result<T> named(const std::string& target, Result<T> result) {
    if (result.ok() || result.cancelled()) {
        return result;
    }
    Error error = result.error();
    error.args["file"] = target;
    return error;
}

/// Writes into a folder that is the pending one until all is well.
class Exporter {
public:
    Exporter(const LoadedModel& model, const io::ModelFiles& source, const ExportRequest& request,
             Progress& progress, std::stop_token stop)
        : m_model(model),
          m_source(source),
          m_request(request),
          m_progress(progress),
          m_stop(std::move(stop)) {}

    Result<ExportOutcome> run() {
        m_outcome.format = nameOf(m_request.format);
        PARETO_TRY(PendingFolder folder, PendingFolder::create(m_request.target));
        if (m_stop.stop_requested()) {
            return Cancelled{};
        }
        m_folder = folder.path();
        PARETO_CHECK(m_request.format.kind == ExportFormat::Kind::Gguf ? writeGguf() : writeHf());
        for (const auto& name : filesIn(m_folder)) {
            std::error_code problem;
            m_outcome.bytes += fs::file_size(fs::path(m_folder) / name, problem);
        }
        if (m_stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_CHECK(folder.commit());
        m_outcome.path = fs::absolute(m_request.target).lexically_normal().string();
        m_outcome.verified = true;
        return std::move(m_outcome);
    }

private:
    Status writeHf() {
        const HfPlan plan = planHf(m_model.layout, formatsOf(m_model));
        m_outcome.notes = plan.notes;
        noteCache(m_model.layout, m_outcome.notes);
        const LoadedModel prepared = applyPlan(m_model, plan);
        PARETO_CHECK(checkFreeSpace(m_folder, prepared.bytes()));
        PARETO_CHECK(
            HfWriter(prepared, m_source, m_folder, m_progress, m_stop).run(m_outcome.notes));
        PARETO_CHECK(writeReport());
        return named(m_request.target, verifyFolder(m_folder, prepared, m_progress, m_stop));
    }

    Status writeGguf() {
        PARETO_TRY(const GgufPlan plan,
                   planGguf(m_model.layout, formatsOf(m_model), m_request.format.weights));
        m_outcome.notes = plan.notes;
        for (auto& note : ggufGraphNotes(m_model.layout)) {
            m_outcome.notes.push_back(std::move(note));
        }
        noteCache(m_model.layout, m_outcome.notes);
        const LoadedModel prepared = plan.padding ? applyPlan(m_model, *plan.padding) : m_model;
        PARETO_TRY(GgufContent content, ggufContent(prepared, plan, m_source, m_outcome.notes));
        const std::string path = m_folder + "/model.gguf";
        PARETO_CHECK(copyLicences(m_source, m_folder, m_outcome.notes));
        PARETO_CHECK(copyConfig(m_source, m_folder));
        PARETO_CHECK(
            writeGgufFile(path, prepared, content, m_progress, m_stop, m_request.parallel));
        PARETO_TRY(const GgufVerdict verdict,
                   named(m_request.target, verifyGguf(path, prepared, content, m_progress, m_stop)));
        if (verdict.lostZeros > 0) {
            m_outcome.notes.push_back(std::to_string(verdict.lostZeros) +
                                      " weights that are zero are so only to within a step of their "
                                      "type, which has no zero of its own.");
        }
        return writeReport();
    }

    Status writeReport() {
        Json report = m_request.report.is_object() ? m_request.report : Json::object();
        report["format"] = m_outcome.format;
        report["weights_sha256"] = weightsHash(m_model);
        report["notes"] = m_outcome.notes;
        PARETO_TRY(report["files"], fileHashes(m_folder, m_stop));
        return writeFileAtomically(m_folder + "/pareto_report.json", report.dump(2) + "\n");
    }

    const LoadedModel& m_model;
    const io::ModelFiles& m_source;
    const ExportRequest& m_request;
    Progress& m_progress;
    std::stop_token m_stop;
    std::string m_folder;
    ExportOutcome m_outcome;
};

}  // namespace

std::vector<std::string> exportNotes(const ModelLayout& layout,
                                     const std::vector<WeightFormat>& formats,
                                     const ExportFormat& format) {
    if (format.kind == ExportFormat::Kind::HuggingFace) {
        auto notes = planHf(layout, formats).notes;
        noteCache(layout, notes);
        return notes;
    }
    auto plan = planGguf(layout, formats, format.weights);
    if (!plan.ok()) {
        return {errorMessage(plan.error())};
    }
    std::vector<std::string> notes = std::move(plan.value().notes);
    for (auto& note : ggufGraphNotes(layout)) {
        notes.push_back(std::move(note));
    }
    noteCache(layout, notes);
    return notes;
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
    return Exporter(model, source, request, progress, std::move(stop)).run();
}

}  // namespace pareto::exporting
