#include "app/studio/texts.h"

#include <array>

#include <QCoreApplication>

namespace pareto::studio {
namespace {

struct ErrorText {
    ErrorCode code;
    const char* source;
};

/// The sentences of engine/core/error_codes.def, as literals, because lupdate reads no macros of ours.
/// tests/app/studio compares the two.
constexpr ErrorText kErrors[] = {
    {ErrorCode::DeviceLost,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The GPU {device} failed in {where}: {reason}. It cannot be used again until the "
         "program is restarted; the CPU goes on.")},
    {ErrorCode::EngineFailure,
     QT_TRANSLATE_NOOP("Errors", "The engine stopped with an error in {where}: {reason}.")},
    {ErrorCode::ExportMismatch,
     QT_TRANSLATE_NOOP("Errors",
                       "The exported file {file} was read back and differs: tensor {tensor}, "
                       "{reason}. Nothing was put in place.")},
    {ErrorCode::JobUnknown,
     QT_TRANSLATE_NOOP("Errors", "There is no job named {job}; this worker knows: {known}.")},
    {ErrorCode::RankLost,
     QT_TRANSLATE_NOOP("Errors",
                       "Rank {rank} on {host} {reason}. All ranks ended. Run the same command again; "
                       "training goes on from its last state on disk.")},
    {ErrorCode::RankUnfit,
     QT_TRANSLATE_NOOP("Errors",
                       "Rank {rank} on {host} {reason}. Give all ranks the same program, files and "
                       "options, on machines of one kind.")},
    {ErrorCode::StoreBusy,
     QT_TRANSLATE_NOOP("Errors",
                       "The run store {file} is in use by another program; it did not become free "
                       "within {seconds} s.")},
    {ErrorCode::StoreFailure,
     QT_TRANSLATE_NOOP("Errors", "The run store {file} reported an error: {reason}.")},
    {ErrorCode::TrainingDiverged,
     QT_TRANSLATE_NOOP("Errors",
                       "Training broke off at step {step}: the loss is {value}. Take a smaller learning "
                       "rate, or a longer warm-up.")},
    {ErrorCode::WorkerCrashed,
     QT_TRANSLATE_NOOP("Errors",
                       "The worker ended unexpectedly ({reason}). The job can be retried.")},
    {ErrorCode::WorkerProtocol,
     QT_TRANSLATE_NOOP("Errors", "The worker sent something that is not understood: {reason}.")},
    {ErrorCode::WorkerUnavailable,
     QT_TRANSLATE_NOOP("Errors", "The worker {program} could not be started: {reason}.")},
    {ErrorCode::UsageMissing, QT_TRANSLATE_NOOP("Errors", "{what} is missing. See: {help}.")},
    {ErrorCode::UsageUnknown, QT_TRANSLATE_NOOP("Errors", "{what} is not known. See: {help}.")},
    {ErrorCode::ConfigInvalid, QT_TRANSLATE_NOOP("Errors", "{file}: {field} {reason}.")},
    {ErrorCode::DataColumnMissing,
     QT_TRANSLATE_NOOP("Errors", "{file} has no column named {column}; it has: {known}.")},
    {ErrorCode::DataEmpty,
     QT_TRANSLATE_NOOP("Errors", "{file} holds no usable rows for split {split}.")},
    {ErrorCode::DataRowInvalid, QT_TRANSLATE_NOOP("Errors", "{file}, line {line}: {reason}.")},
    {ErrorCode::DeviceUnavailable,
     QT_TRANSLATE_NOOP("Errors", "The device {device} cannot be used: {reason}.")},
    {ErrorCode::FamilyUnknown,
     QT_TRANSLATE_NOOP("Errors",
                       "{file}: the architecture {family} is not known. Known are: {known}.")},
    {ErrorCode::FileChanged, QT_TRANSLATE_NOOP("Errors", "{file} was changed while it was in use. Try again.")},
    {ErrorCode::FileCorrupt,
     QT_TRANSLATE_NOOP(
         "Errors",
         "{file}, offset {offset}: {reason}. The file is damaged or not what its name "
         "says; get it again.")},
    {ErrorCode::FileFormatUnknown,
     QT_TRANSLATE_NOOP("Errors", "{file} is not a model that can be opened: {reason}.")},
    {ErrorCode::FileMissing, QT_TRANSLATE_NOOP("Errors", "{file} does not exist.")},
    {ErrorCode::FileTruncated,
     QT_TRANSLATE_NOOP(
         "Errors", "{file} is cut short: {expected} bytes expected, {found} found. Get it again.")},
    {ErrorCode::FileUnreadable, QT_TRANSLATE_NOOP("Errors", "{file} cannot be read: {reason}.")},
    {ErrorCode::FileUnsafe, QT_TRANSLATE_NOOP("Errors", "{file} is refused: {reason}.")},
    {ErrorCode::FileWriteDenied,
     QT_TRANSLATE_NOOP("Errors", "{file} cannot be written: {reason}.")},
    {ErrorCode::GpuDriverFailed,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: the NVIDIA driver does not start, {name} "
         "({reason}).")},
    {ErrorCode::GpuDriverMissing,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: there is no NVIDIA driver (libcuda.so.1). "
         "Install the GPU's driver, or use the CPU.")},
    {ErrorCode::GpuDriverOld,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: the NVIDIA driver {release} knows CUDA {found}, "
         "libtorch here needs CUDA {needed}. Update the driver to {update} or newer.")},
    {ErrorCode::GpuHidden,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: CUDA_VISIBLE_DEVICES='{value}' hides every GPU "
         "({count} installed). Unset it, or name one that is there.")},
    {ErrorCode::GpuLibrariesMissing,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: libtorch's CUDA libraries cannot be loaded "
         "({reason}). Run ./dev setup, which installs them where there is an NVIDIA driver.")},
    {ErrorCode::GpuNone,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: the NVIDIA driver is there and sees no GPU.")},
    {ErrorCode::GpuUnsupported,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The device {device} cannot be used: {name} is {capability}, and libtorch here has "
         "code for {known}.")},
    {ErrorCode::JsonInvalid,
     QT_TRANSLATE_NOOP("Errors", "{file}, offset {offset}: not valid JSON: {reason}.")},
    {ErrorCode::LayerUnknown,
     QT_TRANSLATE_NOOP("Errors", "No layer, group or block is named {layer}.")},
    {ErrorCode::RecipeInvalid,
     QT_TRANSLATE_NOOP("Errors", "The recipe cannot be used: {field} {reason}.")},
    {ErrorCode::RunUnknown, QT_TRANSLATE_NOOP("Errors", "There is no run {run} in {file}.")},
    {ErrorCode::StoreForeign,
     QT_TRANSLATE_NOOP("Errors", "{file} is not a Pareto Studio store: {reason}.")},
    {ErrorCode::StoreNewer,
     QT_TRANSLATE_NOOP("Errors",
                       "{file} was written by a newer Pareto Studio (version {found}, this program "
                       "knows {known}). Update the program; the file was not touched.")},
    {ErrorCode::TargetInvalid,
     QT_TRANSLATE_NOOP("Errors", "The target cannot be used: {field} {reason}.")},
    {ErrorCode::TaskInvalid,
     QT_TRANSLATE_NOOP("Errors", "The task cannot be used: {field} {reason}.")},
    {ErrorCode::TaskUnfit,
     QT_TRANSLATE_NOOP("Errors", "The task {task} does not fit the model {model}: {reason}.")},
    {ErrorCode::TensorMissing,
     QT_TRANSLATE_NOOP("Errors", "{file}: the tensor {tensor} is missing.")},
    {ErrorCode::TensorShape,
     QT_TRANSLATE_NOOP("Errors",
                       "{file}: the tensor {tensor} has shape {found}, expected {expected}.")},
    {ErrorCode::TensorType,
     QT_TRANSLATE_NOOP("Errors",
                       "{file}: the tensor {tensor} has type {found}, which cannot be used here "
                       "({reason}).")},
    {ErrorCode::TensorValues,
     QT_TRANSLATE_NOOP(
         "Errors",
         "{file}: the tensor {tensor} has {count} values that are not finite; {reason}.")},
    {ErrorCode::TokenizerInvalid,
     QT_TRANSLATE_NOOP("Errors", "{file}: the tokenizer cannot be used: {reason}.")},
    {ErrorCode::TokenizerMissing,
     QT_TRANSLATE_NOOP("Errors", "{file}: no tokenizer was found (looked for {known}).")},
    {ErrorCode::DeviceMemoryShort,
     QT_TRANSLATE_NOOP(
         "Errors",
         "The GPU {device} has not enough memory for {what}: {needed} needed, {free} free. "
         "Take a smaller batch, shorter texts or a smaller format.")},
    {ErrorCode::DiskFull,
     QT_TRANSLATE_NOOP(
         "Errors", "There is not enough space for {file}: {needed} bytes needed, {free} free.")},
    {ErrorCode::MemoryShort,
     QT_TRANSLATE_NOOP("Errors",
                       "There is not enough memory for {what}: about {needed} bytes needed, {free} "
                       "free.")},
};

