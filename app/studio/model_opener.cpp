#include "app/studio/model_opener.h"

#include <QDateTime>
#include <QFileInfo>

#include "engine/io/model_files.h"
#include "engine/layout/describe.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

QString formatText(io::Format format) {
    switch (format) {
    case io::Format::HuggingFace:
        return u"Hugging Face"_s;
    case io::Format::SentenceTransformers:
        return u"sentence-transformers"_s;
    case io::Format::Gguf:
        return u"GGUF"_s;
    case io::Format::Onnx:
        return u"ONNX"_s;
    case io::Format::CTranslate2:
        return u"CTranslate2"_s;
    case io::Format::Marian:
        return u"Marian"_s;
    }
    return {};
}

}  // namespace

Result<ModelPtr> readModel(const QString& path) {
    PARETO_TRY(const auto files, io::ModelFiles::open(path.toStdString(), io::Access::Read));
    auto info = std::make_shared<ModelInfo>();
    PARETO_TRY(info->layout, describeModel(*files));
    info->original = estimate(info->layout);
    info->path = QString::fromStdString(files->path());
    info->name = QString::fromStdString(files->name());
    info->format = formatText(files->format());
    info->fileBytes = files->fileBytes();
    for (const auto& file : files->files()) {
        const QString name = QString::fromStdString(file);
        info->files.append(name);
        info->modified =
            std::max(info->modified, QFileInfo(name).lastModified().toMSecsSinceEpoch());
    }
    return ModelPtr(std::move(info));
}

Result<QString> readContentHash(const QString& path, std::stop_token stop) {
    PARETO_TRY(const auto files, io::ModelFiles::open(path.toStdString(), io::Access::Read));
    Progress progress;
    PARETO_TRY(const auto hash, files->contentHash(progress, stop));
    return QString::fromStdString(hash);
}

}  // namespace pareto::studio
