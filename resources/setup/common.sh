# Shared by the parts of ./dev; sourced, never run. $root is set by ./dev.

cache="${XDG_CACHE_HOME:-$HOME/.cache}/pareto-studio"
venv="$cache/venv"
samples="${PARETO_SAMPLES:-$cache/samples}"

say() { printf '== %s\n' "$*" >&2; }

# One sentence that says what is wrong and what helps, then the end.
fail() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

seconds_since() { echo $(($(date +%s) - $1)); }

# with_lock NAME COMMAND…: two calls of ./dev never set up the same thing at once.
with_lock() {
    local name="$1" descriptor
    shift
    mkdir -p "$cache" || fail "The cache folder $cache cannot be made; set XDG_CACHE_HOME to a folder that can be written."
    exec {descriptor}>"$cache/.$name.lock" || fail "The cache folder $cache cannot be written."
    if ! flock --nonblock "$descriptor"; then
        say "Waiting for another ./dev that sets up $name"
        flock "$descriptor"
    fi
    "$@"
    exec {descriptor}>&-
}
