// What outlives the process: presets in SQLite, on a thread of its own. Calls wait for that thread; never call from a
// render or I/O thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "score/mood.h"

enum { STORE_PRESET_NAME_CHARS = 50, STORE_PRESET_NAME_BYTES = 201 };

struct store_preset {
    char name[STORE_PRESET_NAME_BYTES];   // UTF-8, 1-50 characters
    int64_t created_unix;
    struct mood mood;
};

struct store;

// Opens `directory`/auralis.db, which the caller has locked. A damaged database is set aside as
// auralis.db.damaged-<unix time> and a new one begun.   set_aside: out, true when that happened.
// Errors: STATUS_DENIED, STATUS_IO, STATUS_MEMORY.
MUST_USE enum status store_open(struct store **store, const char *directory, bool *set_aside);
void store_close(struct store *store);

// All presets by name. *presets is the caller's to free.   Errors: STATUS_IO, STATUS_MEMORY.
MUST_USE enum status store_presets(struct store *store, struct store_preset **presets, int *count);
// Errors: STATUS_CONFLICT (the name is taken), STATUS_INVALID (the name), STATUS_IO.
MUST_USE enum status store_preset_save(struct store *store, const struct store_preset *preset);
// Errors: STATUS_NOT_FOUND, STATUS_IO.
MUST_USE enum status store_preset_load(struct store *store, const char *name, struct store_preset *preset);
MUST_USE enum status store_preset_delete(struct store *store, const char *name);
