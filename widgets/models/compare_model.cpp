#include "widgets/models/compare_model.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <QFont>

#include "engine/metrics/item_metrics.h"
#include "engine/spec/recipe.h"
#include "widgets/support/gpu_facts.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

constexpr QChar kDot(0x1f);  ///< stands for a dot inside one name while paths are joined by dots
constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

QString ofUtf8(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString leafText(const Json& value) {
    if (value.is_string()) {
        return QString::fromStdString(value.get<std::string>());
    }
    if (value.is_null()) {
        return QStringLiteral("–");
    }
    return QString::fromStdString(value.dump());
}

/// What an entry of a list is called: what it prunes, the layers it is about, else its number.
QString entryName(const Json& entry, std::size_t index) {
    for (const char* key : {"pattern", "match"}) {
        if (entry.is_object() && entry.contains(key) && entry[key].is_string()) {
            return QString::fromStdString(entry[key].get<std::string>()).replace(u'.', kDot);
        }
    }
    return QStringLiteral("#%1").arg(index + 1);
}

struct KeyWord {
    const char* key;
    const char* word;
};
constexpr KeyWord kKeyWords[] = {
    {"prune", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "prune")},
    {"quantize", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "number format")},
    {"layers", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "only for")},
    {"heads", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "heads")},
    {"neurons", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "neurons")},
    {"blocks", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "blocks")},
    {"unstructured", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "single weights")},
    {"ratio", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "share removed")},
    {"method", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "chosen by")},
    {"weights", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "weights")},
    {"group", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "values a scale")},
    {"activations", QT_TRANSLATE_NOOP("pareto::widgets::CompareModel", "activations")},
};

/// "defaults.prune.heads.ratio" -> "prune, heads, share removed": the words of the window.
QString wordsOf(const QString& path) {
    QStringList words;
    for (const QString& part : path.split(u'.')) {
        if (part == QLatin1String("defaults")) {
            continue;
        }
        QString word = part;
        word.replace(kDot, u'.');
        for (const auto& known : kKeyWords) {
            if (part == QLatin1String(known.key)) {
                word = CompareModel::tr(known.word);
            }
        }
        words.append(word);
    }
    return words.join(QStringLiteral(", "));
}

/// The recipe in the short form of the tables; "–": the unchanged model.
QString summaryOf(const RunRecord& run) {
    const auto recipe = recipeFromJson(run.recipe);
    return recipe.ok() ? QString::fromStdString(recipeSummary(recipe.value()))
                       : QString::fromStdString(run.recipeName);
}

/// {"quantize": {"weights": "int8"}} -> "quantize.weights": "int8". A list of objects is numbered.
void flatten(const Json& value, const QString& path, std::map<QString, QString>& leaves) {
    if (value.is_object()) {
        for (const auto& [key, member] : value.items()) {
            const QString name = QString::fromStdString(key);
            flatten(member, path.isEmpty() ? name : path + QChar(u'.') + name, leaves);
        }
        return;
    }
    const bool holdsObjects =
        value.is_array()
        && std::any_of(value.begin(), value.end(), [](const Json& each) { return each.is_object(); });
    if (holdsObjects) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            flatten(value[i], path + QChar(u'.') + entryName(value[i], i), leaves);
        }
        return;
    }
    leaves[path] = leafText(value);
}

std::map<QString, QString> leavesOf(const Json& value) {
    std::map<QString, QString> leaves;
    if (value.is_object()) {
        flatten(value, {}, leaves);
    }
    return leaves;
}

double deltaOf(double baseline, double value) {
    return baseline == 0.0 ? kAbsent : value / baseline - 1.0;
}

Verdict verdictOf(bool significant, bool grew, Better better) {
    if (!significant) {
        return Verdict::NotSignificant;
    }
    return grew == (better == Better::Higher) ? Verdict::Better : Verdict::Worse;
}

QString verdictText(Verdict verdict) {
    switch (verdict) {
    case Verdict::None:
    case Verdict::Exact: return {};
    case Verdict::NotSignificant: return CompareModel::tr("not significant");
    case Verdict::Better: return CompareModel::tr("significantly better");
    case Verdict::Worse: return CompareModel::tr("significantly worse");
    }
    return {};
}

}  // namespace

