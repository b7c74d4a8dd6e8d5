#include "app/studio/data_file.h"

#include <QFileInfo>

#include "engine/io/table.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// Rows in which labels are looked for.
constexpr std::int64_t kRows = 50'000;
constexpr std::uint64_t kTextBytes = 1 << 16;

Result<DataFile> readLines(DataFile file) {
    PARETO_TRY(const auto whole, io::readPlainText(file.path.toStdString(), kTextBytes));
    file.format = DataFormat::Text;
    file.columns = {"text"};
    const auto lines = QString::fromStdString(whole).split(u'\n', Qt::SkipEmptyParts);
    for (const auto& line : lines) {
        file.rows.push_back({line.toStdString()});
    }
    return file;
}

}  // namespace

Result<DataFile> readDataFile(const QString& path) {
    DataFile file;
    const QFileInfo info(path);
    file.path = info.absoluteFilePath();
    const QString ending = info.suffix().toLower();
    if (ending == u"txt"_s || ending == u"text"_s || ending == u"raw"_s) {
        return readLines(std::move(file));
    }
    io::TableOptions options;
    options.format = io::tableFormatOf(file.path.toStdString());
    options.maxRows = kRows;
    PARETO_TRY(auto table, io::readTable(file.path.toStdString(), options));
    file.format = options.format == io::TableFormat::Csv   ? DataFormat::Csv
                  : options.format == io::TableFormat::Tsv ? DataFormat::Tsv
                                                           : DataFormat::Jsonl;
    file.columns = std::move(table.columns);
    for (auto& row : table.rows) {
        file.rows.push_back(std::move(row.cells));
    }
    return file;
}

}  // namespace pareto::studio
