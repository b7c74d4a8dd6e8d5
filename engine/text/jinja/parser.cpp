#include "engine/text/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "engine/text/jinja/lexer.h"

namespace pareto::text::jinja {
namespace {

using Kind = Expression::Kind;
constexpr int kMaxDepth = 100;

class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : m_tokens(std::move(tokens)) {}

    Body run() {
        Body out = body({});
        if (at(Token::Kind::BeginBlock)) {
            next();
            fail("\"" + token().text + "\" closes nothing");
        }
        return out;
    }

private:
    /// Counts how deep rules are inside each other.
    class Nesting {
    public:
        explicit Nesting(Parser& parser) : m_parser(parser) {
            if (++m_parser.m_depth > kMaxDepth) {
                parser.fail("it is nested too deep");
            }
        }
        ~Nesting() { --m_parser.m_depth; }

    private:
        Parser& m_parser;
    };

    const Token& token(std::size_t ahead = 0) const {
        return m_tokens[std::min(m_at + ahead, m_tokens.size() - 1)];
    }
    const Token& next() {
        const Token& out = token();
        m_at += m_at + 1 < m_tokens.size() ? 1 : 0;
        return out;
    }
    [[noreturn]] void fail(const std::string& reason) const { throw Failure{reason, token().line}; }
    bool at(Token::Kind kind) const { return token().kind == kind; }
    bool isSign(std::string_view text, std::size_t ahead = 0) const {
        return token(ahead).kind == Token::Kind::Sign && token(ahead).text == text;
    }
    bool isName(std::string_view text, std::size_t ahead = 0) const {
        return token(ahead).kind == Token::Kind::Name && token(ahead).text == text;
    }
    bool takeSign(std::string_view text) {
        const bool found = isSign(text);
        found ? void(next()) : void();
        return found;
    }
    bool takeName(std::string_view text) {
        const bool found = isName(text);
        found ? void(next()) : void();
        return found;
    }
    static std::string describe(const Token& token) {
        switch (token.kind) {
            case Token::Kind::End: return "the end of the template";
            case Token::Kind::EndBlock: return "%}";
            case Token::Kind::EndOutput: return "}}";
            case Token::Kind::String: return "a text in quotes";
            default: return "\"" + token.text + "\"";
        }
    }
    void expectSign(std::string_view text) {
        if (!takeSign(text)) {
            fail("\"" + std::string(text) + "\" is wanted, not " + describe(token()));
        }
    }
    std::string expectName() {
        if (!at(Token::Kind::Name)) {
            fail("a name is wanted, not " + describe(token()));
        }
        return next().text;
    }
    void expectEnd(Token::Kind kind) {
        if (!at(kind)) {
            fail((kind == Token::Kind::EndBlock ? "%} is wanted, not " : "}} is wanted, not ") +
                 describe(token()));
        }
        next();
    }

    std::unique_ptr<Statement> statement(Statement::Kind kind) const {
        auto out = std::make_unique<Statement>();
        out->kind = kind;
        out->line = token().line;
        return out;
    }
    ExpressionPointer node(Kind kind, std::string name = {}) const {
        auto out = std::make_unique<Expression>();
        out->kind = kind;
        out->line = token().line;
        out->name = std::move(name);
        return out;
    }
    ExpressionPointer node(Kind kind, std::string name, ExpressionPointer first) const {
        auto out = node(kind, std::move(name));
        out->line = first->line;
        add(*out, std::move(first));
        return out;
    }
    void deepen(Expression& owner, const ExpressionPointer& part) const {
        owner.depth = std::max(owner.depth, part == nullptr ? 1 : part->depth + 1);
        if (owner.depth > kMaxDepth) {
            fail("it is nested too deep");
        }
    }
    void add(Expression& owner, ExpressionPointer part) const {
        deepen(owner, part);
        owner.items.push_back(std::move(part));
    }
    void setArguments(Expression& owner) {
        owner.arguments = arguments();
        for (const auto& argument : owner.arguments) {
            deepen(owner, argument.value);
        }
    }

    // Statements

    /// Up to a block whose name is one of `ends`, which is left with its {%.
    Body body(std::initializer_list<std::string_view> ends) {
        const Nesting nesting(*this);
        Body out;
        while (!at(Token::Kind::End)) {
            if (at(Token::Kind::Text)) {
                out.push_back(statement(Statement::Kind::Text));
                out.back()->text = next().text;
            } else if (at(Token::Kind::BeginOutput)) {
                next();
                out.push_back(statement(Statement::Kind::Output));
                out.back()->expression = expression();
                expectEnd(Token::Kind::EndOutput);
            } else {
                const std::string& name = token(1).text;
                if (std::find(ends.begin(), ends.end(), name) != ends.end() || name.starts_with("end") ||
                    name == "else" || name == "elif") {
                    return out;
                }
                next();
                out.push_back(block());
            }
        }
        return out;
    }

