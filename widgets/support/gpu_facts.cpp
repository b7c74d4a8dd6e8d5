#include "widgets/support/gpu_facts.h"

#include <optional>

#include <QCoreApplication>
#include <QStringList>

#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

class Facts {
    Q_DECLARE_TR_FUNCTIONS(GpuFacts)
public:
    static std::vector<GpuFact> of(const Json& gpu);

private:
    static QString heldBack(const Json& throttles);
};

const Json* find(const Json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() ? &*found : nullptr;
}

std::optional<double> number(const Json* object, const char* key) {
    const Json* value = object == nullptr ? nullptr : find(*object, key);
    return value != nullptr && value->is_number() ? std::optional(value->get<double>())
                                                  : std::nullopt;
}

std::optional<double> median(const Json* watch, const char* key) {
    return number(watch == nullptr ? nullptr : find(*watch, key), "median");
}

QString Facts::heldBack(const Json& throttles) {
    QStringList parts;
    for (const auto& one : throttles) {
        const Json* name = find(one, "name");
        if (name != nullptr && name->is_string()) {
            parts.append(QString::fromStdString(name->get<std::string>()) + QLatin1Char(' ') +
                         formatNumber(100.0 * number(&one, "share").value_or(0.0), 0) +
                         QStringLiteral(" %"));
        }
    }
    return parts.isEmpty() ? tr("nothing noticed") : parts.join(QStringLiteral(", "));
}

std::vector<GpuFact> Facts::of(const Json& gpu) {
    std::vector<GpuFact> out;
    const Json* watch = find(gpu, "watch");
    const Json* memory = find(gpu, "memory");
    const auto add = [&](const QString& label, const std::optional<double>& value, int decimals,
                         const QString& unit) {
        if (value) {
            out.push_back({label, formatNumber(*value, decimals) + unit});
        }
    };
    add(tr("Pass by GPU events"), number(find(gpu, "pass_ms"), "median"), 2, QStringLiteral(" ms"));
    if (const auto bytes = number(memory, "peak_allocated_bytes"); bytes && *bytes >= 0.0) {
        out.push_back({tr("GPU memory at most"), formatBytes(static_cast<std::uint64_t>(*bytes))});
    }
    if (const auto power = median(watch, "power_w")) {
        const auto limit = number(watch, "power_limit_w");
        const QString watts = formatNumber(*power, 0) + QStringLiteral(" W");
        out.push_back(
            {tr("GPU power"),
             limit ? tr("%1 of %2 W", "power, limit").arg(watts, formatNumber(*limit, 0)) : watts});
    }
    add(tr("GPU clock"), median(watch, "sm_mhz"), 0, QStringLiteral(" MHz"));
    add(tr("GPU memory clock"), median(watch, "memory_mhz"), 0, QStringLiteral(" MHz"));
    add(tr("GPU temperature"), median(watch, "temperature_c"), 0, QStringLiteral(" °C"));
    add(tr("GPU use"), median(watch, "utilisation_percent"), 0, QStringLiteral(" %"));
    if (const Json* throttles = watch == nullptr ? nullptr : find(*watch, "throttles");
        throttles != nullptr && throttles->is_array()) {
        out.push_back({tr("GPU held back by"), heldBack(*throttles)});
    }
    if (const Json* steps = find(gpu, "steps"); steps != nullptr && steps->is_string()) {
        out.push_back({tr("Decoding steps on the GPU"), QString::fromStdString(steps->get<std::string>())});
    }
    if (const auto others = number(watch, "other_processes"); others && *others > 0.0) {
        out.push_back({tr("Other processes on the GPU"), formatNumber(*others, 0)});
    }
    return out;
}

}  // namespace

std::vector<GpuFact> gpuFacts(const Json& gpu) { return Facts::of(gpu); }

QString gpuFactsText(const Json& gpu) {
    QStringList parts;
    for (const auto& fact : gpuFacts(gpu)) {
        parts.append(QStringLiteral("%1: %2").arg(fact.label, fact.value));
    }
    return parts.join(QStringLiteral(" · "));
}

}  // namespace pareto::widgets
