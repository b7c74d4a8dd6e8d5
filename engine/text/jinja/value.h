#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/core/json.h"

namespace pareto::text::jinja {

class Value;
struct Undefined {
    std::string name;  ///< what was looked for, for errors
};
struct None {};
using List = std::vector<Value>;
/// Keys in the order in which they were put in.
using Dict = std::vector<std::pair<std::string, Value>>;

/// Arguments of a call, in the template's order.
struct Arguments {
    std::vector<Value> positional;
    Dict named;

    /// The argument at a place or of a name; null when it was not given.
    const Value* find(std::size_t place, std::string_view name) const;
};
/// What a template can call. Throws Failure.
using Function = std::function<Value(const Arguments&)>;

/// Ends the evaluation of a template; caught where the template is applied. `line` 0: not known yet.
struct Failure {
    std::string reason;
    int line = 0;
};

/// How json.dumps lays out what it writes.
struct JsonStyle {
    int indent = -1;                  ///< below 0: all on one line
    std::string itemSeparator = ", ";
    std::string keySeparator = ": ";
    bool sortKeys = false;
};

/// A value of the template language, as Python has it: lists and dicts are shared, strings are UTF-8
/// and counted in code points.
class Value {
public:
    Value() : m_data(None{}) {}
    Value(Undefined value) : m_data(std::move(value)) {}
    Value(bool value) : m_data(value) {}
    Value(std::int64_t value) : m_data(value) {}
    Value(double value) : m_data(value) {}
    Value(std::string value) : m_data(std::make_shared<const std::string>(std::move(value))) {}
    Value(std::string_view value) : Value(std::string(value)) {}
    Value(const char* value) : Value(std::string(value)) {}
    /// Failure when lists and mappings are nested too deep.
    Value(List value);
    Value(Dict value);
    Value(Function value) : m_data(std::make_shared<const Function>(std::move(value))) {}
    /// The one kind of value that can be changed. Never looked into but by name, so that one that holds
    /// itself does no harm.
    static Value makeNamespace(Dict fields);
    static Value fromJson(const nlohmann::ordered_json& json);

    bool isUndefined() const { return holds<Undefined>(); }
    bool isNone() const { return holds<None>(); }
    bool isBool() const { return holds<bool>(); }
    bool isInt() const { return holds<std::int64_t>(); }
    bool isFloat() const { return holds<double>(); }
    bool isNumber() const { return isInt() || isFloat() || isBool(); }
    bool isString() const { return holds<TextPointer>(); }
    bool isList() const { return holds<ListPointer>(); }
    bool isDict() const { return holds<DictPointer>(); }
    bool isFunction() const { return holds<FunctionPointer>(); }
    bool isNamespace() const { return holds<NamespacePointer>(); }

    const std::string& string() const { return *std::get<TextPointer>(m_data); }
    const List& list() const { return std::get<ListPointer>(m_data)->data; }
    const Dict& dict() const { return std::get<DictPointer>(m_data)->data; }
    const Function& function() const { return *std::get<FunctionPointer>(m_data); }
    Dict& fields() const { return *std::get<NamespacePointer>(m_data); }
    const std::string& undefinedName() const { return std::get<Undefined>(m_data).name; }
    /// Of an int or a bool; Failure for anything else.
    std::int64_t integer() const;
    double number() const;

    bool truthy() const;
    const char* typeName() const;
    /// What {{ value }} writes: str() of Python.
    std::string text() const;
    std::string repr() const;
    /// json.dumps(value, ensure_ascii=False, …).
    std::string json(const JsonStyle& style) const;

    const Value* find(std::string_view key) const;  ///< of a dict; null when it has no such key
    List items() const;                             ///< what iterating over it gives
    std::size_t length() const;

private:
    template <typename T>
    struct Nested {
        T data;
        int depth;
    };
    using TextPointer = std::shared_ptr<const std::string>;
    using ListPointer = std::shared_ptr<const Nested<List>>;
    using DictPointer = std::shared_ptr<const Nested<Dict>>;
    using FunctionPointer = std::shared_ptr<const Function>;
    using NamespacePointer = std::shared_ptr<Dict>;

    int depth() const;
    template <typename T>
    bool holds() const {
        return std::holds_alternative<T>(m_data);
    }
    void appendJson(std::string& out, const JsonStyle& style, int depth) const;

    std::variant<Undefined, None, bool, std::int64_t, double, TextPointer, ListPointer, DictPointer,
                 FunctionPointer, NamespacePointer>
        m_data;
};

bool operator==(const Value& a, const Value& b);
/// -1, 0 or 1; Failure when the two cannot be compared.
int compare(const Value& a, const Value& b);
bool contains(const Value& container, const Value& item);

/// Code points of a string, each as UTF-8.
std::vector<std::string_view> codePoints(std::string_view text);
/// Bytes of the longest text that a template may make.
constexpr std::size_t kMaxText = std::size_t{8} << 20;

}  // namespace pareto::text::jinja
