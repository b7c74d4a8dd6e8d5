#include "engine/text/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pareto::text::jinja {
namespace {

constexpr int kMaxDepth = 64;

/// Python's repr() of a float: the shortest digits that give the same number back.
std::string floatText(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    char buffer[64];
    const double size = std::fabs(value);
    const bool plain = value == 0.0 || (size >= 1e-4 && size < 1e16);
    const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value,
                                   plain ? std::chars_format::fixed : std::chars_format::scientific)
                         .ptr;
    std::string out(std::begin(buffer), end);
    return plain && out.find('.') == std::string::npos ? out + ".0" : out;
}

std::string quotedText(std::string_view text) {
    const bool isDouble = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char quote = isDouble ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        switch (c) {
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                out += c == quote ? std::string("\\") + c : std::string(1, c);
        }
    }
    return out + quote;
}

void appendJsonString(std::string& out, std::string_view text) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (byte < 0x20) {
                    out += std::string("\\u00") + kDigits[byte >> 4] + kDigits[byte & 15];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

}  // namespace

const Value* Arguments::find(std::size_t place, std::string_view name) const {
    if (place < positional.size()) {
        return &positional[place];
    }
    for (const auto& [key, value] : named) {
        if (key == name) {
            return &value;
        }
    }
    return nullptr;
}

Value::Value(List value) {
    int deepest = 0;
    for (const auto& entry : value) {
        deepest = std::max(deepest, entry.depth());
    }
    if (deepest >= kMaxDepth) {
        throw Failure{"lists are nested too deep"};
    }
    m_data = std::make_shared<const Nested<List>>(Nested<List>{std::move(value), deepest + 1});
}

Value::Value(Dict value) {
    int deepest = 0;
    for (const auto& entry : value) {
        deepest = std::max(deepest, entry.second.depth());
    }
    if (deepest >= kMaxDepth) {
        throw Failure{"mappings are nested too deep"};
    }
    m_data = std::make_shared<const Nested<Dict>>(Nested<Dict>{std::move(value), deepest + 1});
}

Value Value::makeNamespace(Dict fields) {
    Value out;
    out.m_data = std::make_shared<Dict>(std::move(fields));
    return out;
}

int Value::depth() const {
    return isList() ? std::get<ListPointer>(m_data)->depth
           : isDict() ? std::get<DictPointer>(m_data)->depth : 0;
}

Value Value::fromJson(const nlohmann::ordered_json& json) {
    if (json.is_boolean()) {
        return Value(json.get<bool>());
    }
    if (json.is_number_integer()) {
        return Value(json.get<std::int64_t>());
    }
    if (json.is_number_float()) {
        return Value(json.get<double>());
    }
    if (json.is_string()) {
        return Value(json.get<std::string>());
    }
    if (json.is_array()) {
        List out;
        for (const auto& entry : json) {
            out.push_back(fromJson(entry));
        }
        return Value(std::move(out));
    }
    if (json.is_object()) {
        Dict out;
        for (const auto& [key, entry] : json.items()) {
            out.emplace_back(key, fromJson(entry));
        }
        return Value(std::move(out));
    }
    return {};
}

std::int64_t Value::integer() const {
    if (isInt()) {
        return std::get<std::int64_t>(m_data);
    }
    if (isBool()) {
        return std::get<bool>(m_data) ? 1 : 0;
    }
    throw Failure{std::string("a whole number is wanted, not ") + typeName()};
}

double Value::number() const {
    return isFloat() ? std::get<double>(m_data) : static_cast<double>(integer());
}

bool Value::truthy() const {
    if (isNumber()) {
        return number() != 0.0;
    }
    if (isString()) {
        return !string().empty();
    }
    if (isList()) {
        return !list().empty();
    }
    return isDict() ? !dict().empty() : isFunction() || isNamespace();
}

const char* Value::typeName() const {
    static constexpr const char* kNames[] = {"an undefined value", "none",   "a boolean",
                                             "a whole number",     "a number", "a text",
                                             "a list",             "a mapping", "a function",
                                             "a namespace"};
    return kNames[m_data.index()];
}

std::string Value::text() const { return isUndefined() ? std::string() : isString() ? string() : repr(); }

std::string Value::repr() const {
    if (isBool()) {
        return std::get<bool>(m_data) ? "True" : "False";
    }
    if (isInt()) {
        return std::to_string(std::get<std::int64_t>(m_data));
    }
    if (isFloat()) {
        return floatText(std::get<double>(m_data));
    }
    if (isString()) {
        return quotedText(string());
    }
    if (isUndefined()) {
        return "Undefined";
    }
    if (isList()) {
        std::string out = "[";
        for (const auto& entry : list()) {
            out += (out.size() > 1 ? ", " : "") + entry.repr();
        }
        return out + "]";
    }
    if (isDict()) {
        std::string out = "{";
        for (const auto& [key, entry] : dict()) {
            out += (out.size() > 1 ? ", " : "") + quotedText(key) + ": " + entry.repr();
        }
        return out + "}";
    }
    return isFunction() ? "<function>" : isNamespace() ? "<namespace>" : "None";
}

