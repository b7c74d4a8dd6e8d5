#pragma once

#include <string>
#include <vector>

#include <QString>

#include "engine/core/result.h"
#include "engine/spec/task.h"

namespace pareto::studio {

/// The beginning of a user's data file: enough to choose columns and classes.
struct DataFile {
    QString path;  ///< absolute
    DataFormat format = DataFormat::Csv;
    std::vector<std::string> columns;  ///< plain text: one, named "text"
    std::vector<std::vector<std::string>> rows;
};
/// By the ending of the name. Called in the pool: blocking, no GUI.
Result<DataFile> readDataFile(const QString& path);

}  // namespace pareto::studio
