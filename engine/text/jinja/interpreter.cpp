#include "engine/text/jinja/interpreter.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <type_traits>

#include "engine/text/jinja/builtins.h"

namespace pareto::text::jinja {
namespace {

using Kind = Expression::Kind;

constexpr std::size_t kMaxNamespaces = 1000;

enum class Flow { Next, Break, Continue };

class Interpreter {
public:
    Interpreter(Dict globals, const Limits& limits) : m_limits(limits) {
        m_scopes.push_back(std::move(globals));
    }
    /// A namespace may hold itself, by whatever way.
    ~Interpreter() {
        for (auto& space : m_namespaces) {
            space.fields().clear();
        }
    }
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    std::string run(const Body& body) {
        std::string out;
        execute(body, out);
        return out;
    }

private:
    // Bounds

    void step(int line) {
        if (--m_limits.steps < 0) {
            throw Failure{"it takes too many steps", line};
        }
    }
    void charge(std::size_t bytes, int line) {
        if (bytes > m_limits.bytes) {
            throw Failure{"it makes too much text", line};
        }
        m_limits.bytes -= bytes;
    }
    static std::size_t sizeOf(const Value& value) {
        return value.isString() ? value.string().size()
               : value.isList() ? value.list().size() * sizeof(Value)
               : value.isDict() ? value.dict().size() * 2 * sizeof(Value)
                                : 0;
    }

    /// Gives a failure the line where it happened.
    template <typename Action>
    std::invoke_result_t<Action> located(int line, Action action) {
        step(line);
        try {
            return action();
        } catch (Failure& failure) {
            failure.line = failure.line == 0 ? line : failure.line;
            throw;
        }
    }

    // Names

    Value lookUp(const std::string& name) const {
        for (auto scope = m_scopes.rbegin(); scope != m_scopes.rend(); ++scope) {
            for (auto entry = scope->rbegin(); entry != scope->rend(); ++entry) {
                if (entry->first == name) {
                    return entry->second;
                }
            }
        }
        return Undefined{name};
    }
    void assign(const std::string& name, Value value) {
        Dict& scope = m_scopes.back();
        for (auto& entry : scope) {
            if (entry.first == name) {
                entry.second = std::move(value);
                return;
            }
        }
        scope.emplace_back(name, std::move(value));
    }
    void assignAll(const std::vector<std::string>& names, const Value& value, int line) {
        if (names.size() == 1) {
            assign(names.front(), value);
            return;
        }
        const List parts = value.items();
        if (parts.size() != names.size()) {
            throw Failure{std::to_string(parts.size()) + " values for " +
                          std::to_string(names.size()) + " names", line};
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            assign(names[i], parts[i]);
        }
    }

    // Statements

    Flow execute(const Body& body, std::string& out) {
        for (const auto& statement : body) {
            const Flow flow = located(statement->line, [&] { return execute(*statement, out); });
            if (flow != Flow::Next) {
                return flow;
            }
        }
        return Flow::Next;
    }

    void append(std::string& out, const std::string& text) const {
        if (out.size() + text.size() > m_limits.output) {
            throw Failure{"it writes more than " + std::to_string(m_limits.output) + " bytes"};
        }
        out += text;
    }

    Flow execute(const Statement& statement, std::string& out) {
        switch (statement.kind) {
            case Statement::Kind::Text: append(out, statement.text); return Flow::Next;
            case Statement::Kind::Output: append(out, evaluate(*statement.expression).text()); return Flow::Next;
            case Statement::Kind::If:
                return execute(evaluate(*statement.expression).truthy() ? statement.body : statement.otherwise,
                               out);
            case Statement::Kind::For: return loop(statement, out);
            case Statement::Kind::Set: set(statement); return Flow::Next;
            case Statement::Kind::Macro: assign(statement.text, macro(statement)); return Flow::Next;
            case Statement::Kind::Block: return execute(statement.body, out);
            case Statement::Kind::Break: return Flow::Break;
            case Statement::Kind::Continue: return Flow::Continue;
        }
        return Flow::Next;
    }

