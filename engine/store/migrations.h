#pragma once

#include <span>

#include "engine/store/sqlite.h"

namespace pareto::store {

/// "PRST" in the header of every store.
inline constexpr int kApplicationId = 0x50525354;

/// SQL that brings a store from version − 1 to version. Once released, a step never changes.
struct Migration {
    int version = 0;
    const char* sql = nullptr;
};
std::span<const Migration> allMigrations();
int schemaVersion();   ///< of the last step

struct Identity {
    bool empty = false;       ///< a new file without tables
    std::int64_t version = 0;
};
/// StoreForeign when the file holds somebody else's tables. Changes nothing.
Result<Identity> identify(Database& database);

/// Applies the steps above the file's version in one transaction, after a backup beside the file
/// ("<file>.v<N>.bak", unless the file was empty). Several processes may try at once: one does it.
/// StoreNewer before anything is touched.
Status migrate(Database& database, std::span<const Migration> steps);

}  // namespace pareto::store
