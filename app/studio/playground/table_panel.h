#pragma once

#include "app/studio/playground/trial_panel.h"

QT_BEGIN_NAMESPACE
class QHBoxLayout;
class QSpinBox;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class CellTableModel;
class ElidedLabel;
}  // namespace pareto::widgets

namespace pareto::studio {

/// Trials whose answers are a table with a column a side: classify, score a pair, embed and compare,
/// tag, fill, translate.
class TablePanel : public TrialPanel {
    Q_OBJECT
public:
    TablePanel(TrialKind kind, QWidget* parent);

    const char* job() const override;
    QString whyNot() const override;
    Json params(TrialSide side) const override;
    void showTrials(const Trials& trials, const SideTitles& titles) override;
    void begin() override;
    Json state() const override;
    void restoreState(const Json& state) override;

private:
    QStringList texts() const;
    QString hint() const;
    void addTranslation(QHBoxLayout* layout);
    void makeTable();
    void fitColumns();

    QPlainTextEdit* m_text = nullptr;
    QPlainTextEdit* m_second = nullptr;  ///< of a pair
    QSpinBox* m_beams = nullptr;         ///< translate
    QSpinBox* m_maxTokens = nullptr;
    QTableView* m_view = nullptr;
    widgets::CellTableModel* m_model = nullptr;
    widgets::ElidedLabel* m_summary = nullptr;
    QStringList m_sent;  ///< the texts that the answers shown are about
};

}  // namespace pareto::studio
