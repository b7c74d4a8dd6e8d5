#include "app/studio/playground/trial_tables.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QCoreApplication>

#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::TableCell;

namespace {

constexpr std::size_t kMostPairs = 300;
constexpr int kShort = 40;

/// Element of an array under a key; null when it is not there.
const Json& at(const Json& json, const char* key, std::size_t index) {
    static const Json none;
    const Json* list = fieldOf(json, key);
    return list != nullptr && list->is_array() && index < list->size() ? (*list)[index] : none;
}

std::size_t sizeOf(const Json& json, const char* key) {
    const Json* list = fieldOf(json, key);
    return list != nullptr && list->is_array() ? list->size() : 0;
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

const Json& result(const Trials& trials, TrialSide side) {
    return trials[static_cast<std::size_t>(side)].result;
}

TableCell cell(const QString& text) { return {text}; }
TableCell share(double value) { return {std::isnan(value) ? QString() : percent(value, 1), value}; }
TableCell figure(double value, int decimals) {
    return {std::isnan(value) ? QString() : number(value, decimals)};
}
/// With a sign, in the unit of the columns before it.
TableCell change(double before, double after, double scale, int decimals) {
    const double difference = (after - before) * scale;
    if (std::isnan(difference)) {
        return {};
    }
    return {(difference > 0.0 ? u"+"_s : QString()) + number(difference, decimals)};
}

QString shortened(QString text) {
    text.replace(u'\n', u' ');
    return text.size() <= kShort ? text : text.left(kShort - 1) + u'…';
}

TrialTable classes(const Trials& trials, const SideTitles& titles) {
    const Json& original = at(result(trials, TrialSide::Original), "items", 0);
    const Json& optimized = at(result(trials, TrialSide::Optimized), "items", 0);
    TrialTable table;
    table.headers = {QCoreApplication::translate("Playground", "Class"), titles.original, titles.optimized, QCoreApplication::translate("Playground", "Difference")};
    const Json& known = original.is_object() ? original : optimized;
    if (!known.is_object() || !known.contains("scores") || !known["scores"].is_object()) {
        return table;
    }
    std::vector<std::pair<double, std::string>> order;
    for (const auto& [label, score] : known["scores"].items()) {
        order.emplace_back(score.is_number() ? score.get<double>() : 0.0, label);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    const auto first = textAt(original, "label");
    const auto second = textAt(optimized, "label");
    const bool differ = !first.empty() && !second.empty() && first != second;
    const auto scoreIn = [](const Json& item, const std::string& label) {
        const Json* scores = fieldOf(item, "scores");
        return scores != nullptr ? numberAt(*scores, label.c_str(), kNone) : kNone;
    };
    for (const auto& [ignored, label] : order) {
        const double a = scoreIn(original, label);
        const double b = scoreIn(optimized, label);
        std::vector<TableCell> row{cell(fromUtf8(label)), share(a), share(b),
                                   change(a, b, 100.0, 1)};
        row[1].strong = differ && label == first;
        row[2].strong = differ && label == second;
        table.rows.push_back(std::move(row));
    }
    if (differ) {
        table.summary =
            QCoreApplication::translate("Playground", "Another class: %1 became %2.").arg(fromUtf8(first), fromUtf8(second));
    } else if (!first.empty() && !second.empty()) {
        table.summary = QCoreApplication::translate("Playground", "The same class: %1.").arg(fromUtf8(first));
    }
    return table;
}

TrialTable rank(const Trials& trials, const SideTitles& titles) {
    TrialTable table;
    table.headers = {QCoreApplication::translate("Playground", "Pair"), titles.original, titles.optimized, QCoreApplication::translate("Playground", "Difference")};
    const auto scoreOf = [&](TrialSide side) {
        return numberAt(at(result(trials, side), "items", 0), "score", kNone);
    };
    const double a = scoreOf(TrialSide::Original);
    const double b = scoreOf(TrialSide::Optimized);
    if (std::isnan(a) && std::isnan(b)) {
        return table;
    }
    table.rows.push_back({cell(QCoreApplication::translate("Playground", "Score")), figure(a, 4), figure(b, 4), change(a, b, 1.0, 4)});
    return table;
}

TrialTable embeddings(const QStringList& inputs, const Trials& trials, const SideTitles& titles) {
    const Json& original = result(trials, TrialSide::Original);
    const Json& optimized = result(trials, TrialSide::Optimized);
    TrialTable table;
    table.headers = {QCoreApplication::translate("Playground", "Texts"), titles.original, titles.optimized, QCoreApplication::translate("Playground", "Difference")};
    const auto texts = std::max(sizeOf(original, "vectors"), sizeOf(optimized, "vectors"));
    const auto name = [&](std::size_t i) {
        return shortened(inputs.value(static_cast<qsizetype>(i)));
    };
    const auto similarity = [](const Json& from, std::size_t i, std::size_t j) {
        return cosineOf(at(from, "vectors", i), at(from, "vectors", j));
    };
    for (std::size_t i = 0; i < texts; ++i) {
        for (std::size_t j = i + 1; j < texts && table.rows.size() < kMostPairs; ++j) {
            const double a = similarity(original, i, j);
            const double b = similarity(optimized, i, j);
            auto left = figure(a, 4);
            auto right = figure(b, 4);
            left.bar = a;
            right.bar = b;
            table.rows.push_back({cell(u"%1 ↔ %2"_s.arg(name(i), name(j))), std::move(left),
                                  std::move(right), change(a, b, 1.0, 4)});
        }
    }
    double moved = 0.0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < texts; ++i) {
        const double same = cosineOf(at(original, "vectors", i), at(optimized, "vectors", i));
        if (!std::isnan(same)) {
            moved += same;
            ++count;
        }
    }
    if (count > 0) {
        table.summary =
            QCoreApplication::translate("Playground", "Cosine of a text's two embeddings, original and optimized, on average: %1")
                .arg(number(moved / static_cast<double>(count), 4));
    }
    return table;
}

TrialTable tags(const Trials& trials, const SideTitles& titles) {
    const Json& original = at(result(trials, TrialSide::Original), "items", 0);
    const Json& optimized = at(result(trials, TrialSide::Optimized), "items", 0);
    TrialTable table;
    table.headers = {QCoreApplication::translate("Playground", "Word"), titles.original, titles.optimized};
    const auto words = std::max(sizeOf(original, "words"), sizeOf(optimized, "words"));
    const auto tagged = [](const Json& word) {
        TableCell out{fromUtf8(textAt(word, "label"))};
        if (const double score = numberAt(word, "score", kNone); !std::isnan(score)) {
            out.text = u"%1 · %2"_s.arg(out.text, percent(score, 1));
        }
        return out;
    };
    int differ = 0;
    for (std::size_t i = 0; i < words; ++i) {
        const Json& a = at(original, "words", i);
        const Json& b = at(optimized, "words", i);
        std::vector<TableCell> row{cell(fromUtf8(textAt(a.is_object() ? a : b, "text"))),
                                   tagged(a), tagged(b)};
        const bool other =
            a.is_object() && b.is_object() && textAt(a, "label") != textAt(b, "label");
        row[1].strong = row[2].strong = other;
        differ += other ? 1 : 0;
        table.rows.push_back(std::move(row));
    }
    if (sizeOf(original, "words") > 0 && sizeOf(optimized, "words") > 0) {
        table.summary = differ == 0 ? QCoreApplication::translate("Playground", "The same tags.")
                                    : QCoreApplication::translate(
                                          "Playground", "%n word(s) have another tag.", nullptr,
                                          differ);
    }
    return table;
}

TrialTable fillings(const Trials& trials, const SideTitles& titles) {
    const Json& original = at(result(trials, TrialSide::Original), "items", 0);
    const Json& optimized = at(result(trials, TrialSide::Optimized), "items", 0);
    TrialTable table;
    table.headers = {QCoreApplication::translate("Playground", "Mask"), titles.original, titles.optimized};
    const auto candidate = [](const Json& from) {
        const double score = numberAt(from, "score", kNone);
        TableCell out{fromUtf8(textAt(from, "text")), score};
        if (!std::isnan(score)) {
            out.text = u"%1 · %2"_s.arg(out.text.trimmed(), percent(score, 1));
        }
        return out;
    };
    bool same = true;
    bool both = false;
    const auto masks = std::max(sizeOf(original, "masks"), sizeOf(optimized, "masks"));
    for (std::size_t mask = 0; mask < masks; ++mask) {
        const Json& a = at(original, "masks", mask);
        const Json& b = at(optimized, "masks", mask);
        const auto ranks = std::max(sizeOf(a, "candidates"), sizeOf(b, "candidates"));
        for (std::size_t rank = 0; rank < ranks; ++rank) {
            const Json& left = at(a, "candidates", rank);
            const Json& right = at(b, "candidates", rank);
            std::vector<TableCell> row{
                cell(QCoreApplication::translate("Playground", "%1, place %2").arg(count(qint64(mask + 1)), count(qint64(rank + 1)))),
                candidate(left), candidate(right)};
            const bool pair = left.is_object() && right.is_object();
            row[2].strong = pair && textAt(left, "text") != textAt(right, "text");
            both = both || pair;
            same = same && (rank > 0 || !row[2].strong);
            table.rows.push_back(std::move(row));
        }
    }
    if (both) {
        table.summary = same ? QCoreApplication::translate("Playground", "The same word comes first.") : QCoreApplication::translate("Playground", "Another word comes first.");
    }
    return table;
}

TrialTable translations(const QStringList& inputs, const Trials& trials,
                        const SideTitles& titles) {
    TrialTable table;
    table.headers = {QCoreApplication::translate("Playground", "Text"), titles.original, titles.optimized};
    const auto textOf = [&](TrialSide side, std::size_t i) {
        return fromUtf8(textAt(at(result(trials, side), "items", i), "text"));
    };
    const auto texts = std::max(sizeOf(result(trials, TrialSide::Original), "items"),
                                sizeOf(result(trials, TrialSide::Optimized), "items"));
    const bool both = sizeOf(result(trials, TrialSide::Original), "items") > 0 &&
                      sizeOf(result(trials, TrialSide::Optimized), "items") > 0;
    int differ = 0;
    for (std::size_t i = 0; i < texts; ++i) {
        const QString a = textOf(TrialSide::Original, i);
        const QString b = textOf(TrialSide::Optimized, i);
        std::vector<TableCell> row{cell(inputs.value(static_cast<qsizetype>(i))), cell(a), cell(b)};
        row[2].strong = both && a != b;
        differ += row[2].strong ? 1 : 0;
        table.rows.push_back(std::move(row));
    }
    if (both) {
        table.summary = differ == 0 ? QCoreApplication::translate("Playground", "The same texts.")
                                    : QCoreApplication::translate(
                                          "Playground", "%n text(s) differ.", nullptr, differ);
    }
    return table;
}

}  // namespace

double cosineOf(const Json& a, const Json& b) {
    if (!a.is_array() || !b.is_array() || a.size() != b.size() || a.empty()) {
        return kNone;
    }
    double product = 0.0;
    double lengthA = 0.0;
    double lengthB = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!a[i].is_number() || !b[i].is_number()) {
            return kNone;
        }
        const auto x = a[i].get<double>();
        const auto y = b[i].get<double>();
        product += x * y;
        lengthA += x * x;
        lengthB += y * y;
    }
    return lengthA > 0.0 && lengthB > 0.0 ? product / std::sqrt(lengthA * lengthB) : kNone;
}

int firstDifference(const QString& a, const QString& b) {
    const auto shorter = std::min(a.size(), b.size());
    qsizetype at = 0;
    while (at < shorter && a[at] == b[at]) {
        ++at;
    }
    if (at == a.size() && at == b.size()) {
        return -1;
    }
    // Back to where the word begins.
    while (at > 0 && at <= b.size() && !b[at - 1].isSpace()) {
        --at;
    }
    return static_cast<int>(at);
}

TrialTable trialTable(TrialKind kind, const QStringList& inputs, const Trials& trials,
                      const SideTitles& titles) {
    switch (kind) {
    case TrialKind::Classify:
        return classes(trials, titles);
    case TrialKind::Rank:
        return rank(trials, titles);
    case TrialKind::Embed:
        return embeddings(inputs, trials, titles);
    case TrialKind::Tag:
        return tags(trials, titles);
    case TrialKind::Fill:
        return fillings(trials, titles);
    case TrialKind::Translate:
        return translations(inputs, trials, titles);
    case TrialKind::Answer:
    case TrialKind::Generate:
    case TrialKind::Chat:
        break;
    }
    return {};
}

}  // namespace pareto::studio
