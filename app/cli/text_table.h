#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Text for people on a terminal. Widths count UTF-8 characters, not bytes.
namespace pareto::cli {

std::size_t displayWidth(std::string_view text);
std::string padRight(std::string_view text, std::size_t width);
std::string padLeft(std::string_view text, std::size_t width);

enum class Align { Left, Right };
struct Column {
    std::string title;
    Align align = Align::Left;
};

/// Columns as wide as their widest cell, two spaces between them.
class TextTable {
public:
    explicit TextTable(std::vector<Column> columns) : m_columns(std::move(columns)) {}
    void add(std::vector<std::string> cells) { m_rows.push_back(std::move(cells)); }
    bool empty() const { return m_rows.empty(); }
    std::string text() const;

private:
    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

/// "1.95 MB" (decimal units, as vendors and Hugging Face count).
std::string formatBytes(std::uint64_t bytes);
/// "12,345,678"
std::string formatCount(std::int64_t count);
std::string formatNumber(double value, int decimals);
/// With the unit and decimals of the catalogue: "84.25 %", "12.3 ms", "22.6 MB".
std::string formatMetric(std::string_view key, double value);
/// "2026-11-23 14:05", local time. `milliseconds`: since 1970, UTC.
std::string formatTime(std::int64_t milliseconds);

}  // namespace pareto::cli
