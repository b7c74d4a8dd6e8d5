#include <algorithm>

#include <QAction>
#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QStackedWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "app/studio/actions.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/job_queue.h"
#include "app/studio/pages/compare_page.h"
#include "app/studio/pages/pareto_page.h"
#include "app/studio/panes/details_pane.h"
#include "app/studio/panes/runs_pane.h"
#include "app/studio/recovery_paths.h"
#include "app/studio/runs.h"
#include "app/studio/settings.h"
#include "app/studio/store_thread.h"
#include "app/studio/workers.h"
#include "app/studio/workspace.h"
#include "widgets/models/run_table_model.h"
#include "widgets/plots/bar_plot.h"
#include "widgets/plots/pareto_plot.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

struct RunText {
    const char* name;
    double ms;
    double accuracy;
    bool baseline;
    const char* target;   ///< behind the settings of the target: the machine
};

RunRecord recordOf(const RunText& text, const ComparisonKey& key) {
    RunRecord record;
    record.name = text.name;
    record.startedAt = 1'700'000'000'000 + static_cast<std::int64_t>(text.ms * 1000);
    record.finishedAt = record.startedAt + 1000;
    record.modelName = "classifier";
    record.modelHash = "hash";
    record.recipeName = text.baseline ? "" : text.name;
    record.recipeHash = recipeHash(Recipe{});
    if (!text.baseline) {
        record.recipe = Json{{"version", 1},
                             {"defaults", {{"quantize", {{"weights", "int8"}}}}}};
        record.recipeHash = std::string("recipe of ") + text.name;
    }
    record.task = Json{{"kind", "classification"}};
    record.taskName = "prompt-injection";
    record.headlineKey = "accuracy";
    record.taskKey = key.task + "|data";
    record.targetKey = key.target + "|" + text.target;
    record.machine.id = text.target;
    record.machine.cpu = text.target;
    record.measurements = {
        {"latency_p50_ms", text.ms, text.ms * 0.99, text.ms * 1.01, 200},
        {"accuracy", text.accuracy, text.accuracy - 0.04, text.accuracy + 0.04, 400},
        {"model_bytes", text.ms * 1e6, std::nullopt, std::nullopt, 1}};
    for (const char* layer : {"encoder.layer.0.attention.query", "encoder.layer.0.ffn.in"}) {
        LayerMeasurement measured;
        measured.name = layer;
        measured.ms = text.ms / 10.0;
        record.layers.push_back(measured);
    }
    record.latenciesMs = {text.ms, text.ms * 1.01, text.ms * 0.99};
    if (!text.baseline) {
        record.details["parts"] = {{{"rank", 0}, {"host", "here"}, {"seconds", 2.0}, {"sums", 0.25}, {"handing", 0.0}, {"waiting", 0.1}, {"bytes", 45000000}},
                                   {{"rank", 1}, {"host", "there"}, {"seconds", 2.0}, {"sums", 0.5}, {"handing", 0.1}, {"waiting", 0.2}, {"bytes", 44000000}}};
    }
    return record;
}

/// Answers every question with yes, and remembers it.
class YesDialogs : public Dialogs {
public:
    void show(QDialog*) override {}
    void chooseFile(const FileRequest&, std::function<void(const QString&)>) override {}
    void ask(const Question& question, std::function<void()> accepted) override {
        asked.append(question.id);
        accepted();
    }
    void tell(const QString&, const Error&) override {}
    QStringList asked;
};

}  // namespace

class TestRunPages : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void cleanup();

    void emptyStateFollowsTheModel();
    void comparableRunsAreShownAndOthersCounted();
    void hiddenRunsAreListedWithTheReason();
    void clickInThePlotSelectsEverywhere();
    void doubleClickComparesWithTheBaseline();
    void compareShowsVerdicts();
    void renameNoteAndStar();
    void quickFilters();
    void deletionCanBeTakenBack();
    void deletedRunsAreRemovedAfterAQuestion();
    void rowsAreCopiedAsTsv();
    void detailsFollowTheSelection();
    void axesAndZoomSurviveARestart();
    void arrowsLeadToRecoveredRuns();
    void everyControlHasANameAndIsAccessible();

