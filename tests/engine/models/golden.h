#pragma once

// What tests against golden values of tests/golden/models share.
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <QtTest>

#include "engine/core/json.h"
#include "engine/layout/describe.h"
#include "engine/models/model.h"
#include "engine/weights/load.h"

namespace pareto::test {

inline const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/models/";

inline Json golden(const std::string& name) {
    auto json = readJsonFile(kGolden + name);
    return json.ok() ? json.value() : Json();
}

inline std::string describe(const Error& error) { return errorMessage(error) + " " + error.detail; }

inline Result<LoadedModel> openModel(const std::string& path) {
    Progress progress;
    PARETO_TRY(auto files, io::ModelFiles::open(path));
    PARETO_TRY(auto layout, describeModel(*files));
    return loadWeights(*files, std::move(layout), progress, {}, models::torchParallelFor());
}

inline Result<models::RunnableModel> prepare(const LoadedModel& model, int threads = 2) {
    Progress progress;
    models::DeviceOptions options;
    options.threads = threads;
    return models::prepareModel(model, options, progress, {});
}

inline Result<models::RunnableModel> prepare(const std::string& path, int threads = 2) {
    PARETO_TRY(auto model, openModel(path));
    return prepare(model, threads);
}

inline std::vector<std::int32_t> idsOf(const Json& json) {
    return json.get<std::vector<std::int32_t>>();
}

inline double largestDifference(std::span<const float> found, std::span<const float> expected) {
    double worst = found.size() == expected.size() && !found.empty() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < found.size() && i < expected.size(); ++i) {
        const double difference =
            std::fabs(static_cast<double>(expected[i]) - static_cast<double>(found[i]));
        worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    }
    return worst;
}

inline double largestDifference(std::span<const float> found, const Json& expected) {
    const auto values = expected.get<std::vector<float>>();
    return largestDifference(found, std::span<const float>(values));
}

}  // namespace pareto::test

#define CHECK_OK(result)                                                                       \
    do {                                                                                       \
        const auto& checkedResult = (result);                                                  \
        QVERIFY2(checkedResult.ok(), checkedResult.ok() || checkedResult.cancelled()           \
                                         ? ""                                                  \
                                         : pareto::test::describe(checkedResult.error()).c_str()); \
    } while (false)
