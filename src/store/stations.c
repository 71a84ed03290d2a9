#include "store/stations.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/frames.h"
#include "control/json_text.h"
#include "control/tuning_json.h"
#include "store/database.h"
#include "store/mood_text.h"

static const char *column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

static bool seed_from_text(const char *text, uint64_t *seed)
{
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static char *scala_text(const struct tuning *scala)
{
    json_t *object = tuning_to_json(scala);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

static bool scala_from_text(const char *text, struct tuning *scala)
{
    json_t *object = json_loads(text, 0, NULL);
    *scala = tunings[TUNING_SCALA];
    bool good = tuning_from_json(object, scala);
    json_decref(object);
    return good;
}

// name, seed, mood, begin_minute, scala, origin_unix_ns, boot_id, origin_boot_ns, reached_frame
static bool station_from_row(sqlite3_stmt *statement, struct store_station *station)
{
    snprintf(station->name, sizeof station->name, "%s", column_text(statement, 0));
    bool good = seed_from_text(column_text(statement, 1), &station->seed) &&
                mood_from_text(column_text(statement, 2), &station->mood) &&
                scala_from_text(column_text(statement, 4), &station->head.scala);
    station->head.begin_minute = sqlite3_column_int(statement, 3);
    station->origin_unix_ns = sqlite3_column_int64(statement, 5);
    snprintf(station->boot_id, sizeof station->boot_id, "%s", column_text(statement, 6));
    station->origin_boot_ns = sqlite3_column_int64(statement, 7);
    station->reached_frame = (uint64_t)sqlite3_column_int64(statement, 8);
    return good && station->head.begin_minute >= 0 && station->head.begin_minute < DAY_MINUTES;
}

static enum status stations_find(sqlite3 *database, const char *name, struct store_station *station)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(
        database, "SELECT name, seed, mood, begin_minute, scala, origin_unix_ns, boot_id, origin_boot_ns, "
        "reached_frame FROM stations WHERE name = ?1", name, &statement);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_step(statement);
    status = database_fault(database, code, "load a station");
    if (status == STATUS_OK && code != SQLITE_ROW)
        status = STATUS_NOT_FOUND;
    else if (status == STATUS_OK && !station_from_row(statement, station))
        status = STATUS_DAMAGED;
    sqlite3_finalize(statement);
    return status;
}

// sequence, at_frame, unix_ms, mood, wake_frame. False when it does not follow what was before.
static bool entry_from_row(sqlite3_stmt *statement, const struct control_entry *before, struct control_entry *entry)
{
    entry->sequence = (uint64_t)sqlite3_column_int64(statement, 0);
    entry->at_frame = (uint64_t)sqlite3_column_int64(statement, 1);
    entry->timestamp_ms = (uint64_t)sqlite3_column_int64(statement, 2);
    entry->wake_frame = (uint64_t)sqlite3_column_int64(statement, 4);
    const struct control_entry none = {0};
    before = before ? before : &none;
    return mood_from_text(column_text(statement, 3), &entry->mood) && entry->at_frame % PACKET_FRAMES == 0 &&
           entry->wake_frame % CHUNK_FRAMES == 0 && entry->sequence == before->sequence + 1 &&
           entry->at_frame >= before->at_frame && entry->wake_frame >= before->wake_frame;
}

static enum status stations_read_changes(sqlite3 *database, sqlite3_stmt *statement, struct control_entry **past,
                                         size_t *count)
{
    size_t cap = 0;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct control_entry *longer = database_room(*past, *count, &cap, sizeof *longer);
        if (!longer)
            return STATUS_MEMORY;
        *past = longer;
        struct control_entry *entry = &longer[*count];
        if (!entry_from_row(statement, *count > 0 ? entry - 1 : NULL, entry))
            return STATUS_DAMAGED;
        ++*count;
    }
    return database_fault(database, code, "load changes");
}

enum status stations_load(sqlite3 *database, const char *name, struct store_station *station,
                          struct control_entry **past, size_t *count)
{
    sqlite3_stmt *statement;
    struct store_station found;
    struct control_entry *changes = NULL;
    size_t changes_count = 0;
    enum status status = stations_find(database, name, &found);
    if (status == STATUS_OK)
        status = database_prepare(database, "SELECT sequence, at_frame, unix_ms, mood, wake_frame FROM changes "
                                  "WHERE station = ?1 ORDER BY sequence", name, &statement);
    if (status != STATUS_OK)
        return status;
    status = stations_read_changes(database, statement, &changes, &changes_count);
    sqlite3_finalize(statement);
    if (status != STATUS_OK) {
        free(changes);
        return status;
    }
    *station = found;
    *past = changes;
    *count = changes_count;
    return STATUS_OK;
}

