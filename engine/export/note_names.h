#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace pareto::exporting {

/// "a, b, c and 12 more": names of layers within a note.
inline std::string joined(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 6;
    std::string out;
    for (std::size_t at = 0; at < std::min(names.size(), kMost); ++at) {
        out += (at == 0 ? "" : ", ") + names[at];
    }
    return names.size() > kMost ? out + " and " + std::to_string(names.size() - kMost) + " more"
                                : out;
}

}  // namespace pareto::exporting
