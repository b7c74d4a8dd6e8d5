#include "app/cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "app/cli/text_table.h"

namespace pareto::cli {
namespace {

const std::vector<OptionSpec>& commonOptions() {
    static const std::vector<OptionSpec> common{
        {"json", "", "print the result as JSON"},
        {"db", "FILE", "the run store to use"},
        {"quiet", "", "no progress and no remarks on stderr"},
        {"help", "", "show this help"},
    };
    return common;
}

Error usageUnknown(const std::string& what, const std::string& help) {
    return makeError(ErrorCode::UsageUnknown, {{"what", what}, {"help", help}});
}

Error usageMissing(const std::string& what, const std::string& help) {
    return makeError(ErrorCode::UsageMissing, {{"what", what}, {"help", help}});
}

const OptionSpec* findOption(const Command& command, const std::string& name) {
    for (const auto* list : {&commonOptions(), &command.options}) {
        for (const auto& option : *list) {
            if (option.name == name) {
                return &option;
            }
        }
    }
    return nullptr;
}

const Command* findCommand(const std::string& name) {
    const auto& all = commands();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Command* c) { return c->name == name; });
    return found == all.end() ? nullptr : *found;
}

/// The words after the subcommand.
struct Words {
    std::vector<std::string> positional;
    std::map<std::string, std::string> options;
};

Status takeOption(const Command& command, const std::vector<std::string>& words, std::size_t& at,
                  Words& out) {
    const std::string help = "pareto " + command.name + " --help";
    std::string name = words[at].substr(2);
    std::optional<std::string> value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
        value = name.substr(equals + 1);
        name.erase(equals);
    }
    const OptionSpec* option = findOption(command, name);
    if (option == nullptr) {
        return usageUnknown("The option --" + name, help);
    }
    if (option->value.empty()) {
        if (value) {
            return usageUnknown("A value for --" + name, help);
        }
        out.options[name] = "";
        return Done{};
    }
    if (!value) {
        if (at + 1 >= words.size()) {
            return usageMissing("The value of --" + name, help);
        }
        value = words[++at];
    }
    if (!out.options.emplace(name, *value).second) {
        return usageUnknown("A second --" + name, help);
    }
    return Done{};
}

Result<Words> takeWords(const Command& command, const std::vector<std::string>& words) {
    Words out;
    bool onlyPositional = false;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const auto& word = words[at];
        if (!onlyPositional && word == "--") {
            onlyPositional = true;
        } else if (!onlyPositional && word == "-h") {
            out.options["help"] = "";
        } else if (!onlyPositional && word.rfind("--", 0) == 0) {
            PARETO_CHECK(takeOption(command, words, at, out));
        } else if (!onlyPositional && word.size() > 1 && word.front() == '-') {
            return usageUnknown("The option " + word, "pareto " + command.name + " --help");
        } else {
            out.positional.push_back(word);
        }
    }
    return out;
}

Status checkCount(const Command& command, const Words& words) {
    const std::string help = "pareto " + command.name + " --help";
    const auto count = static_cast<int>(words.positional.size());
    if (count < command.minPositional) {
        return usageMissing("An argument (" + command.usage + ")", help);
    }
    if (command.maxPositional >= 0 && count > command.maxPositional) {
        const auto index = static_cast<std::size_t>(command.maxPositional);
        return usageUnknown("The argument " + words.positional[index], help);
    }
    return Done{};
}

std::string optionLines(const std::vector<OptionSpec>& options) {
    std::string text;
    for (const auto& option : options) {
        const auto name = "--" + option.name + (option.value.empty() ? "" : " " + option.value);
        text += "  " + padRight(name, 24) + " " + option.help + "\n";
    }
    return text;
}

}  // namespace

std::string Arguments::help() const { return "pareto " + m_command + " --help"; }

std::string Arguments::text(const std::string& option, const std::string& fallback) const {
    const auto found = m_options.find(option);
    return found == m_options.end() ? fallback : found->second;
}

Result<std::int64_t> Arguments::integer(const std::string& option, std::int64_t fallback,
                                        std::int64_t min, std::int64_t max) const {
    if (!has(option)) {
        return fallback;
    }
    const std::string word = text(option);
    std::int64_t value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size() || value < min ||
        value > max) {
        return usageUnknown("The value " + word + " of --" + option + " (a whole number from " +
                                std::to_string(min) + " to " + std::to_string(max) + ")",
                            help());
    }
    return value;
}

Result<double> Arguments::number(const std::string& option, double fallback, double min,
                                 double max) const {
    if (!has(option)) {
        return fallback;
    }
    const std::string word = text(option);
    double value = 0.0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size() ||
        !(value >= min && value <= max)) {
        return usageUnknown("The value " + word + " of --" + option + " (a number from " +
                                Json(min).dump() + " to " + Json(max).dump() + ")",
                            help());
    }
    return value;
}

Result<std::string> Arguments::required(const std::string& option) const {
    if (!has(option)) {
        return usageMissing("The option --" + option, help());
    }
    return text(option);
}

Result<Call> parseCall(const std::vector<std::string>& words, bool& json) {
    json = std::find(words.begin(), words.end(), "--json") != words.end();
    Call call;
    call.json = json;
    if (words.empty()) {
        return usageMissing("A subcommand", "pareto --help");
    }
    const std::string& first = words.front();
    if (first == "--help" || first == "-h" || first == "help") {
        call.help = true;
        call.command = words.size() > 1 ? findCommand(words[1]) : nullptr;
        return call;
    }
    if (first == "--version") {
        call.version = true;
        return call;
    }
    call.command = findCommand(first);
    if (call.command == nullptr) {
        return usageUnknown("The subcommand " + first, "pareto --help");
    }
    PARETO_TRY(auto taken, takeWords(*call.command, {words.begin() + 1, words.end()}));
    json = call.json = taken.options.contains("json");
    call.help = taken.options.contains("help");
    call.quiet = taken.options.contains("quiet");
    if (const auto database = taken.options.find("db"); database != taken.options.end()) {
        call.database = database->second;
    }
    if (!call.help) {
        PARETO_CHECK(checkCount(*call.command, taken));
    }
    call.arguments =
        Arguments(first, std::move(taken.positional), std::move(taken.options));
    return call;
}

std::string programHelp() {
    std::string text =
        "pareto — compress, measure and compare transformer models\n\n"
        "Usage: pareto SUBCOMMAND [ARGUMENTS] [OPTIONS]\n\nSubcommands:\n";
    for (const auto* command : commands()) {
        text += "  " + padRight(command->name, 12) + " " + command->summary + "\n";
    }
    text += "\nOptions of every subcommand:\n" + optionLines(commonOptions());
    text += "\n'pareto SUBCOMMAND --help' shows the options of one, 'pareto --version' the versions.\n"
            "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 cancelled, 4 bad input, 5 out of resources.\n";
    return text;
}

std::string commandHelp(const Command& command) {
    std::string text = "Usage: pareto " + command.name +
                       (command.usage.empty() ? "" : " " + command.usage) + " [OPTIONS]\n\n" +
                       command.summary + "\n";
    if (!command.json.empty()) {
        text += "With --json: " + command.json + ".\n";
    }
    if (!command.options.empty()) {
        text += "\nOptions:\n" + optionLines(command.options);
    }
    return text + "\nCommon options:\n" + optionLines(commonOptions());
}

}  // namespace pareto::cli
