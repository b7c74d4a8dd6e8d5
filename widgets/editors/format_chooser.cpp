#include "widgets/editors/format_chooser.h"

#include <array>

#include <QComboBox>
#include <QCoreApplication>
#include <QHBoxLayout>

namespace pareto::widgets {

namespace {

constexpr int kAsInFile = -1;
constexpr std::array kFormats{NumberFormat::F32, NumberFormat::F16, NumberFormat::BF16,
                              NumberFormat::Int8, NumberFormat::Int4};
constexpr std::array<std::int64_t, 3> kGroupSizes{32, 64, 128};
// Keys of the group combo: below zero a granularity, above a group size.
constexpr qlonglong kPerChannel = -1;
constexpr qlonglong kPerTensor = -2;

bool isInteger(std::optional<NumberFormat> format) {
    return format == NumberFormat::Int8 || format == NumberFormat::Int4;
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
    m_group->setEnabled(isInteger(choice().weights));
}

}  // namespace pareto::widgets
