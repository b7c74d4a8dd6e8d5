#include "engine/layout/names.h"

#include <algorithm>
#include <cctype>

namespace pareto {
namespace {

constexpr std::string_view kNumber = "{}";
constexpr std::string_view kPrefix = "{p}";

bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// Whether `name` is the pattern with digits in the place of "{}"; those digits in `number`.
bool fits(std::string_view pattern, std::string_view name, std::string_view& number) {
    const auto at = pattern.find(kNumber);
    if (at == std::string_view::npos) {
        return pattern == name;
    }
    const auto tail = pattern.substr(at + kNumber.size());
    if (name.size() <= pattern.size() - kNumber.size() || !name.starts_with(pattern.substr(0, at)) ||
        !name.ends_with(tail)) {
        return false;
    }
    number = name.substr(at, name.size() - at - tail.size());
    return std::all_of(number.begin(), number.end(), isDigit);
}

void replace(std::string& text, std::string_view what, std::string_view by) {
    if (const auto at = text.find(what); at != std::string::npos) {
        text.replace(at, what.size(), by);
    }
}

std::string moduleName(const ModelLayout& layout, std::string_view canonical, FileNames kind) {
    const NameRow* row = findName(namesOf(layout.family), canonical);
    return row == nullptr ? std::string() : nameInFile(*row, canonical, kind, layout.hfPrefix);
}

std::string tensorName(const ModelLayout& layout, const std::string& canonical, FileNames kind) {
    if (auto own = moduleName(layout, canonical, kind); !own.empty()) {
        return own;
    }
    const auto dot = canonical.find_last_of('.');
    const std::string module = moduleName(layout, std::string_view(canonical).substr(0, dot), kind);
    return module.empty() ? module : module + canonical.substr(dot);
}

}  // namespace

const NameRow* findName(std::span<const NameRow> names, std::string_view canonical) {
    std::string_view number;
    const auto found = std::find_if(names.begin(), names.end(), [&](const NameRow& row) {
        return fits(row.canonical, canonical, number);
    });
    return found == names.end() ? nullptr : &*found;
}

std::string nameInFile(const NameRow& row, std::string_view canonical, FileNames kind,
                       std::string_view prefix) {
    std::string name(kind == FileNames::HuggingFace ? row.hf : row.gguf);
    std::string_view number;
    if (fits(row.canonical, canonical, number)) {
        replace(name, kNumber, number);
    }
    replace(name, kPrefix, prefix);
    return name;
}

std::string hfTensorName(const ModelLayout& layout, const std::string& canonical) {
    return tensorName(layout, canonical, FileNames::HuggingFace);
}

std::string ggufTensorName(const ModelLayout& layout, const std::string& canonical) {
    return tensorName(layout, canonical, FileNames::Gguf);
}

std::string hfModuleName(const ModelLayout& layout, const std::string& layer) {
    return moduleName(layout, layer, FileNames::HuggingFace);
}

}  // namespace pareto
