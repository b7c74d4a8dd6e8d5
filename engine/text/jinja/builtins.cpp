#include "engine/text/jinja/builtins.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/text/unicode.h"

namespace pareto::text::jinja {
namespace {

using Given = const Arguments&;

[[noreturn]] void refuse(const std::string& what, const Value& value) {
    throw Failure{what + " does not take " + (value.isUndefined() && !value.undefinedName().empty()
                                                  ? "\"" + value.undefinedName() + "\", which is not defined"
                                                  : value.typeName())};
}

const std::string& textOf(const Value& value, const char* filter) {
    if (!value.isString()) {
        refuse(std::string("the filter ") + filter, value);
    }
    return value.string();
}

std::string optionalText(Given arguments, std::size_t place, const char* name, const char* usual) {
    const Value* given = arguments.find(place, name);
    return given == nullptr || given->isNone() ? std::string(usual) : given->text();
}

/// A method of a text, as a filter of the same name.
Value method(const char* name, const Value& value, Given arguments) {
    bool found = false;
    return callMethod(name, Value(value.text()), arguments, found);
}

/// The attribute "a.b" of a value, or the value itself without a name.
Value byPath(const Value& value, const std::string& path) {
    Value out = value;
    for (std::size_t at = 0; at < path.size();) {
        const auto dot = std::min(path.find('.', at), path.size());
        const std::string part = path.substr(at, dot - at);
        std::int64_t index = 0;
        const auto parsed = std::from_chars(part.data(), part.data() + part.size(), index);
        const bool isIndex = parsed.ec == std::errc() && parsed.ptr == part.data() + part.size();
        out = isIndex ? itemOf(out, Value(index)) : attributeOf(out, part);
        at = dot + 1;
    }
    return out;
}

Arguments rest(Given arguments, std::size_t from) {
    Arguments out;
    for (std::size_t i = from; i < arguments.positional.size(); ++i) {
        out.positional.push_back(arguments.positional[i]);
    }
    out.named = arguments.named;
    return out;
}

/// select, reject, selectattr and rejectattr.
Value selected(const Value& value, Given arguments, bool byAttribute, bool wanted) {
    List out;
    const std::size_t first = byAttribute ? 1 : 0;
    const Value* attribute = byAttribute ? arguments.find(0, "attribute") : nullptr;
    if (byAttribute && attribute == nullptr) {
        throw Failure{"the filter selectattr wants the name of an attribute"};
    }
    const Value* test = arguments.find(first, "test");
    const Arguments more = rest(arguments, first + 1);
    for (const auto& item : value.items()) {
        const Value subject = attribute != nullptr ? byPath(item, attribute->text()) : item;
        const bool holds = test != nullptr ? applyTest(test->text(), subject, more) : subject.truthy();
        if (holds == wanted) {
            out.push_back(item);
        }
    }
    return Value(std::move(out));
}

Value mapped(const Value& value, Given arguments) {
    List out;
    const Value* attribute = arguments.find(SIZE_MAX, "attribute");
    const Value* fallback = arguments.find(SIZE_MAX, "default");
    if (attribute == nullptr && arguments.positional.empty()) {
        throw Failure{"the filter map wants the name of a filter or an attribute"};
    }
    for (const auto& item : value.items()) {
        if (attribute == nullptr) {
            out.push_back(applyFilter(arguments.positional.front().text(), item, rest(arguments, 1)));
            continue;
        }
        Value found = byPath(item, attribute->text());
        out.push_back(found.isUndefined() && fallback != nullptr ? *fallback : std::move(found));
    }
    return Value(std::move(out));
}

Value joined(const Value& value, Given arguments) {
    const std::string separator = optionalText(arguments, 0, "d", "");
    const Value* attribute = arguments.find(1, "attribute");
    std::string out;
    bool first = true;
    for (const auto& item : value.items()) {
        out += first ? "" : separator;
        out += attribute != nullptr ? byPath(item, attribute->text()).text() : item.text();
        first = false;
        if (out.size() > kMaxText) {
            throw Failure{"the filter join makes too long a text"};
        }
    }
    return Value(std::move(out));
}

std::string folded(const Value& value) {
    std::string out;
    Chars chars;
    for (const Char& c : decodeUtf8(value.string())) {
        appendLowercase(chars, c);
    }
    return encodeUtf8(chars);
}

Value sorted(const Value& value, Given arguments) {
    List out = value.items();
    const Value* reverse = arguments.find(0, "reverse");
    const Value* exact = arguments.find(1, "case_sensitive");
    const Value* attribute = arguments.find(2, "attribute");
    const bool caseSensitive = exact != nullptr && exact->truthy();
    const auto key = [&](const Value& item) {
        Value found = attribute != nullptr ? byPath(item, attribute->text()) : item;
        return found.isString() && !caseSensitive ? Value(folded(found)) : found;
    };
    const bool descending = reverse != nullptr && reverse->truthy();
    std::stable_sort(out.begin(), out.end(), [&](const Value& a, const Value& b) {
        const int order = compare(key(a), key(b));
        return descending ? order > 0 : order < 0;
    });
    return Value(std::move(out));
}

Value unique(const Value& value) {
    List out;
    for (const auto& item : value.items()) {
        if (out.size() > 1000) {
            throw Failure{"the filter unique has too many values"};
        }
        if (std::find(out.begin(), out.end(), item) == out.end()) {
            out.push_back(item);
        }
    }
    return Value(std::move(out));
}

Value itemsOf(const Value& value, bool sort) {
    List out;
    if (value.isUndefined()) {
        return Value(std::move(out));
    }
    if (!value.isDict()) {
        refuse("the filter items", value);
    }
    Dict entries = value.dict();
    if (sort) {
        std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
            return folded(Value(a.first)) < folded(Value(b.first));
        });
    }
    for (const auto& [key, entry] : entries) {
        out.emplace_back(List{Value(key), entry});
    }
    return Value(std::move(out));
}

