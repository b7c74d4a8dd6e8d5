#pragma once

#include <QTemporaryDir>

#include <string>

#include "engine/jobs/run/run_job.h"
#include "tests/support/tiny_models.h"

namespace pareto::test {

/// A folder of its own for models, for the machine's lock and for what is kept: tests wait for nobody.
class JobsFolder {
public:
    JobsFolder() {
        qputenv("XDG_RUNTIME_DIR", m_folder.path().toUtf8());
        qputenv("XDG_CACHE_HOME", m_folder.path().toUtf8());
    }
    std::string path(const QString& name) const { return m_folder.filePath(name).toStdString(); }

private:
    QTemporaryDir m_folder;
};

inline Recipe recipe(const std::string& json) {
    const auto parsed = recipeFromJson(Json::parse(json));
    if (!parsed.ok()) {
        qFatal("bad recipe in a test: %s", errorMessage(parsed.error()).c_str());
    }
    return parsed.value();
}

inline const char* kInt8 = R"({"version": 1, "defaults": {"quantize":
    {"weights": "int8", "group": "channel", "activations": "int8-dynamic"}}})";
inline const char* kHalfPruned = R"({"version": 1, "defaults": {"prune": [
    {"method": "l1", "pattern": "heads", "ratio": 0.5},
    {"method": "l1", "pattern": "neurons", "ratio": 0.5}]}})";

/// Quick timing.
inline jobs::RunParams quickRun(const std::string& model) {
    jobs::RunParams params;
    params.model = model;
    params.target.threads = 1;
    params.target.sequence = 16;
    params.target.prompt = 8;
    params.target.generate = 4;
    params.warmups = 1;
    params.minSeconds = 0.0;
    params.minIterations = 5;
    return params;
}

/// −1: the run has no such figure.
inline double figureOf(const Result<RunRecord>& record, const char* key) {
    const auto* figure = record->find(key);
    return figure == nullptr ? -1.0 : figure->value;
}

class NoSink : public jobs::RunSink {
public:
    void partial(const Json& event) override { m_events.push_back(event); }
    std::vector<Json> m_events;
};

}  // namespace pareto::test
