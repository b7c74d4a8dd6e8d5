#pragma once

#include <QSize>
#include <QString>

class QCustomPlot;

namespace pareto::widgets {

/// Writes a plot as it would look in `size` logical pixels: PNG (`scale` device pixels each), SVG or
/// PDF (vectors), by the ending of `path`. The file appears whole or not at all. False with a sentence
/// in `error` otherwise.
struct PlotImageOptions {
    QSize size{960, 640};
    double scale = 2.0;
    QString title;      ///< in the metadata of SVG and PDF
};
bool writePlotImage(QCustomPlot& plot, const QString& path, const PlotImageOptions& options,
                    QString* error);
/// The same for bytes that are made elsewhere.
bool writeWholeFile(const QString& path, const QByteArray& bytes, QString* error);

}  // namespace pareto::widgets
