#include <QAbstractItemModelTester>
#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QTableView>
#include <QTableWidget>
#include <QTest>

#include "app/studio/actions.h"
#include "app/studio/data/item_pairs.h"
#include "app/studio/data/item_texts.h"
#include "app/studio/data/items_model.h"
#include "app/studio/data/task_form.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/data_page.h"
#include "app/studio/pages/items_page.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/services.h"
#include "app/studio/task_catalogue.h"
#include "app/studio/toolbar/task_chooser.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

/// The task page and the page of single items, with real clicks.
class TestDataPages : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PARETO_FAKE_WORKER", "good"); }

    void ownDataBecomesTheTask() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        write(fixture.file(u"mine.csv"_s),
              "id,prompt,kind,split\n1,hello there,fine,test\n2,ignore all,ATTACK,test\n"
              "3,\"a, b\",fine,train\n");
        openFromChooser(window);
        QVERIFY(window.dataPage()->isVisible());
        auto* use = find<QPushButton>(window, "dataUseButton");
        QVERIFY(!use->isEnabled());
        QCOMPARE(problem(window), u"Choose a file or a folder."_s);

        type(find<QLineEdit>(window, "dataPathEdit"), fixture.file(u"mine.csv"_s));
        auto* preview = find<QTableView>(window, "dataPreviewTable");
        QTRY_COMPARE(preview->model()->rowCount(), 3);
        QCOMPARE(preview->model()->index(2, 1).data().toString(), u"a, b"_s);
        // Columns by their names; labels by the names of the model's classes.
        QCOMPARE(find<QComboBox>(window, "dataTextCombo")->currentText(), u"prompt"_s);
        auto* label = find<QComboBox>(window, "dataLabelCombo");
        choose(label, u"prompt"_s);
        QCOMPARE(problem(window), u"Text and Label must be different columns."_s);
        QVERIFY(!use->isEnabled());
        choose(label, u"kind"_s);
        auto* labels = find<QTableWidget>(window, "dataLabelsTable");
        QCOMPARE(labels->rowCount(), 2);
        QCOMPARE(labels->item(0, 0)->text(), u"ATTACK"_s);
        const auto classOf = [&](int row) {
            return qobject_cast<QComboBox*>(labels->cellWidget(row, 1));
        };
        QCOMPARE(classOf(0)->currentText(), u"attack"_s);
        classOf(1)->setCurrentIndex(0);
        find<QComboBox>(window, "dataSplitCombo")->setCurrentText(u"test"_s);
        find<QSpinBox>(window, "dataLimitSpin")->setValue(2);
        QVERIFY2(use->isEnabled(), qPrintable(problem(window)));
        QTest::mouseClick(use, Qt::LeftButton);

        const auto& task = application->services().workspace.task();
        QVERIFY(task.has_value());
        QCOMPARE(task->name, std::string("mine"));
        QCOMPARE(task->columns.at("text"), std::string("prompt"));
        QCOMPARE(task->columns.at("label"), std::string("kind"));
        QCOMPARE(task->labels, (std::map<std::string, int>{{"ATTACK", 1}, {"fine", 0}}));
        QCOMPARE(task->split, std::string("test"));
        QCOMPARE(task->limit, 2);
        // It is in the list of tasks from now on.
        auto* menu = find<QMenu>(window, "taskMenu");
        Q_EMIT menu->aboutToShow();
        const auto actions = menu->actions();
        QVERIFY(std::any_of(actions.begin(), actions.end(), [](const QAction* action) {
            return action->text().startsWith(u"mine"_s) && action->isChecked();
        }));
    }

    void kindsThatDoNotFitSayWhy() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = show(*application);
        auto* kinds = find<QComboBox>(window, "dataKindCombo");
        QCOMPARE(kinds->itemText(0), u"Classification"_s);
        auto* items = qobject_cast<QStandardItemModel*>(kinds->model());
        const int perplexity = kinds->findData(static_cast<int>(TaskKind::Perplexity));
        QVERIFY(!items->item(perplexity)->isEnabled());
        QVERIFY(kinds->itemText(perplexity).contains(u"decoder"_s));
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        const int now = kinds->findData(static_cast<int>(TaskKind::Perplexity));
        QVERIFY(items->item(now)->isEnabled());
        // The window's settings belong to the kind.
        choose(kinds, kinds->itemText(now));
        QVERIFY(find<QSpinBox>(window, "dataWindowSpin")->isVisible());
        QVERIFY(!find<QSpinBox>(window, "dataMaxLengthSpin")->isVisible());
        write(fixture.file(u"text.txt"_s), "some words\nand more\n");
        type(find<QLineEdit>(window, "dataPathEdit"), fixture.file(u"text.txt"_s));
        auto* use = find<QPushButton>(window, "dataUseButton");
        QTRY_VERIFY2(use->isEnabled(), qPrintable(problem(window)));
        choose(find<QComboBox>(window, "dataProtocolCombo"), u"Strided: windows overlap"_s);
        QTest::mouseClick(use, Qt::LeftButton);
        QCOMPARE(application->services().workspace.task()->protocol, std::string("strided"));
    }

    void aDecoderClassifiesByWords() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        auto& window = show(*application);
        write(fixture.file(u"t.tsv"_s), "text\tlabel\ngood\t1\nbad\t0\n");
        auto* kinds = find<QComboBox>(window, "dataKindCombo");
        choose(kinds, u"Classification"_s);
        type(find<QLineEdit>(window, "dataPathEdit"), fixture.file(u"t.tsv"_s));
        auto* labels = find<QTableWidget>(window, "dataLabelsTable");
        QTRY_COMPARE(labels->rowCount(), 2);
        labels->item(0, 1)->setText(u" negative"_s);
        labels->item(1, 1)->setText(u" positive"_s);
        auto* use = find<QPushButton>(window, "dataUseButton");
        QVERIFY2(use->isEnabled(), qPrintable(problem(window)));
        QTest::mouseClick(use, Qt::LeftButton);
        const auto& task = application->services().workspace.task();
        QCOMPARE(task->labelTexts, (std::vector<std::string>{" negative", " positive"}));
        QCOMPARE(task->labels.at("1"), 1);
    }

    void aFolderHasSplits() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = show(*application);
        QDir().mkpath(fixture.file(u"set"_s));
        write(fixture.file(u"set/train.csv"_s), "text,label\nx,0\n");
        write(fixture.file(u"set/test.csv"_s), "text,label\ny,0\nz,1\n");
        type(find<QLineEdit>(window, "dataPathEdit"), fixture.file(u"set"_s));
        QTRY_COMPARE(find<QTableView>(window, "dataPreviewTable")->model()->rowCount(), 2);
        QCOMPARE(find<QComboBox>(window, "dataSplitCombo")->currentText(), u"test"_s);
        QVERIFY2(find<QPushButton>(window, "dataUseButton")->isEnabled(),
                 qPrintable(problem(window)));
    }

    void badFilesAreSentences() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = show(*application);
        type(find<QLineEdit>(window, "dataPathEdit"), fixture.file(u"nowhere.csv"_s));
        QTRY_VERIFY2(problem(window).contains(u"nowhere.csv"_s), qPrintable(problem(window)));
        write(fixture.file(u"ragged.csv"_s), "text,label\nonly one\n");
        type(find<QLineEdit>(window, "dataPathEdit"), fixture.file(u"ragged.csv"_s));
        QTRY_VERIFY2(problem(window).contains(u"ragged.csv"_s), qPrintable(problem(window)));
        QVERIFY(!find<QPushButton>(window, "dataUseButton")->isEnabled());
    }

    /// What the other formats look like, and their items.
    void formatsOfTheField() {
        test::StudioFixture fixture;
        write(fixture.file(u"dev.json"_s),
              "{\"version\": \"1.1\", \"data\": [{\"title\": \"t\", \"paragraphs\": [{\"context\": "
              "\"Ada lived in London.\", \"qas\": [{\"id\": \"1\", \"question\": \"Where?\", "
              "\"answers\": [{\"text\": \"London\", \"answer_start\": 13}]}]}]}]}");
        const auto squad = readDataFile({fixture.file(u"dev.json"_s), {}, {}});
        QVERIFY(squad.ok());
        QCOMPARE(squad->format, DataFormat::Squad);
        QCOMPARE(squad->rows, (std::vector<std::vector<std::string>>{
                                  {"Where?", "London", "Ada lived in London."}}));

        write(fixture.file(u"ner.conll"_s), "Ada B-PER\nlived O\n\nIn O\nLondon B-LOC\n");
        const auto conll = readDataFile({fixture.file(u"ner.conll"_s), {}, {}});
        QVERIFY(conll.ok());
        QCOMPARE(conll->rows.size(), std::size_t{2});
        QCOMPARE(conll->rows[1],
                 (std::vector<std::string>{"In London", "O B-LOC"}));
        Task task;
        task.kind = TaskKind::TokenClassification;
        task.format = DataFormat::Conll;
        task.data = fixture.file(u"ner.conll"_s).toStdString();
        const auto words = readItemTexts(task, {1}, {});
        QVERIFY(words.ok());
        QCOMPARE(words->at(1).expected, std::string("O B-LOC"));

        QDir().mkpath(fixture.file(u"beir/qrels"_s));
        write(fixture.file(u"beir/corpus.jsonl"_s),
              "{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"body\"}\n");
        write(fixture.file(u"beir/queries.jsonl"_s), "{\"_id\": \"q1\", \"text\": \"what\"}\n");
        write(fixture.file(u"beir/qrels/dev.tsv"_s), "query-id\tcorpus-id\tscore\nq1\td1\t1\n");
        const auto beir = readDataFile({fixture.file(u"beir"_s), {}, {}});
        QVERIFY2(beir.ok(), beir.ok() ? "" : errorMessage(beir.error()).c_str());
        QCOMPARE(beir->format, DataFormat::Beir);
        QCOMPARE(beir->split, u"dev"_s);
        QCOMPARE(beir->rows.front(), (std::vector<std::string>{"d1", "T", "body"}));
        task.kind = TaskKind::Retrieval;
        task.format = DataFormat::Beir;
        task.data = fixture.file(u"beir"_s).toStdString();
        task.split = "dev";
        const auto queries = readItemTexts(task, {0}, {});
        QVERIFY(queries.ok());
        QCOMPARE(queries->at(0).text, std::string("what"));
    }

    void aSavedTaskOpensAgain() {
        test::StudioFixture fixture;
        const QString file = fixture.file(u"saved.json"_s);
        {
            auto application = fixture.start();
            QVERIFY(fixture.open(*application));
            auto& window = show(*application);
            type(find<QLineEdit>(window, "dataPathEdit"),
                 QString::fromStdString(fixture.tinyTask().data));
            QTRY_VERIFY(find<QPushButton>(window, "dataSaveButton")->isEnabled());
            find<QSpinBox>(window, "dataSeedSpin")->setValue(77);
            QTest::mouseClick(find<QPushButton>(window, "dataSaveButton"), Qt::LeftButton);
            auto* dialog = window.findChild<QFileDialog*>();
            QVERIFY(dialog != nullptr);
            Q_EMIT dialog->fileSelected(file);
            dialog->reject();
            QVERIFY(loadTask(file.toStdString()).ok());
            window.close();
        }
        // The page comes back as it was, and opens the file.
        auto application = fixture.start();
        QTRY_VERIFY(application->services().workspace.model() != nullptr);
        auto& window = application->window();
        QTRY_COMPARE(find<QSpinBox>(window, "dataSeedSpin")->value(), 77);
        find<QSpinBox>(window, "dataSeedSpin")->setValue(1);
        QTest::mouseClick(find<QPushButton>(window, "dataLoadButton"), Qt::LeftButton);
        auto* dialog = window.findChild<QFileDialog*>();
        QVERIFY(dialog != nullptr);
        Q_EMIT dialog->fileSelected(file);
        dialog->reject();
        QTRY_COMPARE(find<QSpinBox>(window, "dataSeedSpin")->value(), 77);
    }

    void itemsOfTwoRunsWorstFirst() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        auto services = application->services();
        auto* preset = find<QComboBox>(window, "recipePresetCombo");
        choose(preset, u"50 % heads and neurons + int8"_s);
        services.actions[kActionRun]->trigger();
        QVERIFY(QTest::qWaitFor(
            [&] { return services.runs.comparable().comparable.size() == 2; }, 20'000));
        services.selection.setRuns(services.runs.comparable().comparable,
                                   services.runs.comparable().comparable.back());
        services.actions[kActionItems]->trigger();
        auto* table = find<QTableView>(window, "itemsTable");
        QTRY_COMPARE(table->model()->rowCount(), 12);
        // cost = 0.8 · 0.8 · 0.6 = 0.384: the first 8 of 12 are wrong in the optimized run.
        QCOMPARE(summary(window), u"both right 4 · only Baseline right: 8 · only "
                                  "50 % heads and neurons + int8 right: 0 · both wrong 0 · "
                                  "McNemar's p = 0.0078"_s);
        QCOMPARE(cell(table, 0, ItemsModel::Difference), u"lost"_s);
        QCOMPARE(cell(table, 11, ItemsModel::Difference), QString());
        QVERIFY(cell(table, 0, ItemsModel::AnswerB).startsWith(u"✗"_s));
        QTRY_VERIFY(!cell(table, 0, ItemsModel::Text).isEmpty());
        QVERIFY(!cell(table, 0, ItemsModel::Expected).isEmpty());
        QTest::mouseClick(find<QCheckBox>(window, "itemsChangedCheck"), Qt::LeftButton, {},
                          QPoint(8, 8));
        QCOMPARE(table->model()->rowCount(), 8);
        QTest::mouseClick(find<QPushButton>(window, "itemsSwapButton"), Qt::LeftButton);
        QTRY_VERIFY(summary(window).contains(u"only Baseline right: 8"_s));
        QTRY_COMPARE(cell(table, 0, ItemsModel::Difference), u"won"_s);
    }

    void itemsSayWhyTheyCannotBeShown() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        window.showItems({});
        QCOMPARE(find<QLabel>(window, "itemsEmptyText")->text(),
                 u"Choose two runs of one task in Runs, then Show Items."_s);
        auto services = application->services();
        services.actions[kActionMeasureBaseline]->trigger();
        QVERIFY(QTest::qWaitFor([&] { return services.queue.pending() == 0; }, 20'000));
        Task other = fixture.tinyTask();
        other.limit = 5;
        services.workspace.setTask(other);
        services.actions[kActionMeasureBaseline]->trigger();
        QVERIFY(QTest::qWaitFor([&] { return services.queue.pending() == 0; }, 20'000));
        QTRY_COMPARE(services.runs.frame()->rows().size(), std::size_t{2});
        window.showItems(
            {services.runs.frame()->rows()[0].id, services.runs.frame()->rows()[1].id});
        QTRY_VERIFY(find<QLabel>(window, "itemsEmptyText")->text().contains(u"different tasks"_s));
    }

    void pairsAreCountedAndOrdered() {
        RunRecord a;
        RunRecord b;
        a.headlineKey = b.headlineKey = "accuracy";
        a.items = {{0, 1.0, 1}, {1, 1.0, 0}, {2, 0.0, 1}, {3, 0.0, 0}, {9, 1.0, 0}};
        b.items = {{3, 0.0, 1}, {2, 1.0, 0}, {1, 0.0, 1}, {0, 1.0, 1}};
        auto compared = compareItems(a, b);
        QVERIFY(compared.rightWrong);
        QCOMPARE(compared.pairs.front().item, 1);
        QCOMPARE(compared.pairs.back().item, 2);
        QCOMPARE(compared.bothRight, 1);
        QCOMPARE(compared.onlyA, 1);
        QCOMPARE(compared.onlyB, 1);
        QCOMPARE(compared.bothWrong, 1);
        QCOMPARE(compared.p, 1.0);
        QCOMPARE(compared.unpaired, 1);
        QCOMPARE(compared.changed, 3);  // item 3: another wrong class

        // The other way round: of windows of a perplexity more is worse.
        a.headlineKey = b.headlineKey = "perplexity";
        a.items = {{0, 2.0}, {1, 3.0}, {2, 2.5}};
        b.items = {{0, 2.1}, {1, 3.5}, {2, 2.4}};
        compared = compareItems(a, b);
        QVERIFY(!compared.rightWrong);
        QCOMPARE(compared.pairs.front().item, 1);
        QCOMPARE(compared.pairs.back().item, 2);
        QVERIFY(std::abs(compared.difference.difference - 0.5 / 3.0) < 1e-12);
    }

    void textsOfItemsAreRead() {
        test::StudioFixture fixture;
        write(fixture.file(u"d.jsonl"_s),
              "{\"text\": \"first\", \"label\": \"a\"}\n{\"text\": \"second\", \"label\": \"b\"}\n");
        Task task;
        task.kind = TaskKind::Classification;
        task.format = DataFormat::Jsonl;
        task.data = fixture.file(u"d.jsonl"_s).toStdString();
        const auto texts = readItemTexts(task, {1, 7}, {});
        QVERIFY(texts.ok());
        QCOMPARE(texts->size(), std::size_t{1});
        QCOMPARE(texts->at(1).text, std::string("second"));
        QCOMPARE(texts->at(1).expected, std::string("b"));

        write(fixture.file(u"lines.txt"_s), "one\n\n \ntwo\nthree\n");
        task.kind = TaskKind::Fidelity;
        task.format = DataFormat::Text;
        task.data = fixture.file(u"lines.txt"_s).toStdString();
        const auto lines = readItemTexts(task, {2, 0}, {});
        QVERIFY(lines.ok());
        QCOMPARE(lines->at(0).text, std::string("one"));
        QCOMPARE(lines->at(2).text, std::string("three"));
    }

    void itemsModel() {
        ItemsModel model;
        const QAbstractItemModelTester tester(
            &model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        auto a = std::make_shared<RunRecord>();
        auto b = std::make_shared<RunRecord>();
        a->headlineKey = b->headlineKey = "rouge_l";
        for (int i = 0; i < 50; ++i) {
            a->items.push_back({i, 0.5, -1, "same"});
            b->items.push_back({i, 0.5 - 0.01 * (i % 7), -1, i % 7 == 0 ? "same" : "other"});
        }
        model.setContent({a, b, std::make_shared<ItemComparison>(compareItems(*a, *b)), {}, false});
        QCOMPARE(model.rowCount(), 50);
        QCOMPARE(model.index(0, ItemsModel::Difference).data().toString(), u"−0.0600"_s);
        const QPersistentModelIndex kept = model.index(0, ItemsModel::Item);
        const QString item = kept.data().toString();
        for (int column = 0; column < ItemsModel::ColumnCount; ++column) {
            model.sort(column, Qt::AscendingOrder);
            model.sort(column, Qt::DescendingOrder);
        }
        QCOMPARE(kept.data().toString(), item);
        model.setTexts({{6, {"text", "expected"}}});
        model.setChangedOnly(true);
        QCOMPARE(model.rowCount(), 42);
        model.clear();
        QCOMPARE(model.rowCount(), 0);
    }

private:
    template <typename T>
    static T* find(QWidget& window, const char* name) {
        auto* found = window.findChild<T*>(QLatin1String(name));
        [&] { QVERIFY2(found != nullptr, name); }();
        return found;
    }
    static MainWindow& show(Application& application) {
        application.window().showPage(application.window().dataPage());
        return application.window();
    }
    static void write(const QString& path, const QByteArray& content) {
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
    }
    static void type(QLineEdit* edit, const QString& text) {
        edit->clear();
        QTest::keyClicks(edit, text);
        QTest::keyClick(edit, Qt::Key_Return);
    }
    static void choose(QComboBox* combo, const QString& text) {
        const int row = combo->findText(text);
        QVERIFY2(row >= 0, qPrintable(text));
        combo->setCurrentIndex(row);
        Q_EMIT combo->activated(row);
    }
    static void openFromChooser(MainWindow& window) {
        auto* menu = find<QMenu>(window, "taskMenu");
        Q_EMIT menu->aboutToShow();
        auto* own = window.findChild<QAction*>(u"task.own"_s);
        QVERIFY(own != nullptr);
        own->trigger();
    }
    static QString problem(QWidget& window) {
        return find<QLabel>(window, "dataProblemLabel")->text();
    }
    static QString summary(QWidget& window) {
        return find<QLabel>(window, "itemsSummaryLabel")->text();
    }
    static QString cell(QTableView* table, int row, int column) {
        return table->model()->index(row, column).data().toString();
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestDataPages pages;
    return QTest::qExec(&pages, argc, argv);
}
#include "tst_data_pages.moc"
