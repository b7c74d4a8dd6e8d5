# ./dev run: the studio on its sample; without a display the same main job on the command line.

has_display() { [[ -n ${DISPLAY:-} || -n ${WAYLAND_DISPLAY:-} ]]; }

# step TEXT COMMAND…: says what runs, and stops with one sentence if it fails.
step() {
    local text="$1"
    shift
    say "$text"
    "$@" || fail "'$text' failed with exit code $?; its message is above."
}

run_headless() {
    local programs="$root/build/release/bin" out model recipe presets db
    out="$root/out/run-$(date +%Y%m%d-%H%M%S)"
    mkdir -p "$out" || fail "The folder $out cannot be made."
    db="$out/runs.db"
    model="$samples/injection-classifier"
    presets="$root/resources/presets"
    say "No display here (DISPLAY and WAYLAND_DISPLAY are not set): the same job runs on the command line"
    local common=(--task prompt-injection --threads "$(nproc)" --db "$db")
    step "Baseline" "$programs/pareto" run "$model" --recipe '{"version": 1}' "${common[@]}"
    for recipe in int8-dynamic half-heads-neurons-int8; do
        step "Recipe $recipe" "$programs/pareto" run "$model" --recipe "$presets/$recipe.json" "${common[@]}"
    done
    step "Export" "$programs/pareto" optimize "$model" --recipe "$presets/half-heads-neurons-int8.json" \
        --out "$out/export" --db "$db"
    step "Plot" env QT_QPA_PLATFORM=offscreen "$programs/pareto-studio" --plot pareto --db "$db" \
        --out "$out/pareto.png"
    step "Runs" "$programs/pareto" runs list --db "$db"
    [[ -s $out/pareto.png && -d $out/export ]] || fail "The plot or the export is missing in $out."
    printf 'Plot:   %s\nExport: %s\nStore:  %s\n' "$out/pareto.png" "$out/export" "$db"
}

run_studio() {
    if has_display; then
        exec "$root/build/release/bin/pareto-studio" --sample injection-classifier "$@"
    fi
    run_headless
}
