#pragma once

#include <cstdint>
#include <optional>

#include <QWidget>

#include "engine/spec/recipe.h"

class QComboBox;

namespace pareto::widgets {

/// What one weight is held in; nullopt of `weights` means as in the file.
struct FormatChoice {
    std::optional<NumberFormat> weights;
    Granularity granularity = Granularity::Channel;
    std::int64_t groupSize = 64;
    bool operator==(const FormatChoice&) const = default;
};

/// "int8", "fp16", … as people read it; "as in the file" for nullopt.
QString formatText(std::optional<NumberFormat> format);
/// "channel", "tensor", "64": what a scale covers.
QString granularityText(Granularity granularity, std::int64_t groupSize);

/// Bits and what a scale covers, as two combo boxes: "<prefix>BitsCombo" and "<prefix>GroupCombo".
class FormatChooser : public QWidget {
    Q_OBJECT
public:
    FormatChooser(const QString& prefix, const QString& accessibleName, QWidget* parent = nullptr);

    FormatChoice choice() const;
    /// Shows a choice that came from elsewhere; emits nothing.
    void setChoice(const FormatChoice& choice);
    /// Disabled with the reason as tooltip; an empty reason enables.
    void setUnavailable(const QString& reason);

Q_SIGNALS:
    void choiceEdited(const pareto::widgets::FormatChoice& choice);

private:
    void updateGroupEnabled();

    QComboBox* m_bits = nullptr;
    QComboBox* m_group = nullptr;
};

}  // namespace pareto::widgets
