#include "engine/text/post_processor.h"

#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

constexpr std::size_t kMaxItems = 64;

/// ["[SEP]", 102]
bool readTokenAndId(const Json& json, std::int32_t& id) {
    if (!json.is_array() || json.size() != 2 || !json[1].is_number_unsigned() ||
        json[1].get<std::uint64_t>() >= (std::uint64_t{1} << 24)) {
        return false;
    }
    id = json[1].get<std::int32_t>();
    return true;
}

void append(TokenSequence& out, const TokenSequence& part, std::int32_t typeId, Side side) {
    out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
    out.offsets.insert(out.offsets.end(), part.offsets.begin(), part.offsets.end());
    out.typeIds.resize(out.ids.size(), typeId);
    out.sides.resize(out.ids.size(), side);
}

}  // namespace

Result<PostProcessor> PostProcessor::read(const Json& json, const std::string& file) {
    PostProcessor out;
    if (!json.is_null()) {
        PARETO_CHECK(out.add(json, file));
    }
    return out;
}

Status PostProcessor::add(const Json& json, const std::string& file) {
    const std::string type = textOf(json, "type");
    if (type == "TemplateProcessing") {
        const Json& specials = fieldOf(json, "special_tokens");
        PARETO_TRY(m_single, readTemplate(fieldOf(json, "single"), specials, file));
        PARETO_TRY(m_pair, readTemplate(fieldOf(json, "pair"), specials, file));
        return Done{};
    }
    if (type == "BertProcessing" || type == "RobertaProcessing") {
        return addBert(json, type == "RobertaProcessing", file);
    }
    if (type == "ByteLevel") {
        m_trimOffsets = m_trimOffsets || flagOf(json, "trim_offsets", true);
        m_trimFirstSpace = flagOf(json, "add_prefix_space", true);
        return Done{};
    }
    const Json& steps = fieldOf(json, "processors");
    if (type == "Sequence" && steps.is_array() && steps.size() <= kMaxItems) {
        for (const auto& step : steps) {
            if (textOf(step, "type") == "Sequence") {
                return tokenizerError(file, "its post-processors are nested");
            }
            PARETO_CHECK(add(step, file));
        }
        return Done{};
    }
    return tokenizerError(file, "its post-processor \"" + type +
                                    "\" is not known (known: TemplateProcessing, BertProcessing, "
                                    "RobertaProcessing, ByteLevel, Sequence)");
}

Status PostProcessor::addBert(const Json& json, bool roberta, const std::string& file) {
    std::int32_t cls = 0;
    std::int32_t sep = 0;
    if (!readTokenAndId(fieldOf(json, "cls"), cls) || !readTokenAndId(fieldOf(json, "sep"), sep)) {
        return tokenizerError(file, "its post-processor names no cls and sep tokens");
    }
    const Item open{Item::Kind::Special, 0, {cls}};
    const Item first{Item::Kind::First, 0, {}};
    const Item close{Item::Kind::Special, 0, {sep}};
    m_single = {open, first, close};
    if (roberta) {
        m_pair = {open, first, close, close, {Item::Kind::Second, 0, {}}, close};
        m_trimOffsets = flagOf(json, "trim_offsets", true);
        m_trimFirstSpace = flagOf(json, "add_prefix_space", true);
    } else {
        m_pair = {open, first, close, {Item::Kind::Second, 1, {}}, {Item::Kind::Special, 1, {sep}}};
    }
    return Done{};
}

Result<PostProcessor::Template> PostProcessor::readTemplate(const Json& items, const Json& specials,
                                                            const std::string& file) {
    if (!items.is_array() || items.size() > kMaxItems) {
        return tokenizerError(file, "its template is not a list");
    }
    Template out;
    for (const auto& entry : items) {
        Item item;
        const bool isSequence = entry.is_object() && entry.contains("Sequence");
        const Json& body = fieldOf(entry, isSequence ? "Sequence" : "SpecialToken");
        const std::string name = textOf(body, "id");
        const Json& typeId = fieldOf(body, "type_id");
        item.typeId = typeId.is_number_unsigned() && typeId.get<std::uint64_t>() < 256
                          ? typeId.get<std::int32_t>()
                          : 0;
        if (isSequence) {
            item.kind = name == "B" ? Item::Kind::Second : Item::Kind::First;
        } else {
            item.kind = Item::Kind::Special;
            const Json& ids = fieldOf(fieldOf(specials, name.c_str()), "ids");
            for (const auto& id : ids.is_array() ? ids : Json::array()) {
                if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= (std::uint64_t{1} << 24)) {
                    return tokenizerError(file, "its template's token " + name + " has no usable id");
                }
                item.ids.push_back(id.get<std::int32_t>());
            }
            if (item.ids.empty()) {
                return tokenizerError(file, "its template names the token \"" + name +
                                                "\", which special_tokens does not define");
            }
        }
        out.push_back(std::move(item));
    }
    return out;
}

std::int64_t PostProcessor::addedTokens(bool pair) const {
    std::int64_t count = 0;
    for (const auto& item : pair ? m_pair : m_single) {
        count += static_cast<std::int64_t>(item.ids.size());
    }
    return count;
}

TokenSequence PostProcessor::apply(const TokenSequence& first, const TokenSequence* second,
                                   bool addSpecialTokens) const {
    TokenSequence out;
    const std::size_t size = first.ids.size() + (second != nullptr ? second->ids.size() : 0) + 4;
    out.ids.reserve(size);
    out.offsets.reserve(size);
    out.typeIds.reserve(size);
    out.sides.reserve(size);
    for (const auto& item : second != nullptr ? m_pair : m_single) {
        if (item.kind == Item::Kind::First) {
            append(out, first, item.typeId, Side::First);
        } else if (item.kind == Item::Kind::Second) {
            if (second != nullptr) {
                append(out, *second, item.typeId, Side::Second);
            }
        } else if (addSpecialTokens) {
            out.ids.insert(out.ids.end(), item.ids.begin(), item.ids.end());
            out.offsets.resize(out.ids.size());
            out.typeIds.resize(out.ids.size(), item.typeId);
            out.sides.resize(out.ids.size(), Side::Special);
        }
    }
    return out;
}

}  // namespace pareto::text
