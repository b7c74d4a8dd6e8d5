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
    local programs="$root/build/release/bin" out model presets db run_id
    out="$root/out/run-$(date +%Y%m%d-%H%M%S)"
    mkdir -p "$out" || fail "The folder $out cannot be made."
    db="$out/runs.db"
    model="$samples/injection-classifier"
    presets="$root/resources/presets"
    say "No display here (DISPLAY and WAYLAND_DISPLAY are not set): the same job runs on the command line"
    local common=(--task prompt-injection --limit 400 --db "$db")
    step "Baseline" "$programs/pareto" run "$model" --name baseline "${common[@]}"
    step "Recipe int8 dynamic" "$programs/pareto" run "$model" \
        --recipe "$presets/int8-dynamic.json" "${common[@]}"
    step "Recipe 50 % heads and neurons + int8" "$programs/pareto" run "$model" \
        --recipe "$presets/half-heads-neurons-int8.json" "${common[@]}" --json >"$out/last-run.json"
    run_id=$("$venv/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["run_id"])' \
        "$out/last-run.json") || fail "The last run said no run_id; see $out/last-run.json."
    step "Export of run $run_id" "$programs/pareto" export --run "$run_id" --out "$out/export" --db "$db"
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
