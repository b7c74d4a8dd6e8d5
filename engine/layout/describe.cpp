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

/// generation_config.json often names more ends of a turn than config.json does (Llama 3, Qwen, Gemma).
void addStopIds(const io::ModelFiles& files, LayoutBuilder& builder) {
    const auto& generation = files.generation();
    auto& layout = builder.layout;
    if (!layout.generates() || !generation.is_object() || !generation.contains("eos_token_id")) {
        return;
    }
    const auto& stated = generation["eos_token_id"];
    const Json ids = stated.is_array() ? stated : Json::array({stated});
    for (const auto& id : ids) {
        if (id.is_null()) {
            continue;
        }
        if (!id.is_number_integer()) {
            builder.fail(makeError(ErrorCode::ConfigInvalid,
                                   {{"file", files.transformerFolder() + "/generation_config.json"},
                                    {"field", "eos_token_id"},
                                    {"reason", id.dump() + " is not a token's id"}}));
            return;
        }
        if (id < 0 || id >= layout.vocabulary) {
            continue;  // never generated
        }
        const auto stop = id.get<int>();
        if (layout.eosId < 0) {
            layout.eosId = stop;
        } else if (stop != layout.eosId &&
                   std::find(layout.stopIds.begin(), layout.stopIds.end(), stop) == layout.stopIds.end()) {
            layout.stopIds.push_back(stop);
        }
    }
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
            addStopIds(files, builder);
            return builder.finish();
        }
    }
    return unknownFamily(files, name);
}

}  // namespace pareto
