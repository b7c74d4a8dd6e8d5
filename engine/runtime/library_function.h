#pragma once

#include <dlfcn.h>

namespace pareto::runtime {

/// Sets `function` to the one of that name in what dlopen() gave; null and false where there is none.
template <typename Function>
bool takeFunction(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

}  // namespace pareto::runtime
