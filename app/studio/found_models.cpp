#include "app/studio/found_models.h"

#include <QDir>
#include <QFileInfo>

#include "engine/io/hf_cache.h"
#include "engine/spec/task.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

bool looksLikeModel(const QDir& folder) {
    return folder.exists(u"config.json"_s) &&
           !folder.entryList({u"*.safetensors"_s, u"pytorch_model*.bin"_s, u"model.bin"_s, u"model.onnx"_s,
                              u"encoder_model.onnx"_s},
                             QDir::Files)
                .isEmpty();
}

}  // namespace

std::vector<FoundModel> huggingFaceCache() {
    std::vector<FoundModel> out;
    const QDir hub(QString::fromStdString(io::huggingFaceCacheFolder()));
    const auto repositories =
        hub.entryInfoList({u"models--*"_s}, QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    for (const auto& repository : repositories) {
        const QDir snapshots(repository.absoluteFilePath() + u"/snapshots"_s);
        const auto versions =
            snapshots.entryInfoList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Time);
        for (const auto& version : versions) {
            const QDir folder(version.absoluteFilePath());
            if (looksLikeModel(folder)) {
                const auto name = io::repositoryNameOf(repository.fileName().toStdString());
                out.push_back({QString::fromStdString(name), folder.absolutePath()});
                break;
            }
        }
    }
    return out;
}

std::vector<FoundModel> sampleModels() {
    std::vector<FoundModel> out;
    const QDir samples(QString::fromStdString(samplesFolder()));
    const auto entries =
        samples.entryInfoList(QDir::Files | QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    for (const auto& entry : entries) {
        if (entry.isFile() && entry.suffix() == u"gguf"_s) {
            out.push_back({entry.completeBaseName(), entry.absoluteFilePath()});
        } else if (entry.isDir()) {
            const QDir folder(entry.absoluteFilePath());
            const auto gguf = folder.entryInfoList({u"*.gguf"_s}, QDir::Files, QDir::Name);
            if (looksLikeModel(folder) || folder.exists(u"modules.json"_s)) {
                out.push_back({entry.fileName(), folder.absolutePath()});
            } else if (!gguf.isEmpty()) {
                out.push_back({entry.fileName(), gguf.first().absoluteFilePath()});
            }
        }
    }
    return out;
}

}  // namespace pareto::studio
