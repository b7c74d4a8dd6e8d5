#pragma once

#include <map>
#include <string>
#include <vector>

#include <QTableWidget>

#include "engine/spec/layers.h"

namespace pareto::studio {

/// Which label of the data is which class: of a classifier's own, or, for a text generator, the words
/// whose likelihood decides.
class LabelTable : public QTableWidget {
    Q_OBJECT
public:
    explicit LabelTable(QWidget* parent);

    /// More labels than this are no classes.
    static constexpr std::size_t kMost = 200;
    /// `values`: the labels that occur, sorted. `layout` null: nothing is asked.
    void setLabels(const std::vector<std::string>& values, const ModelLayout* layout);
    void setChosen(const std::map<std::string, int>& labels,
                   const std::vector<std::string>& labelTexts);
    std::map<std::string, int> labels() const;
    std::vector<std::string> labelTexts() const;  ///< text generators; in the order of the classes

Q_SIGNALS:
    void edited();

private:
    void addClassRow(int row, const std::string& value, const ModelLayout& layout);

    bool m_texts = false;
};

}  // namespace pareto::studio
