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

run_peers() {
    with_lock peers make_peers
    prepare_samples core,peers
    "$peers/bin/python" -B "$root/tests/peers/run_peers.py" --pareto "$root/build/dev/bin/pareto" \
        --samples "$samples" --newest "$peers_newest" "$@" ||
        fail "Some comparisons with other programs failed; see above."
}