private:
    void fill();
    void makeWidgets();
    QTableView* table() const { return m_runsPane->view(); }
    void clickRow(RunId run, Qt::KeyboardModifiers modifiers = {});
    template <typename T>
    T* find(const QString& name) const {
        for (QWidget* part : {static_cast<QWidget*>(m_page.get()), static_cast<QWidget*>(m_compare.get()),
                              static_cast<QWidget*>(m_runsPane.get()),
                              static_cast<QWidget*>(m_details.get())}) {
            if (auto* found = part->findChild<T*>(name)) {
                return found;
            }
        }
        return nullptr;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Workspace> m_workspace;
    std::unique_ptr<StoreThread> m_store;
    std::unique_ptr<Runs> m_runs;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<Actions> m_actions;
    std::unique_ptr<WorkerClient> m_worker;
    std::unique_ptr<Settings> m_settings;
    std::unique_ptr<Workers> m_workers;
    std::unique_ptr<JobQueue> m_queue;
    YesDialogs m_dialogs;
    std::unique_ptr<ParetoPage> m_page;
    std::unique_ptr<ComparePage> m_compare;
    std::unique_ptr<RunsPane> m_runsPane;
    std::unique_ptr<DetailsPane> m_details;
    std::vector<RunId> m_ids;   ///< baseline, int8, half, int4 (dominated), other machine
};

void TestRunPages::init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_workspace = std::make_unique<Workspace>(QString());
    Task task;
    task.name = "prompt-injection";
    task.kind = TaskKind::Classification;
    task.data = "data.csv";
    m_workspace->setTask(task);
    fill();
    m_store = std::make_unique<StoreThread>(m_folder->filePath(u"studio.db"_s));
    m_runs = std::make_unique<Runs>(*m_store, *m_workspace);
    m_selection = std::make_unique<Selection>();
    m_actions = std::make_unique<Actions>();
    m_worker = std::make_unique<WorkerClient>(WorkerCommand{u"no-such-program"_s, {}});
    m_settings = std::make_unique<Settings>(m_folder->filePath(u"studio.ini"_s));
    m_workers = std::make_unique<Workers>(*m_worker, *m_settings);
    m_queue = std::make_unique<JobQueue>(*m_workers, *m_store, m_folder->filePath(u"queue.json"_s));
    makeWidgets();
    m_runs->reload();
    QTRY_COMPARE(m_runsPane->model()->rowCount(), 5);
}

void TestRunPages::cleanup() {
    m_details.reset();
    m_runsPane.reset();
    m_compare.reset();
    m_page.reset();
    m_queue.reset();
    m_workers.reset();
    m_settings.reset();
    m_worker.reset();
    m_runs.reset();
    m_store.reset();
    m_workspace.reset();
}

