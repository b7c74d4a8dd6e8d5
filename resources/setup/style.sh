# ./dev format and ./dev lint.

all_sources() { (cd "$root" && git ls-files '*.h' '*.cpp' '*.cu' '*.cuh'); }

# What differs from the main branch's last common commit, and what is not committed.
changed_sources() {
    local base
    base=$(cd "$root" && git merge-base HEAD origin/main 2>/dev/null || git -C "$root" rev-parse HEAD)
    (cd "$root" && { git diff --name-only --diff-filter=d "$base" -- '*.h' '*.cpp' '*.cu' '*.cuh' &&
        git ls-files --others --exclude-standard -- '*.h' '*.cpp' '*.cu' '*.cuh'; } | sort -u)
}

format_sources() { (cd "$root" && all_sources | xargs --no-run-if-empty clang-format -i); }

# lint [--all]
lint_sources() {
    local files sources
    if [[ ${1:-} == --all ]]; then
        mapfile -t files < <(all_sources)
    else
        mapfile -t files < <(changed_sources)
    fi
    /usr/bin/python3 -B "$root/tests/architecture/check_architecture.py" "$root" ||
        fail "The architecture rules are broken; see above."
    if [[ ${#files[@]} -eq 0 ]]; then
        say "No changed sources"
        return
    fi
    (cd "$root" && clang-format --dry-run -Werror "${files[@]}") ||
        fail "Some files are not formatted; ./dev format does it."
    build dev
    mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cpp$' || true)
    if [[ ${#sources[@]} -eq 0 ]]; then return; fi
    (cd "$root" && printf '%s\n' "${sources[@]}" |
        xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p build/dev --extra-arg=-Qunused-arguments \
            --extra-arg=-Wno-unknown-warning-option) ||
        fail "clang-tidy found something; see above."
}
