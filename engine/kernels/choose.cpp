#include "engine/kernels/choose.h"

#include <cstdlib>

#include "engine/kernels/cpu_features.h"
#include "engine/kernels/tables.h"

namespace pareto::kernels {
namespace {

struct Entry {
    const KernelTable* table;
    bool supported;
};

const std::vector<Entry>& entries() {
    static const std::vector<Entry> all = [] {
        std::vector<Entry> out;
#if defined(PARETO_X86_KERNELS)
        const auto& cpu = cpuFeatures();
        out.push_back({&avx512Bf16Table(), cpu.avx512Bf16});
        out.push_back({&avx512Vbmi2Table(), cpu.avx512Vbmi2});
        out.push_back({&avx512VnniTable(), cpu.avx512Vnni});
        out.push_back({&avx512Table(), cpu.avx512});
        out.push_back({&avx2Table(), cpu.avx2});
#endif
        out.push_back({&referenceTable(), true});
        return out;
    }();
    return all;
}

std::string joined(const std::vector<const KernelTable*>& tables) {
    std::string out;
    for (const auto* table : tables) {
        out += (out.empty() ? "" : ", ") + std::string(table->name);
    }
    return out;
}

}  // namespace

const std::vector<const KernelTable*>& supportedTables() {
    static const std::vector<const KernelTable*> supported = [] {
        std::vector<const KernelTable*> out;
        for (const auto& entry : entries()) {
            if (entry.supported) {
                out.push_back(entry.table);
            }
        }
        return out;
    }();
    return supported;
}

std::vector<std::string> tableNames() {
    std::vector<std::string> out;
    for (const auto& entry : entries()) {
        out.emplace_back(entry.table->name);
    }
    return out;
}

Result<const KernelTable*> tableByName(const std::string& name) {
    if (name.empty()) {
        return supportedTables().front();
    }
    for (const auto* table : supportedTables()) {
        if (name == table->name) {
            return table;
        }
    }
    bool known = false;
    for (const auto& other : tableNames()) {
        known = known || other == name;
    }
    const std::string what = "The kernel table \"" + name + "\" (PARETO_ISA)";
    return makeError(ErrorCode::UsageUnknown,
                     {{"what", what}, {"help", "this processor runs " + joined(supportedTables())}},
                     known ? "the processor lacks instructions that " + name + " needs" : "");
}

Result<const KernelTable*> chooseTable() {
    const char* forced = std::getenv("PARETO_ISA");
    return tableByName(forced == nullptr ? "" : forced);
}

}  // namespace pareto::kernels