// Runs a statement that gives no rows, and ends it.
static enum status stations_run(sqlite3 *database, sqlite3_stmt *statement, const char *doing)
{
    enum status status = database_fault(database, sqlite3_step(statement), doing);
    sqlite3_finalize(statement);
    return status;
}

static enum status stations_forget(sqlite3 *database, const char *name)
{
    static const char *const forget[] = {"DELETE FROM changes WHERE station = ?1",
                                         "DELETE FROM stations WHERE name = ?1"};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof forget / sizeof *forget && status == STATUS_OK; i++) {
        sqlite3_stmt *statement;
        status = database_prepare(database, forget[i], name, &statement);
        if (status == STATUS_OK)
            status = stations_run(database, statement, "forget a station");
    }
    return status;
}

static enum status stations_insert(sqlite3 *database, const struct store_station *station, const char *mood,
                                   const char *scala)
{
    char seed[24];
    sqlite3_stmt *statement;
    snprintf(seed, sizeof seed, "%" PRIu64, station->seed);
    enum status status = database_prepare(
        database, "INSERT INTO stations (name, seed, mood, begin_minute, scala, origin_unix_ns, boot_id, "
        "origin_boot_ns, reached_frame) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", station->name, &statement);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_text(statement, 2, seed, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, mood, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 4, station->head.begin_minute);
    sqlite3_bind_text(statement, 5, scala, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 6, station->origin_unix_ns);
    sqlite3_bind_text(statement, 7, station->boot_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 8, station->origin_boot_ns);
    sqlite3_bind_int64(statement, 9, (sqlite3_int64)station->reached_frame);
    return stations_run(database, statement, "begin a station");
}

static enum status stations_replace(sqlite3 *database, const struct store_station *station, const char *mood,
                                    const char *scala)
{
    enum status status = database_fault(database, sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), "begin");
    if (status != STATUS_OK)
        return status;
    status = stations_forget(database, station->name);
    if (status == STATUS_OK)
        status = stations_insert(database, station, mood, scala);
    if (status == STATUS_OK)
        status = database_fault(database, sqlite3_exec(database, "COMMIT", NULL, NULL, NULL), "commit");
    if (status != STATUS_OK)
        (void)sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

enum status stations_begin(sqlite3 *database, const struct store_station *station)
{
    char *mood = mood_text(&station->mood), *scala = scala_text(&station->head.scala);
    enum status status = mood && scala ? stations_replace(database, station, mood, scala) : STATUS_MEMORY;
    json_text_free(mood);
    json_text_free(scala);
    return status;
}

enum status stations_keep(sqlite3 *database, const char *name, const struct control_entry *entry)
{
    sqlite3_stmt *statement;
    char *mood = mood_text(&entry->mood);
    if (!mood)
        return STATUS_MEMORY;
    enum status status = database_prepare(
        database, "INSERT OR REPLACE INTO changes (station, sequence, at_frame, unix_ms, mood, wake_frame) VALUES "
        "(?1, ?2, ?3, ?4, ?5, ?6)", name, &statement);
    if (status == STATUS_OK) {
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)entry->sequence);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)entry->at_frame);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)entry->timestamp_ms);
        sqlite3_bind_text(statement, 5, mood, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 6, (sqlite3_int64)entry->wake_frame);
        status = stations_run(database, statement, "keep a change");
    }
    json_text_free(mood);
    return status;
}

enum status stations_reach(sqlite3 *database, const struct store_station *station)
{
    sqlite3_stmt *statement;
    enum status status = database_prepare(
        database, "UPDATE stations SET origin_unix_ns = ?2, boot_id = ?3, origin_boot_ns = ?4, reached_frame = ?5 "
        "WHERE name = ?1", station->name, &statement);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 2, station->origin_unix_ns);
    sqlite3_bind_text(statement, 3, station->boot_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, station->origin_boot_ns);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)station->reached_frame);
    status = stations_run(database, statement, "tell how far a station is");
    return status == STATUS_OK && sqlite3_changes(database) == 0 ? STATUS_NOT_FOUND : status;
}
