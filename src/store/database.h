// The database file: opened, checked, its schema, and set aside when it cannot be trusted. Store thread, or before it
// runs.
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

// Opens or begins the file, checks it, brings it to the present schema.   set_aside: out.
// Errors: STATUS_DENIED, STATUS_IO, STATUS_MEMORY.
MUST_USE enum status database_open(sqlite3 **database, const char *path, bool *set_aside);
// Opens a file of the present schema for reading alone, beside a server that may be using it. Nothing is set aside.
// Errors: STATUS_NOT_FOUND, STATUS_DENIED, STATUS_DAMAGED (another schema as well), STATUS_IO, STATUS_MEMORY.
MUST_USE enum status database_open_to_read(sqlite3 **database, const char *path);
// Accepts NULL.
void database_close(sqlite3 *database);
// The file still stands where it was opened. Without it changes would be lost with the process: then STATUS_IO, logged.
MUST_USE enum status database_in_place(sqlite3 *database);
// Moves the log of changes into the file, which waits for the disk: for when nobody waits for us.
void database_tidy(sqlite3 *database);
// Whether what is changed from now on waits until it is on the disk. Errors: as database_fault.
MUST_USE enum status database_sync(sqlite3 *database, bool waits);
// A statement whose first parameter is `name`, unless that is NULL.   Errors: as database_fault.
MUST_USE enum status database_prepare(sqlite3 *database, const char *sql, const char *name, sqlite3_stmt **statement);
// As database_status, for a file that is in use: a corrupt page that turns up is one more way for the disk to fail.
enum status database_fault(sqlite3 *database, int code, const char *doing);
// Room for one more row of a result: `rows` itself, or longer in another place; NULL when memory is short, `rows` is
// as it was then.   rows: from malloc, or NULL.   cap: rows that there is room for, 0 at the beginning.
void *database_room(void *rows, size_t count, size_t *cap, size_t row_bytes);
// What a result code of SQLite means. Faults are logged with `doing`.
enum status database_status(sqlite3 *database, int code, const char *doing);
