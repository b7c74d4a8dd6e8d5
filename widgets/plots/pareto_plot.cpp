#include "widgets/plots/pareto_plot.h"

#include <algorithm>
#include <cmath>

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QStackedWidget>
#include <QTableView>
#include <QToolButton>

#include "widgets/plots/pareto_canvas.h"
#include "widgets/plots/pareto_table_model.h"
#include "widgets/plots/plot_export.h"
#include "widgets/plots/plot_style.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

struct ParetoPlot::Private {
    RunColumnsPtr columns = std::make_shared<RunColumns>();
    std::vector<int> rows;
    ParetoAxes axes;
    ParetoPoints points;
    QSet<QString> hiddenSeries;
    std::int64_t baseline = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> paths;
    std::vector<std::pair<int, int>> drawnPaths;  ///< points
    std::vector<std::int64_t> selected;
    std::int64_t current = 0;
    ParetoCanvas* canvas = nullptr;
    QStackedWidget* stack = nullptr;
    QTableView* tableView = nullptr;
    ParetoTableModel* table = nullptr;
    QHBoxLayout* legend = nullptr;
    QLabel* hidden = nullptr;
    QStringList legendNames;
};

namespace {

QString axisText(const QString& key) {
    const MetricInfo* metric = findMetric(key.toStdString());
    if (metric == nullptr) {
        return key;
    }
    return metric->better == Better::Lower
               ? ParetoPlot::tr("%1 (lower is better)").arg(metricTextWithUnit(*metric))
               : ParetoPlot::tr("%1 (higher is better)").arg(metricTextWithUnit(*metric));
}

std::int64_t runOf(const ParetoPoints& points, int index) {
    return index < 0 ? 0 : points.id[static_cast<std::size_t>(index)];
}

}  // namespace

ParetoPlot::ParetoPlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->canvas = new ParetoCanvas(this);
    d->canvas->setObjectName(objectName + QStringLiteral("Canvas"));
    d->canvas->setAccessibleName(tr("Pareto plot"));
    d->canvas->overlay().cardText = [this](int point) { return cardText(point); };
    d->canvas->overlay().labelText = [this](int point) { return labelText(point); };
    d->table = new ParetoTableModel(this);
    d->tableView = new QTableView(this);
    d->tableView->setObjectName(objectName + QStringLiteral("Table"));
    d->tableView->setAccessibleName(tr("Values of the Pareto plot"));
    d->tableView->setModel(d->table);
    d->tableView->setSelectionBehavior(QAbstractItemView::SelectRows);
    d->tableView->setEditTriggers(QAbstractItemView::NoEditTriggers);
    d->tableView->verticalHeader()->hide();
    d->tableView->setAlternatingRowColors(true);
    d->stack = new QStackedWidget(this);
    d->stack->addWidget(d->canvas);
    d->stack->addWidget(d->tableView);
    d->legend = new QHBoxLayout;
    d->legend->setContentsMargins(8, 0, 8, 2);
    d->hidden = new QLabel(this);
    d->hidden->setObjectName(objectName + QStringLiteral("HiddenLabel"));
    d->legend->addStretch();
    d->legend->addWidget(d->hidden);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(d->stack, 1);
    layout->addLayout(d->legend);

    connect(d->canvas, &ParetoCanvas::pointClicked, this,
            [this](int index, Qt::KeyboardModifiers modifiers) {
                Q_EMIT runClicked(runOf(d->points, index),
                                  modifiers.testFlag(Qt::ControlModifier));
            });
    connect(d->canvas, &ParetoCanvas::pointActivated, this,
            [this](int index) { Q_EMIT runActivated(runOf(d->points, index)); });
    connect(d->canvas, &ParetoCanvas::emptyClicked, this, &ParetoPlot::selectionCleared);
    connect(d->canvas, &ParetoCanvas::pointHovered, this,
            [this](int index) { Q_EMIT runHovered(runOf(d->points, index)); });
    connect(d->canvas, &ParetoCanvas::viewChanged, this, &ParetoPlot::zoomChanged);
    connect(d->canvas, &ParetoCanvas::menuRequested, this, [this](const QPoint& at, int index) {
        Q_EMIT menuRequested(at, runOf(d->points, index));
    });
    connect(d->tableView, &QTableView::clicked, this, [this](const QModelIndex& index) {
        Q_EMIT runClicked(d->table->runAt(index.row()), false);
    });
    connect(d->tableView, &QTableView::activated, this, [this](const QModelIndex& index) {
        Q_EMIT runActivated(d->table->runAt(index.row()));
    });
    applyColours();
    rebuild();
}

