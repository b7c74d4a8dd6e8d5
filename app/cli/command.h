#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/store/store.h"

namespace pareto::cli {

/// What a subcommand answers: `json` with --json, `text` without. Both empty: nothing is printed.
struct Output {
    Json json;
    std::string text;
};

struct OptionSpec {
    std::string name;    ///< "threads": given as --threads N or --threads=N
    std::string value;   ///< "N"; empty: a flag
    std::string help;
};

/// The words of one call after they were checked against the command's table.
class Arguments {
public:
    Arguments(std::string command, std::vector<std::string> positional,
              std::map<std::string, std::string> options)
        : m_command(std::move(command)),
          m_positional(std::move(positional)),
          m_options(std::move(options)) {}

    const std::vector<std::string>& positional() const { return m_positional; }
    bool has(const std::string& option) const { return m_options.contains(option); }
    std::string text(const std::string& option, const std::string& fallback = {}) const;
    /// UsageUnknown when the option's value is no such number.
    Result<std::int64_t> integer(const std::string& option, std::int64_t fallback, std::int64_t min,
                                 std::int64_t max) const;
    Result<double> number(const std::string& option, double fallback, double min, double max) const;
    /// UsageMissing when the option was not given.
    Result<std::string> required(const std::string& option) const;

    /// "pareto run --help", for the errors above.
    std::string help() const;

private:
    std::string m_command;
    std::vector<std::string> m_positional;
    std::map<std::string, std::string> m_options;
};

/// What every subcommand gets: the common options, a progress that main shows on stderr, and a stop
/// token that SIGINT and SIGTERM trigger.
struct Context {
    bool json = false;
    bool quiet = false;
    std::string database;   ///< of --db, else the default path
    Progress& progress;
    std::stop_token stop;

    Result<std::unique_ptr<store::Store>> openStore() const;
    /// FileMissing when there is no store yet.
    Result<std::unique_ptr<store::Store>> openStoreReadOnly() const;
    /// Part of the result ahead of the rest (generated text), at once on stdout; clears the progress.
    void stream(std::string_view text) const;
    /// A remark for people, on stderr; nothing with --quiet.
    void note(const std::string& text) const;
};

using CommandFunction = Result<Output> (*)(const Arguments&, Context&);

/// One subcommand. Each stands in a file of its own as `const Command kXCommand{…}`, declared in
/// command_list.h and listed in commands.cpp. The common options (--json --db --quiet --help) are not
/// repeated in `options`.
struct Command {
    std::string name;
    std::string usage;      ///< positional arguments: "MODEL", "RUN RUN…"
    std::string summary;    ///< one line
    std::vector<OptionSpec> options;
    int minPositional = 0;
    int maxPositional = 0;  ///< -1: any number
    CommandFunction function = nullptr;
    std::string json = {};  ///< what --json answers, for --help; empty: not said
};

const std::vector<const Command*>& commands();

}  // namespace pareto::cli
