#include "app/studio/log_file.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 kMaxBytes = 5'000'000;

}  // namespace

void LogFile::append(const QByteArray& text) {
    const QFileInfo info(m_path);
    if (!QDir().mkpath(info.absolutePath())) {
        return;
    }
    if (info.exists() && info.size() > kMaxBytes) {
        const QString previous = m_path + u".1"_s;
        QFile::remove(previous);
        QFile::rename(m_path, previous);
    }
    QFile file(m_path);
    if (file.open(QIODevice::WriteOnly | QIODevice::Append)) {
        file.write(text);
    }
}

}  // namespace pareto::studio
