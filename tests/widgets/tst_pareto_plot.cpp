#include <ctime>
#include <limits>

#include <QFile>
#include <QImage>
#include <QLabel>
#include <QMouseEvent>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QWheelEvent>

#include "tests/widgets/run_fixture.h"
#include "widgets/plots/pareto_plot.h"
#include "widgets/plots/pareto_table_model.h"
#include "widgets/support/theme.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace pareto::widgets::test;

class TestParetoPlot : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void cleanup() { m_plot.reset(); }

    void clickChoosesTheRunUnderIt();
    void controlClickToggles();
    void doubleClickActivates();
    void clickBesideAPointClears();
    void pixelsFollowAResize();
    void wheelZoomsAtTheCursor();
    void dragPansAndIsNoClick();
    void shiftDragZoomsIntoTheBox();
    void doubleClickOnEmptyGroundShowsAll();
    void zoomHistory();
    void newRunsKeepTheUsersZoom();
    void keyboard();
    void hoverShowsACard();
    void missingValuesAreCounted();
    void legendHidesAModel();
    void tableTwin();
    void savesEveryFormat();
    void csvOfViewAndOfAll();
    void unwritablePathIsASentence();
    void rendersOffscreen();
    void logarithmicAxis();
    void arrowsJoinRuns();
    void hundredThousandPoints();

private:
    QWidget* canvas() const { return m_plot->canvas(); }
    QPoint pixel(std::int64_t run) const { return m_plot->pixelOf(run).value_or(QPoint(-1, -1)); }
    void wheel(const QPoint& at, int steps);
    /// QTest::mouseMove moves the real cursor, which is asynchronous while no button is down.
    void hover(const QPoint& at);
    std::unique_ptr<ParetoPlot> m_plot;
};

void TestParetoPlot::init() {
    QLocale::setDefault(QLocale::c());
    m_plot = std::make_unique<ParetoPlot>(QStringLiteral("paretoPlot"));
    m_plot->resize(640, 420);
    const auto columns = columnsOf(exampleRows());
    m_plot->setRuns(columns, allRows(*columns));
    m_plot->setBaseline(1);
    m_plot->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_plot.get()));
}

void TestParetoPlot::wheel(const QPoint& at, int steps) {
    QWheelEvent event(at, canvas()->mapToGlobal(at), {}, QPoint(0, 120 * steps), Qt::NoButton, {},
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(canvas(), &event);
}

void TestParetoPlot::hover(const QPoint& at) {
    QMouseEvent event(QEvent::MouseMove, at, canvas()->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                      Qt::NoModifier);
    QCoreApplication::sendEvent(canvas(), &event);
}

void TestParetoPlot::clickChoosesTheRunUnderIt() {
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    for (const std::int64_t run : {1, 2, 3, 4, 5}) {
        QTest::mouseClick(canvas(), Qt::LeftButton, {}, pixel(run));
        QCOMPARE(clicked.last().at(0).toLongLong(), run);
        QCOMPARE(clicked.last().at(1).toBool(), false);
    }
    QCOMPARE(clicked.count(), 5);
}

void TestParetoPlot::controlClickToggles() {
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    QTest::mouseClick(canvas(), Qt::LeftButton, Qt::ControlModifier, pixel(2));
    QCOMPARE(clicked.count(), 1);
    QVERIFY(clicked.last().at(1).toBool());
}

void TestParetoPlot::doubleClickActivates() {
    QSignalSpy activated(m_plot.get(), &ParetoPlot::runActivated);
    QTest::mouseDClick(canvas(), Qt::LeftButton, {}, pixel(3));
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated.first().first().toLongLong(), 3);
    QVERIFY(!m_plot->zoom());
}

void TestParetoPlot::clickBesideAPointClears() {
    QSignalSpy cleared(m_plot.get(), &ParetoPlot::selectionCleared);
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    QTest::mouseClick(canvas(), Qt::LeftButton, {}, pixel(1) + QPoint(-60, 40));
    QCOMPARE(clicked.count(), 0);
    QCOMPARE(cleared.count(), 1);
}

