#include "engine/io/yaml.h"

#include <yaml-cpp/yaml.h>

#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

Error invalid(const std::string& file, const std::string& what, std::string reason) {
    return makeError(ErrorCode::ConfigInvalid, {{"file", file}, {"field", what}, {"reason", std::move(reason)}});
}

std::string at(const YAML::Mark& mark) { return mark.is_null() ? "" : " in line " + std::to_string(mark.line + 1); }

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> yamlScalars(std::string_view yaml, const std::string& file,
                                                                     const std::string& what) {
    if (!isUtf8(yaml)) {
        return invalid(file, what, "is not UTF-8");
    }
    std::vector<std::pair<std::string, std::string>> out;
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        if (!root.IsMap()) {
            return invalid(file, what, "is no YAML mapping of names to values");
        }
        out.reserve(root.size());
        for (const auto& entry : root) {
            if (!entry.first.IsScalar()) {
                return invalid(file, what, "has a name that is no text" + at(entry.first.Mark()));
            }
            if (entry.second.IsScalar()) {
                out.emplace_back(entry.first.Scalar(), entry.second.Scalar());
            }
        }
    } catch (const YAML::Exception& problem) {
        return invalid(file, what, "is no YAML: " + problem.msg + at(problem.mark));
    }
    return out;
}

}  // namespace pareto::io
