#pragma once

#include <QString>

#include "app/studio/projects.h"
#include "engine/project/prepare.h"

/// Sentences about projects, in the language of the window.
namespace pareto::studio {

QString text(project::Split split);            ///< "validation"
QString text(const project::DataNote& note);
QString text(project::Leaks leaks);
QString workText(const project::Step& step);   ///< "Variant: int8 dynamic"
/// What became of a step: "done", why it is due, why it failed. Of a running one only that.
QString stateText(const ProjectStep& step, const project::StepResult* result);
/// What cleaning left of a data set, and what it left out: a line each.
QStringList foundText(const project::DataReport& report);
/// The same in one line, of a project's report.json; empty when it says nothing of the kind.
QString foundText(const Json& report);

}  // namespace pareto::studio
