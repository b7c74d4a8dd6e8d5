#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

struct sqlite3;
struct sqlite3_stmt;

/// A small owner of SQLite's C API: connections, cached statements, transactions. Only engine/store
/// includes it. One connection belongs to one thread.
namespace pareto::store {

struct Blob {
    std::span<const std::byte> bytes;
};
template <typename T>
Blob blobOf(const std::vector<T>& values) {
    return {std::as_bytes(std::span(values))};
}

class Database;

/// A prepared statement. Parameters count from 1, columns from 0. NaN is stored as NULL.
class Statement {
public:
    Statement(Database& database, sqlite3_stmt* handle) : m_database(database), m_handle(handle) {}
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    void bind(int at, std::int64_t value);
    void bind(int at, int value) { bind(at, static_cast<std::int64_t>(value)); }
    void bind(int at, bool value) { bind(at, static_cast<std::int64_t>(value)); }
    void bind(int at, double value);
    void bind(int at, std::nullptr_t);
    void bind(int at, const std::optional<double>& value);
    void bind(int at, const std::optional<std::int64_t>& value);
    void bind(int at, std::string_view value);
    void bind(int at, const char* value) { bind(at, std::string_view(value)); }
    void bind(int at, const std::string& value) { bind(at, std::string_view(value)); }
    void bind(int at, const Blob& value);

    /// True: a row is there. After false or an error the statement is reset.
    Result<bool> step();
    void reset();

    bool isNull(int column) const;
    std::int64_t integer(int column) const;
    double number(int column) const;   ///< NaN for NULL
    std::optional<double> optionalNumber(int column) const;
    std::string text(int column) const;
    template <typename T>
    std::vector<T> values(int column) const {
        const auto bytes = blob(column);
        std::vector<T> out(bytes.size() / sizeof(T));
        if (!out.empty()) {
            std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
        }
        return out;
    }

private:
    std::span<const std::byte> blob(int column) const;
    Database& m_database;
    sqlite3_stmt* m_handle;
    int m_bindResult = 0;
};

enum class OpenMode { ReadWriteCreate, ReadOnly };

class Database {
public:
    /// Opens with the defensive settings every connection gets (limits, no ATTACH, foreign keys, busy
    /// time-out, untrusted schema). Changes nothing in the file.
    static Result<std::unique_ptr<Database>> open(const std::string& path, OpenMode mode);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    const std::string& path() const { return m_path; }

    /// Runs a script of statements without parameters.
    Status execute(const char* script);
    /// Binds and runs to the end.
    template <typename... Args>
    Status run(const char* sql, const Args&... args) {
        PARETO_TRY(Statement* const statement, query(sql, args...));
        auto row = statement->step();
        while (row.ok() && row.value()) {
            row = statement->step();
        }
        PARETO_CHECK(row);
        return Done{};
    }
    /// Binds and hands out the statement for stepping; it stays owned by the cache. Step it to the
    /// end or reset it: a statement in the middle keeps its transaction open.
    template <typename... Args>
    Result<Statement*> query(const char* sql, const Args&... args) {
        PARETO_TRY(Statement* const statement, prepare(sql));
        int at = 0;
        (statement->bind(++at, args), ...);
        return statement;
    }
    /// The first column of the first row; an error when there is none.
    Result<std::int64_t> integer(const char* sql);

    std::int64_t lastInsertId() const;
    std::int64_t changes() const;

    /// Copies the whole database into the file `to` (backup API).
    Status backupTo(const std::string& to);

    /// The connection's last error as ours: StoreBusy, DiskFull, FileWriteDenied, StoreForeign (not a
    /// database) or StoreFailure.
    Error error(int result) const;

private:
    explicit Database(std::string path) : m_path(std::move(path)) {}
    Status configure(OpenMode mode);
    Result<Statement*> prepare(const char* sql);

    std::string m_path;
    sqlite3* m_handle = nullptr;
    std::map<std::string, std::unique_ptr<Statement>, std::less<>> m_cache;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept
        : m_database(std::exchange(other.m_database, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Status commit();

private:
    explicit Transaction(Database& database) : m_database(&database) {}
    Database* m_database;
};

}  // namespace pareto::store