    /// {% name %} after {% has been taken.
    void close(std::string_view name, const char* opener, int line) {
        if (!at(Token::Kind::BeginBlock) || !isName(name, 1)) {
            throw Failure{std::string("{% ") + opener + " %} is not closed by {% " + std::string(name) +
                              " %}", line};
        }
        next();
        next();
        expectEnd(Token::Kind::EndBlock);
    }

    std::unique_ptr<Statement> block() {
        const int line = token().line;
        const std::string name = expectName();
        if (name == "if") {
            return ifBlock(line);
        }
        if (name == "for") {
            return forBlock(line);
        }
        if (name == "set") {
            return setBlock(line);
        }
        if (name == "macro") {
            return macroBlock(line);
        }
        if (name == "generation") {
            expectEnd(Token::Kind::EndBlock);
            auto out = statement(Statement::Kind::Block);
            out->body = body({"endgeneration"});
            close("endgeneration", "generation", line);
            return out;
        }
        if (name == "break" || name == "continue") {
            auto out = statement(name == "break" ? Statement::Kind::Break : Statement::Kind::Continue);
            expectEnd(Token::Kind::EndBlock);
            return out;
        }
        throw Failure{"{% " + name + " %} is not supported", line};
    }

    std::unique_ptr<Statement> ifBlock(int line) {
        const Nesting nesting(*this);
        auto out = statement(Statement::Kind::If);
        out->expression = expression();
        expectEnd(Token::Kind::EndBlock);
        out->body = body({"endif"});
        if (at(Token::Kind::BeginBlock) && isName("elif", 1)) {
            next();
            next();
            out->otherwise.push_back(ifBlock(line));  // closes the whole chain
            return out;
        }
        if (at(Token::Kind::BeginBlock) && isName("else", 1)) {
            next();
            next();
            expectEnd(Token::Kind::EndBlock);
            out->otherwise = body({"endif"});
        }
        close("endif", "if", line);
        return out;
    }

    std::vector<std::string> targets() {
        std::vector<std::string> out;
        const bool bracket = takeSign("(");
        do {
            out.push_back(expectName());
        } while (takeSign(","));
        if (bracket) {
            expectSign(")");
        }
        return out;
    }

    std::unique_ptr<Statement> forBlock(int line) {
        auto out = statement(Statement::Kind::For);
        out->targets = targets();
        if (!takeName("in")) {
            fail("\"in\" is wanted, not " + describe(token()));
        }
        out->expression = orExpression();
        if (takeName("if")) {
            out->condition = expression();
        }
        if (isName("recursive")) {
            fail("{% for … recursive %} is not supported");
        }
        expectEnd(Token::Kind::EndBlock);
        out->body = body({"endfor"});
        if (at(Token::Kind::BeginBlock) && isName("else", 1)) {
            next();
            next();
            expectEnd(Token::Kind::EndBlock);
            out->otherwise = body({"endfor"});
        }
        close("endfor", "for", line);
        return out;
    }

    std::unique_ptr<Statement> setBlock(int line) {
        auto out = statement(Statement::Kind::Set);
        out->targets.push_back(expectName());
        if (takeSign(".")) {
            out->owner = std::move(out->targets.front());
            out->targets.front() = expectName();
        }
        while (takeSign(",")) {
            out->targets.push_back(expectName());
        }
        if (takeSign("=")) {
            out->expression = tuple();
            expectEnd(Token::Kind::EndBlock);
            return out;
        }
        expectEnd(Token::Kind::EndBlock);
        out->body = body({"endset"});
        close("endset", "set", line);
        return out;
    }

    std::unique_ptr<Statement> macroBlock(int line) {
        auto out = statement(Statement::Kind::Macro);
        out->text = expectName();
        expectSign("(");
        while (!isSign(")")) {
            Argument parameter{expectName(), nullptr};
            if (takeSign("=")) {
                parameter.value = expression();
            }
            out->parameters.push_back(std::move(parameter));
            if (!takeSign(",")) {
                break;
            }
        }
        expectSign(")");
        expectEnd(Token::Kind::EndBlock);
        out->body = body({"endmacro"});
        close("endmacro", "macro", line);
        return out;
    }

    // Expressions, from the loosest binding to the tightest

