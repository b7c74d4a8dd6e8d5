#pragma once

#include <QObject>

#include "app/studio/services.h"

namespace pareto::studio {

class MainWindow;

/// Menus Edit and Recipe.
class RecipeCommands : public QObject {
    Q_OBJECT
public:
    RecipeCommands(const Services& services, MainWindow& window);
    ~RecipeCommands() override;

private:
    void connectUndo();
    void connectEdit();
    void connectRecipe();
    void showUndo();
    void validate();
    void updateEnabled();

    Services m_services;
    MainWindow& m_window;
};

}  // namespace pareto::studio
