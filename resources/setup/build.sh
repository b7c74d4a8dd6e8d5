# Configuring, building and testing.

# Compilers of libtorch's headers take 1.5 GB each: as many at once as cores and memory allow.
build_jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
    if ((memory < 1)); then memory=1; fi
    echo $((cores < memory ? cores : memory))
}

# build PRESET: configures quietly (its words are shown when it fails) and builds.
build() {
    local preset="$1" folder="$root/build/$1" log start
    start=$(date +%s)
    log="$folder/configure.log"
    mkdir -p "$folder" || fail "The folder $folder cannot be made."
    # The same files in another clone or another preset are found again in the compiler cache.
    export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1
    if ! (cd "$root" && cmake --preset "$preset" >"$log" 2>&1); then
        cat "$log" >&2
        fail "CMake could not configure the preset $preset; its words are above and in $log."
    fi
    say "Building $preset; our CUDA kernels: $(sed -n 's/^-- CUDA kernels: //p' "$log")"
    (cd "$root" && cmake --build --preset "$preset" -j "$(build_jobs)") >&2 ||
        fail "The build of $preset failed; the compiler's message is above."
    say "Built $preset in $(seconds_since "$start") s"
}

# build_benchmarks NAME…: programs of tests/bench, which no other build makes; needs `build dev` before.
build_benchmarks() {
    (cd "$root" && cmake --build --preset dev -j "$(build_jobs)" --target "$@") >&2 ||
        fail "The benchmarks could not be built; the compiler's message is above."
}

# What patterns of zeros are worth on this machine.
sparse_table() {
    build_benchmarks bench_sparse
    "$root/build/dev/bin/bench_sparse" "$samples/minilm" "$samples/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf" "$@"
}

# The built command line: of the release preset, else of dev, else it is built now.
find_pareto() {
    local preset
    for preset in release dev; do
        pareto="$root/build/$preset/bin/pareto"
        if [[ -x $pareto ]]; then return; fi
    done
    setup_all
    build release
    pareto="$root/build/release/bin/pareto"
}

# What Qt Test skipped, from ctest's log: a skipped function does not make its test fail.
skipped_cases() { grep -h '^SKIP   :' "$1/Testing/Temporary/LastTest.log" 2>/dev/null || true; }

# run_tests CTEST_ARGUMENTS…
run_tests() {
    local folder="$root/build/dev" start status=0 skipped
    start=$(date +%s)
    export LC_ALL=C.UTF-8
    ctest --test-dir "$folder" --output-on-failure --no-tests=error -j 2 "$@" || status=$?
    skipped=$(skipped_cases "$folder")
    if [[ -n $skipped ]]; then
        say "Skipped test functions:"
        printf '%s\n' "$skipped" >&2
    fi
    if [[ $status -ne 0 ]]; then
        fail "Some tests failed after $(seconds_since "$start") s; the log is $folder/Testing/Temporary/LastTest.log."
    fi
    say "All tests passed in $(seconds_since "$start") s; $(grep -c . <<<"$skipped" || true) test functions skipped"
}
