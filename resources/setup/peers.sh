# ./dev test --peers: the same numbers from other people's programs. Their packages live in a virtual
# environment of their own: Python's torch does not load without its CUDA libraries, the program's
# does. The newest transformers lie in a folder beside it that goes first on Python's path.

peers="$cache/peers"
peers_newest="$cache/peers/newest"

make_peers() {
    local list="$root/resources/setup/peers-requirements.txt" marker="$peers/.pareto-setup" state
    state="torch $torch_version, python $(python_version "$system_python"), $(sha256sum <"$list")"
    if [[ -r $marker && $(<"$marker") == "$state" ]]; then return; fi
    say "Setting up the Python programs to compare with in $peers: about 3.5 GB to download"
    rm -rf "$peers"
    "$system_python" -m venv "$peers" >&2 || fail "Python could not make a virtual environment in $peers."
    local venv="$peers" # where pip_install installs
    export PIP_USE_PEP517=1 # seqeval's old setup.py builds only in an environment of its own
    pip_install "torch==$torch_version" --requirement "$list"
    pip_install --target "$peers_newest" transformers
    pip_install --target "$peers_newest" --no-deps compressed-tensors
    echo "$state" >"$marker"
}

# llama.cpp lies in the source package of its Python binding. Built once: shared libraries without CUDA,
# without network functions, and the programs that the comparisons call.
llamacpp="$cache/llama.cpp"
llamacpp_version=0.3.36
llamacpp_programs=(llama-perplexity llama-embedding llama-tokenize llama-completion llama-bench ggml-rpc-server)

make_llamacpp() {
    local marker="$llamacpp/.pareto-setup" state="llama-cpp-python $llamacpp_version: ${llamacpp_programs[*]}"
    if [[ -r $marker && $(<"$marker") == "$state" ]]; then return; fi
    say "Building llama.cpp in $llamacpp: about 80 MB to download, some minutes on every processor"
    local work="$llamacpp/work"
    rm -rf "$llamacpp"
    mkdir -p "$work" || fail "The folder $llamacpp cannot be made."
    "$peers/bin/python" -m pip download --disable-pip-version-check --no-deps \
        --no-binary llama-cpp-python --dest "$work" "llama-cpp-python==$llamacpp_version" >&2 ||
        fail "The source of llama.cpp could not be fetched; pip's own message is above."
    tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work" --strip-components=1 ||
        fail "The source package of llama-cpp-python could not be unpacked."
    cmake -G Ninja -S "$work/vendor/llama.cpp" -B "$work/build" -DCMAKE_BUILD_TYPE=Release \
        -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON -DGGML_OPENMP=OFF -DGGML_RPC=ON \
        -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF \
        -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF >"$work/build.log" 2>&1 &&
        nice ninja -C "$work/build" "${llamacpp_programs[@]}" \
            >>"$work/build.log" 2>&1 ||
        fail "llama.cpp could not be built; $work/build.log says why."
    mv "$work/build/bin" "$llamacpp/bin"
    rm -rf "$work"
    echo "$state" >"$marker"
}

run_peers() {
    with_lock peers make_peers
    with_lock llamacpp make_llamacpp
    prepare_samples core,peers
    "$peers/bin/python" -B "$root/tests/peers/run_peers.py" --pareto "$root/build/dev/bin/pareto" \
        --samples "$samples" --newest "$peers_newest" \
        --llamacpp "$llamacpp/bin" "$@" ||
        fail "Some comparisons with other programs failed; see above."
}

# ./dev bench --speed: inference beside transformers, ONNX Runtime, OpenVINO and llama.cpp.
compare_speed() {
    with_lock peers make_peers
    with_lock llamacpp make_llamacpp
    prepare_samples core
    build_benchmarks bench_serve
    "$peers/bin/python" -B "$root/tests/bench/speed_peers.py" --serve "$root/build/dev/bin/bench_serve" \
        --pareto "$root/build/dev/bin/pareto" --samples "$samples" --llamacpp "$llamacpp/bin" "$@"
}

# ./dev bench --ranks: several processes beside one, and beside llama.cpp's.
compare_ranks() {
    with_lock peers make_peers
    with_lock llamacpp make_llamacpp
    compare_training ranks_speed.py --llamacpp "$llamacpp/bin" "$@"
}

# A script of tests/bench about training, and its arguments.
compare_training() {
    with_lock peers make_peers
    prepare_samples core
    "$peers/bin/python" -B "$root/tests/bench/$1" --pareto "$root/build/dev/bin/pareto" --samples "$samples" "${@:2}"
}
