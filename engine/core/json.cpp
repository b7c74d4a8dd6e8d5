#include "engine/core/json.h"

#include <cmath>
#include <set>
#include <vector>

#include "engine/core/file.h"

namespace pareto {
namespace {

/// Builds the DOM like nlohmann's own parser but refuses duplicate keys and deep nesting.
class StrictBuilder : public nlohmann::json_sax<Json> {
public:
    StrictBuilder(Json& root, int maxDepth) : m_root(root), m_maxDepth(maxDepth) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        const auto [place, isNew] =
            m_stack.back()->get_ref<Json::object_t&>().try_emplace(std::move(name), nullptr);
        if (!isNew) {
            m_reason = "the key \"" + place->first + "\" stands twice in one object";
            return false;
        }
        m_member = &place->second;
        return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& problem) override {
        m_offset = position;
        m_reason = problem.what();
        if (const auto bracket = m_reason.find("] "); bracket != std::string::npos) {
            m_reason.erase(0, bracket + 2);
        }
        return false;
    }

    std::string m_reason;
    std::size_t m_offset = 0;

private:
    template <typename T>
    Json* insert(T&& value) {
        if (m_stack.empty()) {
            m_root = Json(std::forward<T>(value));
            return &m_root;
        }
        Json& parent = *m_stack.back();
        if (parent.is_array()) {
            parent.push_back(Json(std::forward<T>(value)));
            return &parent.back();
        }
        *m_member = Json(std::forward<T>(value));
        return m_member;
    }
    template <typename T>
    bool put(T&& value) {
        insert(std::forward<T>(value));
        return true;
    }
    bool open(Json container) {
        if (static_cast<int>(m_stack.size()) >= m_maxDepth) {
            m_reason = "nested more than " + std::to_string(m_maxDepth) + " levels deep";
            return false;
        }
        m_stack.push_back(insert(std::move(container)));
        return true;
    }
    bool close() {
        m_stack.pop_back();
        return true;
    }

    Json& m_root;
    int m_maxDepth;
    std::vector<Json*> m_stack;
    Json* m_member = nullptr;  ///< whose value comes next
};

}  // namespace

Result<Json> parseJson(std::string_view text, const std::string& source, JsonLimits limits) {
    if (text.size() > limits.maxBytes) {
        return makeError(ErrorCode::JsonInvalid,
                         {{"file", source},
                          {"offset", std::to_string(limits.maxBytes)},
                          {"reason", "longer than " + std::to_string(limits.maxBytes) + " bytes"}});
    }
    // The parser below takes a NUL for the end of the text and would not see what follows.
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        return makeError(ErrorCode::JsonInvalid,
                         {{"file", source}, {"offset", std::to_string(nul)}, {"reason", "a NUL byte"}});
    }
    Json root;
    StrictBuilder builder(root, limits.maxDepth);
    const bool fine = Json::sax_parse(text.begin(), text.end(), &builder);
    if (!fine) {
        return makeError(ErrorCode::JsonInvalid, {{"file", source},
                                                  {"offset", std::to_string(builder.m_offset)},
                                                  {"reason", builder.m_reason}});
    }
    return root;
}

Result<Json> readJsonFile(const std::string& path, JsonLimits limits) {
    PARETO_TRY(const std::string text, readTextFile(path, limits.maxBytes));
    return parseJson(text, path, limits);
}

JsonReader::JsonReader(const Json& object, ErrorCode code, std::string source, std::string prefix)
    : m_object(object), m_code(code), m_source(std::move(source)), m_prefix(std::move(prefix)) {
    if (!object.is_object()) {
        fail("", "must be an object");
    }
}

std::string JsonReader::fieldName(std::string_view key) const {
    if (m_prefix.empty()) {
        return std::string(key);
    }
    return key.empty() ? m_prefix : m_prefix + "." + std::string(key);
}

const Json* JsonReader::find(std::string_view key) const {
    if (!m_object.is_object()) {
        return nullptr;
    }
    const auto found = m_object.find(key);
    return found == m_object.end() ? nullptr : &*found;
}

bool JsonReader::has(std::string_view key) const { return find(key) != nullptr; }

void JsonReader::fail(std::string_view key, std::string reason) {
    if (m_failed) {
        return;
    }
    m_failed = true;
    m_error = makeError(
        m_code, {{"file", m_source}, {"field", fieldName(key)}, {"reason", std::move(reason)}});
}

std::string JsonReader::text(std::string_view key, std::string fallback) {
    const Json* value = find(key);
    if (value == nullptr) {
        return fallback;
    }
    if (!value->is_string()) {
        fail(key, "must be text");
        return fallback;
    }
    return value->get<std::string>();
}

double JsonReader::number(std::string_view key, double fallback, double min, double max) {
    const Json* value = find(key);
    if (value == nullptr) {
        return fallback;
    }
    const double number = value->is_number() ? value->get<double>() : std::nan("");
    if (!(number >= min && number <= max)) {
        fail(key, "must be a number from " + Json(min).dump() + " to " + Json(max).dump() +
                      ", not " + value->dump());
        return fallback;
    }
    return number;
}

std::int64_t JsonReader::integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                                 std::int64_t max) {
    const Json* value = find(key);
    if (value == nullptr) {
        return fallback;
    }
    const bool tooLarge = value->is_number_unsigned() &&
                          value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
    if (!value->is_number_integer() || tooLarge || value->get<std::int64_t>() < min ||
        value->get<std::int64_t>() > max) {
        fail(key, "must be a whole number from " + std::to_string(min) + " to " +
                      std::to_string(max) + ", not " + value->dump());
        return fallback;
    }
    return value->get<std::int64_t>();
}

bool JsonReader::boolean(std::string_view key, bool fallback) {
    const Json* value = find(key);
    if (value == nullptr) {
        return fallback;
    }
    if (!value->is_boolean()) {
        fail(key, "must be true or false");
        return fallback;
    }
    return value->get<bool>();
}

JsonReader& JsonReader::require(std::string_view key) {
    if (!has(key)) {
        fail(key, "is missing");
    }
    return *this;
}

void JsonReader::allowOnly(std::initializer_list<std::string_view> keys) {
    if (!m_object.is_object()) {
        return;
    }
    for (const auto& [key, value] : m_object.items()) {
        bool known = false;
        std::string list;
        for (const auto allowed : keys) {
            known = known || allowed == key;
            list += (list.empty() ? "" : ", ") + std::string(allowed);
        }
        if (!known) {
            fail(key, "is not known here (known: " + list + ")");
            return;
        }
    }
}

Status JsonReader::status() const {
    if (m_failed) {
        return m_error;
    }
    return Done{};
}

Json errorToJson(const Error& error) {
    return {{"code", errorName(error.code)},
            {"message", errorMessage(error)},
            {"args", error.args},
            {"detail", error.detail}};
}

Error errorFromJson(const Json& json) {
    Error error{ErrorCode::EngineFailure, {}, {}};
    if (!json.is_object()) {
        return error;
    }
    if (const auto code = json.find("code"); code != json.end() && code->is_string()) {
        errorFromName(code->get<std::string>(), error.code);
    }
    if (const auto args = json.find("args"); args != json.end() && args->is_object()) {
        for (const auto& [key, value] : args->items()) {
            error.args[key] = value.is_string() ? value.get<std::string>() : value.dump();
        }
    }
    if (const auto detail = json.find("detail"); detail != json.end() && detail->is_string()) {
        error.detail = detail->get<std::string>();
    }
    return error;
}

}  // namespace pareto
