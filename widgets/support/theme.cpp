#include "widgets/support/theme.h"

#include <optional>

#include <QApplication>
#include <QStyle>
#include <QStyleFactory>

namespace pareto::widgets {

namespace {

struct Tones {
    QColor window;
    QColor base;
    QColor alternate;
    QColor button;
    QColor text;
    QColor muted;
    QColor accent;
    QColor accentText;
    QColor link;
    QColor mid;
};

QPalette paletteOf(const Tones& tones) {
    QPalette palette;
    palette.setColor(QPalette::Window, tones.window);
    palette.setColor(QPalette::WindowText, tones.text);
    palette.setColor(QPalette::Base, tones.base);
    palette.setColor(QPalette::AlternateBase, tones.alternate);
    palette.setColor(QPalette::ToolTipBase, tones.button);
    palette.setColor(QPalette::ToolTipText, tones.text);
    palette.setColor(QPalette::PlaceholderText, tones.muted);
    palette.setColor(QPalette::Text, tones.text);
    palette.setColor(QPalette::Button, tones.button);
    palette.setColor(QPalette::ButtonText, tones.text);
    palette.setColor(QPalette::BrightText, Qt::white);
    palette.setColor(QPalette::Highlight, tones.accent);
    palette.setColor(QPalette::HighlightedText, tones.accentText);
    palette.setColor(QPalette::Link, tones.link);
    palette.setColor(QPalette::LinkVisited, tones.link);
    palette.setColor(QPalette::Light, tones.button.lighter(130));
    palette.setColor(QPalette::Midlight, tones.button.lighter(112));
    palette.setColor(QPalette::Mid, tones.mid);
    palette.setColor(QPalette::Dark, tones.mid.darker(130));
    palette.setColor(QPalette::Shadow, Qt::black);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, tones.muted);
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, tones.mid);
    palette.setColor(QPalette::Disabled, QPalette::HighlightedText, tones.text);
    return palette;
}

}  // namespace

QPalette lightPalette() {
    return paletteOf({.window = QColor(0xf0, 0xf1, 0xf3),
                      .base = Qt::white,
                      .alternate = QColor(0xf5, 0xf7, 0xfa),
                      .button = QColor(0xf5, 0xf6, 0xf8),
                      .text = QColor(0x1d, 0x22, 0x2a),
                      .muted = QColor(0x74, 0x7b, 0x86),
                      .accent = QColor(0x1f, 0x6f, 0xb8),
                      .accentText = Qt::white,
                      .link = QColor(0x17, 0x5f, 0xa8),
                      .mid = QColor(0xb4, 0xba, 0xc4)});
}

QPalette darkPalette() {
    return paletteOf({.window = QColor(0x26, 0x29, 0x2f),
                      .base = QColor(0x1b, 0x1d, 0x22),
                      .alternate = QColor(0x21, 0x24, 0x2a),
                      .button = QColor(0x32, 0x36, 0x3e),
                      .text = QColor(0xe6, 0xe9, 0xee),
                      .muted = QColor(0x8d, 0x95, 0xa2),
                      .accent = QColor(0x27, 0x70, 0xb3),
                      .accentText = Qt::white,
                      .link = QColor(0x7c, 0xb8, 0xf2),
                      .mid = QColor(0x4a, 0x50, 0x5b)});
}

void applyTheme(QApplication& application, ThemeMode mode) {
    static std::optional<QPalette> system;
    if (!system) {
        system = QApplication::palette();
    }
    if (application.style() == nullptr
        || application.style()->objectName().compare(QStringLiteral("fusion"), Qt::CaseInsensitive)
               != 0) {
        QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    }
    switch (mode) {
    case ThemeMode::System: QApplication::setPalette(*system); break;
    case ThemeMode::Light: QApplication::setPalette(lightPalette()); break;
    case ThemeMode::Dark: QApplication::setPalette(darkPalette()); break;
    }
}

bool isDark(const QPalette& palette) {
    return palette.color(QPalette::Base).lightness() < palette.color(QPalette::Text).lightness();
}

PlotColours plotColours(const QPalette& palette) {
    const bool dark = isDark(palette);
    PlotColours colours;
    colours.background = palette.color(QPalette::Base);
    colours.text = palette.color(QPalette::Text);
    colours.mutedText = dark ? QColor(0xa3, 0xab, 0xb8) : QColor(0x5a, 0x62, 0x6e);
    colours.axis = dark ? QColor(0x8d, 0x95, 0xa2) : QColor(0x6a, 0x71, 0x7c);
    colours.grid = dark ? QColor(0x33, 0x37, 0x3f) : QColor(0xe3, 0xe6, 0xeb);
    colours.front = dark ? QColor(0x7c, 0x86, 0x96) : QColor(0x85, 0x8d, 0x99);
    colours.selection = dark ? QColor(0xff, 0xd1, 0x66) : QColor(0xc2, 0x41, 0x0c);
    colours.baseline = colours.text;
    colours.better = dark ? QColor(0x5f, 0xd0, 0xa0) : QColor(0x00, 0x7a, 0x55);
    colours.worse = dark ? QColor(0xff, 0x8f, 0x6b) : QColor(0xb5, 0x3a, 0x00);
    colours.card = dark ? QColor(0x2d, 0x31, 0x39) : QColor(0xff, 0xff, 0xff);
    colours.cardBorder = dark ? QColor(0x5a, 0x62, 0x6e) : QColor(0xb4, 0xba, 0xc4);
    colours.series = dark ? std::array<QColor, 7>{QColor(0x56, 0xb4, 0xe9), QColor(0xf2, 0xa9, 0x3b),
                                                  QColor(0x2f, 0xc4, 0x9a), QColor(0xe3, 0x9a, 0xc6),
                                                  QColor(0xf0, 0xe4, 0x42), QColor(0xff, 0x8a, 0x4c),
                                                  QColor(0xb8, 0xc0, 0xcc)}
                          : std::array<QColor, 7>{QColor(0x00, 0x72, 0xb2), QColor(0xd5, 0x5e, 0x00),
                                                  QColor(0x00, 0x8f, 0x6a), QColor(0xb8, 0x5c, 0x94),
                                                  QColor(0x8a, 0x7a, 0x00), QColor(0x3a, 0x9c, 0xd6),
                                                  QColor(0x4a, 0x50, 0x5b)};
    return colours;
}

}  // namespace pareto::widgets
