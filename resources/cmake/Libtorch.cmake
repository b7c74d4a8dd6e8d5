# Imported targets for libtorch as the torch wheel ships it. find_package(Torch) is not used: it insists
# on the CUDA toolkit the wheel was built with, and it sets flags that break C++20.
#
# PARETO_TORCH_DIR: the folder "torch" inside the wheel (it holds include/ and lib/). ./dev sets it.

set(PARETO_TORCH_DIR "" CACHE PATH "The folder 'torch' of an installed torch wheel")
if(NOT EXISTS "${PARETO_TORCH_DIR}/lib/libtorch_cpu.so")
    message(FATAL_ERROR "PARETO_TORCH_DIR ('${PARETO_TORCH_DIR}') holds no lib/libtorch_cpu.so. "
        "Run ./dev build, or set it to the folder 'torch' of an installed torch wheel.")
endif()

add_library(pareto_libtorch_c10 SHARED IMPORTED)
set_target_properties(pareto_libtorch_c10 PROPERTIES IMPORTED_LOCATION ${PARETO_TORCH_DIR}/lib/libc10.so)
add_library(pareto_libtorch_cpu SHARED IMPORTED)
set_target_properties(pareto_libtorch_cpu PROPERTIES IMPORTED_LOCATION ${PARETO_TORCH_DIR}/lib/libtorch_cpu.so)

# "13.2": the CUDA that libtorch was built with; empty for a wheel without it.
file(STRINGS ${PARETO_TORCH_DIR}/version.py PARETO_TORCH_CUDA REGEX "^cuda")
string(REGEX MATCH "[0-9]+\\.[0-9]+" PARETO_TORCH_CUDA "${PARETO_TORCH_CUDA}")

get_filename_component(PARETO_SITE_PACKAGES ${PARETO_TORCH_DIR} DIRECTORY)
file(GLOB PARETO_CUDA_RUNTIME_DIRS ${PARETO_SITE_PACKAGES}/nvidia/*/lib)

add_library(pareto_torch INTERFACE)
target_include_directories(pareto_torch SYSTEM INTERFACE
    ${PARETO_TORCH_DIR}/include ${PARETO_TORCH_DIR}/include/torch/csrc/api/include)
target_link_libraries(pareto_torch INTERFACE pareto_libtorch_cpu pareto_libtorch_c10 Threads::Threads)
target_link_options(pareto_torch INTERFACE
    -Wl,--allow-shlib-undefined
    -Wl,-rpath,${PARETO_TORCH_DIR}/lib
    -Wl,--disable-new-dtags)
foreach(dir IN LISTS PARETO_CUDA_RUNTIME_DIRS)
    target_link_options(pareto_torch INTERFACE -Wl,-rpath,${dir})
endforeach()
