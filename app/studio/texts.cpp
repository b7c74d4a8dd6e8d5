#include "app/studio/texts.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

#include "widgets/models/run_table_model.h"
#include "widgets/support/number_format.h"

namespace pareto::studio {

QString text(Unit unit, qint64 count) {
    const int n = static_cast<int>(count);
    switch (unit) {
    case Unit::None:
        return {};
    case Unit::Layers:
        return QCoreApplication::translate("Texts", "%n layer(s)", nullptr, n);
    case Unit::Samples:
        return QCoreApplication::translate("Texts", "%n sample(s)", nullptr, n);
    case Unit::Tokens:
        return QCoreApplication::translate("Texts", "%n token(s)", nullptr, n);
    case Unit::Bytes:
        return megabytes(static_cast<std::uint64_t>(count));
    case Unit::Iterations:
        return QCoreApplication::translate("Texts", "%n pass(es)", nullptr, n);
    }
    return {};
}

QString text(RunStatus status) { return widgets::runStatusText(status); }

QString text(const ProgressSnapshot& progress) {
    const QString stage = text(progress.stage);
    if (progress.total <= 0) {
        return stage;
    }
    if (progress.unit == Unit::Bytes) {
        return QCoreApplication::translate("Texts", "%1 %2 of %3", "stage, done, total")
            .arg(stage, megabytes(static_cast<std::uint64_t>(progress.done)),
                 megabytes(static_cast<std::uint64_t>(progress.total)));
    }
    return QCoreApplication::translate("Texts", "%1 %2 of %3", "stage, done, total")
        .arg(stage, count(progress.done), count(progress.total));
}

QString text(NumberFormat format) { return fromUtf8(std::string(nameOf(format))); }

QString text(PrunePattern pattern) {
    switch (pattern) {
    case PrunePattern::Unstructured:
        return QCoreApplication::translate("Texts", "Weights");
    case PrunePattern::Heads:
        return QCoreApplication::translate("Texts", "Heads");
    case PrunePattern::Neurons:
        return QCoreApplication::translate("Texts", "Neurons");
    case PrunePattern::Blocks:
        return QCoreApplication::translate("Texts", "Blocks");
    case PrunePattern::Width:
        return QCoreApplication::translate("Texts", "Width");
    }
    return {};
}

QString text(PruneMethod method) {
    switch (method) {
    case PruneMethod::Magnitude: return QCoreApplication::translate("Texts", "magnitude");
    case PruneMethod::L1: return QCoreApplication::translate("Texts", "L1");
    case PruneMethod::Wanda: return QStringLiteral("Wanda");
    case PruneMethod::SparseGpt: return QStringLiteral("SparseGPT");
    case PruneMethod::L1Reconstruction: return QCoreApplication::translate("Texts", "L1 reconstruction");
    case PruneMethod::Fluctuation: return QCoreApplication::translate("Texts", "fluctuation (FLAP)");
    case PruneMethod::Second: return QCoreApplication::translate("Texts", "second order (ZipLM)");
    case PruneMethod::Influence: return QCoreApplication::translate("Texts", "influence (ShortGPT)");
    case PruneMethod::Fisher: return QCoreApplication::translate("Texts", "Fisher (oBERT)");
    case PruneMethod::Taylor: return QCoreApplication::translate("Texts", "Taylor");
    case PruneMethod::Pca: return QCoreApplication::translate("Texts", "principal axes (SliceGPT)");
    case PruneMethod::Gradual: return QCoreApplication::translate("Texts", "gradual magnitude");
    case PruneMethod::Movement: return QCoreApplication::translate("Texts", "movement");
    case PruneMethod::SoftMovement: return QCoreApplication::translate("Texts", "soft movement");
    case PruneMethod::Proximal: return QCoreApplication::translate("Texts", "L1 proximal");
    }
    return {};
}

QString text(LearnedPart part) {
    switch (part) {
    case LearnedPart::All: return QCoreApplication::translate("Texts", "everything");
    case LearnedPart::Biases: return QCoreApplication::translate("Texts", "biases");
    case LearnedPart::Norms: return QCoreApplication::translate("Texts", "norms");
    case LearnedPart::BiasesNorms: return QCoreApplication::translate("Texts", "biases and norms");
    }
    return {};
}

QString text(TaskKind kind) {
    switch (kind) {
    case TaskKind::Classification:
        return QCoreApplication::translate("Texts", "Classification");
    case TaskKind::TokenClassification:
        return QCoreApplication::translate("Texts", "Token classification");
    case TaskKind::MultipleChoice:
        return QCoreApplication::translate("Texts", "Multiple choice");
    case TaskKind::QuestionAnswering:
        return QCoreApplication::translate("Texts", "Question answering");
    case TaskKind::Translation:
        return QCoreApplication::translate("Texts", "Translation");
    case TaskKind::Generation:
        return QCoreApplication::translate("Texts", "Summaries and other texts");
    case TaskKind::Perplexity:
        return QCoreApplication::translate("Texts", "Perplexity");
    case TaskKind::Dialogue:
        return QCoreApplication::translate("Texts", "Dialogue");
    case TaskKind::Fidelity:
        return QCoreApplication::translate("Texts", "Fidelity to the original");
    case TaskKind::Similarity:
        return QCoreApplication::translate("Texts", "Sentence similarity");
    case TaskKind::Retrieval:
        return QCoreApplication::translate("Texts", "Retrieval");
    case TaskKind::Ranking:
        return QCoreApplication::translate("Texts", "Ranking");
    }
    return {};
}

QString text(DataFormat format) {
    switch (format) {
    case DataFormat::Csv:
        return QCoreApplication::translate("Texts", "Table (CSV)");
    case DataFormat::Tsv:
        return QCoreApplication::translate("Texts", "Table with tabs (TSV)");
    case DataFormat::Jsonl:
        return QCoreApplication::translate("Texts", "JSON lines");
    case DataFormat::Text:
        return QCoreApplication::translate("Texts", "Plain text");
    case DataFormat::Squad:
        return QCoreApplication::translate("Texts", "SQuAD (JSON)");
    case DataFormat::Beir:
        return QCoreApplication::translate("Texts", "BEIR (folder)");
    case DataFormat::Conll:
        return QCoreApplication::translate("Texts", "CoNLL (a word a line)");
    }
    return {};
}

QString metricText(const MetricInfo& metric) { return widgets::metricText(metric); }
QString metricAxisText(const MetricInfo& metric) { return widgets::metricTextWithUnit(metric); }
double metricScale(const MetricInfo& metric) { return widgets::displayOf(metric).factor; }
QString metricUnit(const MetricInfo& metric) { return widgets::displayOf(metric).unit; }

QString metricValue(const MetricInfo& metric, double stored) {
    return widgets::formatMetricFigure(metric, stored);
}

QString metricValue(const MetricInfo& metric, const Measurement& measurement) {
    if (!measurement.low || !measurement.high) {
        return widgets::formatMetric(metric, measurement.value);
    }
    return widgets::formatInterval(metric,
                                   {measurement.value, *measurement.low, *measurement.high, true});
}

QString megabytes(std::uint64_t bytes) { return widgets::formatBytes(bytes); }
QString millions(std::int64_t count) { return widgets::formatCount(count); }

QString percent(double share, int decimals) {
    return QCoreApplication::translate("Texts", "%1 %").arg(number(share * 100.0, decimals));
}

QString number(double value, int decimals) { return widgets::formatNumber(value, decimals); }
QString count(qint64 value) { return QLocale().toString(value); }

QString duration(double seconds) {
    return widgets::formatDuration(static_cast<std::int64_t>(seconds * 1000.0));
}

QString dateTime(qint64 msUtc) {
    return QLocale().toString(QDateTime::fromMSecsSinceEpoch(msUtc), QLocale::ShortFormat);
}

QString whyUnfitText(const Task& task, const ModelLayout& layout) {
    switch (unfitness(task, layout)) {
    case Unfit::None:
        return {};
    case Unfit::NeedsClassifier:
        return QCoreApplication::translate("Texts", "the model has no classification head");
    case Unfit::NeedsLabelTexts:
        return QCoreApplication::translate(
            "Texts", "a text generator classifies by likelihood: the task needs label_texts");
    case Unfit::NeedsTokenClassifier:
        return QCoreApplication::translate("Texts", "the model has no head that tags tokens");
    case Unfit::NeedsAnswerHead:
        return QCoreApplication::translate("Texts", "the model has no question-answering head");
    case Unfit::NeedsDecoder:
        return QCoreApplication::translate("Texts", "it needs a text generator (a decoder)");
    case Unfit::NeedsSeq2Seq:
        return QCoreApplication::translate("Texts", "it needs an encoder-decoder model");
    case Unfit::NeedsGenerator:
        return QCoreApplication::translate("Texts", "it needs a model that generates text");
    case Unfit::NeedsEmbeddings:
        return QCoreApplication::translate("Texts", "it needs an encoder that gives embeddings");
    case Unfit::NeedsRanker:
        return QCoreApplication::translate(
            "Texts", "it needs a cross-encoder: a classifier with one class");
    case Unfit::NeedsText:
        return QCoreApplication::translate("Texts", "for a text generator it needs a plain text");
    }
    return {};
}

QString targetText(const Target& target, bool decoder) {
    const QString device = target.device == "cpu" ? QCoreApplication::translate("Texts", "CPU")
                                                  : fromUtf8(target.device);
    const QString shape =
        decoder
            ? QStringLiteral("%1×%2+%3").arg(target.batch).arg(target.prompt).arg(target.generate)
            : QStringLiteral("%1×%2").arg(target.batch).arg(target.sequence);
    if (target.device != "cpu") {
        return device + QStringLiteral(" · ") + shape;
    }
    return device + QStringLiteral(" · ") +
           QCoreApplication::translate("Texts", "%n thread(s)", nullptr, target.threads) +
           (target.tensorParallel > 1 ? QStringLiteral(" · tp %1").arg(target.tensorParallel) : QString()) +
           (target.pipelineParallel > 1 ? QStringLiteral(" · pp %1").arg(target.pipelineParallel) : QString()) +
           (target.replicas > 1 ? QStringLiteral(" · dp %1").arg(target.replicas) : QString()) +
           QStringLiteral(" · ") + shape;
}

}  // namespace pareto::studio
