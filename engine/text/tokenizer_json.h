#pragma once

#include <string>
#include <vector>

#include "engine/core/json.h"

namespace pareto::text {

/// Keeps the order of keys, as tokenizer.json files have it.
using OrderedJson = nlohmann::ordered_json;

// Parts of a tokenizer.json, for tokenizers that come in another form.

/// {"version", "truncation", "padding"}: how every file begins.
OrderedJson tokenizerJsonHead();

struct AddedTokenJson {
    std::string content;
    std::int32_t id = 0;
    bool special = true;
    bool stripLeft = false;
    bool stripRight = false;
    bool singleWord = false;
    bool normalized = false;
};
OrderedJson toJson(const AddedTokenJson& token);

/// A step of a template: a special token, or "A" or "B" for a text.
struct TemplateItem {
    std::string name;
    int typeId = 0;
    bool isText = false;
};
struct TemplateToken {
    std::string name;
    std::int32_t id = 0;
};
OrderedJson templateProcessing(const std::vector<TemplateItem>& single,
                               const std::vector<TemplateItem>& pair,
                               const std::vector<TemplateToken>& tokens);

/// The template that puts some tokens before and after each text.
OrderedJson templateAround(const std::vector<TemplateToken>& before,
                           const std::vector<TemplateToken>& after, int secondTypeId);

/// Appends without looking for the key: an ordered object looks every new key up one by one.
void appendUnchecked(OrderedJson& object, std::string key, OrderedJson value);

}  // namespace pareto::text
