#include "store/database.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"

#define DATABASE_SCHEMA "1"

static const char database_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE presets (name TEXT PRIMARY KEY NOT NULL, created_unix INTEGER NOT NULL, mood TEXT NOT NULL);"
    "PRAGMA user_version = " DATABASE_SCHEMA ";"
    "COMMIT;";

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

// A new file gets its schema; one of another schema is not ours to touch.
static enum status database_check_schema(sqlite3 *database)
{
    char version[32], objects[32];
    enum status status = database_ask(database, "PRAGMA user_version", version, sizeof version);
    if (status == STATUS_OK)
        status = database_ask(database, "SELECT count(*) FROM sqlite_master", objects, sizeof objects);
    if (status != STATUS_OK)
        return status;
    if (strcmp(version, "0") == 0 && strcmp(objects, "0") == 0)
        return database_status(database, sqlite3_exec(database, database_schema, NULL, NULL, NULL), "begin");
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(database, "SELECT name, created_unix, mood FROM presets", -1, &statement, NULL);
    sqlite3_finalize(statement);
    if (code == SQLITE_OK && strcmp(version, DATABASE_SCHEMA) == 0)
        return STATUS_OK;
    log_error("store: schema %s is not ours, which is " DATABASE_SCHEMA, version);
    return code == SQLITE_OK || code == SQLITE_ERROR ? STATUS_DAMAGED : database_status(database, code, "schema");
}

static enum status database_check(sqlite3 *database)
{
    enum status status = database_check_pages(database);
    if (status == STATUS_OK)
        status = database_check_schema(database);
    if (status != STATUS_OK)
        return status;
    // Presets are rare: every one of them waits for the disk.
    int code = sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL, NULL);
    return database_status(database, code, "journal");
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
