#pragma once

#include <QByteArray>
#include <QString>

namespace pareto::studio {

/// A text file that grows to 5 MB, then becomes `name.1` and starts anew. A folder that cannot be
/// written costs the log, nothing else.
class LogFile {
public:
    explicit LogFile(QString path) : m_path(std::move(path)) {}
    void append(const QByteArray& text);
    const QString& path() const { return m_path; }

private:
    QString m_path;
};

}  // namespace pareto::studio
