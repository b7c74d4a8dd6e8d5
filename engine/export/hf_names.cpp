#include "engine/export/hf_names.h"

#include <string_view>

namespace pareto::exporting {

int denseNumber(const std::string& layer) {
    constexpr std::string_view kStem = "dense.";
    return layer.starts_with(kStem) ? std::stoi(layer.substr(kStem.size())) : -1;
}

}  // namespace pareto::exporting
