#pragma once

#include <array>

#include <QColor>
#include <QPalette>

class QApplication;

namespace pareto::widgets {

enum class ThemeMode { System, Light, Dark };

/// Qt 6.4 cannot ask the desktop for its colour scheme: Light and Dark are own Fusion palettes, System
/// is the palette the platform gave at start.
/// Call once before the first widget, and again whenever the user chooses another theme.
void applyTheme(QApplication& application, ThemeMode mode);
QPalette lightPalette();
QPalette darkPalette();
bool isDark(const QPalette& palette);

/// Colours of everything drawn by hand. The series are Okabe and Ito's palette (2008), which people
/// with colour-blindness can tell apart; dark themes get lighter forms of the same hues.
struct PlotColours {
    QColor background;
    QColor text;
    QColor mutedText;
    QColor axis;
    QColor grid;
    QColor front;
    QColor selection;
    QColor baseline;
    QColor better;     ///< a significant improvement
    QColor worse;      ///< a significant loss
    QColor card;       ///< ground of the hover card
    QColor cardBorder;
    std::array<QColor, 7> series;
};
PlotColours plotColours(const QPalette& palette);

}  // namespace pareto::widgets