void TestParetoPlot::pixelsFollowAResize() {
    const QPoint before = pixel(2);
    m_plot->resize(900, 600);
    QCoreApplication::processEvents();
    const QPoint after = pixel(2);
    QVERIFY(after != before);
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    QTest::mouseClick(canvas(), Qt::LeftButton, {}, after);
    QCOMPARE(clicked.last().at(0).toLongLong(), 2);
    QVERIFY(!m_plot->pixelOf(99));
}

void TestParetoPlot::wheelZoomsAtTheCursor() {
    const QPoint before = pixel(2);
    const QPoint other = pixel(1);
    wheel(before, 2);
    QVERIFY(m_plot->zoom());
    const QPoint after = pixel(2);
    QVERIFY((after - before).manhattanLength() <= 2);
    const auto moved = m_plot->pixelOf(1);
    QVERIFY(!moved || *moved != other);
}

void TestParetoPlot::dragPansAndIsNoClick() {
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    const QPoint before = pixel(2);
    const QPoint from = before + QPoint(3, 0);
    QTest::mousePress(canvas(), Qt::LeftButton, {}, from);
    for (int step = 1; step <= 5; ++step) {
        QTest::mouseMove(canvas(), from + QPoint(8 * step, 4 * step));
    }
    QTest::mouseRelease(canvas(), Qt::LeftButton, {}, from + QPoint(40, 20));
    QCOMPARE(clicked.count(), 0);
    QVERIFY((pixel(2) - (before + QPoint(40, 20))).manhattanLength() <= 2);
}

void TestParetoPlot::shiftDragZoomsIntoTheBox() {
    const QPoint centre = pixel(5);
    const QPoint from = centre - QPoint(40, 30);
    QTest::mousePress(canvas(), Qt::LeftButton, Qt::ShiftModifier, from);
    QTest::mouseMove(canvas(), centre);
    QTest::mouseMove(canvas(), centre + QPoint(40, 30));
    QTest::mouseRelease(canvas(), Qt::LeftButton, Qt::ShiftModifier, centre + QPoint(40, 30));
    QVERIFY(m_plot->zoom());
    QVERIFY(m_plot->pixelOf(5));
    QVERIFY(!m_plot->pixelOf(1));
    const QPoint now = pixel(5);
    QVERIFY((now - canvas()->rect().center()).manhattanLength() < 80);
}

void TestParetoPlot::doubleClickOnEmptyGroundShowsAll() {
    wheel(pixel(2), 6);
    QVERIFY(!m_plot->pixelOf(1));
    const QPoint empty = pixel(2) + QPoint(70, 60);
    QTest::mouseDClick(canvas(), Qt::LeftButton, {}, empty);
    QVERIFY(!m_plot->zoom());
    QVERIFY(m_plot->pixelOf(1));
}

void TestParetoPlot::zoomHistory() {
    const QPoint home = pixel(2);
    QVERIFY(!m_plot->zoomBack());
    wheel(pixel(2) + QPoint(30, 30), 3);
    const QPoint zoomed = pixel(2);
    QVERIFY(zoomed != home);
    QVERIFY(m_plot->zoomBack());
    QCOMPARE(pixel(2), home);
    QVERIFY(m_plot->zoomForward());
    QCOMPARE(pixel(2), zoomed);
    QVERIFY(!m_plot->zoomForward());
    ParetoAxes axes;
    axes.y = QStringLiteral("model_bytes");
    m_plot->setAxes(axes);
    QVERIFY(!m_plot->zoom());
    QVERIFY(!m_plot->zoomBack());  // ranges of another metric would show nothing
}

void TestParetoPlot::newRunsKeepTheUsersZoom() {
    auto rows = exampleRows();
    rows.push_back(rowOf({6, QStringLiteral("slow"), 60.0, 0.6, 90.0}));
    const QPoint home = pixel(2);
    m_plot->setRuns(columnsOf(rows), allRows(*columnsOf(rows)));
    QVERIFY(pixel(2) != home);  // everything is shown, so the axes grew
    QVERIFY(m_plot->pixelOf(6));
    wheel(pixel(2), 4);
    const auto zoom = m_plot->zoom();
    QVERIFY(zoom);
    m_plot->setRuns(columnsOf(exampleRows()), allRows(*columnsOf(exampleRows())));
    QVERIFY(m_plot->zoom() == zoom);
}

