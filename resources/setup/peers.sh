# ./dev test --peers: the same numbers from other people's programs. Their packages live in two
# virtual environments: one with the transformers release that the goldens name, one with the newest.

peers="$cache/peers"
peers_newest="$cache/peers-newest"

# make_peers FOLDER NEWEST(yes|no)
make_peers() {
    local folder="$1" newest="$2" marker="$1/.pareto-setup" list state
    list="$root/resources/setup/peers-requirements.txt"
    state="$torch_version $(python_version "$system_python") $newest $(sha256sum <"$list")"
    if [[ -r $marker && $(<"$marker") == "$state" ]]; then return; fi
    say "Setting up the Python programs to compare with in $folder"
    rm -rf "$folder"
    "$system_python" -m venv "$folder" >&2 || fail "Python could not make a virtual environment in $folder."
    local venv="$folder"
    pip_install "cuda-toolkit[cudart,cupti]==$cuda_version"
    pip_install --no-deps "torch==$torch_version"
    if [[ $newest == yes ]]; then
        sed -e 's/==.*//' "$list" >"$folder/newest.txt"
        pip_install --requirement "$folder/newest.txt"
    else
        pip_install --requirement "$list"
    fi
    echo "$state" >"$marker"
}

run_peers() {
    with_lock peers make_peers "$peers" no
    with_lock peers make_peers "$peers_newest" yes
    prepare_samples core,peers
    "$peers/bin/python" -B "$root/tests/peers/run_peers.py" --pareto "$root/build/dev/bin/pareto" \
        --samples "$samples" --newest "$peers_newest/bin/python" "$@" ||
        fail "Some comparisons with other programs failed; see above."
}
