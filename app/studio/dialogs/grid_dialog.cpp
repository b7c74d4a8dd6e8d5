#include "app/studio/dialogs/grid_dialog.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QRegularExpression>

#include "app/studio/dialogs/dialog_buttons.h"
#include "widgets/models/layer_tree_model.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

GridDialog::GridDialog(QWidget* parent) : QDialog(parent) {
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
    m_count = new QLabel(this);
    m_count->setObjectName(u"gridCountLabel"_s);
    auto* buttons = addButtons(this, QDialogButtonBox::Cancel);
    m_run = buttons->addButton(tr("Run"), QDialogButtonBox::AcceptRole);
    m_run->setObjectName(u"gridRunButton"_s);
    auto* form = new QFormLayout(this);
    form->addRow(tr("Ratios, %"), m_ratios);
    form->addRow(tr("of"), patterns);
    form->addRow(tr("Bits"), formats);
    form->addRow(m_count);
    form->addRow(buttons);
    connect(m_ratios, &QLineEdit::textChanged, this, &GridDialog::showCount);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        Q_EMIT chosen(grid());
        accept();
    });
    showCount();
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
    m_run->setEnabled(!recipes.empty());
    m_count->setText(
        recipes.empty()
            ? tr("Enter ratios from 0 to 99 and choose at least one format.")
            : tr("%n run(s) will be queued", nullptr, static_cast<int>(recipes.size())));
}

}  // namespace pareto::studio
