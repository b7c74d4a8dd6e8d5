#include "widgets/plots/plot_export.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>

#include <qcustomplot.h>

namespace pareto::widgets {

namespace {

void say(QString* error, const QString& sentence) {
    if (error != nullptr) {
        *error = sentence;
    }
}

void paintVectors(QCustomPlot& plot, QPaintDevice& device, const QSize& size) {
    QCPPainter painter;
    painter.begin(&device);
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    painter.setMode(QCPPainter::pmNonCosmetic);
    plot.toPainter(&painter, size.width(), size.height());
    painter.end();
}

QByteArray svgOf(QCustomPlot& plot, const PlotImageOptions& options) {
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    {
        QSvgGenerator svg;
        svg.setOutputDevice(&buffer);
        svg.setSize(options.size);
        svg.setViewBox(QRect(QPoint(0, 0), options.size));
        svg.setTitle(options.title);
        paintVectors(plot, svg, options.size);
    }
    return buffer.data();
}

QByteArray pdfOf(QCustomPlot& plot, const PlotImageOptions& options) {
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter pdf(&buffer);
        // A logical pixel is 1/96 inch, so that fonts keep their proportion to the plot.
        constexpr double kPointsPerPixel = 72.0 / 96.0;
        pdf.setPageSize(QPageSize(QSizeF(options.size) * kPointsPerPixel, QPageSize::Point));
        pdf.setPageMargins(QMarginsF(0, 0, 0, 0));
        pdf.setResolution(96);
        pdf.setTitle(options.title);
        pdf.setCreator(QCoreApplication::applicationName());
        paintVectors(plot, pdf, options.size);
    }
    return buffer.data();
}

QByteArray pngOf(QCustomPlot& plot, const PlotImageOptions& options) {
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    const QPixmap pixmap =
        plot.toPixmap(options.size.width(), options.size.height(), options.scale);
    if (!pixmap.save(&buffer, "PNG")) {
        return {};
    }
    return buffer.data();
}

}  // namespace

bool writeWholeFile(const QString& path, const QByteArray& bytes, QString* error) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        say(error, QCoreApplication::translate("PlotExport", "%1 could not be written: %2")
                       .arg(path, file.errorString()));
        return false;
    }
    return true;
}

bool writePlotImage(QCustomPlot& plot, const QString& path, const PlotImageOptions& options,
                    QString* error) {
    const QString suffix = QFileInfo(path).suffix().toLower();
    QByteArray bytes;
    if (suffix == QStringLiteral("svg")) {
        bytes = svgOf(plot, options);
    } else if (suffix == QStringLiteral("pdf")) {
        bytes = pdfOf(plot, options);
    } else if (suffix == QStringLiteral("png")) {
        bytes = pngOf(plot, options);
    } else {
        say(error, QCoreApplication::translate("PlotExport",
                                               "“%1” is none of png, svg, pdf and csv.")
                       .arg(suffix));
        return false;
    }
    if (bytes.isEmpty()) {
        say(error, QCoreApplication::translate("PlotExport", "The picture could not be made."));
        return false;
    }
    return writeWholeFile(path, bytes, error);
}

}  // namespace pareto::widgets