    void set(const Statement& statement) {
        Value value;
        if (statement.expression != nullptr) {
            value = evaluate(*statement.expression);
        } else {
            std::string text;
            execute(statement.body, text);
            charge(text.size(), statement.line);
            value = Value(std::move(text));
        }
        if (statement.owner.empty()) {
            assignAll(statement.targets, value, statement.line);
            return;
        }
        const Value owner = lookUp(statement.owner);
        if (!owner.isNamespace()) {
            throw Failure{statement.owner + "." + statement.targets.front() + " can only be set when " +
                          statement.owner + " is a namespace"};
        }
        for (auto& [name, field] : owner.fields()) {
            if (name == statement.targets.front()) {
                field = value;
                return;
            }
        }
        owner.fields().emplace_back(statement.targets.front(), value);
    }

    /// Runs something with names of its own.
    template <typename Action>
    std::invoke_result_t<Action> scoped(Action action) {
        struct Scope {
            std::vector<Dict>& scopes;
            explicit Scope(std::vector<Dict>& all) : scopes(all) { scopes.emplace_back(); }
            ~Scope() { scopes.pop_back(); }
        };
        const Scope scope(m_scopes);
        return action();
    }

    Flow loop(const Statement& statement, std::string& out) {
        List items = evaluate(*statement.expression).items();
        charge(items.size() * sizeof(Value), statement.line);
        if (statement.condition != nullptr) {
            List kept;
            for (const auto& item : items) {
                const bool wanted = scoped([&] {
                    assignAll(statement.targets, item, statement.line);
                    return evaluate(*statement.condition).truthy();
                });
                if (wanted) {
                    kept.push_back(item);
                }
            }
            items = std::move(kept);
        }
        if (items.empty()) {
            return execute(statement.otherwise, out);
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Flow flow = scoped([&] {
                assign("loop", loopState(items, i));
                assignAll(statement.targets, items[i], statement.line);
                return execute(statement.body, out);
            });
            if (flow == Flow::Break) {
                break;
            }
        }
        return Flow::Next;
    }

    static Value loopState(const List& items, std::size_t at) {
        const auto number = [](std::size_t value) { return Value(static_cast<std::int64_t>(value)); };
        Dict out{{"index", number(at + 1)},
                 {"index0", number(at)},
                 {"revindex", number(items.size() - at)},
                 {"revindex0", number(items.size() - at - 1)},
                 {"first", Value(at == 0)},
                 {"last", Value(at + 1 == items.size())},
                 {"length", number(items.size())},
                 {"previtem", at > 0 ? items[at - 1] : Value(Undefined{"loop.previtem"})},
                 {"nextitem", at + 1 < items.size() ? items[at + 1] : Value(Undefined{"loop.nextitem"})}};
        out.emplace_back("cycle", Function([at](const Arguments& arguments) {
                             const auto& values = arguments.positional;
                             return values.empty() ? Value() : values[at % values.size()];
                         }));
        return Value(std::move(out));
    }

    /// While a macro runs: it sees the template's names, not those of the place that calls it.
    class Call {
    public:
        explicit Call(Interpreter& owner) : m_owner(owner) {
            auto& scopes = owner.m_scopes;
            m_outer.assign(std::make_move_iterator(scopes.begin() + 1),
                           std::make_move_iterator(scopes.end()));
            scopes.resize(1);
            ++owner.m_depth;
        }
        ~Call() {
            --m_owner.m_depth;
            m_owner.m_scopes.resize(1);
            m_owner.m_scopes.insert(m_owner.m_scopes.end(), std::make_move_iterator(m_outer.begin()),
                                    std::make_move_iterator(m_outer.end()));
        }
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;

    private:
        Interpreter& m_owner;
        std::vector<Dict> m_outer;
    };

