#include "engine/spec/labels.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace pareto {

std::vector<std::string> orderedLabels(const std::set<std::string>& labels) {
    const auto numberOf = [](const std::string& text) {
        std::int64_t number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        return problem == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
    };
    std::vector<std::string> out(labels.begin(), labels.end());
    std::stable_sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
        const auto first = numberOf(a);
        const auto second = numberOf(b);
        return first && (!second || *first < *second);
    });
    return out;
}

}  // namespace pareto
