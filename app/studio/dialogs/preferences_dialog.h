#pragma once

#include <QDialog>

namespace pareto::studio {

class Settings;

/// Text size and how long is timed. Theme and language are in the View menu.
class PreferencesDialog : public QDialog {
    Q_OBJECT
public:
    explicit PreferencesDialog(Settings& settings, QWidget* parent = nullptr);

Q_SIGNALS:
    void fontSizeChanged();
};

}  // namespace pareto::studio
