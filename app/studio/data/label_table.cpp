#include "app/studio/data/label_table.h"

#include <algorithm>

#include <QComboBox>
#include <QHeaderView>
#include <QSignalBlocker>

#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

LabelTable::LabelTable(QWidget* parent) : QTableWidget(0, 2, parent) {
    setObjectName(u"dataLabelsTable"_s);
    setAccessibleName(tr("Which label is which class"));
    horizontalHeader()->setObjectName(u"dataLabelsHeader"_s);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 10);
    setTabKeyNavigation(false);
    setMinimumHeight(fontMetrics().height() * 6);
    setMinimumWidth(fontMetrics().averageCharWidth() * 34);
    connect(this, &QTableWidget::itemChanged, this, &LabelTable::edited);
}

void LabelTable::setLabels(const std::vector<std::string>& values, const ModelLayout* layout) {
    const QSignalBlocker quiet(this);
    setRowCount(0);
    m_texts = layout != nullptr && layout->generates();
    setHorizontalHeaderLabels(
        {tr("Label in the file"), m_texts ? tr("Words for it") : tr("Class of the model")});
    if (layout == nullptr || values.size() > kMost) {
        return;
    }
    setRowCount(static_cast<int>(values.size()));
    for (int row = 0; row < rowCount(); ++row) {
        const auto& value = values[static_cast<std::size_t>(row)];
        auto* label = new QTableWidgetItem(fromUtf8(value));
        label->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable);
        setItem(row, 0, label);
        if (m_texts) {
            setItem(row, 1, new QTableWidgetItem(fromUtf8(value)));
        } else {
            addClassRow(row, value, *layout);
        }
    }
}

void LabelTable::addClassRow(int row, const std::string& value, const ModelLayout& layout) {
    auto* combo = new QComboBox(this);
    combo->setObjectName(u"dataClass%1Combo"_s.arg(row));
    combo->setAccessibleName(tr("Class of the label %1").arg(fromUtf8(value)));
    const auto& classes = layout.labels;
    int suggestion = std::min(row, static_cast<int>(classes.size()) - 1);
    for (std::size_t i = 0; i < classes.size(); ++i) {
        combo->addItem(fromUtf8(classes[i]));
        if (fromUtf8(classes[i]).compare(fromUtf8(value), Qt::CaseInsensitive) == 0 ||
            std::to_string(i) == value) {
            suggestion = static_cast<int>(i);
        }
    }
    combo->setCurrentIndex(suggestion);
    connect(combo, &QComboBox::currentIndexChanged, this, &LabelTable::edited);
    setCellWidget(row, 1, combo);
}

void LabelTable::setChosen(const std::map<std::string, int>& labels,
                           const std::vector<std::string>& labelTexts) {
    for (int row = 0; row < rowCount(); ++row) {
        const auto found = labels.find(item(row, 0)->text().toStdString());
        if (found == labels.end()) {
            continue;
        }
        if (auto* combo = qobject_cast<QComboBox*>(cellWidget(row, 1))) {
            combo->setCurrentIndex(found->second);
        } else if (static_cast<std::size_t>(found->second) < labelTexts.size()) {
            item(row, 1)->setText(fromUtf8(labelTexts[static_cast<std::size_t>(found->second)]));
        }
    }
}

std::map<std::string, int> LabelTable::labels() const {
    std::map<std::string, int> out;
    for (int row = 0; row < rowCount(); ++row) {
        const auto* combo = qobject_cast<QComboBox*>(cellWidget(row, 1));
        out.emplace(item(row, 0)->text().toStdString(),
                    combo != nullptr ? combo->currentIndex() : row);
    }
    return out;
}

std::vector<std::string> LabelTable::labelTexts() const {
    std::vector<std::string> out;
    for (int row = 0; m_texts && row < rowCount(); ++row) {
        out.push_back(item(row, 1)->text().toStdString());
    }
    return out;
}

}  // namespace pareto::studio
