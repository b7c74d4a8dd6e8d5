# ./dev bench --peers and --table: what compression costs, here and in the packages that are published for it.
# These pin torch and transformers against each other, so each has a virtual environment of its own; all but
# llmcompressor, which wants an older torch, see the packages of ./dev test --peers through a .pth file.

compressors="$cache/compressors"

# make_compressor NAME own|peers PIP_ARGUMENTS…: a package that cannot be installed is said, not fatal; the
# comparison goes on without it.
make_compressor() {
    local name="$1" torch="$2" folder="$compressors/$1" marker state packages
    shift 2
    marker="$folder/.pareto-setup"
    state="python $(python_version "$system_python"), $torch torch, $*"
    if [[ -r $marker && $(<"$marker") == "$state" ]]; then return; fi
    say "Setting up $name in $folder"
    rm -rf "$folder"
    "$system_python" -m venv "$folder" >&2 || fail "Python could not make a virtual environment in $folder."
    packages=("$folder"/lib/python3*/site-packages)
    if [[ $torch == peers ]]; then
        printf '%s\n' "$peers"/lib/python3*/site-packages >"${packages[0]}/peers.pth"
    fi
    if "$folder/bin/python" -m pip install --disable-pip-version-check "$@" >&2; then
        echo "$state" >"$marker"
    else
        rm -rf "$folder"
        say "$name could not be installed (pip's own message is above); it is left out"
    fi
}

make_compressors() {
    mkdir -p "$compressors" || fail "The folder $compressors cannot be made."
    make_compressor llmcompressor own llmcompressor==0.14.0.1
    make_compressor gptqmodel peers gptqmodel==7.7.0
    # AutoAWQ is no longer maintained: it imports a name that transformers 4.52 lost.
    make_compressor autoawq peers autoawq==0.2.9 transformers==4.51.3 datasets==3.6.0
}

compare_compressors() {
    with_lock peers make_peers
    with_lock compressors make_compressors
    "$peers/bin/python" -B "$root/tests/bench/compression_peers.py" --pareto "$root/build/dev/bin/pareto" \
        --samples "$samples" --compressors "$compressors" "$@"
}

compression_table() {
    "$system_python" -B "$root/tests/bench/compression_table.py" --pareto "$root/build/dev/bin/pareto" \
        --samples "$samples" "$@"
}
