#include "app/studio/dialogs/grid_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QRegularExpression>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include "app/studio/dialogs/dialog_buttons.h"
#include "widgets/models/layer_tree_model.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

GridDialog::GridDialog(Offer offer, QWidget* parent) : QDialog(parent) {
    setObjectName(u"gridDialog"_s);
    setWindowTitle(tr("Run a grid"));
    m_ratios = new QLineEdit(u"0 25 50"_s, this);
    m_ratios->setObjectName(u"gridRatiosEdit"_s);
    m_ratios->setAccessibleName(tr("Ratios in per cent"));
    m_ratios->setToolTip(tr("Per cent, separated by blanks"));
    const auto check = [this](const QString& name, const QString& text, bool on) {
        auto* box = new QCheckBox(text, this);
        box->setObjectName(name);
        box->setAccessibleName(text);
        box->setChecked(on);
        connect(box, &QCheckBox::toggled, this, &GridDialog::showCount);
        return box;
    };
    m_heads = check(u"gridHeadsCheck"_s, tr("Heads"), true);
    m_neurons = check(u"gridNeuronsCheck"_s, tr("Neurons"), true);
    m_weights = check(u"gridWeightsCheck"_s, tr("Single weights"), false);
    auto* patterns = new QHBoxLayout;
    patterns->addWidget(m_heads);
    patterns->addWidget(m_neurons);
    patterns->addWidget(m_weights);
    auto* formats = new QGridLayout;
    int cell = 0;
    for (const auto& format : widgets::layerFormats()) {
        const QString name = u"gridFormat%1Check"_s.arg(cell);
        const bool on = !format.spec || format.text == u"int8 dyn"_s;
        auto* box = check(name, format.spec ? format.text : tr("as in the file"), on);
        formats->addWidget(box, cell / 3, cell % 3);
        m_formats.push_back(box);
        ++cell;
    }
    addPlace(offer);
    addHosts(offer);
    m_count = new QLabel(this);
    m_count->setObjectName(u"gridCountLabel"_s);
    auto* buttons = addButtons(this, QDialogButtonBox::Cancel);
    m_run = buttons->addButton(tr("Run"), QDialogButtonBox::AcceptRole);
    m_run->setObjectName(u"gridRunButton"_s);
    auto* form = new QFormLayout(this);
    form->addRow(tr("Ratios, %"), m_ratios);
    form->addRow(tr("of"), patterns);
    form->addRow(tr("Bits"), formats);
    form->addRow(tr("Runs"), m_where);
    form->addRow(tr("Processes"), m_workers);
    if (!m_hosts.empty()) {
        form->addRow(tr("Other machines"), m_machines);
    }
    form->addRow(tr("Folder"), m_folder);
    form->addRow(m_count);
    form->addRow(buttons);
    connect(m_ratios, &QLineEdit::textChanged, this, &GridDialog::showCount);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        Q_EMIT chosen(grid(), place());
        accept();
    });
    showCount();
}

void GridDialog::addPlace(const Offer& offer) {
    m_where = new QComboBox(this);
    m_where->setObjectName(u"gridWhereCombo"_s);
    m_where->setAccessibleName(tr("Where the grid runs"));
    m_where->addItem(tr("in this window's queue"));
    m_where->addItem(tr("as a sweep on this machine"));
    m_where->addItem(tr("as a job array of Slurm"));
    m_where->setItemData(1, tr("Its processes go on when the window is closed"), Qt::ToolTipRole);
    m_where->setItemData(2, tr("The folder must be one that Slurm's nodes see too"),
                         Qt::ToolTipRole);
    if (!offer.hasSlurm) {
        const auto* items = qobject_cast<QStandardItemModel*>(m_where->model());
        items->item(2)->setEnabled(false);
        m_where->setItemData(2, tr("Slurm's command sbatch is not in PATH"), Qt::ToolTipRole);
    }
    m_workers = new QSpinBox(this);
    m_workers->setObjectName(u"gridWorkersSpin"_s);
    m_workers->setAccessibleName(tr("Processes"));
    m_workers->setRange(1, std::max(1, offer.cores / std::max(1, offer.threads)));
    m_workers->setValue(2);
    m_workers->setToolTip(tr("Each holds the model and has its part of the %1 cores; a run of this "
                             "target takes %2. Times are measured by one at a time, and say when "
                             "others disturbed them.")
                              .arg(offer.cores)
                              .arg(offer.threads));
    m_folder = new QLineEdit(QDir::toNativeSeparators(offer.folder), this);
    m_folder->setObjectName(u"gridFolderEdit"_s);
    m_folder->setAccessibleName(tr("Folder of the sweep"));
    m_folder->setToolTip(tr("A new folder: the recipes, and how each run ended"));
    m_folder->setCursorPosition(0);
    connect(m_where, &QComboBox::currentIndexChanged, this, &GridDialog::showCount);
    connect(m_folder, &QLineEdit::textChanged, this, &GridDialog::showCount);
}