Value indented(const Value& value, Given arguments) {
    const Value* width = arguments.find(0, "width");
    const Value* first = arguments.find(1, "first");
    const Value* blank = arguments.find(2, "blank");
    const std::string margin = width != nullptr && width->isString()
                                   ? width->string()
                                   : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(
                                                     width != nullptr ? width->integer() : 4, 0, 1000)),
                                                 ' ');
    const std::string text = value.text();
    std::string out = first != nullptr && first->truthy() ? margin : std::string();
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const bool filled = end > at || (blank != nullptr && blank->truthy());
        out += (at > 0 && filled ? margin : std::string()) + text.substr(at, end - at);
        out += end < text.size() ? "\n" : "";
        at = end + 1;
        if (out.size() > kMaxText) {
            throw Failure{"the filter indent makes too long a text"};
        }
    }
    return Value(std::move(out));
}

Value toWhole(const Value& value, Given arguments) {
    const Value* usual = arguments.find(0, "default");
    if (value.isNumber()) {
        return value.isFloat() ? Value(static_cast<std::int64_t>(
                                     std::clamp(value.number(), -9.2e18, 9.2e18)))
                               : Value(value.integer());
    }
    std::int64_t out = 0;
    const std::string text = value.isString() ? value.string() : std::string();
    const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
    return result.ec == std::errc() && result.ptr == text.data() + text.size() && !text.empty() ? Value(out)
           : usual != nullptr ? *usual : Value(std::int64_t{0});
}

Value toReal(const Value& value, Given arguments) {
    const Value* usual = arguments.find(0, "default");
    if (value.isNumber()) {
        return Value(value.number());
    }
    double out = 0.0;
    const std::string text = value.isString() ? value.string() : std::string();
    const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
    return result.ec == std::errc() && !text.empty() ? Value(out) : usual != nullptr ? *usual : Value(0.0);
}

Value total(const Value& value, Given arguments) {
    const Value* attribute = arguments.find(0, "attribute");
    double sum = 0.0;
    bool whole = true;
    for (const auto& item : value.items()) {
        const Value number = attribute != nullptr ? byPath(item, attribute->text()) : item;
        whole = whole && !number.isFloat();
        sum += number.number();
    }
    return whole ? Value(static_cast<std::int64_t>(sum)) : Value(sum);
}

