#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pareto {

enum class ErrorCode : std::uint16_t {
#define PARETO_ERROR(name, kind, english) name,
#include "engine/core/error_codes.def"
#undef PARETO_ERROR
};

/// What an error means for the process that ends because of it.
enum class ErrorKind : std::uint8_t { Failed = 1, Usage = 2, BadInput = 4, Resource = 5 };

/// An expected failure, as a value: a code with named values, so that every surface can say it in
/// its own language. `detail` is technical English for "Copy details", may be empty.
struct Error {
    ErrorCode code{};
    std::map<std::string, std::string> args;
    std::string detail;
};

Error makeError(ErrorCode code, std::map<std::string, std::string> args = {},
                std::string detail = {});

/// "FileTruncated": the stable name in JSON.
std::string_view errorName(ErrorCode code);
/// False when no code has that name.
bool errorFromName(std::string_view name, ErrorCode& code);
ErrorKind errorKind(ErrorCode code);
/// The English sentence with its {placeholders} as written in error_codes.def.
std::string_view errorTemplate(ErrorCode code);
/// Puts values into {placeholders}; a placeholder without a value stays as it is.
std::string fillTemplate(std::string_view text, const std::map<std::string, std::string>& args);
/// The English sentence with the values put in.
std::string errorMessage(const Error& error);
const std::vector<ErrorCode>& allErrorCodes();

}  // namespace pareto
