#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/result.h"
#include "engine/core/ssh.h"

namespace pareto::dist {

/// Names of what ranks are told by their environment, beside torchrun's RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT,
/// LOCAL_RANK and LOCAL_WORLD_SIZE.
inline constexpr const char* kTokenVariable = "PARETO_RANKS_TOKEN";      ///< a secret, the same for all
inline constexpr const char* kListenVariable = "PARETO_RANKS_LISTEN";    ///< this machine's address for others' data
inline constexpr const char* kTimeoutVariable = "PARETO_RANKS_TIMEOUT";  ///< seconds
inline constexpr const char* kHostsVariable = "PARETO_RANKS_HOSTS";      ///< "a,user@b,c:/opt/pareto": where ranks are started over ssh

/// Who this process is among ranks that somebody started together.
struct RankEnvironment {
    int rank = 0;
    int size = 1;
    std::string address;
    std::uint16_t port = 0;
    std::string token;
    std::string listen;
    std::string round;          ///< torchrun counts how often it started the ranks anew
    bool storeStands = false;   ///< torchrun's agent keeps the store
    int localRank = 0;
    int localSize = 0;          ///< ranks on this machine, 0: not said
};

/// Nothing unless RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are all set, or Slurm's srun started several tasks: the
/// first of its nodes is the address then, and the port follows from the job's number, unless MASTER_ADDR and MASTER_PORT say
/// otherwise. ConfigInvalid.
Result<std::optional<RankEnvironment>> rankEnvironment();

/// Of PARETO_RANKS_TIMEOUT; 60 where it is not set. ConfigInvalid.
Result<int> timeoutSeconds();

/// Hosts that ranks are started on: PARETO_RANKS_HOSTS. ConfigInvalid, as sshHostFrom() says.
Result<std::vector<SshHost>> rankHosts();

/// What a process is told by its first line in place of its environment (`pareto worker --environment`): names of ranks'
/// variables and their values. ConfigInvalid: another name.
std::string environmentLine(const std::vector<std::pair<std::string, std::string>>& variables);
Status takeEnvironment(const std::string& line);

/// Cores that this process may use, and rank `rank`'s part of them: its own where there are enough, else shared.
std::vector<int> usableCoreNumbers();
std::vector<int> coresOfRank(const std::vector<int>& cores, int rank, int size);
/// The calling thread, and the processes and threads that it starts, compute on these. Empty: nothing changes.
void bindThread(const std::vector<int>& cores);
/// All threads of this process, and those they start, compute on these alone from now on. Empty: nothing changes.
void bindTo(const std::vector<int>& cores);

}  // namespace pareto::dist
