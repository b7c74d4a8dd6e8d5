#pragma once

// A training's steps beside those that transformers made (tests/golden/train), and beside what it hands on.
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

/// What is handed on behind a step is what the next one begins with.
inline void handedOnAsTrained(const std::vector<double>& losses, const std::vector<TrainingPoint>& points) {
    for (std::size_t step = 0; step + 1 < points.size(); ++step) {
        const double told = points[step + 1].parts.at("labels");
        QVERIFY2(std::fabs(losses[step] - told) < 2e-3 * std::max(1.0, told),
                 qPrintable(QStringLiteral("step %1: %2, trained with %3").arg(step).arg(losses[step]).arg(told)));
    }
}

}  // namespace pareto::test
