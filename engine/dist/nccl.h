#pragma once

#include <array>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/dist/group.h"

namespace pareto::dist {

/// What a communicator is found by: ncclUniqueId.
struct NcclId {
    std::array<char, 128> bytes{};
};

/// The beginning of ncclConfig_t, as nccl.h 2.14 has it: later libraries take it by its size and version.
struct NcclConfig {
    std::size_t size = sizeof(NcclConfig);
    unsigned magic = 0xcafebeefU;
    unsigned version = 21400;
    int blocking = 0;  ///< calls return at once, and asyncError says how far they are: what waits can be given up
};

/// NVIDIA's library of sums among GPUs, as far as it is used here. nccl.h is not needed to build this program: these are its
/// declarations, fixed since NCCL 2.14 (codes are ncclResult_t, streams cudaStream_t, communicators ncclComm_t).
struct Nccl {
    static constexpr int kSuccess = 0;
    static constexpr int kSystemError = 2;
    static constexpr int kRemoteError = 6;
    static constexpr int kInProgress = 7;
    static constexpr int kFloat = 7;  ///< of ncclDataType_t
    static constexpr int kSum = 0;    ///< of ncclRedOp_t

    int number = 0;  ///< of the library's version: 22809 is 2.28.9
    int (*version)(int*) = nullptr;
    int (*uniqueId)(NcclId*) = nullptr;
    int (*initRank)(void** communicator, int ranks, NcclId id, int rank, NcclConfig*) = nullptr;
    int (*commAbort)(void* communicator) = nullptr;
    int (*asyncError)(void* communicator, int* code) = nullptr;
    int (*allReduce)(const void* from, void* to, std::size_t count, int type, int by, void* communicator, void* stream) = nullptr;
    int (*broadcast)(const void* from, void* to, std::size_t count, int type, int root, void* communicator,
                     void* stream) = nullptr;
    int (*groupStart)() = nullptr;
    int (*groupEnd)() = nullptr;
    const char* (*errorText)(int code) = nullptr;

    /// The library, once loaded never closed; null with the reason.
    static const Nccl* open(std::string& whyNot, const std::string& library = "libnccl.so.2");
    std::string text(int code) const;
};

/// What a rank can bring.
struct NcclOffer {
    int version = 0;      ///< Nccl::number, 0: none
    std::string whyNot;
    const Nccl* library = nullptr;  ///< this process's own
};
/// This process's. PARETO_NCCL=never: none.
NcclOffer ncclOffer();
/// Every rank's, by rank.
Result<std::vector<NcclOffer>> offersOfAll(Group& group, const NcclOffer& own, std::stop_token stop);
/// Why ranks with these, by rank, do not exchange over NCCL; empty: they do.
std::string ncclProblem(const std::vector<NcclOffer>& offers);

}  // namespace pareto::dist
