#include "engine/dist/nccl.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "engine/runtime/library_function.h"

namespace pareto::dist {
namespace {

constexpr const char* kVariable = "PARETO_NCCL";

bool fill(Nccl& nccl, void* library) {
    using runtime::takeFunction;
    return takeFunction(library, "ncclGetVersion", nccl.version) && takeFunction(library, "ncclGetUniqueId", nccl.uniqueId) &&
           takeFunction(library, "ncclCommInitRankConfig", nccl.initRank) && takeFunction(library, "ncclCommAbort", nccl.commAbort) &&
           takeFunction(library, "ncclCommGetAsyncError", nccl.asyncError) &&
           takeFunction(library, "ncclAllReduce", nccl.allReduce) && takeFunction(library, "ncclBroadcast", nccl.broadcast) &&
           takeFunction(library, "ncclGroupStart", nccl.groupStart) && takeFunction(library, "ncclGroupEnd", nccl.groupEnd) &&
           takeFunction(library, "ncclGetErrorString", nccl.errorText);
}

struct Opened {
    std::unique_ptr<Nccl> nccl;
    std::string whyNot;
};

Opened opened(const std::string& library) {
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* why = dlerror();
        return {nullptr, "NCCL cannot be loaded (" + std::string(why != nullptr ? why : library) + ")"};
    }
    auto nccl = std::make_unique<Nccl>();
    if (!fill(*nccl, handle)) {
        return {nullptr, library + " lacks functions that are needed (NCCL 2.14 has them)"};
    }
    if (const int code = nccl->version(&nccl->number); code != Nccl::kSuccess) {
        return {nullptr, library + " does not say its version: " + nccl->text(code)};
    }
    return {std::move(nccl), {}};
}

std::string versionText(int number) {
    return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." + std::to_string(number % 100);
}

}  // namespace

const Nccl* Nccl::open(std::string& whyNot, const std::string& library) {
    static std::mutex mutex;
    static std::map<std::string, Opened> libraries;
    const std::lock_guard lock(mutex);
    auto found = libraries.find(library);
    if (found == libraries.end()) {
        found = libraries.emplace(library, opened(library)).first;
    }
    whyNot = found->second.whyNot;
    return found->second.nccl.get();
}

std::string Nccl::text(int code) const {
    const char* said = errorText(code);
    return said != nullptr ? said : "error " + std::to_string(code);
}

NcclOffer ncclOffer() {
    if (const char* told = std::getenv(kVariable); told != nullptr && std::string(told) == "never") {
        return {0, std::string(kVariable) + " says never", nullptr};
    }
    NcclOffer out;
    out.library = Nccl::open(out.whyNot);
    out.version = out.library != nullptr ? out.library->number : 0;
    return out;
}

Result<std::vector<NcclOffer>> offersOfAll(Group& group, const NcclOffer& own, std::stop_token stop) {
    struct Words {
        std::int32_t version = 0;
        std::array<char, 252> whyNot{};  ///< ends with a zero
    };
    std::vector<NcclOffer> out;
    for (int root = 0; root < group.size(); ++root) {
        Words words;
        if (root == group.rank()) {
            words.version = own.version;
            std::copy_n(own.whyNot.begin(), std::min(own.whyNot.size(), words.whyNot.size() - 1), words.whyNot.begin());
        }
        PARETO_CHECK(group.broadcast(std::as_writable_bytes(std::span(&words, 1)), root, stop));
        words.whyNot.back() = '\0';
        out.push_back({words.version, words.whyNot.data(), root == group.rank() ? own.library : nullptr});
    }
    return out;
}

std::string ncclProblem(const std::vector<NcclOffer>& offers) {
    for (std::size_t rank = 0; rank < offers.size(); ++rank) {
        const auto& offer = offers[rank];
        if (offer.version == 0) {
            return "rank " + std::to_string(rank) + ": " + offer.whyNot;
        }
        if (offer.version != offers.front().version) {
            return "rank " + std::to_string(rank) + " has NCCL " + versionText(offer.version) + ", rank 0 has " +
                   versionText(offers.front().version);
        }
    }
    return {};
}

}  // namespace pareto::dist
