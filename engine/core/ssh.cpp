#include "engine/core/ssh.h"

#include <cstdlib>

namespace pareto {
namespace {

constexpr const char* kFineName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
constexpr const char* kFinePath = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/~";

bool isFine(const std::string& text, const char* letters) {
    return !text.empty() && text.front() != '-' && text.find_first_not_of(letters) == std::string::npos;
}

}  // namespace

Result<SshHost> sshHostFrom(std::string_view text) {
    const auto colon = text.find(':');
    SshHost host;
    host.name = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        host.program = text.substr(colon + 1);
    }
    if (!isFine(host.name, kFineName) || !isFine(host.program, kFinePath)) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", "pareto"}, {"field", "hosts"},
                          {"reason", "has \"" + std::string(text) + "\", which is neither a host nor host:/path/of/pareto"}});
    }
    return host;
}

std::string sshHostText(const SshHost& host) {
    return host.program == SshHost().program ? host.name : host.name + ":" + host.program;
}

std::vector<std::string> sshProgram() {
    const char* set = std::getenv(kSshVariable);
    return {set != nullptr && *set != '\0' ? set : "ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15",
            "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"};
}

std::vector<std::string> sshCommand(const SshHost& host, const std::string& words) {
    auto out = sshProgram();
    out.push_back(host.name);
    out.push_back(host.program + " " + words);
    return out;
}

}  // namespace pareto
