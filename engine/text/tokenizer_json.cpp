#include "engine/text/tokenizer_json.h"

namespace pareto::text {

OrderedJson tokenizerJsonHead() {
    return {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
}

OrderedJson toJson(const AddedTokenJson& token) {
    return {{"id", token.id},
            {"content", token.content},
            {"single_word", token.singleWord},
            {"lstrip", token.stripLeft},
            {"rstrip", token.stripRight},
            {"normalized", token.normalized},
            {"special", token.special}};
}

OrderedJson templateProcessing(const std::vector<TemplateItem>& single,
                               const std::vector<TemplateItem>& pair,
                               const std::vector<TemplateToken>& tokens) {
    const auto list = [](const std::vector<TemplateItem>& items) {
        OrderedJson out = OrderedJson::array();
        for (const auto& item : items) {
            out.push_back({{item.isText ? "Sequence" : "SpecialToken",
                            {{"id", item.name}, {"type_id", item.typeId}}}});
        }
        return out;
    };
    OrderedJson specials = OrderedJson::object();
    for (const auto& token : tokens) {
        specials[token.name] = {{"id", token.name},
                                {"ids", OrderedJson::array({token.id})},
                                {"tokens", OrderedJson::array({token.name})}};
    }
    return {{"type", "TemplateProcessing"},
            {"single", list(single)},
            {"pair", list(pair)},
            {"special_tokens", std::move(specials)}};
}

OrderedJson templateAround(const std::vector<TemplateToken>& before,
                           const std::vector<TemplateToken>& after, int secondTypeId) {
    const auto around = [&](const char* text, int typeId) {
        std::vector<TemplateItem> out;
        for (const auto& token : before) {
            out.push_back({token.name, typeId, false});
        }
        out.push_back({text, typeId, true});
        for (const auto& token : after) {
            out.push_back({token.name, typeId, false});
        }
        return out;
    };
    auto pair = around("A", 0);
    for (auto& item : around("B", secondTypeId)) {
        pair.push_back(std::move(item));
    }
    auto tokens = before;
    tokens.insert(tokens.end(), after.begin(), after.end());
    return templateProcessing(around("A", 0), pair, tokens);
}

void appendUnchecked(OrderedJson& object, std::string key, OrderedJson value) {
    object.get_ref<OrderedJson::object_t&>().std::vector<OrderedJson::object_t::value_type>::emplace_back(
        std::move(key), std::move(value));
}

}  // namespace pareto::text