struct StageText {
    Stage stage;
    const char* source;
};

constexpr StageText kStages[] = {
    {Stage::Idle, QT_TRANSLATE_NOOP("Stages", "Idle")},
    {Stage::Opening, QT_TRANSLATE_NOOP("Stages", "Opening the model")},
    {Stage::Tokenizing, QT_TRANSLATE_NOOP("Stages", "Tokenizing")},
    {Stage::Calibrating, QT_TRANSLATE_NOOP("Stages", "Calibrating")},
    {Stage::Pruning, QT_TRANSLATE_NOOP("Stages", "Pruning")},
    {Stage::Quantizing, QT_TRANSLATE_NOOP("Stages", "Quantizing")},
    {Stage::Packing, QT_TRANSLATE_NOOP("Stages", "Packing weights")},
    {Stage::WaitingForMachine,
     QT_TRANSLATE_NOOP("Stages", "Waiting: another process measures on this machine")},
    {Stage::WarmingUp, QT_TRANSLATE_NOOP("Stages", "Warming up")},
    {Stage::Timing, QT_TRANSLATE_NOOP("Stages", "Timing")},
    {Stage::Evaluating, QT_TRANSLATE_NOOP("Stages", "Evaluating")},
    {Stage::Generating, QT_TRANSLATE_NOOP("Stages", "Generating")},
    {Stage::Writing, QT_TRANSLATE_NOOP("Stages", "Writing")},
    {Stage::Verifying, QT_TRANSLATE_NOOP("Stages", "Reading back")},
    {Stage::Counting, QT_TRANSLATE_NOOP("Stages", "Counting values")},
    {Stage::Training, QT_TRANSLATE_NOOP("Stages", "Training")},
    {Stage::Reconstructing, QT_TRANSLATE_NOOP("Stages", "Fitting blocks to the untouched model")},
    {Stage::StartingRanks, QT_TRANSLATE_NOOP("Stages", "Starting the processes that compute together")},
};

}  // namespace

const char* errorSource(ErrorCode code) {
    for (const auto& entry : kErrors) {
        if (entry.code == code) {
            return entry.source;
        }
    }
    return nullptr;
}

const char* stageSource(Stage stage) {
    for (const auto& entry : kStages) {
        if (entry.stage == stage) {
            return entry.source;
        }
    }
    return nullptr;
}

QString text(const Error& error) {
    const char* source = errorSource(error.code);
    if (source == nullptr) {
        return fromUtf8(errorMessage(error));
    }
    const QString sentence = QCoreApplication::translate("Errors", source);
    return fromUtf8(fillTemplate(sentence.toStdString(), error.args));
}

QString technicalText(const Error& error) {
    QString out = fromUtf8(std::string(errorName(error.code))) + QStringLiteral(": ") +
                  fromUtf8(errorMessage(error));
    if (!error.detail.empty()) {
        out += u'\n' + fromUtf8(error.detail);
    }
    return out;
}

QString text(Stage stage) {
    const char* source = stageSource(stage);
    return source == nullptr ? fromUtf8(std::string(stageText(stage)))
                             : QCoreApplication::translate("Stages", source);
}

}  // namespace pareto::studio