/// Runs whose recipes differ by recovery alone are joined; what lacks its other half is not.
void TestRunPages::arrowsLeadToRecoveredRuns() {
    Recipe half;
    half.prune.push_back({PruneMethod::L1, PrunePattern::Heads, 0.5});
    Recipe recovered = half;
    RecoverSpec spec;
    spec.method = RecoverMethod::Reconstruct;
    recovered.recover.push_back(spec);
    Recipe lonely = recovered;
    lonely.prune[0].ratio = 0.25;
    Recipe tuned;  // the untouched model, trained on
    spec = {};
    spec.source = "data.csv";
    tuned.recover.push_back(spec);
    QCOMPARE(m_page->plot()->pathCount(), 0);
    auto store = store::Store::open(m_folder->filePath(u"studio.db"_s).toStdString());
    QVERIFY(store.ok());
    std::vector<RunId> ids;
    double ms = 7.0;
    const auto add = [&](const char* name, const Recipe& recipe, const char* model) {
        auto record = recordOf({name, ms, 0.6 + ms / 100.0, false, "here"}, m_workspace->comparison());
        record.recipe = recipeToJson(recipe);
        record.recipeHash = recipeHash(recipe);
        record.recipeSummary = recipeSummary(recipe);
        record.modelHash = model;
        ids.push_back(store.value()->finishRun(record).value());
        ms += 1.0;
    };
    add("half heads", half, "hash");
    add("recovered", recovered, "hash");
    add("lonely", lonely, "hash");
    add("another model", recovered, "other");
    add("tuned", tuned, "hash");
    m_runs->reload();
    QTRY_COMPARE(m_page->plot()->pathCount(), 2);
    RecoveryPaths paths(*m_runs);
    QTRY_COMPARE(paths.paths().size(), std::size_t{2});
    QCOMPARE(paths.paths()[0], (std::pair{ids[0], ids[1]}));
    QCOMPARE(paths.paths()[1], (std::pair{m_ids[0], ids[4]}));  // from the baseline
    // A newer run of the unrecovered recipe is where the arrow begins then; a deleted one begins none.
    add("half again", half, "hash");
    m_runs->reload();
    QTRY_COMPARE(paths.paths()[0], (std::pair{ids[5], ids[1]}));
    m_runs->setDeleted({ids[0], ids[5]}, true);
    QTRY_COMPARE(paths.paths().size(), std::size_t{1});
    QTRY_COMPARE(m_page->plot()->pathCount(), 1);
    QVERIFY(m_page->plot()->canvas()->accessibleDescription().endsWith(u"lead to recovered runs."_s));
    QVERIFY(RecoveryPaths::saysRecovery("H50 distil/qat int8"));
    QVERIFY(RecoveryPaths::saysRecovery("train"));
    QVERIFY(!RecoveryPaths::saysRecovery("H50 W50/l1-reconstruction int8"));
    QVERIFY(!RecoveryPaths::saysRecovery(""));
}

void TestRunPages::fill() {
    auto store = store::Store::open(m_folder->filePath(u"studio.db"_s).toStdString());
    QVERIFY2(store.ok(), store.ok() ? "" : errorMessage(store.error()).c_str());
    const ComparisonKey key = m_workspace->comparison();
    m_ids.clear();
    // The newest run decides which machine is meant, so the other machine's comes first.
    for (const RunText& text : {RunText{"elsewhere", 5.0, 0.7, false, "there"},
                                RunText{"baseline", 19.4, 0.705, true, "here"},
                                RunText{"int8", 10.9, 0.702, false, "here"},
                                RunText{"half", 8.1, 0.694, false, "here"},
                                RunText{"int4", 14.2, 0.688, false, "here"}}) {
        auto id = store.value()->finishRun(recordOf(text, key));
        QVERIFY(id.ok());
        m_ids.push_back(id.value());
    }
    std::rotate(m_ids.begin(), m_ids.begin() + 1, m_ids.end());
}

void TestRunPages::makeWidgets() {
    m_page = std::make_unique<ParetoPage>(*m_workspace, *m_runs, *m_selection, *m_actions);
    m_compare = std::make_unique<ComparePage>(*m_runs, *m_selection, *m_actions);
    m_runsPane = std::make_unique<RunsPane>(*m_workspace, *m_runs, *m_selection, *m_actions, m_dialogs);
    m_details = std::make_unique<DetailsPane>(*m_workspace, *m_runs, *m_selection, *m_queue, *m_actions);
    m_page->resize(910, 460);
    m_compare->resize(910, 460);
    m_runsPane->resize(900, 260);
    m_details->resize(430, 260);
    for (QWidget* part : std::initializer_list<QWidget*>{m_compare.get(), m_details.get(),
                                                         m_runsPane.get(), m_page.get()}) {
        part->show();
        QVERIFY(QTest::qWaitForWindowExposed(part));
    }
}

void TestRunPages::clickRow(RunId run, Qt::KeyboardModifiers modifiers) {
    const int row = m_runsPane->model()->rowOfRun(run);
    QVERIFY(row >= 0);
    const auto index = m_runsPane->model()->index(row, widgets::RunTableModel::Name);
    table()->scrollTo(index);
    QTest::mouseClick(table()->viewport(), Qt::LeftButton, modifiers, table()->visualRect(index).center());
}

