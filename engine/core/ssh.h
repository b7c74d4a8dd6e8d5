#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace pareto {

inline constexpr const char* kSshVariable = "PARETO_SSH";  ///< what is called in place of "ssh"

/// Another machine as ssh reaches it (a name of ~/.ssh/config, or user@host), and the program there.
struct SshHost {
    std::string name;
    std::string program = "pareto";
    bool operator==(const SshHost&) const = default;
};
/// Of "host" or "host:/path/of/pareto". ConfigInvalid: letters that ssh, or the shell there, could take for something else.
Result<SshHost> sshHostFrom(std::string_view text);
/// The way back.
std::string sshHostText(const SshHost& host);

/// "ssh" with the options that every call has: no terminal, no questions (keys or an agent must answer them), a connection that
/// says nothing for 15 s is given up.
std::vector<std::string> sshProgram();
/// Runs the host's program with `words`, which the shell there reads.
std::vector<std::string> sshCommand(const SshHost& host, const std::string& words);

}  // namespace pareto