FigureComparison compareFigure(const RunRecord& baseline, const RunRecord& run,
                               const MetricInfo& metric) {
    const Measurement* before = baseline.find(metric.key);
    const Measurement* after = run.find(metric.key);
    FigureComparison comparison;
    comparison.delta = kAbsent;
    if (before == nullptr || after == nullptr) {
        return comparison;
    }
    comparison.delta = deltaOf(before->value, after->value);
    const bool grew = after->value > before->value;
    if (baseline.taskKey == run.taskKey) {
        if (const auto paired = metrics::compareItems(metric.key, baseline.items, run.items)) {
            comparison.verdict = verdictOf(paired->significant, grew, metric.better);
            comparison.paired = true;
            return comparison;
        }
    }
    if (!before->low || !before->high || !after->low || !after->high) {
        comparison.verdict = Verdict::Exact;
        return comparison;
    }
    const bool apart = *after->low > *before->high || *after->high < *before->low;
    comparison.verdict = verdictOf(apart, grew, metric.better);
    return comparison;
}

void CompareModel::setRuns(std::vector<RecordPtr> runs, int baseline) {
    beginResetModel();
    m_runs = std::move(runs);
    m_baseline = baseline >= 0 && baseline < static_cast<int>(m_runs.size()) ? baseline : 0;
    rebuild();
    endResetModel();
}

void CompareModel::setOnlyDiffering(bool only) {
    if (m_onlyDiffering == only) {
        return;
    }
    beginResetModel();
    m_onlyDiffering = only;
    rebuild();
    endResetModel();
}

void CompareModel::setVerdictColours(const QColor& better, const QColor& worse) {
    m_better = better;
    m_worse = worse;
    if (rowCount() > 0) {
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1),
                           {Qt::ForegroundRole});
    }
}

CompareModel::Row CompareModel::textRow(const QString& label,
                                        const std::vector<QString>& texts) const {
    Row row;
    row.label = label;
    for (const auto& text : texts) {
        row.cells.push_back({text.isEmpty() ? QStringLiteral("–") : text, text, Verdict::None});
        row.differs = row.differs || text != texts.front();
    }
    return row;
}

std::vector<CompareModel::Row> CompareModel::settingRows() const {
    const auto textOf = [this](const QString& label, auto member) {
        std::vector<QString> texts;
        for (const auto& run : m_runs) {
            texts.push_back(QString::fromStdString((*run).*member));
        }
        return textRow(label, texts);
    };
    std::vector<Row> rows;
    rows.push_back(textOf(tr("Model"), &RunRecord::modelName));
    std::vector<QString> summaries;
    for (const auto& run : m_runs) {
        summaries.push_back(summaryOf(*run));
    }
    rows.push_back(textRow(tr("Recipe"), summaries));
    rows.push_back(textOf(tr("Task"), &RunRecord::taskName));
    const struct {
        QString label;
        Json RunRecord::*spec;
    } specs[] = {{tr("Recipe: %1"), &RunRecord::recipe},
                 {tr("Task: %1"), &RunRecord::task},
                 {tr("Target: %1"), &RunRecord::target}};
    for (const auto& spec : specs) {
        std::map<QString, std::vector<QString>> byPath;
        for (std::size_t i = 0; i < m_runs.size(); ++i) {
            for (const auto& [path, text] : leavesOf((*m_runs[i]).*spec.spec)) {
                auto& texts = byPath[path];
                texts.resize(m_runs.size());
                texts[i] = text;
            }
        }
        for (const auto& [path, texts] : byPath) {
            rows.push_back(textRow(spec.label.arg(wordsOf(path)), texts));
        }
    }
    std::vector<QString> seeds;
    for (const auto& run : m_runs) {
        seeds.push_back(QString::number(run->seed));
    }
    rows.push_back(textRow(tr("Seed"), seeds));
    std::stable_partition(rows.begin(), rows.end(), [](const Row& row) { return row.differs; });
    return rows;
}