Value extreme(const Value& value, int sign) {
    const List items = value.items();
    if (items.empty()) {
        return Undefined{};
    }
    return *std::max_element(items.begin(), items.end(), [&](const Value& a, const Value& b) {
        return compare(a, b) * sign < 0;
    });
}

Value edge(const Value& value, bool last) {
    const List items = value.items();
    return items.empty() ? Value(Undefined{last ? "last" : "first"}) : last ? items.back() : items.front();
}

Value reversed(const Value& value) {
    List items = value.items();
    std::reverse(items.begin(), items.end());
    if (!value.isString()) {
        return Value(std::move(items));
    }
    std::string out;
    for (const auto& point : items) {
        out += point.string();
    }
    return Value(std::move(out));
}

Value usualFor(const Value& value, Given arguments) {
    const Value* usual = arguments.find(0, "default_value");
    const Value* boolean = arguments.find(1, "boolean");
    const bool missing = value.isUndefined() || (boolean != nullptr && boolean->truthy() && !value.truthy());
    return !missing ? value : usual != nullptr ? *usual : Value("");
}

Value escaped(const Value& value) {
    std::string out;
    for (const char c : value.text()) {
        out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&#34;"
               : c == '\'' ? "&#39;" : std::string(1, c);
    }
    return Value(std::move(out));
}

Value tojson(const Value& value, Given arguments) {
    JsonStyle style;
    if (const Value* indent = arguments.find(1, "indent"); indent != nullptr && !indent->isNone()) {
        style.indent = static_cast<int>(std::clamp<std::int64_t>(indent->integer(), 0, 100));
        style.itemSeparator = ",";
    }
    if (const Value* given = arguments.find(2, "separators"); given != nullptr && given->length() == 2) {
        style.itemSeparator = given->items()[0].text();
        style.keySeparator = given->items()[1].text();
    }
    const Value* sorted = arguments.find(3, "sort_keys");
    style.sortKeys = sorted != nullptr && sorted->truthy();
    return Value(value.json(style));
}

struct FilterEntry {
    const char* name;
    Value (*apply)(const Value&, Given);
};

constexpr std::array<FilterEntry, 41> kFilters{{
    {"abs", [](const Value& v, Given) { return v.isFloat() ? Value(std::fabs(v.number()))
                                                         : Value(v.integer() < 0 ? -v.integer() : v.integer()); }},
    {"capitalize", [](const Value& v, Given a) { return method("capitalize", v, a); }},
    {"count", [](const Value& v, Given) { return Value(static_cast<std::int64_t>(v.length())); }},
    {"d", usualFor},
    {"default", usualFor},
    {"dictsort", [](const Value& v, Given) { return itemsOf(v, true); }},
    {"e", [](const Value& v, Given) { return escaped(v); }},
    {"escape", [](const Value& v, Given) { return escaped(v); }},
    {"first", [](const Value& v, Given) { return edge(v, false); }},
    {"float", toReal},
    {"indent", indented},
    {"int", toWhole},
    {"items", [](const Value& v, Given) { return itemsOf(v, false); }},
    {"join", joined},
    {"last", [](const Value& v, Given) { return edge(v, true); }},
    {"length", [](const Value& v, Given) { return Value(static_cast<std::int64_t>(v.length())); }},
    {"list", [](const Value& v, Given) { return Value(v.items()); }},
    {"lower", [](const Value& v, Given a) { return method("lower", v, a); }},
    {"map", mapped},
    {"max", [](const Value& v, Given) { return extreme(v, 1); }},
    {"min", [](const Value& v, Given) { return extreme(v, -1); }},
    {"reject", [](const Value& v, Given a) { return selected(v, a, false, false); }},
    {"rejectattr", [](const Value& v, Given a) { return selected(v, a, true, false); }},
    {"replace", [](const Value& v, Given a) { return method("replace", v, a); }},
    {"reverse", [](const Value& v, Given) { return reversed(v); }},
    {"safe", [](const Value& v, Given) { return v; }},
    {"select", [](const Value& v, Given a) { return selected(v, a, false, true); }},
    {"selectattr", [](const Value& v, Given a) { return selected(v, a, true, true); }},
    {"sort", sorted},
    {"string", [](const Value& v, Given) { return Value(v.text()); }},
    {"strip", [](const Value& v, Given a) { return method("strip", v, a); }},
    {"sum", total},
    {"title", [](const Value& v, Given a) { return method("title", v, a); }},
    {"tojson", tojson},
    {"trim", [](const Value& v, Given a) { return method("strip", v, a); }},
    {"unique", [](const Value& v, Given) { return unique(v); }},
    {"upper", [](const Value& v, Given a) { return method("upper", v, a); }},
    {"round", [](const Value& v, Given a) {
         const Value* digits = a.find(0, "precision");
         const double scale = std::pow(10.0, digits != nullptr ? std::clamp<double>(digits->number(), -15, 15) : 0.0);
         return Value(std::nearbyint(v.number() * scale) / scale);
     }},
    {"wordcount", [](const Value& v, Given) {
         bool found = false;
         return Value(static_cast<std::int64_t>(callMethod("split", Value(textOf(v, "wordcount")), {}, found).length()));
     }},
    {"attr", [](const Value& v, Given a) {
         const Value* name = a.find(0, "name");
         return name == nullptr ? Value(Undefined{}) : attributeOf(v, name->text());
     }},
    {"bool", [](const Value& v, Given) { return Value(v.truthy()); }},
}};