ParetoPlot::~ParetoPlot() {
    // The canvas draws points that it does not own: it goes before they do.
    d->canvas->disconnect(this);
    delete d->stack;
}

void ParetoPlot::setRuns(RunColumnsPtr columns, std::vector<int> rows) {
    d->columns = std::move(columns);
    d->rows = std::move(rows);
    rebuild();
}

void ParetoPlot::setAxes(const ParetoAxes& axes) {
    if (axes == d->axes) {
        return;
    }
    const bool otherMetrics = axes.x != d->axes.x || axes.y != d->axes.y;
    d->axes = axes;
    rebuild();
    if (otherMetrics) {
        d->canvas->startOver();
    }
}

const ParetoAxes& ParetoPlot::axes() const {
    return d->axes;
}

void ParetoPlot::setBaseline(std::int64_t run) {
    if (run != d->baseline) {
        d->baseline = run;
        rebuild();
    }
}

void ParetoPlot::setSelected(const std::vector<std::int64_t>& runs, std::int64_t current) {
    d->selected = runs;
    d->current = current;
    applyHighlights();
}

void ParetoPlot::setPaths(std::vector<std::pair<std::int64_t, std::int64_t>> paths) {
    if (paths != d->paths) {
        d->paths = std::move(paths);
        applyPaths();
        describe();
        d->canvas->replot(QCustomPlot::rpQueuedReplot);
    }
}

int ParetoPlot::pathCount() const {
    return static_cast<int>(d->drawnPaths.size());
}

void ParetoPlot::applyPaths() {
    d->drawnPaths.clear();
    for (const auto& [before, after] : d->paths) {
        const int from = d->points.indexOf(before);
        const int to = d->points.indexOf(after);
        if (from >= 0 && to >= 0) {
            d->drawnPaths.emplace_back(from, to);
        }
    }
    d->canvas->scatter().setPaths(d->drawnPaths);
}

void ParetoPlot::applyHighlights() {
    std::vector<int> indices;
    for (const auto run : d->selected) {
        if (const int index = d->points.indexOf(run); index >= 0) {
            indices.push_back(index);
        }
    }
    d->canvas->setHighlights(std::move(indices), d->points.indexOf(d->current));
    if (const int row = d->table->rowOfRun(d->current); row >= 0) {
        d->tableView->selectRow(row);
    } else {
        d->tableView->clearSelection();
    }
}

void ParetoPlot::rebuild() {
    d->points = paretoPoints(*d->columns, d->rows, d->axes, d->hiddenSeries);
    d->canvas->setScales(d->axes.logX, d->axes.logY);
    d->canvas->xAxis->setLabel(axisText(d->axes.x));
    d->canvas->yAxis->setLabel(axisText(d->axes.y));
    applyPaths();
    d->canvas->setPoints(&d->points, d->points.indexOf(d->baseline));
    d->table->setPoints(d->columns, d->points, d->axes);
    d->hidden->setVisible(d->points.hidden > 0);
    d->hidden->setText(tr("%Ln run(s) hidden", nullptr, d->points.hidden));
    d->hidden->setToolTip(tr("These have no value on one of the axes, or one that a logarithmic axis "
                             "cannot show."));
    rebuildLegend();
    applyHighlights();
    describe();
    Q_EMIT shownChanged();
}

