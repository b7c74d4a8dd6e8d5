#include "widgets/support/number_format.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QCoreApplication>
#include <QLocale>

namespace pareto::widgets {

namespace {

constexpr const char* kContext = "Metric";

struct MetricName {
    std::string_view key;
    const char* text;
};

// The catalogue speaks English; these are the same names where lupdate finds them.
// tst_number_format compares both lists.
constexpr std::array<MetricName, 39> kNames{{
    {"latency_p50_ms", QT_TRANSLATE_NOOP("Metric", "Latency p50")},
    {"latency_p90_ms", QT_TRANSLATE_NOOP("Metric", "Latency p90")},
    {"latency_p99_ms", QT_TRANSLATE_NOOP("Metric", "Latency p99")},
    {"latency_mean_ms", QT_TRANSLATE_NOOP("Metric", "Latency mean")},
    {"latency_ratio", QT_TRANSLATE_NOOP("Metric", "Latency against the baseline")},
    {"throughput_items_per_s", QT_TRANSLATE_NOOP("Metric", "Throughput")},
    {"first_token_ms", QT_TRANSLATE_NOOP("Metric", "First token")},
    {"token_ms", QT_TRANSLATE_NOOP("Metric", "Time per token")},
    {"prefill_tokens_per_s", QT_TRANSLATE_NOOP("Metric", "Prefill")},
    {"decode_tokens_per_s", QT_TRANSLATE_NOOP("Metric", "Decode")},
    {"model_bytes", QT_TRANSLATE_NOOP("Metric", "Model size")},
    {"parameters", QT_TRANSLATE_NOOP("Metric", "Parameters")},
    {"nonzero_parameters", QT_TRANSLATE_NOOP("Metric", "Parameters that are not zero")},
    {"peak_rss_bytes", QT_TRANSLATE_NOOP("Metric", "Peak memory")},
    {"accuracy", QT_TRANSLATE_NOOP("Metric", "Accuracy")},
    {"f1_macro", QT_TRANSLATE_NOOP("Metric", "F1 (macro)")},
    {"perplexity", QT_TRANSLATE_NOOP("Metric", "Perplexity")},
    {"fidelity_cosine", QT_TRANSLATE_NOOP("Metric", "Fidelity (mean cosine)")},
    {"fidelity_spearman", QT_TRANSLATE_NOOP("Metric", "Fidelity (Spearman)")},
    {"mcc", QT_TRANSLATE_NOOP("Metric", "Matthews correlation")},
    {"entity_f1", QT_TRANSLATE_NOOP("Metric", "Entity F1")},
    {"entity_precision", QT_TRANSLATE_NOOP("Metric", "Entity precision")},
    {"entity_recall", QT_TRANSLATE_NOOP("Metric", "Entity recall")},
    {"accuracy_normalized", QT_TRANSLATE_NOOP("Metric", "Accuracy (length-normalized)")},
    {"squad_f1", QT_TRANSLATE_NOOP("Metric", "F1 (SQuAD)")},
    {"exact_match", QT_TRANSLATE_NOOP("Metric", "Exact match")},
    {"bleu", QT_TRANSLATE_NOOP("Metric", "BLEU")},
    {"chrf", QT_TRANSLATE_NOOP("Metric", "chrF")},
    {"rouge_l", QT_TRANSLATE_NOOP("Metric", "ROUGE-L")},
    {"rouge_1", QT_TRANSLATE_NOOP("Metric", "ROUGE-1")},
    {"rouge_2", QT_TRANSLATE_NOOP("Metric", "ROUGE-2")},
    {"ndcg_10", QT_TRANSLATE_NOOP("Metric", "nDCG@10")},
    {"mrr_10", QT_TRANSLATE_NOOP("Metric", "MRR@10")},
    {"recall_10", QT_TRANSLATE_NOOP("Metric", "Recall@10")},
    {"recall_100", QT_TRANSLATE_NOOP("Metric", "Recall@100")},
    {"similarity_spearman", QT_TRANSLATE_NOOP("Metric", "Spearman")},
    {"similarity_pearson", QT_TRANSLATE_NOOP("Metric", "Pearson")},
    {"kl_divergence", QT_TRANSLATE_NOOP("Metric", "KL divergence")},
    {"top1_agreement", QT_TRANSLATE_NOOP("Metric", "Same top token")},
}};

constexpr std::array<const char*, 4> kUnits{
    QT_TRANSLATE_NOOP("Metric", "items/s"),
    QT_TRANSLATE_NOOP("Metric", "tokens/s"),
    QT_TRANSLATE_NOOP("Metric", "ms"),
    QT_TRANSLATE_NOOP("Metric", "nats"),
};

QString translated(const char* text) {
    return QCoreApplication::translate(kContext, text);
}

QString ofUtf8(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString withUnit(const QString& figure, const QString& unit) {
    if (unit.isEmpty()) {
        return figure;
    }
    // A no-break space keeps a figure and its unit on one line.
    return figure + QChar(u'\x00a0') + unit;
}

}  // namespace

MetricDisplay displayOf(const MetricInfo& metric) {
    if (metric.unit == "%") {
        return {100.0, QStringLiteral("%"), metric.decimals};
    }
    if (metric.unit == "B") {
        return {1e-6, translated(QT_TRANSLATE_NOOP("Metric", "MB")), 1};
    }
    if (metric.key == "parameters" || metric.key == "nonzero_parameters") {
        return {1e-6, QStringLiteral("M"), 1};
    }
    for (const char* unit : kUnits) {
        if (metric.unit == unit) {
            return {1.0, translated(unit), metric.decimals};
        }
    }
    return {1.0, ofUtf8(metric.unit), metric.decimals};
}

QString metricText(const MetricInfo& metric) {
    for (const auto& name : kNames) {
        if (name.key == metric.key) {
            return translated(name.text);
        }
    }
    return ofUtf8(metric.english);
}

QString metricTextWithUnit(const MetricInfo& metric) {
    const QString unit = displayOf(metric).unit;
    if (unit.isEmpty()) {
        return metricText(metric);
    }
    return QCoreApplication::translate(kContext, "%1, %2", "metric and its unit")
        .arg(metricText(metric), unit);
}

QString formatNumber(double value, int decimals) {
    if (!std::isfinite(value)) {
        return QStringLiteral("–");
    }
    QString text = QLocale().toString(value, 'f', decimals);
    const QString minus = QLocale().negativeSign();
    if (text.startsWith(minus)) {
        text.replace(0, minus.size(), QChar(u'−'));
    }
    return text;
}

QString formatMetricFigure(const MetricInfo& metric, double value) {
    const MetricDisplay display = displayOf(metric);
    return formatNumber(value * display.factor, display.decimals);
}

QString formatMetric(const MetricInfo& metric, double value) {
    const QString figure = formatMetricFigure(metric, value);
    return std::isfinite(value) ? withUnit(figure, displayOf(metric).unit) : figure;
}

QString formatInterval(const MetricInfo& metric, const IntervalText& figure) {
    const QString value = figure.unit ? formatMetric(metric, figure.value)
                                      : formatMetricFigure(metric, figure.value);
    if (!std::isfinite(figure.value) || !std::isfinite(figure.low) || !std::isfinite(figure.high)) {
        return value;
    }
    const MetricDisplay display = displayOf(metric);
    const double below = (figure.value - figure.low) * display.factor;
    const double above = (figure.high - figure.value) * display.factor;
    const double step = 0.5 * std::pow(10.0, -display.decimals);
    if (std::abs(above - below) <= std::max(step, 0.1 * std::max(above, below))) {
        return value + QStringLiteral(" ± ")
               + formatNumber(std::max(above, below), display.decimals);
    }
    return value + QStringLiteral(" (") + formatMetricFigure(metric, figure.low) + QChar(u'…')
           + formatMetricFigure(metric, figure.high) + QChar(u')');
}

QString formatPlusMinus(const MetricInfo& metric, const IntervalText& figure) {
    const QString value = formatMetricFigure(metric, figure.value);
    if (!std::isfinite(figure.value) || !std::isfinite(figure.low) || !std::isfinite(figure.high)) {
        return value;
    }
    const MetricDisplay display = displayOf(metric);
    const double half = std::max(figure.value - figure.low, figure.high - figure.value);
    return value + QStringLiteral(" ± ") + formatNumber(half * display.factor, display.decimals);
}

QString formatBytes(std::uint64_t bytes) {
    const auto value = static_cast<double>(bytes);
    if (value < 1e6) {
        return withUnit(formatNumber(value / 1e3, 1), QCoreApplication::translate(kContext, "kB"));
    }
    if (value < 1e9) {
        return withUnit(formatNumber(value / 1e6, 1), QCoreApplication::translate(kContext, "MB"));
    }
    return withUnit(formatNumber(value / 1e9, 2), QCoreApplication::translate(kContext, "GB"));
}

QString formatCount(std::int64_t count) {
    const auto value = static_cast<double>(count);
    if (count < 1000) {
        return QLocale().toString(static_cast<qlonglong>(count));
    }
    if (value < 1e6) {
        return withUnit(formatNumber(value / 1e3, 1), QStringLiteral("k"));
    }
    if (value < 1e9) {
        return withUnit(formatNumber(value / 1e6, 1), QStringLiteral("M"));
    }
    return withUnit(formatNumber(value / 1e9, 2), QStringLiteral("G"));
}

QString formatDeltaPercent(double fraction) {
    if (!std::isfinite(fraction)) {
        return QStringLiteral("–");
    }
    const double percent = fraction * 100.0;
    QString text = formatNumber(std::abs(percent), 1);
    const bool nothing = std::abs(percent) < 0.05;
    const QChar sign = nothing ? QChar(u'±') : percent < 0.0 ? QChar(u'−') : QChar(u'+');
    return withUnit(sign + text, QStringLiteral("%"));
}

QString formatDuration(std::int64_t milliseconds) {
    const std::int64_t seconds = std::max<std::int64_t>(0, (milliseconds + 500) / 1000);
    const QLocale locale;
    const auto number = [&locale](std::int64_t value) {
        return locale.toString(static_cast<qlonglong>(value));
    };
    if (seconds < 60) {
        return QCoreApplication::translate(kContext, "%1 s", "duration").arg(number(seconds));
    }
    if (seconds < 3600) {
        return QCoreApplication::translate(kContext, "%1 min %2 s", "duration")
            .arg(number(seconds / 60), number(seconds % 60));
    }
    return QCoreApplication::translate(kContext, "%1 h %2 min", "duration")
        .arg(number(seconds / 3600), number(seconds / 60 % 60));
}

}  // namespace pareto::widgets