    /// One expression, or several with commas: a list.
    ExpressionPointer tuple() {
        ExpressionPointer first = expression();
        if (!isSign(",")) {
            return first;
        }
        auto out = node(Kind::List);
        add(*out, std::move(first));
        while (takeSign(",") && !at(Token::Kind::EndBlock)) {
            add(*out, expression());
        }
        return out;
    }

    ExpressionPointer expression() {
        const Nesting nesting(*this);
        ExpressionPointer out = orExpression();
        while (takeName("if")) {
            out = node(Kind::Choice, {}, std::move(out));
            add(*out, orExpression());
            add(*out, takeName("else") ? expression() : nullptr);
        }
        return out;
    }

    ExpressionPointer orExpression() {
        ExpressionPointer out = andExpression();
        while (takeName("or")) {
            out = node(Kind::Binary, "or", std::move(out));
            add(*out, andExpression());
        }
        return out;
    }

    ExpressionPointer andExpression() {
        ExpressionPointer out = notExpression();
        while (takeName("and")) {
            out = node(Kind::Binary, "and", std::move(out));
            add(*out, notExpression());
        }
        return out;
    }

    ExpressionPointer notExpression() {
        const Nesting nesting(*this);
        return takeName("not") ? node(Kind::Unary, "not", notExpression()) : comparison();
    }

    std::string comparisonSign() {
        for (const char* sign : {"==", "!=", "<", "<=", ">", ">="}) {
            if (takeSign(sign)) {
                return sign;
            }
        }
        if (takeName("in")) {
            return "in";
        }
        if (isName("not") && isName("in", 1)) {
            next();
            next();
            return "not in";
        }
        return {};
    }

    ExpressionPointer comparison() {
        ExpressionPointer out = sum();
        std::string sign = comparisonSign();
        if (sign.empty()) {
            return out;
        }
        out = node(Kind::Compare, {}, std::move(out));
        for (; !sign.empty(); sign = comparisonSign()) {
            out->names.push_back(sign);
            add(*out, sum());
        }
        return out;
    }

    template <typename Next>
    ExpressionPointer leftToRight(std::initializer_list<const char*> signs, Next inner) {
        ExpressionPointer out = inner();
        for (;;) {
            const auto found = std::find_if(signs.begin(), signs.end(),
                                            [&](const char* sign) { return isSign(sign); });
            if (found == signs.end()) {
                return out;
            }
            next();
            out = node(Kind::Binary, *found, std::move(out));
            add(*out, inner());
        }
    }

    ExpressionPointer sum() {
        return leftToRight({"+", "-"}, [&] { return concatenation(); });
    }
    ExpressionPointer concatenation() {
        return leftToRight({"~"}, [&] { return product(); });
    }
    ExpressionPointer product() {
        return leftToRight({"*", "//", "/", "%"}, [&] { return power(); });
    }
    ExpressionPointer power() {
        return leftToRight({"**"}, [&] { return unary(true); });
    }

    ExpressionPointer unary(bool withFilters) {
        const Nesting nesting(*this);
        ExpressionPointer out;
        if (isSign("-") || isSign("+")) {
            const std::string sign = next().text;
            out = node(Kind::Unary, sign, unary(false));
        } else {
            out = postfix(primary());
        }
        return withFilters ? filtersAndTests(std::move(out)) : std::move(out);
    }

    ExpressionPointer primary() {
        const Token& first = token();
        if (first.kind == Token::Kind::String) {
            auto out = node(Kind::Constant);
            std::string text;
            while (at(Token::Kind::String)) {
                text += next().text;
            }
            out->value = Value(std::move(text));
            return out;
        }
        if (first.kind == Token::Kind::Integer || first.kind == Token::Kind::Float) {
            return number();
        }
        if (first.kind == Token::Kind::Name) {
            return name();
        }
        if (isSign("[")) {
            return list();
        }
        if (isSign("{")) {
            return dict();
        }
        if (takeSign("(")) {
            return bracket();
        }
        fail("a value is wanted, not " + describe(first));
    }

    ExpressionPointer number() {
        auto out = node(Kind::Constant);
        const bool isFloat = at(Token::Kind::Float);
        const std::string text = next().text;
        std::int64_t whole = 0;
        double real = 0.0;
        const char* end = text.data() + text.size();
        const auto result = isFloat ? std::from_chars(text.data(), end, real)
                                    : std::from_chars(text.data(), end, whole);
        if (result.ec != std::errc()) {
            throw Failure{"the number " + text + " is too large", out->line};
        }
        out->value = isFloat ? Value(real) : Value(whole);
        return out;
    }