    /// The function of a macro. It lives no longer than the template that it points into.
    Value macro(const Statement& statement) {
        return Function([this, &statement](const Arguments& arguments) {
            if (m_depth >= m_limits.depth) {
                throw Failure{"macros call each other too deep", statement.line};
            }
            const Call call(*this);
            std::string text;
            scoped([&] {
                for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
                    const auto& [name, fallback] = statement.parameters[i];
                    const Value* given = arguments.find(i, name);
                    assign(name, given != nullptr      ? *given
                                 : fallback != nullptr ? evaluate(*fallback)
                                                       : Value(Undefined{name}));
                }
                return execute(statement.body, text);
            });
            return Value(std::move(text));
        });
    }

    // Expressions

    Value evaluate(const Expression& expression) {
        return located(expression.line, [&] {
            Value out = compute(expression);
            const bool isNew = expression.kind != Kind::Constant && expression.kind != Kind::Name &&
                               expression.kind != Kind::Attribute && expression.kind != Kind::Choice;
            if (isNew) {
                charge(sizeOf(out), expression.line);
                if (out.isString() && out.string().size() > kMaxText) {
                    throw Failure{"a text is longer than " + std::to_string(kMaxText) + " bytes"};
                }
            }
            return out;
        });
    }

    Value compute(const Expression& expression) {
        const auto item = [&](std::size_t i) { return evaluate(*expression.items[i]); };
        switch (expression.kind) {
            case Kind::Constant: return expression.value;
            case Kind::Name: return lookUp(expression.name);
            case Kind::List: return list(expression);
            case Kind::Dict: return dict(expression);
            case Kind::Attribute: return attributeOf(item(0), expression.name);
            case Kind::Item: return itemOf(item(0), item(1));
            case Kind::Slice: return slice(expression);
            case Kind::Call: return call(expression);
            case Kind::Filter: return filter(expression);
            case Kind::Test: return Value(applyTest(expression.name, item(0), arguments(expression)));
            case Kind::Unary: return unary(expression.name, item(0));
            case Kind::Binary: return binary(expression);
            case Kind::Compare: return comparison(expression);
            case Kind::Choice:
                return item(1).truthy()                  ? item(0)
                       : expression.items[2] != nullptr ? item(2)
                                                        : Value(Undefined{});
        }
        return {};
    }

    Value list(const Expression& expression) {
        List out;
        for (const auto& part : expression.items) {
            out.push_back(evaluate(*part));
        }
        return Value(std::move(out));
    }

    Value dict(const Expression& expression) {
        Dict out;
        for (std::size_t i = 0; i + 1 < expression.items.size(); i += 2) {
            const Value key = evaluate(*expression.items[i]);
            if (!key.isString()) {
                throw Failure{std::string("a mapping's key is ") + key.typeName() + ", not a text"};
            }
            Value value = evaluate(*expression.items[i + 1]);
            const auto same = std::find_if(out.begin(), out.end(), [&](const auto& entry) {
                return entry.first == key.string();
            });
            if (same != out.end()) {
                same->second = std::move(value);
            } else {
                out.emplace_back(key.string(), std::move(value));
            }
        }
        return Value(std::move(out));
    }

    Arguments arguments(const Expression& expression) {
        Arguments out;
        for (const auto& argument : expression.arguments) {
            Value value = evaluate(*argument.value);
            if (argument.name.empty()) {
                out.positional.push_back(std::move(value));
            } else {
                out.named.emplace_back(argument.name, std::move(value));
            }
        }
        return out;
    }

    Value call(const Expression& expression) {
        const Expression& callee = *expression.items[0];
        if (callee.kind == Kind::Name && callee.name == "namespace") {
            return makeNamespace(arguments(expression));
        }
        if (callee.kind == Kind::Attribute) {
            const Value owner = evaluate(*callee.items[0]);
            bool found = false;
            Value out = callMethod(callee.name, owner, arguments(expression), found);
            if (found) {
                return out;
            }
            const Value member = attributeOf(owner, callee.name);
            if (!member.isFunction()) {
                throw Failure{std::string(owner.typeName()) + " has no method \"" + callee.name + "\""};
            }
            return member.function()(arguments(expression));
        }
        const Value function = evaluate(callee);
        if (!function.isFunction()) {
            throw Failure{function.isUndefined() ? "\"" + function.undefinedName() + "\" is not defined"
                                                 : std::string(function.typeName()) + " cannot be called"};
        }
        return function.function()(arguments(expression));
    }

