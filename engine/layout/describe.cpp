#include "engine/layout/describe.h"

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

std::string knownFamilies() { return "bert (Hugging Face and sentence-transformers folders), llama (Hugging Face folders and GGUF files)"; }

Result<ModelLayout> describeModel(const io::ModelFiles& files) {
    LayoutBuilder builder(files);
    if (files.format() == io::Format::Gguf) {
        const auto architecture = textOf(files.gguf().values, "general.architecture");
        if (architecture != "llama") {
            return unknownFamily(files, architecture);
        }
        describeLlamaGguf(files, builder);
        return builder.finish();
    }
    const auto type = textOf(files.config(), "model_type");
    if (type == "bert") {
        describeBert(files, builder);
    } else if (type == "llama") {
        describeLlamaHf(files, builder);
    } else {
        return unknownFamily(files, type);
    }
    return builder.finish();
}

}  // namespace pareto
