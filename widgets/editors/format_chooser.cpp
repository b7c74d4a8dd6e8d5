#include "widgets/editors/format_chooser.h"

#include <array>

#include <QComboBox>
#include <QCoreApplication>
#include <QHBoxLayout>

namespace pareto::widgets {

namespace {

constexpr int kAsInFile = -1;
constexpr std::array kFormats{NumberFormat::F32,   NumberFormat::F16,  NumberFormat::BF16,
                              NumberFormat::F8,    NumberFormat::Int16, NumberFormat::Int8,
                              NumberFormat::Int4,  NumberFormat::Int3, NumberFormat::Int2};
constexpr std::array<std::int64_t, 3> kGroupSizes{32, 64, 128};
// Keys of the group combo: below zero a granularity, above a group size.
constexpr qlonglong kPerChannel = -1;
constexpr qlonglong kPerTensor = -2;

/// Formats of codes have scales.
bool isCoded(std::optional<NumberFormat> format) { return format && *format >= NumberFormat::F8; }

/// What, when, and what it costs.
QString hintOf(NumberFormat format) {
    const char* text = "";
    switch (format) {
    case NumberFormat::F32:
        text = QT_TRANSLATE_NOOP("FormatChooser", "32-bit floats: 4 bytes a weight, nothing lost");
        break;
    case NumberFormat::F16:
        text = QT_TRANSLATE_NOOP(
            "FormatChooser", "16-bit floats: half the bytes, next to nothing lost; ends at 65504");
        break;
    case NumberFormat::BF16:
        text = QT_TRANSLATE_NOOP("FormatChooser",
                                 "16-bit floats of fp32's range and 8 bits of precision: half "
                                 "the bytes");
        break;
    case NumberFormat::F8:
        text = QT_TRANSLATE_NOOP(
            "FormatChooser",
            "8-bit floats (E4M3) times a scale: a quarter of the bytes. For weights of very "
            "different sizes; int8 is usually closer and faster on a CPU.");
        break;
    case NumberFormat::Int16:
        text =
            QT_TRANSLATE_NOOP("FormatChooser",
                              "16-bit integers: half the bytes, closer than fp16 for all but the "
                              "smallest weights. Products run in fp32.");
        break;
    case NumberFormat::Int8:
        text = QT_TRANSLATE_NOOP("FormatChooser",
                                 "8-bit integers: a quarter of the bytes, little lost; with int8 "
                                 "activations the fastest on this processor");
        break;
    case NumberFormat::Int4:
        text = QT_TRANSLATE_NOOP("FormatChooser",
                                 "4-bit integers: an eighth of the bytes. Wants groups of 32 to "
                                 "128; GPTQ keeps quality.");
        break;
    case NumberFormat::Int3:
        text = QT_TRANSLATE_NOOP("FormatChooser",
                                 "3-bit integers: a tenth of the bytes. Wants groups and GPTQ, "
                                 "loses noticeably without. No faster than int4.");
        break;
    case NumberFormat::Int2:
        text = QT_TRANSLATE_NOOP("FormatChooser",
                                 "2-bit integers, four values a weight: the smallest. Most models "
                                 "break without small groups and GPTQ. No faster than int4.");
        break;
    }
    return QCoreApplication::translate("FormatChooser", text);
}

}  // namespace

QString formatText(std::optional<NumberFormat> format) {
    if (!format) {
        return QCoreApplication::translate("FormatChooser", "as in the file");
    }
    const auto name = nameOf(*format);
    return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
}

QString granularityText(Granularity granularity, std::int64_t groupSize) {
    switch (granularity) {
    case Granularity::Tensor:
        return QCoreApplication::translate("FormatChooser", "tensor", "what a scale covers");
    case Granularity::Channel:
        return QCoreApplication::translate("FormatChooser", "channel", "what a scale covers");
    case Granularity::Group: break;
    }
    return QString::number(groupSize);
}

FormatChooser::FormatChooser(const QString& prefix, const QString& accessibleName, QWidget* parent)
    : QWidget(parent) {
    setObjectName(prefix + QStringLiteral("FormatChooser"));
    m_bits = new QComboBox(this);
    m_bits->setObjectName(prefix + QStringLiteral("BitsCombo"));
    m_bits->setAccessibleName(accessibleName);
    m_bits->addItem(formatText(std::nullopt), kAsInFile);
    for (const auto format : kFormats) {
        m_bits->addItem(formatText(format), static_cast<int>(format));
        m_bits->setItemData(m_bits->count() - 1, hintOf(format), Qt::ToolTipRole);
    }
    m_group = new QComboBox(this);
    m_group->setObjectName(prefix + QStringLiteral("GroupCombo"));
    m_group->setAccessibleName(tr("%1: what a scale covers").arg(accessibleName));
    m_group->setToolTip(tr("How many input columns share a scale"));
    m_group->addItem(granularityText(Granularity::Channel, 0), kPerChannel);
    m_group->addItem(granularityText(Granularity::Tensor, 0), kPerTensor);
    for (const auto size : kGroupSizes) {
        m_group->addItem(tr("group %1").arg(size), static_cast<qlonglong>(size));
    }
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_bits, 1);
    layout->addWidget(m_group, 1);
    setFocusProxy(m_bits);
    connect(m_bits, &QComboBox::activated, this, [this] {
        updateGroupEnabled();
        Q_EMIT choiceEdited(choice());
    });
    connect(m_group, &QComboBox::activated, this, [this] { Q_EMIT choiceEdited(choice()); });
    updateGroupEnabled();
}

FormatChoice FormatChooser::choice() const {
    FormatChoice choice;
    const int bits = m_bits->currentData().toInt();
    if (bits != kAsInFile) {
        choice.weights = static_cast<NumberFormat>(bits);
    }
    const qlonglong group = m_group->currentData().toLongLong();
    if (group == kPerChannel) {
        choice.granularity = Granularity::Channel;
    } else if (group == kPerTensor) {
        choice.granularity = Granularity::Tensor;
    } else {
        choice.granularity = Granularity::Group;
        choice.groupSize = group;
    }
    return choice;
}

void FormatChooser::setChoice(const FormatChoice& choice) {
    const int bits = choice.weights ? static_cast<int>(*choice.weights) : kAsInFile;
    m_bits->setCurrentIndex(m_bits->findData(bits));
    qlonglong group = choice.granularity == Granularity::Channel  ? kPerChannel
                      : choice.granularity == Granularity::Tensor ? kPerTensor
                                                                  : choice.groupSize;
    if (m_group->findData(group) < 0) {
        // A recipe file may name any size.
        m_group->addItem(tr("group %1").arg(choice.groupSize), group);
    }
    m_group->setCurrentIndex(m_group->findData(group));
    updateGroupEnabled();
}

void FormatChooser::setUnavailable(const QString& reason) {
    setEnabled(reason.isEmpty());
    setToolTip(reason);
}

void FormatChooser::updateGroupEnabled() {
    m_group->setEnabled(isCoded(choice().weights));
}

}  // namespace pareto::widgets
