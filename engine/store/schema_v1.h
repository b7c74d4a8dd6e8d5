#pragma once

namespace pareto::store {

/// Version 1, frozen. Times are milliseconds since 1970 (UTC); seeds and byte counts are unsigned
/// 64-bit numbers kept as SQLite's signed ones; blobs hold little-endian values. Figures that are
/// columns of `runs` are there for tables and plots: finite ones only; `measurements` has them all. JSON is
/// not checked by SQL: json_valid() counts as unsafe in a schema that is not trusted; readers parse it.
inline constexpr const char* kSchemaV1 = R"sql(
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    family TEXT NOT NULL,
    UNIQUE (hash, path, name, family)
) STRICT;
CREATE TABLE recipes (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    summary TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (hash, summary, json)
) STRICT;
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (name, json)
) STRICT;
CREATE TABLE targets (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (text, json)
) STRICT;
CREATE TABLE machines (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (fingerprint, json)
) STRICT;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('queued', 'running', 'finished', 'failed', 'cancelled', 'interrupted')),
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    model_id INTEGER NOT NULL REFERENCES models,
    recipe_id INTEGER NOT NULL REFERENCES recipes,
    recipe_name TEXT NOT NULL,
    task_id INTEGER REFERENCES tasks,
    task_key TEXT NOT NULL,
    target_id INTEGER NOT NULL REFERENCES targets,
    target_key TEXT NOT NULL,
    machine_id INTEGER NOT NULL REFERENCES machines,
    headline_key TEXT NOT NULL,
    baseline INTEGER NOT NULL CHECK (baseline IN (0, 1)),
    pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
    disturbed INTEGER NOT NULL CHECK (disturbed IN (0, 1)),
    disturbance TEXT NOT NULL,
    seed INTEGER NOT NULL,
    versions TEXT NOT NULL,
    weights_hash TEXT NOT NULL,
    details TEXT NOT NULL,
    error TEXT,
    export_path TEXT NOT NULL,
    owner_machine TEXT NOT NULL DEFAULT '',
    owner_boot TEXT NOT NULL DEFAULT '',
    owner_pid INTEGER NOT NULL DEFAULT 0,
    owner_start INTEGER NOT NULL DEFAULT 0,
    latency_p50_ms REAL, latency_p50_ms_low REAL, latency_p50_ms_high REAL,
    latency_p90_ms REAL,
    latency_p99_ms REAL,
    latency_mean_ms REAL, latency_mean_ms_low REAL, latency_mean_ms_high REAL,
    latency_ratio REAL, latency_ratio_low REAL, latency_ratio_high REAL,
    throughput_items_per_s REAL, throughput_items_per_s_low REAL, throughput_items_per_s_high REAL,
    first_token_ms REAL,
    token_ms REAL, token_ms_low REAL, token_ms_high REAL,
    prefill_tokens_per_s REAL,
    decode_tokens_per_s REAL, decode_tokens_per_s_low REAL, decode_tokens_per_s_high REAL,
    model_bytes REAL,
    parameters REAL,
    nonzero_parameters REAL,
    peak_rss_bytes REAL,
    accuracy REAL, accuracy_low REAL, accuracy_high REAL,
    f1_macro REAL, f1_macro_low REAL, f1_macro_high REAL,
    perplexity REAL, perplexity_low REAL, perplexity_high REAL,
    fidelity_cosine REAL, fidelity_cosine_low REAL, fidelity_cosine_high REAL,
    fidelity_spearman REAL, fidelity_spearman_low REAL, fidelity_spearman_high REAL
) STRICT;
CREATE INDEX runs_running ON runs (id) WHERE status = 'running';
CREATE UNIQUE INDEX runs_pinned ON runs (task_key, target_key) WHERE pinned = 1;
CREATE TABLE measurements (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    unit TEXT NOT NULL,
    value REAL,
    is_nan INTEGER NOT NULL CHECK (is_nan = (value IS NULL)),
    n INTEGER NOT NULL,
    ci_low REAL,
    ci_high REAL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE raw_timings (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    latencies_ms BLOB NOT NULL
) STRICT;
CREATE TABLE run_items (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    position INTEGER NOT NULL,
    item INTEGER NOT NULL,
    score REAL,
    predicted INTEGER NOT NULL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE layer_measurements (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    ms REAL,
    share REAL,
    bytes INTEGER NOT NULL,
    kernel TEXT NOT NULL,
    relative_error REAL,
    sparsity REAL,
    row_count INTEGER NOT NULL,
    column_count INTEGER NOT NULL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE histograms (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    position INTEGER NOT NULL,
    layer TEXT NOT NULL,
    low REAL,
    high REAL,
    zeros INTEGER NOT NULL,
    nonfinite INTEGER NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE predictions (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    key TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE exports (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX exports_run ON exports (run_id);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'finished', 'failed', 'cancelled', 'interrupted')),
    error TEXT,
    created_at INTEGER NOT NULL,
    run_id INTEGER REFERENCES runs ON DELETE SET NULL
) STRICT;
CREATE INDEX jobs_run ON jobs (run_id);
)sql";

}  // namespace pareto::store