void TestParetoPlot::keyboard() {
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    QSignalSpy activated(m_plot.get(), &ParetoPlot::runActivated);
    QSignalSpy cleared(m_plot.get(), &ParetoPlot::selectionCleared);
    canvas()->setFocus();
    QTest::keyClick(canvas(), Qt::Key_Right);  // the fastest
    QTest::keyClick(canvas(), Qt::Key_Right);
    QTest::keyClick(canvas(), Qt::Key_Space);
    QCOMPARE(clicked.count(), 1);
    QCOMPARE(clicked.first().first().toLongLong(), 2);
    QTest::keyClick(canvas(), Qt::Key_Left);
    QTest::keyClick(canvas(), Qt::Key_Return);
    QCOMPARE(activated.first().first().toLongLong(), 3);
    QTest::keyClick(canvas(), Qt::Key_Plus);
    QVERIFY(m_plot->zoom());
    QTest::keyClick(canvas(), Qt::Key_0);
    QVERIFY(!m_plot->zoom());
    QTest::keyClick(canvas(), Qt::Key_Escape);
    QCOMPARE(cleared.count(), 1);
}

void TestParetoPlot::hoverShowsACard() {
    QSignalSpy hovered(m_plot.get(), &ParetoPlot::runHovered);
    const QImage before = canvas()->grab().toImage();
    hover(pixel(4));
    QCOMPARE(hovered.count(), 1);
    QCOMPARE(hovered.first().first().toLongLong(), 4);
    QVERIFY(canvas()->grab().toImage() != before);
    hover(pixel(4) + QPoint(60, 60));
    QCOMPARE(hovered.last().first().toLongLong(), 0);
}

void TestParetoPlot::missingValuesAreCounted() {
    auto rows = exampleRows();
    rows[3].figures[1].value = std::numeric_limits<double>::quiet_NaN();
    QSignalSpy changed(m_plot.get(), &ParetoPlot::shownChanged);
    m_plot->setRuns(columnsOf(rows), allRows(*columnsOf(rows)));
    QCOMPARE(m_plot->hiddenCount(), 1);
    QCOMPARE(m_plot->shownCount(), 4);
    QVERIFY(changed.count() > 0);
    QVERIFY(!m_plot->pixelOf(4));
    auto* badge = m_plot->findChild<QLabel*>(QStringLiteral("paretoPlotHiddenLabel"));
    QVERIFY(badge->isVisible());
    QVERIFY(badge->text().contains(QChar(u'1')));
}

void TestParetoPlot::legendHidesAModel() {
    QVERIFY(!m_plot->findChild<QToolButton*>(QStringLiteral("paretoPlotLegendButton0")));
    auto rows = exampleRows();
    rows.push_back(rowOf({6, QStringLiteral("tiny"), 1.0, 0.9, 1.0, QStringLiteral("wonder")}));
    m_plot->setRuns(columnsOf(rows), allRows(*columnsOf(rows)));
    QCOMPARE(m_plot->front(), (std::vector<std::int64_t>{6}));
    auto* button = m_plot->findChild<QToolButton*>(QStringLiteral("paretoPlotLegendButton1"));
    QVERIFY(button);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(m_plot->front(), (std::vector<std::int64_t>{3, 2, 1}));
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(m_plot->front(), (std::vector<std::int64_t>{6}));
}