std::string Value::json(const JsonStyle& style) const {
    std::string out;
    appendJson(out, style, 0);
    return out;
}

void Value::appendJson(std::string& out, const JsonStyle& style, int depth) const {
    if (out.size() > kMaxText) {
        throw Failure{"a value is too large for tojson"};
    }
    const auto line = [&](int level) {
        if (style.indent >= 0) {
            out += '\n' + std::string(static_cast<std::size_t>(style.indent * level), ' ');
        }
    };
    const auto separate = [&](bool first) {
        out += first ? std::string() : style.itemSeparator;
        line(depth + 1);
    };
    if (isString()) {
        appendJsonString(out, string());
    } else if (isNone()) {
        out += "null";
    } else if (isBool()) {
        out += truthy() ? "true" : "false";
    } else if (isInt() || isFloat()) {
        out += repr();
    } else if (isList()) {
        out += '[';
        bool first = true;
        for (const auto& entry : list()) {
            separate(std::exchange(first, false));
            entry.appendJson(out, style, depth + 1);
        }
        first ? void() : line(depth);
        out += ']';
    } else if (isDict()) {
        out += '{';
        bool first = true;
        Dict entries = dict();
        if (style.sortKeys) {
            std::stable_sort(entries.begin(), entries.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; });
        }
        for (const auto& [key, entry] : entries) {
            separate(std::exchange(first, false));
            appendJsonString(out, key);
            out += style.keySeparator;
            entry.appendJson(out, style, depth + 1);
        }
        first ? void() : line(depth);
        out += '}';
    } else {
        throw Failure{std::string(typeName()) + " cannot be written as JSON"};
    }
}

const Value* Value::find(std::string_view key) const {
    for (const auto& [name, value] : dict()) {
        if (name == key) {
            return &value;
        }
    }
    return nullptr;
}

List Value::items() const {
    if (isList()) {
        return list();
    }
    List out;
    if (isDict()) {
        for (const auto& entry : dict()) {
            out.emplace_back(entry.first);
        }
    } else if (isString()) {
        for (const auto point : codePoints(string())) {
            out.emplace_back(point);
        }
    } else if (!isUndefined()) {
        throw Failure{std::string("cannot go through ") + typeName()};
    }
    return out;
}

std::size_t Value::length() const {
    if (isList()) {
        return list().size();
    }
    if (isDict()) {
        return dict().size();
    }
    if (isString()) {
        return static_cast<std::size_t>(std::count_if(
            string().begin(), string().end(), [](char c) { return (c & 0xC0) != 0x80; }));
    }
    if (isUndefined()) {
        return 0;
    }
    throw Failure{std::string(typeName()) + " has no length"};
}

bool operator==(const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) {
        return a.number() == b.number();
    }
    if (a.isString() && b.isString()) {
        return a.string() == b.string();
    }
    if (a.isList() && b.isList()) {
        return a.list() == b.list();
    }
    if (a.isDict() && b.isDict()) {
        return a.dict().size() == b.dict().size() &&
               std::all_of(a.dict().begin(), a.dict().end(), [&](const auto& entry) {
                   const Value* other = b.find(entry.first);
                   return other != nullptr && *other == entry.second;
               });
    }
    return (a.isNone() && b.isNone()) || (a.isUndefined() && b.isUndefined());
}

int compare(const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) {
        return a.number() < b.number() ? -1 : a.number() > b.number() ? 1 : 0;
    }
    if (a.isString() && b.isString()) {
        const int order = a.string().compare(b.string());
        return order < 0 ? -1 : order > 0 ? 1 : 0;
    }
    throw Failure{std::string("cannot compare ") + a.typeName() + " with " + b.typeName()};
}

bool contains(const Value& container, const Value& item) {
    if (container.isString()) {
        if (!item.isString()) {
            throw Failure{std::string("a text cannot contain ") + item.typeName()};
        }
        return container.string().find(item.string()) != std::string::npos;
    }
    if (container.isDict()) {
        return item.isString() && container.find(item.string()) != nullptr;
    }
    const List items = container.items();
    return std::find(items.begin(), items.end(), item) != items.end();
}

std::vector<std::string_view> codePoints(std::string_view text) {
    std::vector<std::string_view> out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        while (end < text.size() && (text[end] & 0xC0) == 0x80) {
            ++end;
        }
        out.push_back(text.substr(at, end - at));
        at = end;
    }
    return out;
}

}  // namespace pareto::text::jinja