void TestRunPages::emptyStateFollowsTheModel() {
    m_runs->setDeleted(m_ids, true);
    QTRY_COMPARE(m_runsPane->model()->rowCount(), 0);
    auto* open = find<QPushButton>(u"paretoEmptyFileOpenButton"_s);
    QVERIFY(open != nullptr && open->isVisible());
    QSignalSpy opened((*m_actions)[kActionOpen], &QAction::triggered);
    QTest::mouseClick(open, Qt::LeftButton);
    QCOMPARE(opened.count(), 1);
    QVERIFY(find<QLabel>(u"runsEmptyText"_s)->isVisible());
}

void TestRunPages::comparableRunsAreShownAndOthersCounted() {
    QCOMPARE(m_page->plot()->shownCount(), 4);
    QCOMPARE(find<QLabel>(u"paretoCountsLabel"_s)->text().left(6), u"4 of 5"_s);
    auto* hidden = find<QToolButton>(u"paretoHiddenButton"_s);
    QVERIFY(hidden->isVisible());
    QVERIFY(hidden->text().startsWith(u"1 "_s));
    QCOMPARE(m_page->plot()->front(), (std::vector<std::int64_t>{m_ids[2], m_ids[1], m_ids[0]}));
    QVERIFY(!m_page->plot()->pixelOf(m_ids[4]));
}

void TestRunPages::hiddenRunsAreListedWithTheReason() {
    const QStringList reasons = m_page->hiddenReasons();
    QCOMPARE(reasons.size(), 1);
    QVERIFY2(reasons.first().contains(u"elsewhere – another machine"_s), qPrintable(reasons.first()));
    QTest::mouseClick(find<QToolButton>(u"paretoHiddenButton"_s), Qt::LeftButton);
    auto* menu = m_page->findChild<QMenu*>(u"paretoHiddenMenu"_s);
    QVERIFY(menu != nullptr && menu->isVisible());
    menu->actions().first()->trigger();
    QCOMPARE(m_selection->currentRun(), m_ids[4]);
    menu->close();
}

void TestRunPages::clickInThePlotSelectsEverywhere() {
    const auto pixel = m_page->plot()->pixelOf(m_ids[2]);
    QVERIFY(pixel);
    QTest::mouseClick(m_page->plot()->canvas(), Qt::LeftButton, {}, *pixel);
    QCOMPARE(m_selection->currentRun(), m_ids[2]);
    QCOMPARE(m_runsPane->model()->runAt(table()->currentIndex().row()), m_ids[2]);
    QCOMPARE(table()->selectionModel()->selectedRows().size(), 1);
    const auto other = m_page->plot()->pixelOf(m_ids[0]);
    QTest::mouseClick(m_page->plot()->canvas(), Qt::LeftButton, Qt::ControlModifier, *other);
    QCOMPARE(table()->selectionModel()->selectedRows().size(), 2);
    QTest::mouseClick(m_page->plot()->canvas(), Qt::LeftButton, {}, *other + QPoint(-80, 60));
    QVERIFY(m_selection->runs().empty());
    QVERIFY(table()->selectionModel()->selectedRows().isEmpty());
}

void TestRunPages::doubleClickComparesWithTheBaseline() {
    std::vector<RunId> compared;
    connect(m_page.get(), &ParetoPage::compareRequested, this,
            [&](const std::vector<RunId>& runs) { compared = runs; });
    QTest::mouseDClick(m_page->plot()->canvas(), Qt::LeftButton, {}, *m_page->plot()->pixelOf(m_ids[2]));
    QCOMPARE(compared, (std::vector<RunId>{m_ids[0], m_ids[2]}));
}

