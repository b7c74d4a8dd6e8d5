#include "app/studio/data_file.h"

#include <array>

#include <QDir>
#include <QFileInfo>

#include "engine/io/beir.h"
#include "engine/io/squad.h"
#include "engine/io/table.h"
#include "engine/io/tagged_text.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// Rows in which labels are looked for.
constexpr std::int64_t kRows = 50'000;
constexpr std::uint64_t kTextBytes = 1 << 16;

QString endingOf(DataFormat format) {
    return format == DataFormat::Text ? u"txt"_s
                                      : QString::fromStdString(std::string(nameOf(format)));
}

io::TableFormat tableFormat(DataFormat format) {
    return format == DataFormat::Tsv     ? io::TableFormat::Tsv
           : format == DataFormat::Jsonl ? io::TableFormat::Jsonl
                                         : io::TableFormat::Csv;
}

Status readLines(const QString& path, DataFile& file) {
    PARETO_TRY(const auto whole, io::readPlainText(path.toStdString(), kTextBytes));
    file.columns = {"text"};
    const auto lines = QString::fromStdString(whole).split(u'\n', Qt::SkipEmptyParts);
    for (const auto& line : lines) {
        file.rows.push_back({line.toStdString()});
    }
    return Done{};
}

Status readRows(const QString& path, DataFile& file) {
    io::TableOptions options;
    options.format = tableFormat(file.format);
    options.maxRows = kRows;
    PARETO_TRY(auto table, io::readTable(path.toStdString(), options));
    file.columns = std::move(table.columns);
    for (auto& row : table.rows) {
        file.rows.push_back(std::move(row.cells));
    }
    return Done{};
}

/// Several texts in one cell of the preview.
std::string joined(const std::vector<std::string>& texts, const char* between) {
    std::string out;
    for (const auto& text : texts) {
        out += (out.empty() ? "" : between) + text;
    }
    return out;
}

Status readQuestions(const QString& path, DataFile& file) {
    Progress progress;
    PARETO_TRY(const auto data, io::readSquad(path.toStdString(), progress, {}));
    file.columns = {"question", "answers", "context"};
    for (const auto& question : data.questions) {
        if (static_cast<std::int64_t>(file.rows.size()) == kRows) {
            break;
        }
        file.rows.push_back({question.question, joined(question.answers, " | "),
                             data.contexts[question.context]});
    }
    return Done{};
}

/// Readers that hand over one thing after the other end with the first failure of whoever takes it.
Status enough() { return Cancelled{}; }
Status unlessEnough(Status read, const DataFile& file, std::size_t most) {
    return file.rows.size() == most ? Status(Done{}) : std::move(read);
}

Status readSentences(const QString& path, DataFile& file) {
    constexpr std::size_t kMost = 5000;
    Progress progress;
    file.columns = {"tokens", "tags"};
    const auto take = [&](io::TaggedSentence sentence) -> Status {
        file.rows.push_back({joined(sentence.words, " "), joined(sentence.tags, " ")});
        return file.rows.size() == kMost ? enough() : Status(Done{});
    };
    return unlessEnough(io::readTaggedText(path.toStdString(), take, progress, {}), file, kMost);
}

/// The first documents; every list of judgements is a split.
Status readCorpus(const QDir& folder, const QString& split, DataFile& file) {
    constexpr std::size_t kMost = 200;
    const auto lists =
        QDir(folder.filePath(u"qrels"_s)).entryInfoList({u"*.tsv"_s}, QDir::Files);
    for (const auto& list : lists) {
        file.splits.append(list.completeBaseName());
    }
    file.split = file.splits.contains(split) || file.splits.isEmpty() ? split
                 : file.splits.contains(u"test"_s)                    ? u"test"_s
                                                                      : file.splits.first();
    PARETO_TRY(const auto files,
               io::beirFiles(folder.path().toStdString(), file.split.toStdString()));
    Progress progress;
    file.columns = {"id", "title", "text"};
    const auto take = [&](io::BeirText text) -> Status {
        file.rows.push_back({std::move(text.id), std::move(text.title), std::move(text.text)});
        return file.rows.size() == kMost ? enough() : Status(Done{});
    };
    return unlessEnough(io::readBeirTexts(files.corpus, take, progress, {}), file, kMost);
}

Status readPart(const QString& path, DataFile& file) {
    switch (file.format) {
    case DataFormat::Text:
        return readLines(path, file);
    case DataFormat::Squad:
        return readQuestions(path, file);
    case DataFormat::Conll:
        return readSentences(path, file);
    default:
        return readRows(path, file);
    }
}

/// The split files of a folder, in the format asked for or the first there is one of.
void findSplits(const QDir& folder, const DataRequest& request, DataFile& file) {
    constexpr std::array kFormats{DataFormat::Csv,  DataFormat::Tsv,   DataFormat::Jsonl,
                                  DataFormat::Text, DataFormat::Conll, DataFormat::Squad};
    for (const auto format : kFormats) {
        if (request.format && *request.format != format) {
            continue;
        }
        const auto found = folder.entryInfoList({u"*."_s + endingOf(format)}, QDir::Files);
        if (!found.isEmpty()) {
            file.format = format;
            for (const auto& info : found) {
                file.splits.append(info.completeBaseName());
            }
            return;
        }
    }
}

}  // namespace

DataFormat formatByName(const QString& file) {
    const QFileInfo info(file);
    if (info.isDir()) {
        return DataFormat::Beir;
    }
    const QString ending = info.suffix().toLower();
    if (ending == u"txt"_s || ending == u"text"_s || ending == u"raw"_s) {
        return DataFormat::Text;
    }
    if (ending == u"tsv"_s || ending == u"tab"_s) {
        return DataFormat::Tsv;
    }
    if (ending == u"jsonl"_s || ending == u"ndjson"_s) {
        return DataFormat::Jsonl;
    }
    if (ending == u"json"_s) {
        return DataFormat::Squad;
    }
    return ending == u"conll"_s || ending == u"bio"_s || ending == u"iob"_s ? DataFormat::Conll
                                                                          : DataFormat::Csv;
}

QString dataFileOf(const Task& task) {
    const QFileInfo info(QString::fromStdString(task.data));
    return info.isDir() ? QDir(info.filePath())
                              .filePath(QString::fromStdString(task.split) + u'.' +
                                        endingOf(task.format))
                        : info.filePath();
}

Result<DataFile> readDataFile(const DataRequest& request) {
    DataFile file;
    const QFileInfo info(request.path);
    file.path = info.absoluteFilePath();
    file.format = request.format.value_or(formatByName(file.path));
    QString rows = file.path;
    if (info.isDir() && QFileInfo::exists(QDir(file.path).filePath(u"corpus.jsonl"_s))) {
        file.format = DataFormat::Beir;
        PARETO_CHECK(readCorpus(QDir(file.path), request.split, file));
        return file;
    }
    if (info.isDir()) {
        findSplits(QDir(file.path), request, file);
        if (file.splits.isEmpty()) {
            return makeError(ErrorCode::FileMissing,
                             {{"file", QDir(file.path).filePath(u"*.csv"_s).toStdString()}});
        }
        file.split = file.splits.contains(request.split) ? request.split
                     : file.splits.contains(u"test"_s)   ? u"test"_s
                                                         : file.splits.first();
        rows = QDir(file.path).filePath(file.split + u'.' + endingOf(file.format));
    }
    PARETO_CHECK(readPart(rows, file));
    return file;
}

}  // namespace pareto::studio
