#include "widgets/editors/rate_spin.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace pareto::widgets {

namespace {

constexpr int kDecimals = 12;
constexpr int kDigits = 4;
constexpr std::array kMantissas{1.0, 2.0, 5.0};

/// The next of 1, 2, 5, 10, … above a number, or below it.
double neighbour(double value, bool up) {
    const double decade = std::pow(10.0, std::floor(std::log10(value)));
    constexpr double kSlack = 1e-9;
    double best = up ? 10.0 * decade : 0.5 * decade;
    for (const double mantissa : kMantissas) {
        const double candidate = mantissa * decade;
        if (up && candidate > value * (1.0 + kSlack)) {
            best = std::min(best, candidate);
        } else if (!up && candidate < value * (1.0 - kSlack)) {
            best = std::max(best, candidate);
        }
    }
    return best;
}

}  // namespace

RateSpin::RateSpin(QWidget* parent) : QDoubleSpinBox(parent) {
    setDecimals(kDecimals);
    setRange(0.0, 10.0);
    setKeyboardTracking(false);
    setAlignment(Qt::AlignRight);
}

QString RateSpin::textFromValue(double value) const {
    return locale().toString(value, 'g', kDigits);
}

double RateSpin::valueFromText(const QString& text) const {
    bool ok = false;
    const double value = locale().toDouble(text.trimmed(), &ok);
    return ok ? value : this->value();
}

QValidator::State RateSpin::validate(QString& text, int&) const {
    bool ok = false;
    const double value = locale().toDouble(text.trimmed(), &ok);
    return ok && value >= minimum() && value <= maximum() ? QValidator::Acceptable
                                                          : QValidator::Intermediate;
}

void RateSpin::stepBy(int steps) {
    double next = value();
    for (int i = 0; i < std::abs(steps); ++i) {
        next = next <= 0.0 ? (steps > 0 ? 1e-6 : 0.0) : neighbour(next, steps > 0);
    }
    setValue(next);
    selectAll();
}

}  // namespace pareto::widgets