CompareModel::Cell CompareModel::figureCell(const MetricInfo& metric, std::size_t run) const {
    const Measurement* figure = m_runs[run]->find(metric.key);
    if (figure == nullptr) {
        return {QStringLiteral("–"), tr("Not measured"), Verdict::None};
    }
    Cell cell;
    cell.text = formatInterval(metric, {figure->value, figure->low.value_or(kAbsent),
                                        figure->high.value_or(kAbsent), true});
    cell.toolTip = tr("%1: %2, from %Ln value(s)", nullptr, static_cast<int>(figure->n))
                       .arg(metricText(metric), cell.text);
    if (static_cast<int>(run) == m_baseline) {
        return cell;
    }
    const auto& baseline = *m_runs[static_cast<std::size_t>(m_baseline)];
    const FigureComparison comparison = compareFigure(baseline, *m_runs[run], metric);
    cell.verdict = comparison.verdict;
    if (std::isfinite(comparison.delta)) {
        cell.text += QStringLiteral("   ") + formatDeltaPercent(comparison.delta);
    }
    const QString verdict = verdictText(comparison.verdict);
    if (!verdict.isEmpty()) {
        cell.text += QStringLiteral(", ") + verdict;
        cell.toolTip += QChar(u'\n')
                        + (comparison.paired
                               ? tr("Compared item by item with the baseline (paired bootstrap, 95 %)")
                               : tr("Significant when the 95 % intervals do not overlap"));
    }
    return cell;
}

/// How far the latencies can be trusted.
CompareModel::Row CompareModel::disturbanceRow() const {
    std::vector<QString> texts;
    for (const auto& run : m_runs) {
        const QString what = run->disturbance.empty() ? tr("yes") : ofUtf8(run->disturbance);
        texts.push_back(run->disturbed ? QStringLiteral("⚠ ") + what : tr("none noticed"));
    }
    return textRow(tr("Other load while timing"), texts);
}

std::vector<CompareModel::Row> CompareModel::measurementRows() const {
    std::vector<Row> rows;
    std::ptrdiff_t headlines = 0;  ///< latency, quality and size come first
    for (const auto& metric : metricCatalogue()) {
        const bool any = std::any_of(m_runs.begin(), m_runs.end(), [&](const RecordPtr& run) {
            return run->find(metric.key) != nullptr;
        });
        if (!any) {
            continue;
        }
        Row row;
        row.label = metricText(metric);
        row.differs = true;
        for (std::size_t i = 0; i < m_runs.size(); ++i) {
            row.cells.push_back(figureCell(metric, i));
        }
        const bool first = metric.key == std::string_view("latency_p50_ms")
                           || metric.key == std::string_view("model_bytes")
                           || metrics::isItemMetric(metric.key);
        rows.insert(first ? rows.begin() + headlines++ : rows.end(), std::move(row));
    }
    rows.insert(rows.begin() + headlines, disturbanceRow());
    const auto gpu = gpuRows();
    rows.insert(rows.end(), gpu.begin(), gpu.end());
    return rows;
}

/// What was read of the GPUs that runs were measured on; none where all were on a CPU.
std::vector<CompareModel::Row> CompareModel::gpuRows() const {
    std::vector<QString> labels;
    std::map<QString, std::vector<QString>> values;
    for (std::size_t i = 0; i < m_runs.size(); ++i) {
        const auto& details = m_runs[i]->details;
        for (const auto& fact : gpuFacts(details.is_object() ? details.value("gpu", Json::object()) : Json())) {
            auto& texts = values[fact.label];
            if (texts.empty()) {
                labels.push_back(fact.label);
                texts.resize(m_runs.size(), QStringLiteral("–"));
            }
            texts[i] = fact.value;
        }
    }
    std::vector<Row> rows;
    for (const auto& label : labels) {
        rows.push_back(textRow(label, values[label]));
    }
    return rows;
}

