#include "engine/core/error.h"

#include <utility>

namespace pareto {
namespace {

struct Entry {
    std::string_view name;
    ErrorKind kind;
    std::string_view english;
};

constexpr Entry kEntries[] = {
#define PARETO_ERROR(name, kind, english) {#name, ErrorKind::kind, english},
#include "engine/core/error_codes.def"
#undef PARETO_ERROR
};

const Entry& entry(ErrorCode code) { return kEntries[static_cast<std::size_t>(code)]; }

}  // namespace

Error makeError(ErrorCode code, std::map<std::string, std::string> args, std::string detail) {
    return Error{code, std::move(args), std::move(detail)};
}

std::string_view errorName(ErrorCode code) { return entry(code).name; }

bool errorFromName(std::string_view name, ErrorCode& code) {
    for (std::size_t i = 0; i < std::size(kEntries); ++i) {
        if (kEntries[i].name == name) {
            code = static_cast<ErrorCode>(i);
            return true;
        }
    }
    return false;
}

ErrorKind errorKind(ErrorCode code) { return entry(code).kind; }

std::string_view errorTemplate(ErrorCode code) { return entry(code).english; }

std::string fillTemplate(std::string_view text, const std::map<std::string, std::string>& args) {
    std::string out;
    while (!text.empty()) {
        const auto open = text.find('{');
        out += text.substr(0, open);
        if (open == std::string_view::npos) {
            break;
        }
        const auto close = text.find('}', open);
        if (close == std::string_view::npos) {
            out += text.substr(open);
            break;
        }
        const auto found = args.find(std::string(text.substr(open + 1, close - open - 1)));
        out += found != args.end() ? std::string_view(found->second)
                                   : text.substr(open, close - open + 1);
        text.remove_prefix(close + 1);
    }
    return out;
}

std::string errorMessage(const Error& error) {
    return fillTemplate(errorTemplate(error.code), error.args);
}

const std::vector<ErrorCode>& allErrorCodes() {
    static const std::vector<ErrorCode> codes = [] {
        std::vector<ErrorCode> all;
        for (std::size_t i = 0; i < std::size(kEntries); ++i) {
            all.push_back(static_cast<ErrorCode>(i));
        }
        return all;
    }();
    return codes;
}

}  // namespace pareto
