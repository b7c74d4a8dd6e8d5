#include "engine/store/sqlite.h"

#include <cerrno>
#include <cmath>
#include <limits>

#include <sqlite3.h>
#include <sys/statvfs.h>

namespace pareto::store {
namespace {

constexpr int kBusySeconds = 10;
constexpr int kMaxBytes = 64 << 20;

std::string freeBytesNear(const std::string& path) {
    struct statvfs info {};
    const auto slash = path.find_last_of('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (::statvfs(folder.c_str(), &info) != 0) {
        return "unknown";
    }
    return std::to_string(static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize);
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(m_handle); }

void Statement::bind(int at, std::int64_t value) {
    m_bindResult |= sqlite3_bind_int64(m_handle, at, value);
}

void Statement::bind(int at, double value) {
    m_bindResult |= sqlite3_bind_double(m_handle, at, value);
}

void Statement::bind(int at, std::nullptr_t) { m_bindResult |= sqlite3_bind_null(m_handle, at); }

void Statement::bind(int at, const std::optional<double>& value) {
    value ? bind(at, *value) : bind(at, nullptr);
}

void Statement::bind(int at, const std::optional<std::int64_t>& value) {
    value ? bind(at, *value) : bind(at, nullptr);
}

void Statement::bind(int at, std::string_view value) {
    // An empty view may have no address, which SQLite would take for NULL.
    m_bindResult |= sqlite3_bind_text64(m_handle, at, value.empty() ? "" : value.data(), value.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::bind(int at, const Blob& value) {
    m_bindResult |=
        value.bytes.empty()
            ? sqlite3_bind_zeroblob(m_handle, at, 0)
            : sqlite3_bind_blob64(m_handle, at, value.bytes.data(), value.bytes.size(), SQLITE_TRANSIENT);
}

Result<bool> Statement::step() {
    const int result = m_bindResult != SQLITE_OK ? m_bindResult : sqlite3_step(m_handle);
    if (result == SQLITE_ROW) {
        return true;
    }
    if (result == SQLITE_DONE) {
        reset();
        return false;
    }
    const Error error = m_database.error(result);
    reset();
    return error;
}

void Statement::reset() {
    sqlite3_reset(m_handle);
    sqlite3_clear_bindings(m_handle);
    m_bindResult = SQLITE_OK;
}

bool Statement::isNull(int column) const {
    return sqlite3_column_type(m_handle, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_handle, column); }

double Statement::number(int column) const {
    return isNull(column) ? std::numeric_limits<double>::quiet_NaN()
                          : sqlite3_column_double(m_handle, column);
}

std::optional<double> Statement::optionalNumber(int column) const {
    return isNull(column) ? std::nullopt : std::optional(sqlite3_column_double(m_handle, column));
}

std::string Statement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(m_handle, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_handle, column));
    return text == nullptr ? std::string() : std::string(text, size);
}

std::span<const std::byte> Statement::blob(int column) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(m_handle, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_handle, column));
    return data == nullptr ? std::span<const std::byte>() : std::span(data, size);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, OpenMode mode) {
    std::unique_ptr<Database> database(new Database(path));
    const int flags = (mode == OpenMode::ReadOnly ? SQLITE_OPEN_READONLY
                                                  : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int result = sqlite3_open_v2(path.c_str(), &database->m_handle, flags, nullptr);
    if (result != SQLITE_OK) {
        return database->error(result);
    }
    PARETO_CHECK(database->configure(mode));
    return database;
}

Status Database::configure(OpenMode mode) {
    // SQLite, "Defense Against The Dark Arts": the file may come from anybody.
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_limit(m_handle, SQLITE_LIMIT_LENGTH, kMaxBytes);
    sqlite3_limit(m_handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_timeout(m_handle, kBusySeconds * 1000);
    PARETO_CHECK(execute("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"));
    // WAL is not used: the SQLite of Debian 12 (3.40.1) can lose data in WAL mode (fixed in 3.51.3).
    return mode == OpenMode::ReadOnly ? execute("PRAGMA query_only = ON;")
                                      : execute("PRAGMA synchronous = FULL;");
}

Database::~Database() {
    m_cache.clear();
    sqlite3_close_v2(m_handle);
}

Status Database::execute(const char* script) {
    const int result = sqlite3_exec(m_handle, script, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) {
        return error(result);
    }
    return Done{};
}

Result<Statement*> Database::prepare(const char* sql) {
    if (const auto found = m_cache.find(std::string_view(sql)); found != m_cache.end()) {
        found->second->reset();
        return found->second.get();
    }
    sqlite3_stmt* handle = nullptr;
    const int result = sqlite3_prepare_v3(m_handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    if (result != SQLITE_OK) {
        return error(result);
    }
    auto& slot = m_cache[sql];
    slot = std::make_unique<Statement>(*this, handle);
    return slot.get();
}

Result<std::int64_t> Database::integer(const char* sql) {
    PARETO_TRY(Statement* const statement, query(sql));
    PARETO_TRY(const bool row, statement->step());
    if (!row) {
        return makeError(ErrorCode::StoreFailure, {{"file", m_path}, {"reason", "no row"}}, sql);
    }
    const auto value = statement->integer(0);
    statement->reset();
    return value;
}

std::int64_t Database::lastInsertId() const { return sqlite3_last_insert_rowid(m_handle); }

std::int64_t Database::changes() const { return sqlite3_changes64(m_handle); }

Status Database::backupTo(const std::string& to) {
    PARETO_TRY(const auto target, open(to, OpenMode::ReadWriteCreate));
    sqlite3_backup* backup = sqlite3_backup_init(target->m_handle, "main", m_handle, "main");
    if (backup == nullptr) {
        return target->error(sqlite3_extended_errcode(target->m_handle));
    }
    const int result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (result != SQLITE_DONE) {
        return target->error(result);
    }
    return Done{};
}

Error Database::error(int result) const {
    const std::string reason =
        m_handle != nullptr && sqlite3_extended_errcode(m_handle) == result ? sqlite3_errmsg(m_handle)
                                                                            : sqlite3_errstr(result);
    const std::string detail = "SQLite result " + std::to_string(result);
    // A full disk is SQLITE_FULL; a quota or a limit on files only an error of writing with its errno.
    int cause = 0;
    if (m_handle != nullptr && (result & 0xFF) == SQLITE_IOERR) {
        sqlite3_file_control(m_handle, "main", SQLITE_FCNTL_LAST_ERRNO, &cause);
    }
    switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return makeError(ErrorCode::StoreBusy,
                         {{"file", m_path}, {"seconds", std::to_string(kBusySeconds)}}, detail);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return makeError(ErrorCode::FileWriteDenied, {{"file", m_path}, {"reason", reason}}, detail);
    case SQLITE_NOTADB:
        return makeError(ErrorCode::StoreForeign,
                         {{"file", m_path}, {"reason", "it is no SQLite database, or damaged"}}, detail);
    case SQLITE_FULL: break;
    case SQLITE_IOERR:
        if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG) {
            break;
        }
        [[fallthrough]];
    default:
        return makeError(ErrorCode::StoreFailure, {{"file", m_path}, {"reason", reason}}, detail);
    }
    return makeError(ErrorCode::DiskFull,
                     {{"file", m_path}, {"needed", "some more"}, {"free", freeBytesNear(m_path)}},
                     detail);
}

Result<Transaction> Transaction::begin(Database& database) {
    PARETO_CHECK(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (m_database != nullptr) {
        // SQLite may have rolled back by itself (disk full); then this has nothing to do.
        static_cast<void>(m_database->execute("ROLLBACK").ok());
    }
}

Status Transaction::commit() {
    PARETO_CHECK(m_database->execute("COMMIT"));
    m_database = nullptr;
    return Done{};
}

}  // namespace pareto::store