void GridDialog::addHosts(const Offer& offer) {
    m_machines = new QWidget(this);
    auto* layout = new QVBoxLayout(m_machines);
    layout->setContentsMargins(0, 0, 0, 0);
    for (const auto& host : offer.hosts) {
        auto* box = new QCheckBox(host, m_machines);
        box->setObjectName(u"gridHost%1Check"_s.arg(m_hosts.size()));
        box->setAccessibleName(host);
        box->setToolTip(tr("One process there too, over ssh: models and data lie there under the same paths"));
        layout->addWidget(box);
        m_hosts.push_back(box);
    }
    m_machines->setVisible(!m_hosts.empty());
}

GridPlace GridDialog::place() const {
    GridPlace place;
    place.where = static_cast<GridPlace::Where>(m_where->currentIndex());
    place.workers = m_workers->value();
    place.folder = QDir::fromNativeSeparators(m_folder->text().trimmed());
    for (const auto* box : m_hosts) {
        if (place.where == GridPlace::Where::Here && box->isChecked()) {
            place.hosts += box->text();
        }
    }
    return place;
}

std::vector<double> GridDialog::ratios() const {
    std::vector<double> out;
    static const QRegularExpression blanks(u"[\\s;]+"_s);
    const auto words = m_ratios->text().split(blanks, Qt::SkipEmptyParts);
    for (const auto& word : words) {
        bool ok = false;
        const double value = QLocale().toDouble(word, &ok);
        if (!ok || value < 0.0 || value > 99.0) {
            return {};
        }
        out.push_back(value / 100.0);
    }
    return out;
}

Runner::Grid GridDialog::grid() const {
    Runner::Grid grid;
    grid.ratios = ratios();
    grid.heads = m_heads->isChecked();
    grid.neurons = m_neurons->isChecked();
    grid.weights = m_weights->isChecked();
    for (std::size_t i = 0; i < m_formats.size(); ++i) {
        if (m_formats[i]->isChecked()) {
            grid.formats.push_back(widgets::layerFormats()[i].spec);
        }
    }
    return grid;
}

void GridDialog::showCount() {
    const auto recipes = Runner::recipesOf(grid());
    const auto chosen = place();
    const bool sweep = chosen.where != GridPlace::Where::Queue;
    m_workers->setEnabled(chosen.where == GridPlace::Where::Here);
    m_machines->setEnabled(chosen.where == GridPlace::Where::Here);
    m_folder->setEnabled(sweep);
    const int count = static_cast<int>(recipes.size());
    const bool placed = !sweep || QDir::isAbsolutePath(chosen.folder);
    m_run->setEnabled(count > 0 && placed);
    m_count->setText(count == 0 ? tr("Enter ratios from 0 to 99 and choose at least one format.")
                     : !placed  ? tr("Enter the whole path of a new folder.")
                     : sweep    ? tr("%n run(s) will be a sweep", nullptr, count)
                                : tr("%n run(s) will be queued", nullptr, count));
}

}  // namespace pareto::studio
