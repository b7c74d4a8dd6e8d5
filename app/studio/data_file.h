#pragma once

#include <optional>
#include <string>
#include <vector>

#include <QString>
#include <QStringList>

#include "engine/core/result.h"
#include "engine/spec/task.h"

namespace pareto::studio {

/// What of a data set is looked at.
struct DataRequest {
    QString path;                      ///< a file, or a folder of split files (or of BEIR's)
    std::optional<DataFormat> format;  ///< nullopt: as the names say
    QString split;                     ///< in a folder: empty means the first there is
};

/// The beginning of a user's data: enough to choose columns and classes.
struct DataFile {
    QString path;  ///< absolute, as chosen
    QString split; ///< whose rows these are; empty: the whole file
    DataFormat format = DataFormat::Csv;
    QStringList splits;  ///< that a folder has
    std::vector<std::string> columns;  ///< plain text: one, named "text"
    std::vector<std::vector<std::string>> rows;
};
/// Reads a bounded part. Called in the pool: blocking, no GUI.
Result<DataFile> readDataFile(const DataRequest& request);

/// The file of a task's split: `data` itself, or "<split>.<ending>" in the folder `data`.
QString dataFileOf(const Task& task);
DataFormat formatByName(const QString& file);

}  // namespace pareto::studio