void ParetoPlot::rebuildLegend() {
    QStringList names = d->points.seriesNames;
    if (names.size() < 2 && d->hiddenSeries.isEmpty()) {
        names.clear();
    }
    if (names == d->legendNames) {
        return;
    }
    d->legendNames = names;
    const auto old = findChildren<QToolButton*>(QString(), Qt::FindDirectChildrenOnly);
    for (auto* button : old) {
        d->legend->removeWidget(button);
        button->setObjectName(QString());
        button->hide();
        button->deleteLater();
    }
    for (int i = 0; i < names.size(); ++i) {
        auto* button = new QToolButton(this);
        button->setObjectName(objectName() + QStringLiteral("LegendButton%1").arg(i));
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setAutoRaise(true);
        button->setCheckable(true);
        button->setChecked(!d->hiddenSeries.contains(names[i]));
        button->setText(fontMetrics().elidedText(names[i], Qt::ElideMiddle, 160));
        button->setAccessibleName(tr("Show %1").arg(names[i]));
        button->setToolTip(tr("Show or hide %1").arg(names[i]));
        button->setIcon(markerIcon(i, plotColours(palette()), 16, devicePixelRatioF()));
        connect(button, &QToolButton::toggled, this, [this, name = names[i]](bool shown) {
            if (shown) {
                d->hiddenSeries.remove(name);
            } else {
                d->hiddenSeries.insert(name);
            }
            rebuild();
        });
        d->legend->insertWidget(i, button);
    }
}

void ParetoPlot::applyColours() {
    const PlotColours colours = plotColours(palette());
    d->canvas->setColours(colours);
    const auto buttons = findChildren<QToolButton*>(QString(), Qt::FindDirectChildrenOnly);
    for (int i = 0; i < buttons.size(); ++i) {
        buttons[i]->setIcon(markerIcon(i, colours, 16, devicePixelRatioF()));
    }
}

void ParetoPlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyColours();
    } else if (event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

QStringList ParetoPlot::cardText(int point) const {
    const auto at = static_cast<std::size_t>(point);
    const auto row = static_cast<std::size_t>(d->points.row[at]);
    const auto& columns = *d->columns;
    QStringList lines{tr("#%1 %2").arg(d->points.id[at]).arg(columns.name[row])};
    QStringList keys{d->axes.x, d->axes.y};
    if (!keys.contains(QStringLiteral("model_bytes"))) {
        keys.append(QStringLiteral("model_bytes"));
    }
    for (const QString& key : std::as_const(keys)) {
        const int index = RunColumns::metricIndex(key.toStdString());
        if (index < 0) {
            continue;
        }
        const auto& metric = metricCatalogue()[static_cast<std::size_t>(index)];
        const auto& values = columns.metrics[static_cast<std::size_t>(index)];
        if (std::isfinite(values.value[row])) {
            lines.append(tr("%1: %2").arg(metricText(metric),
                                          formatInterval(metric, {values.value[row], values.low[row],
                                                                  values.high[row], true})));
        }
    }
    if (d->points.seriesNames.size() > 1) {
        lines.append(columns.modelName[row]);
    }
    if (!columns.recipe[row].isEmpty()) {
        lines.append(tr("Recipe: %1").arg(columns.recipe[row]));
    }
    for (const auto& [from, to] : d->drawnPaths) {
        if (to == point) {
            lines.append(tr("Recovered from #%1").arg(d->points.id[static_cast<std::size_t>(from)]));
        }
    }
    if (columns.disturbed[row]) {
        lines.append(tr("Disturbed by other load"));
    }
    lines.append(d->points.onFront[at] ? tr("On the front") : tr("Dominated"));
    return lines;
}

QString ParetoPlot::labelText(int point) const {
    const auto at = static_cast<std::size_t>(point);
    return d->columns->name[static_cast<std::size_t>(d->points.row[at])];
}

void ParetoPlot::describe() {
    d->canvas->setAccessibleDescription(
        tr("%1 against %2: %Ln run(s), ", nullptr, d->points.size())
            .arg(axisText(d->axes.y), axisText(d->axes.x))
        + tr("%Ln on the front. The table view has the values.", nullptr,
             static_cast<int>(d->points.front.size()))
        + (d->drawnPaths.empty()
               ? QString()
               : QLatin1Char(' ') + tr("%Ln arrow(s) lead to recovered runs.", nullptr, pathCount())));
}

int ParetoPlot::shownCount() const {
    return d->points.size();
}

int ParetoPlot::hiddenCount() const {
    return d->points.hidden;
}

std::vector<std::int64_t> ParetoPlot::front() const {
    std::vector<std::int64_t> runs;
    for (const int index : d->points.front) {
        runs.push_back(runOf(d->points, index));
    }
    return runs;
}

QWidget* ParetoPlot::canvas() const {
    return d->canvas;
}

std::optional<QPoint> ParetoPlot::pixelOf(std::int64_t run) const {
    const int index = d->points.indexOf(run);
    if (index < 0) {
        return std::nullopt;
    }
    // The axis area may be older than the last resize; a queued replot would come too late.
    d->canvas->replot(QCustomPlot::rpImmediateRefresh);
    const QPoint pixel = d->canvas->scatter().pixelOf(index).toPoint();
    if (!d->canvas->axisRect()->rect().contains(pixel)) {
        return std::nullopt;
    }
    return pixel;
}

std::optional<PlotView> ParetoPlot::zoom() const {
    return d->canvas->isHome() ? std::nullopt : std::optional(d->canvas->view());
}

void ParetoPlot::setZoom(const std::optional<PlotView>& zoom) {
    d->canvas->showView(zoom.value_or(d->canvas->homeView()), false);
}

bool ParetoPlot::zoomBack() {
    return d->canvas->zoomBack();
}

bool ParetoPlot::zoomForward() {
    return d->canvas->zoomForward();
}

void ParetoPlot::setTableShown(bool shown) {
    d->stack->setCurrentWidget(shown ? static_cast<QWidget*>(d->tableView) : d->canvas);
    if (shown) {
        d->tableView->resizeColumnsToContents();
    }
}

bool ParetoPlot::tableShown() const {
    return d->stack->currentWidget() == d->tableView;
}

const ParetoTableModel* ParetoPlot::table() const {
    return d->table;
}

bool ParetoPlot::save(const QString& path, const SaveOptions& options, QString* error) {
    const PlotView before = d->canvas->view();
    const bool wasHome = d->canvas->isHome();
    const PlotView wanted = options.everything ? d->canvas->homeView() : before;
    if (QFileInfo(path).suffix().compare(QStringLiteral("csv"), Qt::CaseInsensitive) == 0) {
        std::vector<int> which;
        for (int i = 0; i < d->points.size(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (d->points.x[at] >= wanted.xLow && d->points.x[at] <= wanted.xHigh
                && d->points.y[at] >= wanted.yLow && d->points.y[at] <= wanted.yHigh) {
                which.push_back(i);
            }
        }
        return writeWholeFile(path, paretoCsv(*d->columns, d->points, d->axes, which), error);
    }
    d->canvas->clearHover();
    d->canvas->showView(wanted, false);
    PlotImageOptions image;
    image.size = options.size.isEmpty() ? d->canvas->size() : options.size;
    image.scale = options.scale;
    image.title = tr("%1 against %2").arg(axisText(d->axes.y), axisText(d->axes.x));
    const bool saved = writePlotImage(*d->canvas, path, image, error);
    if (!wasHome || options.everything) {
        d->canvas->showView(before, false);
    }
    return saved;
}

void ParetoPlot::copyImage() {
    d->canvas->clearHover();
    QGuiApplication::clipboard()->setPixmap(d->canvas->toPixmap(0, 0, 2.0));
}

bool renderParetoPlot(const RunColumnsPtr& columns, const std::vector<int>& rows,
                      const ParetoRenderOptions& options, const QString& path, QString* error) {
    ParetoPlot plot(QStringLiteral("renderedPlot"));
    plot.setPalette(options.dark ? darkPalette() : lightPalette());
    plot.resize(options.size);
    plot.setAxes(options.axes);
    plot.setRuns(columns, rows);
    plot.setBaseline(options.baseline);
    return plot.save(path, {.everything = true, .size = options.size, .scale = options.scale}, error);
}

}  // namespace pareto::widgets