void TestParetoPlot::tableTwin() {
    const auto* table = m_plot->table();
    QCOMPARE(table->rowCount(), 5);
    const int row = table->rowOfRun(3);
    QCOMPARE(table->index(row, ParetoTableModel::Name).data().toString(), QStringLiteral("half-int8"));
    QCOMPARE(table->index(row, ParetoTableModel::Y).data().toString(), QStringLiteral("69.40"));
    QCOMPARE(table->index(row, ParetoTableModel::Front).data().toString(),
             QStringLiteral("on the front"));
    QVERIFY(canvas()->accessibleDescription().contains(QChar(u'5')));
    m_plot->setTableShown(true);
    auto* view = m_plot->findChild<QTableView*>(QStringLiteral("paretoPlotTable"));
    QVERIFY(view->isVisible());
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {},
                      view->visualRect(table->index(row, ParetoTableModel::Name)).center());
    QCOMPARE(clicked.first().first().toLongLong(), 3);
}

void TestParetoPlot::savesEveryFormat() {
    QTemporaryDir folder;
    QString error;
    m_plot->setSelected({3}, 3);
    const auto path = [&](const char* suffix) {
        return folder.filePath(QStringLiteral("plot.") + QLatin1String(suffix));
    };
    ParetoPlot::SaveOptions options;
    options.size = QSize(800, 500);
    for (const char* suffix : {"png", "svg", "pdf", "csv"}) {
        QVERIFY2(m_plot->save(path(suffix), options, &error), qPrintable(error));
    }
    const QImage image(path("png"));
    QCOMPARE(image.size(), QSize(1600, 1000));
    QFile svg(path("svg"));
    QVERIFY(svg.open(QIODevice::ReadOnly));
    const QByteArray text = svg.readAll();
    QVERIFY(text.contains("<svg"));
    QVERIFY(text.contains("Latency p50, ms"));
    QVERIFY(!text.contains("<image"));  // markers are vectors
    QFile pdf(path("pdf"));
    QVERIFY(pdf.open(QIODevice::ReadOnly));
    QVERIFY(pdf.readAll().startsWith("%PDF-"));
    QVERIFY(!m_plot->save(path("gif"), options, &error));
    QVERIFY(error.contains(QStringLiteral("gif")));
}

void TestParetoPlot::csvOfViewAndOfAll() {
    QTemporaryDir folder;
    QString error;
    QLocale::setDefault(QLocale(QLocale::German));
    wheel(pixel(3), 8);
    const auto lines = [&](bool everything) {
        const QString path = folder.filePath(QStringLiteral("plot.csv"));
        ParetoPlot::SaveOptions options;
        options.everything = everything;
        if (!m_plot->save(path, options, &error)) {
            return QStringList();
        }
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly)) {
            return QStringList();
        }
        return QString::fromUtf8(file.readAll()).split(QStringLiteral("\r\n"), Qt::SkipEmptyParts);
    };
    const QStringList all = lines(true);
    QCOMPARE(all.size(), 6);
    QVERIFY(all.first().startsWith(QStringLiteral("run,name,model,recipe,\"latency_p50_ms [ms]\"")));
    QVERIFY(all.at(3).contains(QStringLiteral(",8.1,")));  // C numbers in every language
    const QStringList seen = lines(false);
    QVERIFY(seen.size() < all.size());
    QVERIFY(seen.size() >= 2);
}

void TestParetoPlot::unwritablePathIsASentence() {
    QString error;
    QVERIFY(!m_plot->save(QStringLiteral("/no/such/folder/plot.png"), {}, &error));
    QVERIFY(error.contains(QStringLiteral("/no/such/folder/plot.png")));
}

void TestParetoPlot::rendersOffscreen() {
    QTemporaryDir folder;
    const auto columns = columnsOf(exampleRows());
    QString error;
    for (const bool dark : {false, true}) {
        ParetoRenderOptions options;
        options.baseline = 1;
        options.dark = dark;
        const QString path = folder.filePath(QStringLiteral("p.png"));
        QVERIFY2(renderParetoPlot(columns, allRows(*columns), options, path, &error), qPrintable(error));
        const QImage image(path);
        QCOMPARE(image.size(), QSize(2000, 1280));
        QCOMPARE(image.pixelColor(3, 3).lightness() < 128, dark);
    }
}

