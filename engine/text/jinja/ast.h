#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/text/jinja/value.h"

namespace pareto::text::jinja {

struct Expression;
using ExpressionPointer = std::unique_ptr<Expression>;
struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

struct Argument {
    std::string name;  ///< empty: positional
    ExpressionPointer value;
};

struct Expression {
    enum class Kind {
        Constant,   ///< value
        Name,       ///< name
        List,       ///< items
        Dict,       ///< items: key, value, key, value…
        Attribute,  ///< items[0].name
        Item,       ///< items[0][items[1]]
        Slice,      ///< items[0][items[1]:items[2]:items[3]]; parts may be null
        Call,       ///< items[0](arguments)
        Filter,     ///< items[0]|name(arguments)
        Test,       ///< items[0] is name(arguments)
        Unary,      ///< name items[0]: "not", "-", "+"
        Binary,     ///< items[0] name items[1]
        Compare,    ///< items[0] names[0] items[1] names[1] items[2]…
        Choice      ///< items[0] if items[1] else items[2]; the last may be null
    } kind = Kind::Constant;
    int line = 0;
    int depth = 1;  ///< of the tree below
    Value value;
    std::string name;
    std::vector<std::string> names;
    std::vector<ExpressionPointer> items;
    std::vector<Argument> arguments;
};

struct Statement {
    enum class Kind {
        Text,      ///< text
        Output,    ///< expression
        If,        ///< expression, body, otherwise
        For,       ///< targets in expression, condition (may be null), body, otherwise
        Set,       ///< targets = expression, or the body when it is null; owner: ns.name = …
        Macro,     ///< name(parameters), body
        Block,     ///< body alone: generation
        Break,
        Continue
    } kind = Kind::Text;
    int line = 0;
    std::string text;   ///< Text; name of a macro
    std::string owner;  ///< namespace that a Set changes
    std::vector<std::string> targets;
    std::vector<Argument> parameters;  ///< with their defaults, or null
    ExpressionPointer expression;
    ExpressionPointer condition;
    Body body;
    Body otherwise;
};

}  // namespace pareto::text::jinja
