#include "engine/layout/describe.h"

#include <algorithm>

#include "engine/layout/families.h"
#include "engine/layout/layout_builder.h"

namespace pareto {
namespace {

Error unknownFamily(const io::ModelFiles& files, const std::string& family) {
    return makeError(ErrorCode::FamilyUnknown, {{"file", files.path()},
                                                {"family", family.empty() ? "(none)" : "\"" + family + "\""},
                                                {"known", knownFamilies()}});
}

std::string textOf(const Json& object, const char* key) {
    if (!object.is_object()) {
        return {};
    }
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string knownFamilies() {
    std::string folders;
    std::string ggufs;
    const auto append = [](std::string& list, std::string_view name) {
        if (list.find(std::string(name)) == std::string::npos) {
            list += (list.empty() ? "" : ", ") + std::string(name);
        }
    };
    for (const auto& family : familyFiles()) {
        for (const auto type : family.modelTypes) {
            append(folders, type);
        }
        if (family.describeGguf != nullptr) {
            append(ggufs, family.architecture);
        }
    }
    return folders + " as Hugging Face folders; " + ggufs + " as GGUF files";
}

Result<ModelLayout> describeModel(const io::ModelFiles& files) {
    LayoutBuilder builder(files);
    const bool gguf = files.format() == io::Format::Gguf;
    const auto name = gguf ? textOf(files.gguf().values, "general.architecture")
                           : textOf(files.config(), "model_type");
    for (const auto& family : familyFiles()) {
        const auto describe = gguf ? family.describeGguf : family.describeHf;
        const bool meant =
            gguf ? family.architecture == name
                 : std::find(family.modelTypes.begin(), family.modelTypes.end(), name) !=
                       family.modelTypes.end();
        if (meant && describe != nullptr) {
            builder.layout.family = family.family;
            builder.setNames(family.names, gguf ? FileNames::Gguf : FileNames::HuggingFace);
            describe(files, builder);
            return builder.finish();
        }
    }
    return unknownFamily(files, name);
}

}  // namespace pareto