const Value& argument(Given arguments, const char* test) {
    if (arguments.positional.empty()) {
        throw Failure{std::string("the test ") + test + " wants a value"};
    }
    return arguments.positional.front();
}

struct TestEntry {
    const char* name;
    bool (*holds)(const Value&, Given);
};

constexpr std::array<TestEntry, 35> kTests{{
    {"defined", [](const Value& v, Given) { return !v.isUndefined(); }},
    {"undefined", [](const Value& v, Given) { return v.isUndefined(); }},
    {"none", [](const Value& v, Given) { return v.isNone(); }},
    {"boolean", [](const Value& v, Given) { return v.isBool(); }},
    {"true", [](const Value& v, Given) { return v.isBool() && v.truthy(); }},
    {"false", [](const Value& v, Given) { return v.isBool() && !v.truthy(); }},
    {"integer", [](const Value& v, Given) { return v.isInt(); }},
    {"float", [](const Value& v, Given) { return v.isFloat(); }},
    {"number", [](const Value& v, Given) { return v.isNumber(); }},
    {"string", [](const Value& v, Given) { return v.isString(); }},
    {"mapping", [](const Value& v, Given) { return v.isDict(); }},
    {"sequence", [](const Value& v, Given) { return v.isList() || v.isString() || v.isDict(); }},
    {"iterable", [](const Value& v, Given) { return v.isList() || v.isString() || v.isDict() || v.isUndefined(); }},
    {"callable", [](const Value& v, Given) { return v.isFunction(); }},
    {"odd", [](const Value& v, Given) { return v.integer() % 2 != 0; }},
    {"even", [](const Value& v, Given) { return v.integer() % 2 == 0; }},
    {"divisibleby", [](const Value& v, Given a) {
         const std::int64_t by = argument(a, "divisibleby").integer();
         return by != 0 && by != -1 ? v.integer() % by == 0 : by == -1;
     }},
    {"lower", [](const Value& v, Given) { return method("islower", v, {}).truthy(); }},
    {"upper", [](const Value& v, Given) { return method("isupper", v, {}).truthy(); }},
    {"in", [](const Value& v, Given a) { return contains(argument(a, "in"), v); }},
    {"eq", [](const Value& v, Given a) { return v == argument(a, "eq"); }},
    {"equalto", [](const Value& v, Given a) { return v == argument(a, "equalto"); }},
    {"==", [](const Value& v, Given a) { return v == argument(a, "=="); }},
    {"ne", [](const Value& v, Given a) { return !(v == argument(a, "ne")); }},
    {"!=", [](const Value& v, Given a) { return !(v == argument(a, "!=")); }},
    {"lt", [](const Value& v, Given a) { return compare(v, argument(a, "lt")) < 0; }},
    {"lessthan", [](const Value& v, Given a) { return compare(v, argument(a, "lessthan")) < 0; }},
    {"<", [](const Value& v, Given a) { return compare(v, argument(a, "<")) < 0; }},
    {"le", [](const Value& v, Given a) { return compare(v, argument(a, "le")) <= 0; }},
    {"<=", [](const Value& v, Given a) { return compare(v, argument(a, "<=")) <= 0; }},
    {"gt", [](const Value& v, Given a) { return compare(v, argument(a, "gt")) > 0; }},
    {"greaterthan", [](const Value& v, Given a) { return compare(v, argument(a, "greaterthan")) > 0; }},
    {">", [](const Value& v, Given a) { return compare(v, argument(a, ">")) > 0; }},
    {"ge", [](const Value& v, Given a) { return compare(v, argument(a, "ge")) >= 0; }},
    {">=", [](const Value& v, Given a) { return compare(v, argument(a, ">=")) >= 0; }},
}};

}  // namespace