    ExpressionPointer name() {
        auto out = node(Kind::Name, next().text);
        const std::string& text = out->name;
        const bool isTrue = text == "true" || text == "True";
        if (isTrue || text == "false" || text == "False") {
            out->kind = Kind::Constant;
            out->value = Value(isTrue);
        } else if (text == "none" || text == "None") {
            out->kind = Kind::Constant;
        }
        return out;
    }

    ExpressionPointer list() {
        auto out = node(Kind::List);
        expectSign("[");
        while (!isSign("]")) {
            add(*out, expression());
            if (!takeSign(",")) {
                break;
            }
        }
        expectSign("]");
        return out;
    }

    ExpressionPointer dict() {
        auto out = node(Kind::Dict);
        expectSign("{");
        while (!isSign("}")) {
            add(*out, expression());
            expectSign(":");
            add(*out, expression());
            if (!takeSign(",")) {
                break;
            }
        }
        expectSign("}");
        return out;
    }

    /// A value in brackets, or a tuple.
    ExpressionPointer bracket() {
        auto tupleNode = node(Kind::List);
        if (takeSign(")")) {
            return tupleNode;
        }
        ExpressionPointer first = expression();
        if (!isSign(",")) {
            expectSign(")");
            return first;
        }
        add(*tupleNode, std::move(first));
        while (takeSign(",") && !isSign(")")) {
            add(*tupleNode, expression());
        }
        expectSign(")");
        return tupleNode;
    }

    ExpressionPointer postfix(ExpressionPointer out) {
        for (;;) {
            if (takeSign(".")) {
                if (at(Token::Kind::Integer)) {
                    auto index = number();
                    out = node(Kind::Item, {}, std::move(out));
                    add(*out, std::move(index));
                } else {
                    const std::string attribute = expectName();
                    out = node(Kind::Attribute, attribute, std::move(out));
                }
            } else if (takeSign("[")) {
                out = subscript(std::move(out));
            } else if (isSign("(")) {
                out = node(Kind::Call, {}, std::move(out));
                setArguments(*out);
            } else {
                return out;
            }
        }
    }

    ExpressionPointer subscript(ExpressionPointer owner) {
        std::vector<ExpressionPointer> parts;
        bool slice = false;
        parts.push_back(isSign(":") ? nullptr : expression());
        while (takeSign(":")) {
            slice = true;
            parts.push_back(isSign(":") || isSign("]") ? nullptr : expression());
        }
        expectSign("]");
        if (parts.size() > 3) {
            fail("a slice has more than three parts");
        }
        auto out = node(slice ? Kind::Slice : Kind::Item, {}, std::move(owner));
        for (auto& part : parts) {
            add(*out, std::move(part));
        }
        return out;
    }

    std::vector<Argument> arguments() {
        std::vector<Argument> out;
        expectSign("(");
        while (!isSign(")")) {
            Argument argument;
            if (at(Token::Kind::Name) && isSign("=", 1)) {
                argument.name = next().text;
                next();
            }
            argument.value = expression();
            out.push_back(std::move(argument));
            if (!takeSign(",")) {
                break;
            }
        }
        expectSign(")");
        return out;
    }

    ExpressionPointer filtersAndTests(ExpressionPointer out) {
        for (;;) {
            if (takeSign("|")) {
                std::string filter = expectName();
                out = node(Kind::Filter, std::move(filter), std::move(out));
                if (isSign("(")) {
                    setArguments(*out);
                }
            } else if (takeName("is")) {
                const bool negated = takeName("not");
                std::string test = expectName();
                out = node(Kind::Test, std::move(test), std::move(out));
                testArguments(*out);
                out = negated ? node(Kind::Unary, "not", std::move(out)) : std::move(out);
            } else if (isSign("(")) {
                out = node(Kind::Call, {}, std::move(out));
                setArguments(*out);
            } else {
                return out;
            }
        }
    }

    void testArguments(Expression& test) {
        const Token& first = token();
        const bool word = first.kind == Token::Kind::Name && first.text != "else" && first.text != "or" &&
                          first.text != "and" && first.text != "if" && first.text != "is" &&
                          first.text != "not" && first.text != "in";
        const bool value = first.kind == Token::Kind::String || first.kind == Token::Kind::Integer ||
                           first.kind == Token::Kind::Float || isSign("[") || isSign("{");
        if (isSign("(")) {
            setArguments(test);
        } else if (word || value) {
            test.arguments.push_back({{}, postfix(primary())});
        }
    }

    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_depth = 0;
};

}  // namespace

Body parse(std::string_view source) { return Parser(tokensOf(source)).run(); }

}  // namespace pareto::text::jinja
