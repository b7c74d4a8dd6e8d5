#include <algorithm>
#include <array>

#include <unicode/uchar.h>

#include "engine/text/jinja/builtins.h"
#include "engine/text/unicode.h"

namespace pareto::text::jinja {
namespace {

using Given = const Arguments&;

const std::string& textArgument(Given arguments, std::size_t place, const char* method) {
    if (place >= arguments.positional.size() || !arguments.positional[place].isString()) {
        throw Failure{std::string("the method ") + method + " wants a text"};
    }
    return arguments.positional[place].string();
}

/// Characters that strip() takes away: those given, else white space.
class Stripped {
public:
    explicit Stripped(Given arguments) {
        const Value* given = arguments.find(0, "chars");
        if (given != nullptr && !given->isNone()) {
            m_given = true;
            for (const Char& c : decodeUtf8(given->text())) {
                m_codes.push_back(c.code);
            }
        }
    }
    bool operator()(const Char& c) const {
        // Python's white space has the separators U+001C to U+001F as well.
        return m_given ? std::find(m_codes.begin(), m_codes.end(), c.code) != m_codes.end()
                       : isSpace(c.code) || (c.code >= 0x1C && c.code <= 0x1F);
    }

private:
    bool m_given = false;
    std::vector<char32_t> m_codes;
};

Value stripped(const std::string& text, Given arguments, bool left, bool right) {
    const Stripped goes(arguments);
    const Chars chars = decodeUtf8(text);
    std::size_t begin = 0;
    std::size_t end = chars.size();
    while (left && begin < end && goes(chars[begin])) {
        ++begin;
    }
    while (right && end > begin && goes(chars[end - 1])) {
        --end;
    }
    if (begin == end) {
        return Value("");
    }
    const auto from = static_cast<std::size_t>(chars[begin].begin);
    return Value(text.substr(from, static_cast<std::size_t>(chars[end - 1].end) - from));
}

Value splitAtSpaces(const std::string& text, std::int64_t most) {
    List out;
    const Stripped isBlank{{}};
    const Chars chars = decodeUtf8(text);
    std::size_t at = 0;
    for (;;) {
        while (at < chars.size() && isBlank(chars[at])) {
            ++at;
        }
        if (at == chars.size()) {
            return Value(std::move(out));
        }
        const auto from = static_cast<std::size_t>(chars[at].begin);
        if (most >= 0 && static_cast<std::int64_t>(out.size()) == most) {
            out.push_back(stripped(text.substr(from), {}, false, true));
            return Value(std::move(out));
        }
        while (at < chars.size() && !isBlank(chars[at])) {
            ++at;
        }
        out.emplace_back(text.substr(from, static_cast<std::size_t>(chars[at - 1].end) - from));
    }
}

Value split(const std::string& text, Given arguments, bool fromRight) {
    const Value* separator = arguments.find(0, "sep");
    const Value* limit = arguments.find(1, "maxsplit");
    const std::int64_t most = limit != nullptr ? limit->integer() : -1;
    if (separator == nullptr || separator->isNone()) {
        return splitAtSpaces(text, most);
    }
    const std::string by = separator->text();
    if (by.empty()) {
        throw Failure{"the method split wants a text that is not empty"};
    }
    List out;
    if (fromRight) {
        std::size_t end = text.size();
        while (most < 0 || static_cast<std::int64_t>(out.size()) < most) {
            const auto at = end < by.size() ? std::string::npos : text.rfind(by, end - by.size());
            if (at == std::string::npos) {
                break;
            }
            out.emplace_back(text.substr(at + by.size(), end - at - by.size()));
            end = at;
        }
        out.emplace_back(text.substr(0, end));
        std::reverse(out.begin(), out.end());
        return Value(std::move(out));
    }
    std::size_t begin = 0;
    for (auto at = text.find(by); at != std::string::npos && (most < 0 || static_cast<std::int64_t>(out.size()) < most);
         at = text.find(by, begin)) {
        out.emplace_back(text.substr(begin, at - begin));
        begin = at + by.size();
    }
    out.emplace_back(text.substr(begin));
    return Value(std::move(out));
}

Value splitLines(const std::string& text, Given arguments) {
    const Value* keep = arguments.find(0, "keepends");
    const bool keepEnds = keep != nullptr && keep->truthy();
    List out;
    for (std::size_t at = 0; at < text.size();) {
        auto end = text.find_first_of("\r\n\v\f", at);
        end = end == std::string::npos ? text.size() : end;
        std::size_t after = std::min(end + 1, text.size());
        if (end + 1 < text.size() && text[end] == '\r' && text[end + 1] == '\n') {
            ++after;
        }
        out.emplace_back(text.substr(at, (keepEnds ? after : end) - at));
        at = after;
    }
    return Value(std::move(out));
}

Value replaced(const std::string& text, Given arguments) {
    const Value* old = arguments.find(0, "old");
    const Value* fresh = arguments.find(1, "new");
    const Value* count = arguments.find(2, "count");
    if (old == nullptr || fresh == nullptr) {
        throw Failure{"replace wants two texts"};
    }
    const std::string from = old->text();
    const std::string to = fresh->text();
    std::int64_t left = count != nullptr && !count->isNone() ? count->integer() : -1;
    std::string out;
    std::size_t done = 0;
    if (from.empty()) {
        throw Failure{"replace wants a text that is not empty"};
    }
    for (auto at = text.find(from); at != std::string::npos && left != 0; at = text.find(from, done), --left) {
        out.append(text, done, at - done).append(to);
        done = at + from.size();
        if (out.size() > kMaxText) {
            throw Failure{"replace makes too long a text"};
        }
    }
    return Value(out.append(text, done));
}

/// startswith and endswith, of a text or any of a list.
Value touches(const std::string& text, Given arguments, bool atEnd) {
    const auto holds = [&](const Value& part) {
        return part.isString() && (atEnd ? text.ends_with(part.string()) : text.starts_with(part.string()));
    };
    const Value* given = arguments.find(0, "prefix");
    if (given == nullptr) {
        throw Failure{"startswith and endswith want a text"};
    }
    if (given->isList()) {
        return Value(std::any_of(given->list().begin(), given->list().end(), holds));
    }
    return Value(holds(*given));
}

enum class Letters { Lower, Upper, Capital, Title };

Value cased(const std::string& text, Letters wanted) {
    Chars out;
    bool begins = true;
    for (const Char& c : decodeUtf8(text)) {
        const auto code = static_cast<UChar32>(c.code);
        const bool up = wanted == Letters::Upper || (wanted != Letters::Lower && begins);
        if (!up) {
            appendLowercase(out, c);
        } else if (c.code == 0xDF) {
            out.push_back({U'S', 0, 0});
            out.push_back({wanted == Letters::Upper ? U'S' : U's', 0, 0});
        } else {
            out.push_back({static_cast<char32_t>(wanted == Letters::Upper ? u_toupper(code) : u_totitle(code)), 0, 0});
        }
        begins = wanted == Letters::Title && u_isUAlphabetic(code) == 0;
    }
    return Value(encodeUtf8(out));
}

/// isdigit and the like: all characters, and at least one.
template <typename Predicate>
Value all(const std::string& text, Predicate predicate) {
    const Chars chars = decodeUtf8(text);
    return Value(!chars.empty() && std::all_of(chars.begin(), chars.end(), [&](const Char& c) {
        return predicate(static_cast<UChar32>(c.code));
    }));
}

/// islower and isupper: some letter has a case, and none the other.
Value allCased(const std::string& text, bool upper) {
    bool some = false;
    for (const Char& c : decodeUtf8(text)) {
        const auto code = static_cast<UChar32>(c.code);
        if (upper ? u_isULowercase(code) != 0 : u_isUUppercase(code) != 0) {
            return Value(false);
        }
        some = some || (upper ? u_isUUppercase(code) : u_isULowercase(code)) != 0;
    }
    return Value(some);
}

Value position(const std::string& text, Given arguments, bool last) {
    const std::string& part = textArgument(arguments, 0, "find");
    const auto at = last ? text.rfind(part) : text.find(part);
    return at == std::string::npos ? Value(std::int64_t{-1})
                                   : Value(static_cast<std::int64_t>(Value(text.substr(0, at)).length()));
}

Value counted(const std::string& text, Given arguments) {
    const std::string& part = textArgument(arguments, 0, "count");
    std::int64_t out = 0;
    for (auto at = text.find(part); at != std::string::npos && !part.empty(); at = text.find(part, at + part.size())) {
        ++out;
    }
    return Value(out);
}

Value without(const std::string& text, Given arguments, bool atEnd) {
    const std::string& part = textArgument(arguments, 0, "removeprefix");
    if (atEnd ? !text.ends_with(part) : !text.starts_with(part)) {
        return Value(text);
    }
    return Value(atEnd ? text.substr(0, text.size() - part.size()) : text.substr(part.size()));
}

struct MethodEntry {
    const char* name;
    Value (*call)(const std::string&, Given);
};

constexpr std::array<MethodEntry, 25> kTextMethods{{
    {"strip", [](const std::string& t, Given a) { return stripped(t, a, true, true); }},
    {"lstrip", [](const std::string& t, Given a) { return stripped(t, a, true, false); }},
    {"rstrip", [](const std::string& t, Given a) { return stripped(t, a, false, true); }},
    {"split", [](const std::string& t, Given a) { return split(t, a, false); }},
    {"rsplit", [](const std::string& t, Given a) { return split(t, a, true); }},
    {"splitlines", splitLines},
    {"replace", replaced},
    {"startswith", [](const std::string& t, Given a) { return touches(t, a, false); }},
    {"endswith", [](const std::string& t, Given a) { return touches(t, a, true); }},
    {"lower", [](const std::string& t, Given) { return cased(t, Letters::Lower); }},
    {"upper", [](const std::string& t, Given) { return cased(t, Letters::Upper); }},
    {"capitalize", [](const std::string& t, Given) { return cased(t, Letters::Capital); }},
    {"title", [](const std::string& t, Given) { return cased(t, Letters::Title); }},
    {"find", [](const std::string& t, Given a) { return position(t, a, false); }},
    {"rfind", [](const std::string& t, Given a) { return position(t, a, true); }},
    {"count", counted},
    {"removeprefix", [](const std::string& t, Given a) { return without(t, a, false); }},
    {"removesuffix", [](const std::string& t, Given a) { return without(t, a, true); }},
    {"join", [](const std::string& t, Given a) {
         Arguments separator{{Value(t)}, {}};
         return a.positional.empty() ? Value("") : applyFilter("join", a.positional.front(), separator);
     }},
    {"isdigit", [](const std::string& t, Given) { return all(t, [](UChar32 c) { return u_isdigit(c) != 0; }); }},
    {"isnumeric", [](const std::string& t, Given) { return all(t, [](UChar32 c) { return isNumeric(static_cast<char32_t>(c)); }); }},
    {"isalpha", [](const std::string& t, Given) { return all(t, [](UChar32 c) { return u_isalpha(c) != 0; }); }},
    {"isalnum", [](const std::string& t, Given) { return all(t, [](UChar32 c) { return u_isalnum(c) != 0; }); }},
    {"islower", [](const std::string& t, Given) { return allCased(t, false); }},
    {"isupper", [](const std::string& t, Given) { return allCased(t, true); }},
}};

Value callOfDict(const std::string& name, const Value& value, Given arguments, bool& found) {
    found = true;
    if (name == "get") {
        const Value* entry = value.find(textArgument(arguments, 0, "get"));
        const Value* usual = arguments.find(1, "default");
        return entry != nullptr ? *entry : usual != nullptr ? *usual : Value();
    }
    if (name == "items") {
        return applyFilter("items", value, {});
    }
    if (name == "keys") {
        return Value(value.items());
    }
    if (name == "values") {
        List out;
        for (const auto& entry : value.dict()) {
            out.push_back(entry.second);
        }
        return Value(std::move(out));
    }
    found = false;
    return {};
}

}  // namespace

Value callMethod(const std::string& name, const Value& value, const Arguments& arguments, bool& found) {
    found = false;
    if (value.isString()) {
        for (const auto& entry : kTextMethods) {
            if (name == entry.name) {
                found = true;
                return entry.call(value.string(), arguments);
            }
        }
    }
    if (value.isDict() && value.find(name) == nullptr) {
        return callOfDict(name, value, arguments, found);
    }
    if (value.isList() && (name == "index" || name == "count") && !arguments.positional.empty()) {
        found = true;
        const List& items = value.list();
        const auto at = std::find(items.begin(), items.end(), arguments.positional.front());
        if (name == "count") {
            return Value(static_cast<std::int64_t>(std::count(items.begin(), items.end(), arguments.positional.front())));
        }
        if (at == items.end()) {
            throw Failure{"the list does not hold the value that index looks for"};
        }
        return Value(static_cast<std::int64_t>(at - items.begin()));
    }
    return {};
}

}  // namespace pareto::text::jinja