Value applyFilter(const std::string& name, const Value& value, const Arguments& arguments) {
    for (const auto& entry : kFilters) {
        if (name == entry.name) {
            return entry.apply(value, arguments);
        }
    }
    throw Failure{"the filter \"" + name + "\" is not known"};
}

bool applyTest(const std::string& name, const Value& value, const Arguments& arguments) {
    for (const auto& entry : kTests) {
        if (name == entry.name) {
            return entry.holds(value, arguments);
        }
    }
    throw Failure{"the test \"" + name + "\" is not known"};
}

Value attributeOf(const Value& value, const std::string& name) {
    if (value.isUndefined()) {
        throw Failure{"\"" + value.undefinedName() + "\" is not defined, so it has no \"" + name + "\""};
    }
    if (value.isNamespace()) {
        for (const auto& [field, content] : value.fields()) {
            if (field == name) {
                return content;
            }
        }
    }
    const Value* found = value.isDict() ? value.find(name) : nullptr;
    return found != nullptr ? *found : Value(Undefined{name});
}

Value itemOf(const Value& value, const Value& index) {
    if (index.isString()) {
        return attributeOf(value, index.string());
    }
    if (value.isUndefined()) {
        throw Failure{"\"" + value.undefinedName() + "\" is not defined, so it has no parts"};
    }
    if (!value.isList() && !value.isString()) {
        return Undefined{"[" + index.repr() + "]"};
    }
    const auto size = static_cast<std::int64_t>(value.length());
    const std::int64_t at = index.integer() < 0 ? index.integer() + size : index.integer();
    if (at < 0 || at >= size) {
        return Undefined{"[" + index.repr() + "]"};
    }
    return value.isList() ? value.list()[static_cast<std::size_t>(at)]
                          : Value(codePoints(value.string())[static_cast<std::size_t>(at)]);
}

Value rangeOf(const Arguments& arguments) {
    const auto& given = arguments.positional;
    if (given.empty() || given.size() > 3) {
        throw Failure{"range wants one to three numbers"};
    }
    const std::int64_t begin = given.size() > 1 ? given[0].integer() : 0;
    const std::int64_t end = given.size() > 1 ? given[1].integer() : given[0].integer();
    const std::int64_t step = given.size() > 2 ? given[2].integer() : 1;
    constexpr std::int64_t kFar = std::int64_t{1} << 40;
    if (step == 0 || std::max({begin, end, step}) > kFar || std::min({begin, end, step}) < -kFar) {
        throw Failure{"range has the step 0 or too large numbers"};
    }
    List out;
    for (std::int64_t at = begin; step > 0 ? at < end : at > end; at += step) {
        if (out.size() == 100'000) {
            throw Failure{"range has more than 100000 numbers"};
        }
        out.emplace_back(at);
    }
    return Value(std::move(out));
}

}  // namespace pareto::text::jinja