void TestRunPages::compareShowsVerdicts() {
    m_compare->showRuns({m_ids[2]});
    QCOMPARE(m_compare->runs(), (std::vector<RunId>{m_ids[0], m_ids[2]}));
    auto* model = m_compare->view()->model();
    QTRY_VERIFY(model->rowCount() > 3);
    QString latency;
    for (int row = 0; row < model->rowCount(); ++row) {
        if (model->index(row, 0).data().toString() == u"Latency p50"_s) {
            latency = model->index(row, 2).data().toString();
        }
    }
    QVERIFY2(latency.contains(u"significantly better"_s), qPrintable(latency));
    auto* header = m_compare->view()->horizontalHeader();
    QTest::mouseClick(header->viewport(), Qt::LeftButton, {},
                      QPoint(header->sectionViewportPosition(2) + 8, header->height() / 2));
    QCOMPARE(m_selection->currentRun(), m_ids[2]);
    m_compare->showRuns({});
    QVERIFY(find<QLabel>(u"compareEmptyText"_s)->isVisible());
}

void TestRunPages::renameNoteAndStar() {
    m_runsPane->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_runsPane.get()));
    QSignalSpy renamed(m_runsPane->model(), &widgets::RunTableModel::renameRequested);
    clickRow(m_ids[2]);
    QTest::keyClick(table(), Qt::Key_F2);
    auto* editor = table()->viewport()->findChild<QLineEdit*>();
    QVERIFY(editor);
    editor->selectAll();
    QTest::keyClicks(editor, u"half the heads"_s);
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_COMPARE(renamed.count(), 1);
    QTRY_COMPARE(QString::fromStdString(m_runs->frame()->find(m_ids[2])->name), u"half the heads"_s);
    const int row = m_runsPane->model()->rowOfRun(m_ids[2]);
    const auto star = m_runsPane->model()->index(row, widgets::RunTableModel::Star);
    QTest::mouseClick(table()->viewport(), Qt::LeftButton, {}, table()->visualRect(star).center());
    QTRY_VERIFY(m_runs->frame()->find(m_ids[2])->pinned);
    QCOMPARE(m_runs->baseline(), m_ids[2]);
}

void TestRunPages::quickFilters() {
    QCOMPARE(m_runsPane->model()->headerData(widgets::RunTableModel::Headline, Qt::Horizontal,
                                             Qt::DisplayRole).toString(), u"Accuracy, %"_s);
    find<QToolButton>(u"runsComparableButton"_s)->click();
    QCOMPARE(m_runsPane->model()->rowCount(), 4);
    QTest::keyClicks(find<QLineEdit>(u"runsFilterEdit"_s), u"int"_s);
    QVERIFY(m_runsPane->model()->rowCount() >= 2);
    find<QLineEdit>(u"runsFilterEdit"_s)->setText(u"nothing like it"_s);
    QCOMPARE(m_runsPane->model()->rowCount(), 0);
    QVERIFY(find<QLabel>(u"runsEmptyText"_s)->isVisible());
    find<QLineEdit>(u"runsFilterEdit"_s)->clear();
    find<QToolButton>(u"runsThisModelButton"_s)->click();
    QCOMPARE(m_runsPane->model()->rowCount(), 0);  // no model is open
}

void TestRunPages::deletionCanBeTakenBack() {
    m_runs->setDeleted({m_ids[2], m_ids[3]}, true);
    QTRY_COMPARE(m_runsPane->model()->rowCount(), 3);
    QTRY_VERIFY(find<QWidget>(u"runsUndoBar"_s)->isVisible());
    QVERIFY(find<QLabel>(u"runsUndoLabel"_s)->text().contains(u'2'));
    QTest::mouseClick(find<QToolButton>(u"runsUndoButton"_s), Qt::LeftButton);
    QTRY_COMPARE(m_runsPane->model()->rowCount(), 5);
    QVERIFY(!find<QWidget>(u"runsUndoBar"_s)->isVisible());
}

void TestRunPages::deletedRunsAreRemovedAfterAQuestion() {
    m_runs->setDeleted({m_ids[3]}, true);
    QTRY_COMPARE(m_runsPane->model()->rowCount(), 4);
    find<QToolButton>(u"runsDeletedButton"_s)->click();
    QCOMPARE(m_runsPane->model()->rowCount(), 1);
    find<QToolButton>(u"runsEmptyDeletedButton"_s)->click();
    QCOMPARE(m_dialogs.asked, QStringList{u"emptyDeletedDialog"_s});
    QTRY_COMPARE(m_runsPane->model()->rowCount(), 0);
    QTRY_VERIFY(m_runs->frame()->find(m_ids[3]) == nullptr);
}

