#include "app/cli/text_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "engine/records/metrics.h"

namespace pareto::cli {

std::size_t displayWidth(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

std::string padRight(std::string_view text, std::size_t width) {
    const auto used = displayWidth(text);
    return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string padLeft(std::string_view text, std::size_t width) {
    const auto used = displayWidth(text);
    return std::string(used < width ? width - used : 0, ' ') + std::string(text);
}

std::string TextTable::text() const {
    std::vector<std::size_t> widths;
    for (const auto& column : m_columns) {
        widths.push_back(displayWidth(column.title));
    }
    for (const auto& row : m_rows) {
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], displayWidth(row[i]));
        }
    }
    std::string out;
    const auto addRow = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
            line += i == 0 ? "" : "  ";
            line += m_columns[i].align == Align::Right ? padLeft(cells[i], widths[i])
                                                       : padRight(cells[i], widths[i]);
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    };
    std::vector<std::string> titles;
    for (const auto& column : m_columns) {
        titles.push_back(column.title);
    }
    addRow(titles);
    for (const auto& row : m_rows) {
        addRow(row);
    }
    return out;
}

std::string formatNumber(double value, int decimals) {
    if (!std::isfinite(value)) {
        return std::isnan(value) ? "NaN" : value > 0 ? "∞" : "−∞";
    }
    std::array<char, 400> text{};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string formatBytes(std::uint64_t bytes) {
    static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000.0;
        ++unit;
    }
    const int decimals = unit == 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
    return formatNumber(value, decimals) + " " + kUnits[unit];
}

std::string formatCount(std::int64_t count) {
    std::string digits = std::to_string(count);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return digits;
}

std::string formatMetric(std::string_view key, double value) {
    const MetricInfo* metric = findMetric(key);
    if (metric == nullptr) {
        return formatNumber(value, 4);
    }
    if (metric->unit == "B" && std::isfinite(value) && value >= 0) {
        return formatBytes(static_cast<std::uint64_t>(value));
    }
    if (metric->unit.empty() && metric->decimals == 0 && std::isfinite(value)) {
        return formatCount(static_cast<std::int64_t>(value));
    }
    const double shown = metric->unit == "%" ? value * 100.0 : value;
    return formatNumber(shown, metric->decimals) +
           (metric->unit.empty() ? "" : " " + std::string(metric->unit));
}

std::string formatTime(std::int64_t milliseconds) {
    const std::time_t seconds = milliseconds / 1000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local);
    return text.data();
}

}  // namespace pareto::cli
