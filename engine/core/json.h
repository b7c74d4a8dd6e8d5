#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "engine/core/result.h"

namespace pareto {

using Json = nlohmann::json;

struct JsonLimits {
    int maxDepth = 64;
    std::size_t maxBytes = std::size_t{64} << 20;
};

/// Strict JSON: UTF-8, no duplicate keys, bounded depth. `source` names the file in errors
/// (JsonInvalid with the byte offset).
Result<Json> parseJson(std::string_view text, const std::string& source, JsonLimits limits = {});
/// Reads and parses a file; FileMissing, FileUnreadable, JsonInvalid.
Result<Json> readJsonFile(const std::string& path, JsonLimits limits = {});

/// Reads the fields of one object and remembers the first thing that was wrong, so that a parser
/// is a list of fields. Wrong type, out of range or unknown key: an Error of `code` with {file},
/// {field} and {reason}.
class JsonReader {
public:
    /// `prefix` stands before field names in errors, e.g. "defaults.prune".
    JsonReader(const Json& object, ErrorCode code, std::string source, std::string prefix = {});
    /// The reader keeps a reference: a temporary would be gone before it is read.
    JsonReader(Json&& object, ErrorCode code, std::string source, std::string prefix = {}) = delete;

    bool has(std::string_view key) const;
    const Json* find(std::string_view key) const;  ///< null when absent

    std::string text(std::string_view key, std::string fallback = {});
    double number(std::string_view key, double fallback, double min, double max);
    std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                         std::int64_t max);
    bool boolean(std::string_view key, bool fallback);
    /// Makes `key` required: absent is an error.
    JsonReader& require(std::string_view key);
    /// Any key outside the list is an error that names it and the list.
    void allowOnly(std::initializer_list<std::string_view> keys);
    void fail(std::string_view key, std::string reason);

    Status status() const;
    bool failed() const { return m_failed; }
    std::string fieldName(std::string_view key) const;

private:
    const Json& m_object;
    ErrorCode m_code;
    std::string m_source;
    std::string m_prefix;
    bool m_failed = false;
    Error m_error;
};

Json errorToJson(const Error& error);  ///< {"code","message","args","detail"}
Error errorFromJson(const Json& json);

}  // namespace pareto
