#include "widgets/support/part_facts.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>

#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

class Facts {
    Q_DECLARE_TR_FUNCTIONS(PartFacts)
public:
    static QString of(const Json& part);
};

double numberOf(const Json& part, const char* key) {
    const auto found = part.find(key);
    return found != part.end() && found->is_number() ? found->get<double>() : 0.0;
}

QString Facts::of(const Json& part) {
    const double seconds = numberOf(part, "seconds");
    const auto share = [&](double of) -> QString {
        return QLocale().toString(seconds > 0.0 ? 100.0 * of / seconds : 0.0, 'f', 1) + QStringLiteral(" %");
    };
    // What Gloo waits for is not known apart.
    const auto timeline = part.find("timeline");
    const bool known = timeline == part.end() || !timeline->is_object() || timeline->value("waits_known", true);
    const auto host = part.find("host");
    return tr("Rank %1 on %2: %3 of weights, %4 of the time exchanging values (waiting for others: %5)")
        .arg(static_cast<int>(numberOf(part, "rank")))
        .arg(host != part.end() && host->is_string() ? QString::fromStdString(host->get<std::string>()) : QStringLiteral("?"),
             formatBytes(static_cast<std::uint64_t>(numberOf(part, "bytes"))),
             share(numberOf(part, "sums") + numberOf(part, "handing")), known ? share(numberOf(part, "waiting")) : tr("not known"));
}

}  // namespace

QString partFactsText(const Json& parts) {
    QStringList lines;
    for (const auto& part : parts.is_array() ? parts : Json::array()) {
        if (part.is_object()) {
            lines.append(Facts::of(part));
        }
    }
    return lines.join(u'\n');
}

}  // namespace pareto::widgets