void TestParetoPlot::logarithmicAxis() {
    ParetoAxes axes = m_plot->axes();
    const QPoint linear = pixel(2);
    axes.logX = true;
    m_plot->setAxes(axes);
    QVERIFY(pixel(2) != linear);
    QSignalSpy clicked(m_plot.get(), &ParetoPlot::runClicked);
    QTest::mouseClick(canvas(), Qt::LeftButton, {}, pixel(2));
    QCOMPARE(clicked.last().at(0).toLongLong(), 2);
    const QPoint before = pixel(2);
    wheel(before, 2);
    QVERIFY((pixel(2) - before).manhattanLength() <= 2);
}

void TestParetoPlot::arrowsJoinRuns() {
    const QPoint from = pixel(4);
    const QPoint to = pixel(1);
    const auto picture = [this] { return canvas()->grab().toImage(); };
    const QImage before = picture();
    m_plot->setPaths({{4, 1}, {4, 99}, {98, 99}});
    QCOMPARE(m_plot->pathCount(), 1);  // others have an end that is not drawn
    (void)pixel(1);                    // draws at once
    const QImage after = picture();
    // All of it lies along the line: near its middle, and nowhere far from it.
    const double ratio = before.devicePixelRatio();
    int near = 0;
    for (int y = 0; y < before.height(); ++y) {
        for (int x = 0; x < before.width(); ++x) {
            if (before.pixel(x, y) == after.pixel(x, y)) {
                continue;
            }
            const QPointF at(x / ratio, y / ratio);
            const QPointF along = QPointF(to - from);
            const double share = QPointF::dotProduct(at - from, along) / QPointF::dotProduct(along, along);
            const double apart = QLineF(QPointF(from) + along * share, at).length();
            QVERIFY2(share > 0.0 && share < 1.0 && apart < 8.0, qPrintable(QStringLiteral("%1, %2").arg(x).arg(y)));
            near += share > 0.3 && share < 0.7;
        }
    }
    QVERIFY(near > 10);
    m_plot->setPaths({});
    (void)pixel(1);
    QCOMPARE(picture(), before);
}

void TestParetoPlot::hundredThousandPoints() {
    constexpr int kRuns = 100'000;
    std::vector<RunRow> rows;
    rows.reserve(kRuns);
    std::uint64_t state = 1;
    const auto random = [&state] {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<double>(state >> 40) / static_cast<double>(1 << 24);
    };
    for (int i = 0; i < kRuns; ++i) {
        rows.push_back(rowOf({i + 1, QStringLiteral("run"), 5.0 + 20.0 * random(),
                              0.4 + 0.4 * random(), 30.0}));
    }
    const auto columns = columnsOf(rows);
    m_plot->resize(910, 420);
    m_plot->setRuns(columns, allRows(*columns));
    QVERIFY(pixel(500).x() > 0);
    QCoreApplication::processEvents();
    // Time of this process alone: other tests run beside it.
    const auto milliseconds = [](std::clock_t from) {
        return 1000.0 * static_cast<double>(std::clock() - from) / CLOCKS_PER_SEC;
    };
    std::clock_t from = std::clock();
    constexpr int kRepaints = 5;
    for (int i = 0; i < kRepaints; ++i) {
        m_plot->setZoom(PlotView{4.9 - i * 0.1, 25.1, 39.0, 81.0});
        QVERIFY(m_plot->pixelOf(500));  // draws at once
    }
    const double replot = milliseconds(from) / kRepaints;
    m_plot->setZoom(std::nullopt);
    const QPoint over = pixel(77);
    from = std::clock();
    constexpr int kMoves = 50;
    for (int i = 0; i < kMoves; ++i) {
        hover(over + QPoint(i % 2 == 0 ? 0 : 9, i));
        canvas()->repaint();
    }
    const double moved = milliseconds(from) / kMoves;
    qInfo("100,000 points: %.1f ms a replot, %.2f ms a move of the mouse", replot, moved);
    // The aims are 33 ms and 16 ms; slower machines and sanitizers get room.
    QVERIFY(replot < 200.0);
    QVERIFY(moved < 50.0);
}

QTEST_MAIN(TestParetoPlot)
#include "tst_pareto_plot.moc"
