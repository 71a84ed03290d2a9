// The table of presets. Store thread only. Errors as in store.h.
#pragma once
#include <sqlite3.h>

#include "store/store.h"

MUST_USE enum status presets_list(sqlite3 *database, struct store_preset **presets, int *count);
MUST_USE enum status presets_save(sqlite3 *database, const struct store_preset *preset);
MUST_USE enum status presets_load(sqlite3 *database, const char *name, struct store_preset *preset);
MUST_USE enum status presets_delete(sqlite3 *database, const char *name);