    Value makeNamespace(const Arguments& arguments) {
        if (m_namespaces.size() >= kMaxNamespaces) {
            throw Failure{"it makes too many namespaces"};
        }
        Dict fields;
        for (const auto& given : arguments.positional) {
            fields = given.isDict() ? given.dict() : fields;
        }
        fields.insert(fields.end(), arguments.named.begin(), arguments.named.end());
        m_namespaces.push_back(Value::makeNamespace(std::move(fields)));
        return m_namespaces.back();
    }

    Value filter(const Expression& expression) {
        const Value value = evaluate(*expression.items[0]);
        const Arguments given = arguments(expression);
        // Work grows with what goes in, not only with what comes out.
        charge(sizeOf(value) / 8, expression.line);
        return applyFilter(expression.name, value, given);
    }

    Value slice(const Expression& expression) {
        const Value owner = evaluate(*expression.items[0]);
        const bool isText = owner.isString();
        if (!isText && !owner.isList()) {
            throw Failure{std::string("cannot cut ") + owner.typeName()};
        }
        const List items = owner.items();
        const auto size = static_cast<std::int64_t>(items.size());
        const auto part = [&](std::size_t i) -> std::optional<std::int64_t> {
            if (i >= expression.items.size() || expression.items[i] == nullptr) {
                return std::nullopt;
            }
            const Value value = evaluate(*expression.items[i]);
            return value.isNone() ? std::nullopt : std::optional(value.integer());
        };
        const std::int64_t stride = part(3).value_or(1);
        if (stride == 0) {
            throw Failure{"a slice has the step 0"};
        }
        const bool backwards = stride < 0;
        const auto bound = [&](std::optional<std::int64_t> given, std::int64_t usual) {
            if (!given) {
                return usual;
            }
            const std::int64_t at = *given < 0 ? std::max<std::int64_t>(*given, -size - 1) + size : *given;
            return backwards ? std::clamp<std::int64_t>(at, -1, size - 1)
                             : std::clamp<std::int64_t>(at, 0, size);
        };
        const std::int64_t begin = bound(part(1), backwards ? size - 1 : 0);
        const std::int64_t end = bound(part(2), backwards ? -1 : size);
        List out;
        const std::int64_t move = std::clamp<std::int64_t>(stride, -size - 1, size + 1);
        for (std::int64_t at = begin; backwards ? at > end : at < end; at += move) {
            out.push_back(items[static_cast<std::size_t>(at)]);
        }
        if (!isText) {
            return Value(std::move(out));
        }
        std::string text;
        for (const auto& point : out) {
            text += point.string();
        }
        return Value(std::move(text));
    }

    static Value unary(const std::string& sign, const Value& value) {
        if (sign == "not") {
            return Value(!value.truthy());
        }
        if (value.isFloat()) {
            return Value(sign == "-" ? -value.number() : value.number());
        }
        std::int64_t out = 0;
        if (__builtin_sub_overflow(std::int64_t{0}, sign == "-" ? value.integer() : -value.integer(), &out)) {
            throw Failure{"a number is too large"};
        }
        return Value(out);
    }

    Value binary(const Expression& expression) {
        Value left = evaluate(*expression.items[0]);
        const std::string& sign = expression.name;
        if (sign == "and" || sign == "or") {
            return left.truthy() == (sign == "and") ? evaluate(*expression.items[1]) : left;
        }
        const Value right = evaluate(*expression.items[1]);
        if (sign == "~") {
            return Value(left.text() + right.text());
        }
        if (left.isUndefined() || right.isUndefined()) {
            const Value& missing = left.isUndefined() ? left : right;
            throw Failure{"\"" + missing.undefinedName() + "\" is not defined"};
        }
        if (sign == "+" && left.isString() && right.isString()) {
            return Value(left.string() + right.string());
        }
        if (sign == "+" && left.isList() && right.isList()) {
            List out = left.list();
            out.insert(out.end(), right.list().begin(), right.list().end());
            return Value(std::move(out));
        }
        if (sign == "*" && (left.isString() || right.isString())) {
            return repeated(left.isString() ? left : right, left.isString() ? right : left);
        }
        if (!left.isNumber() || !right.isNumber()) {
            throw Failure{std::string("cannot do ") + left.typeName() + " " + sign + " " + right.typeName()};
        }
        const bool whole = !left.isFloat() && !right.isFloat() && sign != "/";
        return whole ? wholeNumbers(sign, left.integer(), right.integer())
                     : realNumbers(sign, left.number(), right.number());
    }

