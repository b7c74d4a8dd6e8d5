#include "engine/text/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "engine/text/jinja/value.h"
#include "engine/text/unicode.h"

namespace pareto::text::jinja {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
public:
    explicit Lexer(std::string_view source) : m_source(source) {
        // One line break at the end of the file is not the template's.
        if (m_source.ends_with('\n')) {
            m_source.remove_suffix(m_source.ends_with("\r\n") ? 2 : 1);
        }
    }

    std::vector<Token> run() {
        while (m_at < m_source.size()) {
            text();
        }
        push(Token::Kind::End, {});
        return std::move(m_tokens);
    }

private:
    void push(Token::Kind kind, std::string text) {
        m_tokens.push_back({kind, std::move(text), m_line});
    }
    [[noreturn]] void fail(const std::string& reason) const { throw Failure{reason, m_line}; }
    char peek(std::size_t ahead = 0) const {
        return m_at + ahead < m_source.size() ? m_source[m_at + ahead] : '\0';
    }
    bool startsWith(std::string_view text) const { return m_source.substr(m_at).starts_with(text); }
    void skip(std::size_t count) {
        const auto part = m_source.substr(m_at, count);
        m_line += static_cast<int>(std::count(part.begin(), part.end(), '\n'));
        m_at += part.size();
    }

    /// Text up to the next opening, and what stands in that.
    void text() {
        std::size_t open = m_at;
        while ((open = m_source.find('{', open)) != std::string_view::npos) {
            const char next = open + 1 < m_source.size() ? m_source[open + 1] : '\0';
            if (next == '{' || next == '%' || next == '#') {
                break;
            }
            ++open;
        }
        std::string_view part = m_source.substr(m_at, open == std::string_view::npos ? open : open - m_at);
        const std::size_t whole = part.size();
        if (m_trimNext) {
            const auto first = std::find_if_not(part.begin(), part.end(), isBlank);
            part.remove_prefix(static_cast<std::size_t>(first - part.begin()));
        } else if (m_dropLineBreak && part.starts_with('\n')) {
            part.remove_prefix(1);
        } else if (m_dropLineBreak && part.starts_with("\r\n")) {
            part.remove_prefix(2);
        }
        const bool lineStart = m_at == 0 || m_dropLineBreak || m_trimNext;
        const bool trimmed = m_trimNext;
        m_trimNext = m_dropLineBreak = false;
        if (open == std::string_view::npos) {
            emitText(part, whole);
            return;
        }
        const char kind = m_source[open + 1];
        const char sign = open + 2 < m_source.size() ? m_source[open + 2] : '\0';
        if (sign == '-') {
            while (!part.empty() && isBlank(part.back())) {
                part.remove_suffix(1);
            }
        } else if (sign != '+' && kind != '{') {
            part = withoutIndent(part, lineStart && !trimmed ? part.size() != whole || m_at == 0 : false);
        }
        emitText(part, whole);
        m_at = open;
        inside(kind, sign);
    }

    /// Without the blanks at its end that begin a line.
    static std::string_view withoutIndent(std::string_view part, bool beginsLine) {
        std::size_t end = part.size();
        while (end > 0 && (part[end - 1] == ' ' || part[end - 1] == '\t')) {
            --end;
        }
        const bool atLineStart = end == 0 ? beginsLine : part[end - 1] == '\n';
        return atLineStart ? part.substr(0, end) : part;
    }

    void emitText(std::string_view part, std::size_t whole) {
        if (!part.empty()) {
            push(Token::Kind::Text, std::string(part));
        }
        skip(whole);
    }

    void inside(char kind, char sign) {
        const std::size_t opening = sign == '-' || sign == '+' ? 3 : 2;
        if (kind == '#') {
            const auto end = m_source.find("#}", m_at + 2);
            if (end == std::string_view::npos) {
                fail("a comment {# is not closed");
            }
            closed(m_source[end - 1], true);
            skip(end + 2 - m_at);
            return;
        }
        push(kind == '{' ? Token::Kind::BeginOutput : Token::Kind::BeginBlock, {});
        skip(opening);
        const std::string_view close = kind == '{' ? "}}" : "%}";
        m_open.clear();
        for (;;) {
            while (isBlank(peek())) {
                skip(1);
            }
            if (m_at >= m_source.size()) {
                fail(kind == '{' ? "a {{ is not closed" : "a {% is not closed");
            }
            const bool signedEnd = (peek() == '-' || peek() == '+') && m_source.substr(m_at + 1).starts_with(close);
            if (m_open.empty() && (signedEnd || startsWith(close))) {
                closed(signedEnd ? peek() : '\0', kind == '%');
                push(kind == '{' ? Token::Kind::EndOutput : Token::Kind::EndBlock, {});
                skip(close.size() + (signedEnd ? 1 : 0));
                return;
            }
            token();
        }
    }

