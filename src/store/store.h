// What outlives the process: presets, the programme and all changes made to it, in SQLite, on a thread of its own.
// Calls wait for that thread; never call from a render or I/O thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "control/control.h"
#include "score/mood.h"

enum { STORE_PRESET_NAME_CHARS = 50, STORE_PRESET_NAME_BYTES = 201, STORE_PRESETS = 1000 };

struct store_preset {
    char name[STORE_PRESET_NAME_BYTES];   // UTF-8, 1-50 characters, none of them a control character
    int64_t created_unix;
    struct mood mood;
};

enum { STORE_STATION_NAME_BYTES = 64, STORE_BOOT_ID_BYTES = 40 };

// A programme, and where it stands in time.
struct store_station {
    char name[STORE_STATION_NAME_BYTES];
    uint64_t seed;
    struct mood mood;                      // at frame 0
    struct mood_log_head head;
    int64_t origin_unix_ns;                // unix time of frame 0,
    int64_t origin_boot_ns;                // and the clock's, which counts from the boot of that id
    char boot_id[STORE_BOOT_ID_BYTES];
    uint64_t reached_frame;                // the playhead has been there
};

struct store;

// Opens `directory`/auralis.db, which the caller has locked, and starts the thread. A database that is damaged, made by
// a newer version or somebody else's is set aside as auralis.db.damaged-<unix time>, with its -wal and -shm files, and
// a new one begun.
//   set_aside: out, true when that happened.
// Errors: STATUS_DENIED, STATUS_IO, STATUS_MEMORY.
MUST_USE enum status store_open(struct store **store, const char *directory, bool *set_aside);
// Every call must have returned. Accepts NULL.
void store_close(struct store *store);

// What was acknowledged outlives the process; presets outlive a power cut as well, of the rest that may take the last
// moments. After an error nothing has changed. STATUS_IO: the disk is full, read-only or
// damaged, and the log says which. STATUS_FULL: too many calls wait.

// All presets by name, in the order of their bytes. *presets is the caller's to free.
// Errors: STATUS_IO, STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status store_presets(struct store *store, struct store_preset **presets, int *count);
// Errors: STATUS_CONFLICT (the name is taken), STATUS_INVALID (the name), STATUS_FULL (also: STORE_PRESETS are there),
// STATUS_IO, STATUS_MEMORY.
MUST_USE enum status store_preset_save(struct store *store, const struct store_preset *preset);
// Parameters that the stored preset lacks, or that are out of range by now, come as their defaults.
// Errors: STATUS_NOT_FOUND, STATUS_IO, STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status store_preset_load(struct store *store, const char *name, struct store_preset *preset);
MUST_USE enum status store_preset_delete(struct store *store, const char *name);

//   past: all changes in order, the caller's to free.
// Errors: STATUS_NOT_FOUND; STATUS_DAMAGED (what is there is none, or its changes do not follow each other), STATUS_IO,
// STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status store_station_load(struct store *store, const char *name, struct store_station *station,
                                        struct control_entry **past, size_t *count);
// Likewise, of a directory that a server may be using at the same time; nothing there is changed. Any thread.
// Errors: as above; STATUS_NOT_FOUND also when there is no database, STATUS_DAMAGED when it is of another version,
// STATUS_DENIED.
MUST_USE enum status store_read_station(const char *directory, const char *name, struct store_station *station,
                                        struct control_entry **past, size_t *count);
// In place of the one of that name and its changes, if there is one.   Errors: STATUS_IO, STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status store_station_begin(struct store *store, const struct store_station *station);
// A change of a station that was begun, in place of the one of that sequence number, if there is one.
// Errors: STATUS_IO, STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status store_station_keep(struct store *store, const char *name, const struct control_entry *entry);
// Where it stands in time, its origin included.   Errors: STATUS_NOT_FOUND, STATUS_IO, STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status store_station_reach(struct store *store, const struct store_station *station);
