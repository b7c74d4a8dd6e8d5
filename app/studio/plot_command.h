#pragma once

#include <QString>

namespace pareto::studio {

/// `pareto-studio --plot pareto --db FILE --out P.png`: the Pareto plot of the newest comparable set,
/// without a window. Returns the exit code; a problem is said on stderr.
struct PlotCommand {
    QString database;  ///< empty: the default store
    QString output;    ///< .png, .svg, .pdf or .csv
    bool dark = false;
};
int runPlotCommand(const PlotCommand& command);

}  // namespace pareto::studio
