#include "store/database.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"

#define DATABASE_SCHEMA 3

// What brings a file of each schema to the next one. Unix and boot times in nanoseconds; a seed is written in digits,
// for it has no sign.
static const char *const database_steps[DATABASE_SCHEMA] = {
    "CREATE TABLE presets (name TEXT PRIMARY KEY NOT NULL, created_unix INTEGER NOT NULL, mood TEXT NOT NULL);",
    "CREATE TABLE stations (name TEXT PRIMARY KEY NOT NULL, seed TEXT NOT NULL, mood TEXT NOT NULL,"
    " begin_minute INTEGER NOT NULL, scala TEXT NOT NULL, origin_unix_ns INTEGER NOT NULL, boot_id TEXT NOT NULL,"
    " origin_boot_ns INTEGER NOT NULL, reached_frame INTEGER NOT NULL);"
    "CREATE TABLE changes (station TEXT NOT NULL, sequence INTEGER NOT NULL, at_frame INTEGER NOT NULL,"
    " unix_ms INTEGER NOT NULL, mood TEXT NOT NULL, PRIMARY KEY (station, sequence)) WITHOUT ROWID;",
    "ALTER TABLE changes ADD COLUMN wake_frame INTEGER NOT NULL DEFAULT 0;",
};

// What a file can be asked for, from one schema to another.
static const struct {
    int from, until;
    const char *sql;
} database_queries[] = {
    {1, DATABASE_SCHEMA, "SELECT name, created_unix, mood FROM presets"},
    {2, DATABASE_SCHEMA, "SELECT name, seed, mood, begin_minute, scala, origin_unix_ns, boot_id, origin_boot_ns, "
                         "reached_frame FROM stations"},
    {2, 2, "SELECT station, sequence, at_frame, unix_ms, mood FROM changes"},
    {3, DATABASE_SCHEMA, "SELECT station, sequence, at_frame, unix_ms, mood, wake_frame FROM changes"},
};
enum { DATABASE_QUERIES = sizeof database_queries / sizeof *database_queries };

enum status database_status(sqlite3 *database, int code, const char *doing)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW: return STATUS_OK;
    case SQLITE_CONSTRAINT: return STATUS_CONFLICT;
    case SQLITE_NOMEM: return STATUS_MEMORY;
    }
    log_error("store: %s: %s", doing, database ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB ? STATUS_DAMAGED : STATUS_IO;
}

enum status database_fault(sqlite3 *database, int code, const char *doing)
{
    enum status status = database_status(database, code, doing);
    return status == STATUS_DAMAGED ? STATUS_IO : status;
}

enum status database_prepare(sqlite3 *database, const char *sql, const char *name, sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v2(database, sql, -1, statement, NULL);
    if (code == SQLITE_OK && name)
        code = sqlite3_bind_text(*statement, 1, name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        return STATUS_OK;
    sqlite3_finalize(*statement);
    return database_fault(database, code, sql);
}

void *database_room(void *rows, size_t count, size_t *cap, size_t row_bytes)
{
    if (count < *cap)
        return rows;
    size_t wanted = *cap ? 2 * *cap : 32;
    void *grown = realloc(rows, wanted * row_bytes);
    if (grown)
        *cap = wanted;
    return grown;
}

// The first column of the first row. Errors: as database_status.
static enum status database_ask(sqlite3 *database, const char *sql, char *answer, size_t cap)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    snprintf(answer, cap, "%s", text ? (const char *)text : "");
    sqlite3_finalize(statement);
    return database_status(database, code, sql);
}

static enum status database_check_pages(sqlite3 *database)
{
    char answer[256];
    enum status status = database_ask(database, "PRAGMA quick_check(1)", answer, sizeof answer);
    if (status != STATUS_OK || strcmp(answer, "ok") == 0)
        return status;
    log_error("store: %s", answer);
    return STATUS_DAMAGED;
}

