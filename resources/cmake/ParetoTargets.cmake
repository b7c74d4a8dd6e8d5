# Helpers that give every target of the project the same flags, so that a folder's CMakeLists.txt
# only says what it is made of.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# -O2 with line tables only: full debug information doubles link time on two cores.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

find_program(PARETO_CCACHE ccache)
if(PARETO_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${PARETO_CCACHE})
endif()

option(PARETO_WERROR "Treat warnings as errors" ON)
option(PARETO_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

add_library(pareto_flags INTERFACE)
target_include_directories(pareto_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_features(pareto_flags INTERFACE cxx_std_20)
target_compile_options(pareto_flags INTERFACE
    -Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual -Wshadow=local
    # GCC 12 sees uninitialized values in every engaged std::optional and std::variant at -O2.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    $<$<BOOL:${PARETO_CCACHE}>:-fpch-preprocess>
    $<$<BOOL:${PARETO_WERROR}>:-Werror>)
if(PARETO_SANITIZE)
    target_compile_options(pareto_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
    target_link_options(pareto_flags INTERFACE -fsanitize=address,undefined)
endif()

add_library(pareto_qt_flags INTERFACE)
target_compile_definitions(pareto_qt_flags INTERFACE
    QT_NO_KEYWORDS QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_URL_CAST_FROM_STRING
    QT_USE_QSTRINGBUILDER)

# pareto_library(NAME SOURCES a.cpp b.cpp LINKS other_targets [TORCH])
#   One static library per folder. TORCH marks the folders that may include libtorch's headers.
#   PCH: compiled with the engine's precompiled header (pareto_core's); TORCH_PCH: with the one of
#   libtorch's headers (pareto_runtime's).
function(pareto_library name)
    cmake_parse_arguments(ARG "TORCH;PCH;TORCH_PCH" "" "SOURCES;LINKS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC pareto_flags ${ARG_LINKS})
    if(ARG_TORCH)
        target_link_libraries(${name} PUBLIC pareto_torch)
    endif()
    if(ARG_PCH)
        target_precompile_headers(${name} REUSE_FROM pareto_core)
    elseif(ARG_TORCH_PCH)
        target_precompile_headers(${name} REUSE_FROM pareto_runtime)
    endif()
endfunction()

# pareto_test(NAME SOURCES t.cpp LINKS libs [TIMEOUT seconds] [LABELS l1 l2] [WIDGETS])
#   One Qt Test executable per file. WIDGETS runs it on the offscreen platform with widgets linked.
function(pareto_test name)
    cmake_parse_arguments(ARG "WIDGETS" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    set_target_properties(${name} PROPERTIES AUTOMOC ON
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE ${ARG_LINKS} Qt6::Test pareto_flags pareto_qt_flags)
    # What is tested is optimized; the tests themselves only have to be compiled soon.
    target_compile_options(${name} PRIVATE -O0)
    target_compile_definitions(${name} PRIVATE
        PARETO_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
        PARETO_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${name})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
    # What tests measure of kernels, on a busy machine, is not what the user's models choose by.
    set(env "LC_ALL=C.UTF-8" "PARETO_KERNEL_CHOICES=${CMAKE_BINARY_DIR}/kernel_choices.json")
    if(ARG_WIDGETS)
        list(APPEND env "QT_QPA_PLATFORM=offscreen")
    endif()
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${env}")
    if(ARG_LABELS)
        set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
    endif()
endfunction()

# A subfolder, if it has a CMakeLists.txt.
macro(pareto_add_folder folder)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
        add_subdirectory(${folder})
    endif()
endmacro()
