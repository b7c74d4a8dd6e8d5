# Whether libpareto_cuda.so is built, and how .cu files are compiled. Sets PARETO_HAS_CUDA.
#
# PARETO_CUDA: AUTO (where the toolkit is), ON (its absence is an error), OFF.

set(PARETO_CUDA AUTO CACHE STRING "Build our CUDA kernels: AUTO, ON or OFF")
set_property(CACHE PARETO_CUDA PROPERTY STRINGS AUTO ON OFF)

set(PARETO_HAS_CUDA OFF)
if(PARETO_CUDA STREQUAL "OFF")
    message(STATUS "CUDA kernels: not built (PARETO_CUDA is OFF)")
    return()
endif()

# The kernels are not built: an error where they were asked for.
function(pareto_no_cuda reason)
    if(PARETO_CUDA STREQUAL "ON")
        message(FATAL_ERROR "PARETO_CUDA is ON, but ${reason}.")
    endif()
    message(STATUS "CUDA kernels: not built (${reason})")
endfunction()

# The compiler that ./dev installed beside libtorch comes first: it fits.
file(GLOB wheel_bins ${PARETO_SITE_PACKAGES}/nvidia/cu*/bin)
find_program(PARETO_NVCC nvcc HINTS ${wheel_bins} ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT PARETO_NVCC)
    pareto_no_cuda("there is no nvcc beside libtorch, in $CUDA_HOME, on PATH or in /usr/local/cuda")
    return()
endif()
if(NOT EXISTS "${PARETO_TORCH_DIR}/lib/libtorch_cuda.so")
    pareto_no_cuda("the torch package has no libtorch_cuda.so")
    return()
endif()
execute_process(COMMAND ${PARETO_NVCC} --version OUTPUT_VARIABLE nvcc_words ERROR_QUIET)
if(nvcc_words MATCHES "release ([0-9]+)\\.")
    find_library(PARETO_CUDART libcudart.so.${CMAKE_MATCH_1} PATHS ${PARETO_CUDA_RUNTIME_DIRS} NO_DEFAULT_PATH)
endif()
if(NOT PARETO_CUDART)
    pareto_no_cuda("${PARETO_NVCC} is of another CUDA than libtorch")
    return()
endif()

# Machine code of a generation runs on its later members too (8.0: 8.6 and 8.9); PTX of the oldest is compiled by the
# driver for those that are not named.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 75 80-real 90-real 100-real 120-real
        CACHE STRING "GPU architectures of our CUDA kernels")
endif()
set(CMAKE_CUDA_COMPILER ${PARETO_NVCC})
if(PARETO_CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
# One CUDA run-time library in the process: libtorch's.
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
# CMake 3.25 does not know that nvcc has C++20 since 12.0; the standard itself follows CMAKE_CXX_STANDARD.
foreach(kind STANDARD EXTENSION)
    if(NOT CMAKE_CUDA20_${kind}_COMPILE_OPTION)
        set(CMAKE_CUDA20_${kind}_COMPILE_OPTION -std=c++20)
    endif()
endforeach()
set(PARETO_HAS_CUDA ON)
message(STATUS "CUDA kernels: ${PARETO_NVCC} ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")

add_library(pareto_libtorch_c10_cuda SHARED IMPORTED)
set_target_properties(pareto_libtorch_c10_cuda PROPERTIES IMPORTED_LOCATION ${PARETO_TORCH_DIR}/lib/libc10_cuda.so)
add_library(pareto_libtorch_cuda SHARED IMPORTED)
set_target_properties(pareto_libtorch_cuda PROPERTIES IMPORTED_LOCATION ${PARETO_TORCH_DIR}/lib/libtorch_cuda.so)