// All steps from a schema on, or none.
static enum status database_upgrade(sqlite3 *database, int from)
{
    char version[48];
    snprintf(version, sizeof version, "PRAGMA user_version = %d; COMMIT;", DATABASE_SCHEMA);
    int code = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (int step = from; step < DATABASE_SCHEMA && code == SQLITE_OK; step++)
        code = sqlite3_exec(database, database_steps[step], NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(database, version, NULL, NULL, NULL);
    enum status status = database_status(database, code, "schema");
    if (code != SQLITE_OK)
        (void)sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

// It can be asked what a file of its schema can be.
static enum status database_check_queries(sqlite3 *database, int schema)
{
    int code = SQLITE_OK;
    for (int i = 0; i < DATABASE_QUERIES && code == SQLITE_OK; i++) {
        sqlite3_stmt *statement;
        if (schema < database_queries[i].from || schema > database_queries[i].until)
            continue;
        code = sqlite3_prepare_v2(database, database_queries[i].sql, -1, &statement, NULL);
        sqlite3_finalize(statement);
    }
    if (code != SQLITE_ERROR)
        return database_status(database, code, "schema");
    log_error("store: the schema is not ours: %s", sqlite3_errmsg(database));
    return STATUS_DAMAGED;
}

// A new file gets its schema, one of an older schema is brought up to date; one of another is not ours to touch.
static enum status database_check_schema(sqlite3 *database)
{
    char version[32], objects[32];
    enum status status = database_ask(database, "PRAGMA user_version", version, sizeof version);
    if (status == STATUS_OK)
        status = database_ask(database, "SELECT count(*) FROM sqlite_master", objects, sizeof objects);
    if (status != STATUS_OK)
        return status;
    int schema = (int)strtol(version, NULL, 10);
    if (schema < 0 || schema > DATABASE_SCHEMA || (schema == 0 && strcmp(objects, "0") != 0)) {
        log_error("store: schema %d is not ours, which is %d", schema, DATABASE_SCHEMA);
        return STATUS_DAMAGED;
    }
    status = database_check_queries(database, schema);
    return status == STATUS_OK && schema < DATABASE_SCHEMA ? database_upgrade(database, schema) : status;
}

static enum status database_check(sqlite3 *database)
{
    enum status status = database_check_pages(database);
    if (status == STATUS_OK)
        status = database_check_schema(database);
    if (status != STATUS_OK)
        return status;
    // Changes go to its end, and are read once: there is nothing to be gained by keeping more of it in memory. Its log
    // is moved into the file when nobody waits (database_tidy).
    int code = sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA cache_size = -128;"
                            "PRAGMA wal_autocheckpoint = 0;", NULL, NULL, NULL);
    status = database_status(database, code, "journal");
    return status == STATUS_OK ? database_sync(database, false) : status;
}

static enum status database_open_refused(sqlite3 *database, int code)
{
    int error = database ? sqlite3_system_errno(database) : 0;
    enum status status = database_status(database, code, "open");
    return error == EACCES || error == EPERM || error == EROFS ? STATUS_DENIED : status;
}

static enum status database_try(sqlite3 **database, const char *path)
{
    enum status status;
    int code = sqlite3_open_v2(path, database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        status = database_open_refused(*database, code);
    } else if (sqlite3_db_readonly(*database, "main") == 1) {
        status = STATUS_DENIED;
    } else {
        // Closing must not write the log of changes into a file that turns out to be damaged.
        sqlite3_db_config(*database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_busy_timeout(*database, 2000);
        status = database_check(*database);
        sqlite3_db_config(*database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, status != STATUS_OK, NULL);
    }
    if (status != STATUS_OK) {
        sqlite3_close(*database);
        *database = NULL;
    }
    return status;
}

static enum status database_rename(const char *from, const char *to)
{
    if (rename(from, to) == 0 || errno == ENOENT)
        return STATUS_OK;
    log_error("store: cannot set aside %s: %s", from, strerror(errno));
    return errno == EACCES || errno == EPERM || errno == EROFS ? STATUS_DENIED : STATUS_IO;
}

// The file itself goes last: should this be cut short, no log of changes stays behind for the file that comes after it.
static enum status database_set_aside(const char *path)
{
    static const char *const endings[] = {"-wal", "-shm", ""};
    char aside[PATH_MAX], from[PATH_MAX + 8], to[PATH_MAX + 8];
    long long stamp = (long long)time(NULL);
    do {
        if (snprintf(aside, sizeof aside, "%s.damaged-%lld", path, stamp++) >= (int)sizeof aside)
            return STATUS_IO;
    } while (access(aside, F_OK) == 0);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && status == STATUS_OK; i++) {
        snprintf(from, sizeof from, "%s%s", path, endings[i]);
        snprintf(to, sizeof to, "%s%s", aside, endings[i]);
        status = database_rename(from, to);
    }
    if (status == STATUS_OK)
        log_warn("store: the database was set aside as %s", aside);
    return status;
}

enum status database_open(sqlite3 **database, const char *path, bool *set_aside)
{
    *set_aside = false;
    enum status status = database_try(database, path);
    if (status != STATUS_DAMAGED)
        return status;
    status = database_set_aside(path);
    if (status != STATUS_OK)
        return status;
    *set_aside = true;
    status = database_try(database, path);
    return status == STATUS_DAMAGED ? STATUS_IO : status;
}

enum status database_open_to_read(sqlite3 **database, const char *path)
{
    char version[32] = "";
    if (access(path, F_OK) != 0)
        return errno == EACCES ? STATUS_DENIED : STATUS_NOT_FOUND;
    int code = sqlite3_open_v2(path, database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum status status = code == SQLITE_OK ? STATUS_OK : database_open_refused(*database, code);
    if (status == STATUS_OK) {
        sqlite3_busy_timeout(*database, 2000);
        status = database_ask(*database, "PRAGMA user_version", version, sizeof version);
    }
    if (status == STATUS_OK && strtol(version, NULL, 10) != DATABASE_SCHEMA)
        status = STATUS_DAMAGED;
    if (status == STATUS_OK)
        return STATUS_OK;
    sqlite3_close(*database);
    *database = NULL;
    return status;
}

enum status database_sync(sqlite3 *database, bool waits)
{
    const char *sql = waits ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
    return database_fault(database, sqlite3_exec(database, sql, NULL, NULL, NULL), sql);
}

void database_tidy(sqlite3 *database)
{
    int code = sqlite3_wal_checkpoint_v2(database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED)
        (void)database_fault(database, code, "tidy");
}

enum status database_in_place(sqlite3 *database)
{
    int moved = 0;
    (void)sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (!moved)
        return STATUS_OK;
    log_error("store: the database was moved or deleted while the server was running");
    return STATUS_IO;
}

void database_close(sqlite3 *database)
{
    sqlite3_close(database);
}
