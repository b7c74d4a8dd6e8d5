#pragma once

// A training's steps beside those that transformers made (tests/golden/train).
#include <QtTest>

#include "engine/core/json.h"
#include "engine/records/training.h"

namespace pareto::test {

inline void compareCurves(const TrainingRecord& record, const Json& expected) {
    QCOMPARE(record.points.size(), expected["losses"].size());
    for (std::size_t i = 0; i < record.points.size(); ++i) {
        const auto& point = record.points[i];
        const auto near = [&](double found, const char* key, double tolerance) {
            const double wanted = expected[key][i].get<double>();
            QVERIFY2(std::fabs(found - wanted) <= tolerance * std::max(1e-3, std::fabs(wanted)),
                     qPrintable(QStringLiteral("step %1, %2: %3 instead of %4")
                                    .arg(i + 1).arg(QLatin1String(key)).arg(found).arg(wanted)));
        };
        near(point.loss, "losses", 2e-3);
        near(point.gradientNorm, "norms", 1e-2);
        near(point.learningRate, "rates", 1e-9);
    }
}

}  // namespace pareto::test
