#pragma once

namespace pareto::store {

/// Version 3, frozen once released: runs that were made elsewhere (a sweep's, by its id and their number), so that each
/// comes in once, also where its row was deleted for ever since.
inline constexpr const char* kSchemaV3 = R"sql(
CREATE TABLE imports (
    origin TEXT NOT NULL,
    number INTEGER NOT NULL,
    run_id INTEGER REFERENCES runs(id) ON DELETE SET NULL,
    PRIMARY KEY (origin, number)
) WITHOUT ROWID;
CREATE INDEX imports_by_run ON imports(run_id);
)sql";

}  // namespace pareto::store
