// The tables of stations and of the changes made to them. Store thread only. Errors as in store.h.
#pragma once
#include <sqlite3.h>

#include "store/store.h"

MUST_USE enum status stations_load(sqlite3 *database, const char *name, struct store_station *station,
                                   struct control_entry **past, size_t *count);
MUST_USE enum status stations_begin(sqlite3 *database, const struct store_station *station);
MUST_USE enum status stations_keep(sqlite3 *database, const char *name, const struct control_entry *entry);
MUST_USE enum status stations_reach(sqlite3 *database, const struct store_station *station);
