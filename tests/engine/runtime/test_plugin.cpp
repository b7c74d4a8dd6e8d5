// Plugins for tst_cuda_plugin; PLUGIN says which.
#include "engine/kernels/cuda/cuda_table.h"

namespace cuda = pareto::kernels::cuda;

#define PLUGIN_OF_THIS_VERSION 1
#define PLUGIN_OF_OLD_VERSION 2
#define PLUGIN_THAT_LIES 3
#define PLUGIN_WITH_UNKNOWN_SYMBOL 4

#if PLUGIN == PLUGIN_WITH_UNKNOWN_SYMBOL
extern "C" int no_such_function();
#endif

extern "C" const cuda::Table* pareto_cuda_table(int abi) {
    static cuda::Table table{};
    table.name = "test";
    table.abi = cuda::kAbi;
#if PLUGIN == PLUGIN_OF_OLD_VERSION
    return abi == cuda::kAbi - 1 ? &table : nullptr;
#elif PLUGIN == PLUGIN_THAT_LIES
    table.abi = abi + 1;
    return &table;
#elif PLUGIN == PLUGIN_WITH_UNKNOWN_SYMBOL
    table.abi = abi + no_such_function();
    return &table;
#else
    return abi == cuda::kAbi ? &table : nullptr;
#endif
}