std::vector<CompareModel::Row> CompareModel::environmentRows() const {
    std::vector<Row> rows;
    const auto add = [&](const QString& label, auto textOf) {
        std::vector<QString> texts;
        for (const auto& run : m_runs) {
            texts.push_back(textOf(*run));
        }
        rows.push_back(textRow(label, texts));
    };
    const auto joined = [](const std::vector<std::string>& texts) {
        QStringList list;
        for (const auto& text : texts) {
            list.append(QString::fromStdString(text));
        }
        return list.join(QStringLiteral(", "));
    };
    add(tr("Machine"), [](const RunRecord& run) { return ofUtf8(run.machine.host); });
    add(tr("CPU"), [](const RunRecord& run) { return ofUtf8(run.machine.cpu); });
    add(tr("Cores"), [](const RunRecord& run) { return QString::number(run.machine.cores); });
    add(tr("Memory"), [](const RunRecord& run) { return formatBytes(run.machine.memoryBytes); });
    add(tr("Operating system"), [](const RunRecord& run) { return ofUtf8(run.machine.kernel); });
    add(tr("CPU governor"), [](const RunRecord& run) { return ofUtf8(run.machine.governor); });
    add(tr("CPU features"), [&](const RunRecord& run) { return joined(run.machine.features); });
    add(tr("GPU driver"), [&](const RunRecord& run) {
        return run.machine.gpus.empty() ? QString() : ofUtf8(run.machine.gpus.front().driver);
    });
    add(tr("Devices"), [&](const RunRecord& run) { return joined(run.machine.devices); });
    std::map<QString, std::vector<QString>> versions;
    for (std::size_t i = 0; i < m_runs.size(); ++i) {
        for (const auto& [path, text] : leavesOf(m_runs[i]->versions)) {
            auto& texts = versions[path];
            texts.resize(m_runs.size());
            texts[i] = text;
        }
    }
    for (const auto& [path, texts] : versions) {
        rows.push_back(textRow(tr("Version: %1").arg(path), texts));
    }
    std::stable_partition(rows.begin(), rows.end(), [](const Row& row) { return row.differs; });
    return rows;
}

void CompareModel::addSection(const QString& title, std::vector<Row> rows, bool alwaysAll) {
    if (m_onlyDiffering && !alwaysAll) {
        std::erase_if(rows, [](const Row& row) { return !row.differs; });
    }
    Row heading;
    heading.label = rows.empty() ? tr("%1: no difference").arg(title) : title;
    heading.section = true;
    heading.cells.resize(m_runs.size());
    m_rows.push_back(std::move(heading));
    std::move(rows.begin(), rows.end(), std::back_inserter(m_rows));
}

void CompareModel::rebuild() {
    m_rows.clear();
    if (m_runs.empty()) {
        return;
    }
    addSection(tr("Measurements"), measurementRows(), true);
    addSection(tr("Settings"), settingRows(), false);
    addSection(tr("Environment"), environmentRows(), false);
}

int CompareModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int CompareModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || m_runs.empty() ? 0 : static_cast<int>(m_runs.size()) + 1;
}

QVariant CompareModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount() || index.column() >= columnCount()) {
        return {};
    }
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case SectionRole: return row.section;
    case DiffersRole: return row.differs;
    case Qt::FontRole:
        if (row.section) {
            QFont bold;
            bold.setBold(true);
            return bold;
        }
        return {};
    default: break;
    }
    if (index.column() == 0) {
        return role == Qt::DisplayRole || role == Qt::ToolTipRole ? QVariant(row.label) : QVariant();
    }
    const Cell& cell = row.cells[static_cast<std::size_t>(index.column() - 1)];
    switch (role) {
    case Qt::DisplayRole: return cell.text;
    case Qt::ToolTipRole: return cell.toolTip.isEmpty() ? QVariant() : QVariant(cell.toolTip);
    case VerdictRole: return static_cast<int>(cell.verdict);
    case Qt::ForegroundRole:
        if (cell.verdict == Verdict::Better && m_better.isValid()) {
            return m_better;
        }
        if (cell.verdict == Verdict::Worse && m_worse.isValid()) {
            return m_worse;
        }
        return {};
    default: return {};
    }
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section >= columnCount()) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    if (section == 0) {
        return QString();
    }
    const auto& run = *m_runs[static_cast<std::size_t>(section - 1)];
    const QString name = tr("#%1 %2").arg(run.id).arg(QString::fromStdString(run.name));
    return section - 1 == m_baseline ? tr("%1 (baseline)").arg(name) : name;
}

Qt::ItemFlags CompareModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) {
        return Qt::NoItemFlags;
    }
    return Qt::ItemIsSelectable | Qt::ItemIsEnabled | Qt::ItemNeverHasChildren;
}

}  // namespace pareto::widgets
