#include "app/studio/dialogs/info_dialogs.h"

#include <map>

#include <QAction>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableWidget>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/texts.h"
#include "app/studio/worker_client.h"
#include "engine/core/version.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

QLabel* selectable(const QString& text, const QString& name, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setObjectName(name);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    label->setAccessibleName(text);
    return label;
}

}  // namespace

QString AboutDialog::versions(const WorkerClient* worker) {
    const auto version = programVersion();
    const auto commit = programCommit();
    QString out = u"Pareto Studio "_s +
                  QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size())) +
                  u" ("_s +
                  QString::fromUtf8(commit.data(), static_cast<qsizetype>(commit.size())) +
                  u")\nQt "_s + QString::fromLatin1(qVersion());
    if (worker != nullptr && worker->hello()) {
        for (const auto& [key, value] : worker->hello()->versions.items()) {
            if (value.is_string()) {
                out += u'\n' + fromUtf8(key) + u' ' + fromUtf8(value.get<std::string>());
            }
        }
    }
    return out;
}

AboutDialog::AboutDialog(const WorkerClient& worker, QWidget* parent) : QDialog(parent) {
    setObjectName(u"aboutDialog"_s);
    setWindowTitle(tr("About Pareto Studio"));
    auto* about = new QLabel(
        tr("Optimizes transformer models for fast inference and shows what that costs and gains."),
        this);
    about->setObjectName(u"aboutText"_s);
    about->setWordWrap(true);
    QString details = versions(&worker);
    if (!worker.hello()) {
        details += u'\n' + tr("libtorch: known once the worker has started");
    }
    auto* shown = selectable(details, u"aboutVersions"_s, this);
    auto* licence = new QLabel(
        tr("Free software under the GNU General Public License, version 3 or later."), this);
    licence->setObjectName(u"aboutLicence"_s);
    licence->setWordWrap(true);
    auto* buttons = addButtons(this, QDialogButtonBox::Close);
    auto* copy = buttons->addButton(tr("Copy"), QDialogButtonBox::ActionRole);
    copy->setObjectName(u"aboutCopyButton"_s);
    connect(copy, &QPushButton::clicked, this,
            [details] { QGuiApplication::clipboard()->setText(details); });
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(about);
    layout->addWidget(shown);
    layout->addWidget(licence);
    layout->addWidget(buttons);
}

ShortcutsDialog::ShortcutsDialog(const Actions& actions, QWidget* parent) : QDialog(parent) {
    setObjectName(u"shortcutsDialog"_s);
    setWindowTitle(tr("Shortcuts"));
    resize(460, 520);
    auto* table = new QTableWidget(0, 2, this);
    table->setObjectName(u"shortcutsTable"_s);
    table->setAccessibleName(tr("Commands and their keys"));
    table->setHorizontalHeaderLabels({tr("Command"), tr("Keys")});
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->verticalHeader()->hide();
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    for (auto* action : actions.all()) {
        if (action->shortcut().isEmpty()) {
            continue;
        }
        const int row = table->rowCount();
        table->insertRow(row);
        table->setItem(row, 0, new QTableWidgetItem(action->text().remove(u'&')));
        table->setItem(row, 1,
                       new QTableWidgetItem(action->shortcut().toString(QKeySequence::NativeText)));
    }
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(table);
    layout->addWidget(addButtons(this, QDialogButtonBox::Close));
}

PropertiesDialog::PropertiesDialog(const ModelInfo& model, const QString& hash, QWidget* parent)
    : QDialog(parent) {
    setObjectName(u"propertiesDialog"_s);
    setWindowTitle(tr("Properties of %1").arg(model.name));
    resize(560, 0);
    auto* form = new QFormLayout;
    const auto add = [&](const QString& name, const QString& id, const QString& value) {
        form->addRow(name, selectable(value, id, this));
    };
    const auto& layout = model.layout;
    add(tr("Path"), u"propertiesPath"_s, model.path);
    add(tr("Format"), u"propertiesFormat"_s, model.format);
    add(tr("Family"), u"propertiesFamily"_s, fromUtf8(familyName(layout.family)));
    add(tr("Blocks"), u"propertiesBlocks"_s, count(static_cast<qint64>(layout.blocks.size())));
    add(tr("Width"), u"propertiesWidth"_s, count(layout.hidden));
    add(tr("Vocabulary"), u"propertiesVocabulary"_s, count(layout.vocabulary));
    add(tr("Parameters"), u"propertiesParameters"_s, count(layout.parameters()));
    add(tr("In memory"), u"propertiesMemory"_s, megabytes(model.original.bytes));
    add(tr("Files"), u"propertiesFiles"_s,
        tr("%n file(s), %1", nullptr, static_cast<int>(model.files.size()))
            .arg(megabytes(model.fileBytes)));
    std::map<std::string, int> types;
    for (const auto& layer : layout.layers) {
        ++types[layer.sourceType];
    }
    QStringList typeTexts;
    for (const auto& [type, n] : types) {
        typeTexts.append(tr("%1: %n layer(s)", nullptr, n).arg(fromUtf8(type)));
    }
    add(tr("Types"), u"propertiesTypes"_s, typeTexts.join(u", "_s));
    if (!layout.labels.empty()) {
        QStringList labels;
        for (const auto& label : layout.labels) {
            labels.append(fromUtf8(label));
        }
        add(tr("Classes"), u"propertiesLabels"_s, labels.join(u", "_s));
    }
    add(tr("SHA-256"), u"propertiesHash"_s, hash.isEmpty() ? tr("being computed") : hash);
    auto* box = new QVBoxLayout(this);
    box->addLayout(form);
    box->addWidget(addButtons(this, QDialogButtonBox::Close));
}

HelpDialog::HelpDialog(QWidget* parent) : QDialog(parent) {
    setObjectName(u"helpDialog"_s);
    setWindowTitle(tr("Help"));
    resize(560, 460);
    auto* browser = new QTextBrowser(this);
    browser->setObjectName(u"helpText"_s);
    browser->setAccessibleName(tr("Help"));
    browser->setHtml(tr(
        "<h3>Five steps</h3>"
        "<ol><li><b>Open</b> a model: a Hugging Face folder or a .gguf file.</li>"
        "<li>Choose a <b>preset</b> or set the knobs in <b>Recipe</b>. In <b>Layers</b> single "
        "blocks, groups "
        "and layers can differ; such cells are bold. The size is exact and follows every edit.</li>"
        "<li><b>Run</b> (F5) measures the untouched model first, where no baseline is stored, then "
        "the recipe: "
        "latency, accuracy and memory, each with its interval.</li>"
        "<li>Every run is a point in <b>Pareto</b>. Click it to see it in Runs, Layers and "
        "Details, double "
        "click it to compare it with the baseline.</li>"
        "<li><b>Export</b> writes the optimized model, reads it back and compares every "
        "tensor.</li></ol>"
        "<h3>What is compared</h3>"
        "<p>Only runs with the same task, data and target on the same machine. The number of "
        "hidden runs is "
        "always shown above the plot.</p>"));
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(browser);
    layout->addWidget(addButtons(this, QDialogButtonBox::Close));
}

}  // namespace pareto::studio