    static Value repeated(const Value& text, const Value& times) {
        const std::int64_t count = std::max<std::int64_t>(times.integer(), 0);
        if (!text.string().empty() && static_cast<std::uint64_t>(count) > kMaxText / text.string().size()) {
            throw Failure{"a text is repeated too often"};
        }
        std::string out;
        for (std::int64_t i = 0; i < count && !text.string().empty(); ++i) {
            out += text.string();
        }
        return Value(std::move(out));
    }

    /// Python's whole numbers, whose division and remainder round down.
    static Value wholeNumbers(const std::string& sign, std::int64_t a, std::int64_t b) {
        std::int64_t out = 0;
        bool tooLarge = false;
        if (sign == "+") {
            tooLarge = __builtin_add_overflow(a, b, &out);
        } else if (sign == "-") {
            tooLarge = __builtin_sub_overflow(a, b, &out);
        } else if (sign == "*") {
            tooLarge = __builtin_mul_overflow(a, b, &out);
        } else if (sign == "**") {
            out = 1;
            tooLarge = b < 0 || b > 64;
            for (std::int64_t i = 0; i < b && !tooLarge; ++i) {
                tooLarge = __builtin_mul_overflow(out, a, &out);
            }
        } else if (b == 0) {
            throw Failure{"a number is divided by 0"};
        } else if (a == INT64_MIN && b == -1) {
            tooLarge = true;
        } else {
            const std::int64_t remainder = a % b;
            const bool below = remainder != 0 && (remainder < 0) != (b < 0);
            out = sign == "%" ? remainder + (below ? b : 0) : a / b - (below ? 1 : 0);
        }
        if (tooLarge) {
            throw Failure{"a number is too large"};
        }
        return Value(out);
    }

    static Value realNumbers(const std::string& sign, double a, double b) {
        if (b == 0.0 && (sign == "/" || sign == "//" || sign == "%")) {
            throw Failure{"a number is divided by 0"};
        }
        return Value(sign == "+"    ? a + b
                     : sign == "-"  ? a - b
                     : sign == "*"  ? a * b
                     : sign == "/"  ? a / b
                     : sign == "//" ? std::floor(a / b)
                     : sign == "%"  ? a - b * std::floor(a / b)
                                    : std::pow(a, b));
    }

    Value comparison(const Expression& expression) {
        Value left = evaluate(*expression.items[0]);
        for (std::size_t i = 0; i < expression.names.size(); ++i) {
            Value right = evaluate(*expression.items[i + 1]);
            if (!holds(expression.names[i], left, right)) {
                return Value(false);
            }
            left = std::move(right);
        }
        return Value(true);
    }

    static bool holds(const std::string& sign, const Value& left, const Value& right) {
        if (sign == "==" || sign == "!=") {
            return (left == right) == (sign == "==");
        }
        if (sign == "in" || sign == "not in") {
            return contains(right, left) == (sign == "in");
        }
        const int order = compare(left, right);
        return sign == "<" ? order < 0 : sign == "<=" ? order <= 0 : sign == ">" ? order > 0 : order >= 0;
    }

    Limits m_limits;
    std::vector<Dict> m_scopes;
    std::vector<Value> m_namespaces;
    int m_depth = 0;
};

}  // namespace

std::string render(const Body& body, Dict globals, const Limits& limits) {
    return Interpreter(std::move(globals), limits).run(body);
}

}  // namespace pareto::text::jinja
