#include "store/presets.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/json_text.h"
#include "control/mood_json.h"
#include "os/log.h"
#include "store/database.h"
#include "store/preset_name.h"

// A corrupt page that turns up later is one more way for the disk to fail.
static enum status presets_status(sqlite3 *database, int code, const char *doing)
{
    enum status status = database_status(database, code, doing);
    return status == STATUS_DAMAGED ? STATUS_IO : status;
}

static enum status presets_prepare(sqlite3 *database, const char *sql, const char *name, sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v2(database, sql, -1, statement, NULL);
    if (code == SQLITE_OK && name)
        code = sqlite3_bind_text(*statement, 1, name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        return STATUS_OK;
    sqlite3_finalize(*statement);
    return presets_status(database, code, sql);
}

// Every parameter by itself, so that one that no longer fits does not take the others with it.
static struct mood presets_mood(const json_t *object)
{
    struct mood mood = mood_default();
    for (int id = 0; id < MOOD_PARAMETERS; id++) {
        const char *name = mood_parameters[id].name;
        json_t *field = json_object();
        struct mood_patch patch;
        struct mood_refusal refusal;
        if (json_object_set(field, name, json_object_get(object, name)) == 0 &&
            mood_patch_from_json(field, NULL, &patch, &refusal) == STATUS_OK)
            mood = mood_apply(&mood, &patch);
        json_decref(field);
    }
    return mood;
}

static void presets_read_row(sqlite3_stmt *statement, struct store_preset *preset)
{
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    const char *text = (const char *)sqlite3_column_text(statement, 2);
    snprintf(preset->name, sizeof preset->name, "%s", name ? name : "");
    preset->created_unix = sqlite3_column_int64(statement, 1);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    if (!json_is_object(object))
        log_warn("store: preset \"%s\" cannot be read and comes as the defaults", preset->name);
    preset->mood = presets_mood(object);
    json_decref(object);
}

static bool presets_grow(struct store_preset **presets, int count, int *cap)
{
    if (count < *cap)
        return true;
    int wanted = *cap ? 2 * *cap : 32;
    struct store_preset *grown = realloc(*presets, (size_t)wanted * sizeof *grown);
    if (!grown)
        return false;
    *presets = grown;
    *cap = wanted;
    return true;
}

enum status presets_list(sqlite3 *database, struct store_preset **presets, int *count)
{
    sqlite3_stmt *statement;
    struct store_preset *found = NULL;
    int code, rows = 0, cap = 0;
    enum status status =
        presets_prepare(database, "SELECT name, created_unix, mood FROM presets ORDER BY name", NULL, &statement);
    if (status != STATUS_OK)
        return status;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!presets_grow(&found, rows, &cap)) {
            code = SQLITE_NOMEM;
            break;
        }
        presets_read_row(statement, &found[rows++]);
    }
    sqlite3_finalize(statement);
    status = presets_status(database, code, "list presets");
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
    enum status status = presets_prepare(database, "SELECT count(*) FROM presets", NULL, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_int(statement, 0) >= STORE_PRESETS)
        status = STATUS_FULL;
    sqlite3_finalize(statement);
    return status == STATUS_OK ? presets_status(database, code, "count presets") : status;
}

static char *presets_mood_text(const struct mood *mood)
{
    json_t *object = mood_to_json(mood);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

static enum status presets_insert(sqlite3 *database, const struct store_preset *preset, const char *mood)
{
    sqlite3_stmt *statement;
    enum status status = presets_prepare(
        database, "INSERT INTO presets (name, created_unix, mood) VALUES (?1, ?2, ?3)", preset->name, &statement);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 2, preset->created_unix);
    int code = sqlite3_bind_text(statement, 3, mood, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    status = presets_status(database, code, "save a preset");
    sqlite3_finalize(statement);
    return status;
}

static enum status presets_exists(sqlite3 *database, const char *name, bool *exists)
{
    sqlite3_stmt *statement;
    enum status status = presets_prepare(database, "SELECT 1 FROM presets WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    *exists = code == SQLITE_ROW;
    status = presets_status(database, code, "look for a preset");
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
    char *mood = presets_mood_text(&preset->mood);
    if (!mood)
        return STATUS_MEMORY;
    status = presets_insert(database, preset, mood);
    json_text_free(mood);
    return status;
}

enum status presets_load(sqlite3 *database, const char *name, struct store_preset *preset)
{
    sqlite3_stmt *statement;
    enum status status = presets_prepare(
        database, "SELECT name, created_unix, mood FROM presets WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    status = presets_status(database, code, "load a preset");
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
    enum status status = presets_prepare(database, "DELETE FROM presets WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    status = presets_status(database, sqlite3_step(statement), "delete a preset");
    sqlite3_finalize(statement);
    return status == STATUS_OK && sqlite3_changes(database) == 0 ? STATUS_NOT_FOUND : status;
}