    void closed(char sign, bool isBlock) {
        m_trimNext = sign == '-';
        m_dropLineBreak = isBlock && sign != '-' && sign != '+';
    }

    void token() {
        const char c = peek();
        if (isNameStart(c)) {
            std::size_t end = m_at;
            while (end < m_source.size() && (isNameStart(m_source[end]) || isDigit(m_source[end]))) {
                ++end;
            }
            push(Token::Kind::Name, std::string(m_source.substr(m_at, end - m_at)));
            skip(end - m_at);
        } else if (isDigit(c)) {
            number();
        } else if (c == '"' || c == '\'') {
            string(c);
        } else {
            sign();
        }
    }

    void number() {
        std::size_t end = m_at;
        const auto digits = [&] {
            while (end < m_source.size() && (isDigit(m_source[end]) || m_source[end] == '_')) {
                ++end;
            }
        };
        digits();
        bool isFloat = false;
        if (end + 1 < m_source.size() && m_source[end] == '.' && isDigit(m_source[end + 1])) {
            isFloat = true;
            ++end;
            digits();
        }
        if (end < m_source.size() && (m_source[end] == 'e' || m_source[end] == 'E')) {
            const std::size_t exponent =
                end + 1 < m_source.size() && (m_source[end + 1] == '-' || m_source[end + 1] == '+') ? end + 2 : end + 1;
            if (exponent < m_source.size() && isDigit(m_source[exponent])) {
                isFloat = true;
                end = exponent;
                digits();
            }
        }
        std::string text(m_source.substr(m_at, end - m_at));
        std::erase(text, '_');
        push(isFloat ? Token::Kind::Float : Token::Kind::Integer, std::move(text));
        skip(end - m_at);
    }

    void string(char quote) {
        std::string out;
        const int line = m_line;
        skip(1);
        while (peek() != quote) {
            if (m_at >= m_source.size()) {
                throw Failure{"a text in quotes is not closed", line};
            }
            if (peek() != '\\') {
                out += peek();
                skip(1);
                continue;
            }
            escape(out);
        }
        skip(1);
        m_tokens.push_back({Token::Kind::String, std::move(out), line});
    }

    void escape(std::string& out) {
        const char c = peek(1);
        skip(2);
        switch (c) {
            case 'n': out += '\n'; return;
            case 't': out += '\t'; return;
            case 'r': out += '\r'; return;
            case 'b': out += '\b'; return;
            case 'f': out += '\f'; return;
            case 'a': out += '\a'; return;
            case 'v': out += '\v'; return;
            case '0': out += '\0'; return;
            case '\n': return;
            case '\\':
            case '\'':
            case '"': out += c; return;
            case 'x': code(2, out); return;
            case 'u': code(4, out); return;
            case 'U': code(8, out); return;
            default: out += std::string("\\") + c;
        }
    }

    void code(std::size_t digits, std::string& out) {
        char32_t value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const std::string_view hex = "0123456789abcdef";
            const char c = peek();
            const auto digit = hex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
            if (digit == std::string_view::npos) {
                fail("an escape in a text has too few hexadecimal digits");
            }
            value = value * 16 + static_cast<char32_t>(digit);
            skip(1);
        }
        const bool valid = value < 0x110000 && (value < 0xD800 || value > 0xDFFF);
        appendUtf8(out, valid ? value : char32_t{0xFFFD});
    }

    void sign() {
        static constexpr std::array<std::string_view, 6> kLong{"//", "**", "==", "!=", "<=", ">="};
        for (const auto text : kLong) {
            if (startsWith(text)) {
                push(Token::Kind::Sign, std::string(text));
                skip(2);
                return;
            }
        }
        const char c = peek();
        if (std::string_view("+-*/%~()[]{},.:|<>=").find(c) == std::string_view::npos) {
            fail(std::string("the sign ") + c + " has no meaning here");
        }
        if (c == '(' || c == '[' || c == '{') {
            m_open += c;
        } else if ((c == ')' || c == ']' || c == '}') && !m_open.empty()) {
            m_open.pop_back();
        }
        push(Token::Kind::Sign, std::string(1, c));
        skip(1);
    }

    std::string_view m_source;
    std::size_t m_at = 0;
    int m_line = 1;
    bool m_trimNext = false;       ///< the last tag ended with "-"
    bool m_dropLineBreak = false;  ///< the last tag was a block
    std::string m_open;            ///< brackets not closed yet
    std::vector<Token> m_tokens;
};

}  // namespace

std::vector<Token> tokensOf(std::string_view source) { return Lexer(source).run(); }

}  // namespace pareto::text::jinja
