#pragma once

#include "engine/project/create.h"
#include "tests/app/studio/studio_test.h"
#include "tests/support/tiny_models.h"

namespace pareto::test {

/// A project of a tiny model whose steps take no time: nothing is trained, little is timed.
inline project::CreateOptions quickProject(StudioFixture& fixture, const QString& folder) {
    project::CreateOptions options;
    options.folder = fixture.file(folder).toStdString();
    options.model = fixture.tinyClassifier().toStdString();
    options.data.source = writeTinyTask(fixture.file(QStringLiteral("rows.csv")).toStdString(), 120);
    options.training = false;
    options.maxLength = 32;
    options.target.threads = 1;
    options.target.sequence = 16;
    options.minSeconds = 0.0;
    options.minIterations = 5;
    return options;
}

}  // namespace pareto::test
