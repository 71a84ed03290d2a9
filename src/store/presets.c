#include "store/presets.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/json_text.h"
#include "os/log.h"
#include "store/database.h"
#include "store/mood_text.h"
#include "store/preset_name.h"

static void presets_read_row(sqlite3_stmt *statement, struct store_preset *preset)
{
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    const char *text = (const char *)sqlite3_column_text(statement, 2);
    snprintf(preset->name, sizeof preset->name, "%s", name ? name : "");
    preset->created_unix = sqlite3_column_int64(statement, 1);
    if (!mood_from_text(text, &preset->mood))
        log_warn("store: preset \"%s\" cannot be read and comes as the defaults", preset->name);
}

enum status presets_list(sqlite3 *database, struct store_preset **presets, int *count)
{
    sqlite3_stmt *statement;
    struct store_preset *found = NULL;
    int code, rows = 0;
    size_t cap = 0;
    enum status status =
        database_prepare(database, "SELECT name, created_unix, mood FROM presets ORDER BY name", NULL, &statement);
    if (status != STATUS_OK)
        return status;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct store_preset *longer = database_room(found, (size_t)rows, &cap, sizeof *found);
        if (!longer) {
            code = SQLITE_NOMEM;
            break;
        }
        found = longer;
        presets_read_row(statement, &found[rows++]);
    }
    sqlite3_finalize(statement);
    status = database_fault(database, code, "list presets");
    if (status != STATUS_OK) {
        free(found);
        return status;
    }
    *presets = found;
    *count = rows;
    return STATUS_OK;
}

static enum status presets_room(sqlite3 *database)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(database, "SELECT count(*) FROM presets", NULL, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_int(statement, 0) >= STORE_PRESETS)
        status = STATUS_FULL;
    sqlite3_finalize(statement);
    return status == STATUS_OK ? database_fault(database, code, "count presets") : status;
}

static enum status presets_insert(sqlite3 *database, const struct store_preset *preset, const char *mood)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(
        database, "INSERT INTO presets (name, created_unix, mood) VALUES (?1, ?2, ?3)", preset->name, &statement);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 2, preset->created_unix);
    int code = sqlite3_bind_text(statement, 3, mood, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    status = database_fault(database, code, "save a preset");
    sqlite3_finalize(statement);
    return status;
}

static enum status presets_exists(sqlite3 *database, const char *name, bool *exists)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(database, "SELECT 1 FROM presets WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    *exists = code == SQLITE_ROW;
    status = database_fault(database, code, "look for a preset");
    sqlite3_finalize(statement);
    return status;
}

enum status presets_save(sqlite3 *database, const struct store_preset *preset)
{
    bool exists = false;
    if (!preset_name_is_valid(preset->name))
        return STATUS_INVALID;
    enum status status = presets_exists(database, preset->name, &exists);
    if (status == STATUS_OK && exists)
        status = STATUS_CONFLICT;
    if (status == STATUS_OK)
        status = presets_room(database);
    if (status != STATUS_OK)
        return status;
    char *mood = mood_text(&preset->mood);
    if (!mood)
        return STATUS_MEMORY;
    status = presets_insert(database, preset, mood);
    json_text_free(mood);
    return status;
}

enum status presets_load(sqlite3 *database, const char *name, struct store_preset *preset)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(
        database, "SELECT name, created_unix, mood FROM presets WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    status = database_fault(database, code, "load a preset");
    if (code == SQLITE_ROW)
        presets_read_row(statement, preset);
    else if (status == STATUS_OK)
        status = STATUS_NOT_FOUND;
    sqlite3_finalize(statement);
    return status;
}

enum status presets_delete(sqlite3 *database, const char *name)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(database, "DELETE FROM presets WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    status = database_fault(database, sqlite3_step(statement), "delete a preset");
    sqlite3_finalize(statement);
    return status == STATUS_OK && sqlite3_changes(database) == 0 ? STATUS_NOT_FOUND : status;
}