void TestRunPages::rowsAreCopiedAsTsv() {
    clickRow(m_ids[2]);
    m_runsPane->copy();
    const QStringList lines =
        QGuiApplication::clipboard()->text().split(u'\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 2);
    QVERIFY(lines.first().contains(u"Name\tRecipe"_s));
    QVERIFY(lines.last().contains(u"half\t"_s));
}

void TestRunPages::detailsFollowTheSelection() {
    QVERIFY(find<QLabel>(u"detailsTimesEmptyText"_s)->isVisible());
    m_selection->setRun(m_ids[2]);
    QTRY_COMPARE(m_details->layerTimes()->times()->rowCount(), 2);
    QTRY_VERIFY(m_details->layerTimes()->times()->hasBaseline());
    QVERIFY(m_details->tabs()->tabText(0).contains(QString::number(m_ids[2])));
    QTRY_VERIFY(m_details->layerTimes()->pixelOf(u"encoder.layer.0.ffn.in"_s));
    QTest::mouseClick(m_details->layerTimes()->viewport(), Qt::LeftButton, {},
                      *m_details->layerTimes()->pixelOf(u"encoder.layer.0.ffn.in"_s));
    QCOMPARE(m_selection->currentLayer(), u"encoder.layer.0.ffn.in"_s);
    // What the processes did that held the model's parts; nothing of a run in one.
    const auto parts = find<QLabel>(u"detailsParts"_s)->text().replace(QChar::Nbsp, u' ');
    QVERIFY2(parts.contains(u"Rank 1 on there: 44.0 MB of weights, 30.0 % of the time exchanging values (waiting for others: 10.0 %)"_s), qPrintable(parts));
    QCOMPARE(parts.count(u'\n'), 1);
    m_selection->setRun(m_ids[0]);
    QTRY_VERIFY(find<QLabel>(u"detailsParts"_s)->text().isEmpty());
    m_selection->setRuns({});
    QVERIFY(find<QLabel>(u"detailsTimesEmptyText"_s)->isVisible());
}

void TestRunPages::axesAndZoomSurviveARestart() {
    auto* y = find<QComboBox>(u"paretoYMetricCombo"_s);
    y->setFocus();
    y->setCurrentIndex(y->findData(u"model_bytes"_s));
    Q_EMIT y->activated(y->currentIndex());
    QCOMPARE(m_page->plot()->axes().y, u"model_bytes"_s);
    const widgets::PlotView zoom{8.0, 15.0, 7.0, 16.0};
    m_page->plot()->setZoom(zoom);
    const Json state = m_page->state();
    ParetoPage other(*m_workspace, *m_runs, *m_selection, *m_actions);
    QCOMPARE(other.plot()->axes().y, u"accuracy"_s);
    other.restoreState(state);
    QCOMPARE(other.plot()->axes().y, u"model_bytes"_s);
    QVERIFY(other.plot()->zoom() == std::optional(zoom));
    other.restoreState(Json{{"x", 3}, {"zoom", {{"x_low", "a"}}}});  // damaged: passed over
    other.restoreState(Json());
}

void TestRunPages::everyControlHasANameAndIsAccessible() {
    for (QWidget* part : std::initializer_list<QWidget*>{m_page.get(), m_compare.get(),
                                                         m_runsPane.get(), m_details.get()}) {
        const auto children = part->findChildren<QWidget*>();
        for (QWidget* child : children) {
            const bool partOfQt = child->objectName().startsWith(u"qt_"_s)
                                  || child->objectName().isEmpty();
            if (child->focusPolicy() == Qt::NoFocus || partOfQt) {
                continue;
            }
            const bool named = !child->accessibleName().isEmpty()
                               || qobject_cast<QHeaderView*>(child) != nullptr
                               || child->inherits("QTabBar");
            QVERIFY2(named, qPrintable(child->objectName() + u" in "_s + part->objectName()));
        }
    }
}

QTEST_MAIN(TestRunPages)
#include "tst_run_pages.moc"
