#include "store/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/queue.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/database.h"
#include "store/presets.h"
#include "store/stations.h"

enum { STORE_QUEUE = 64, STORE_TIDY = 500 };   // changes, of a page or two each

enum store_what {
    STORE_LIST, STORE_SAVE, STORE_LOAD, STORE_DELETE,
    STORE_STATION_LOAD, STORE_STATION_BEGIN, STORE_STATION_KEEP, STORE_STATION_REACH,
    STORE_STOP
};

// Lies on the caller's stack until `done` is raised. Which of the pointers are used depends on `what`.
struct store_request {
    enum store_what what;
    const char *name;
    const struct store_preset *saved;
    struct store_preset *loaded, **listed;
    int *count;
    const struct store_station *station;
    struct store_station *found;
    const struct control_entry *kept;
    struct control_entry **past;
    size_t *past_count;
    enum status status;
    struct wakeup done;
};

struct store {
    sqlite3 *database;
    struct queue requests;      // of struct store_request *
    struct wakeup asked;
    struct thread thread;
    int changes;                // since it was tidied; the thread's own
};

// Presets are rare, so every one of them waits for the disk.
static enum status store_change_presets(struct store *store, const struct store_request *request)
{
    enum status status = database_sync(store->database, true);
    if (status == STATUS_OK)
        status = request->what == STORE_SAVE ? presets_save(store->database, request->saved)
                                             : presets_delete(store->database, request->name);
    if (database_sync(store->database, false) != STATUS_OK)
        log_warn("store: changes wait for the disk from now on");
    return status;
}

static enum status store_change(struct store *store, const struct store_request *request)
{
    enum status status = database_in_place(store->database);
    if (status != STATUS_OK)
        return status;
    switch (request->what) {
    case STORE_STATION_BEGIN: return stations_begin(store->database, request->station);
    case STORE_STATION_KEEP: return stations_keep(store->database, request->name, request->kept);
    case STORE_STATION_REACH: return stations_reach(store->database, request->station);
    default: return store_change_presets(store, request);
    }
}

static enum status store_answer(struct store *store, const struct store_request *request)
{
    switch (request->what) {
    case STORE_LIST: return presets_list(store->database, request->listed, request->count);
    case STORE_LOAD: return presets_load(store->database, request->name, request->loaded);
    case STORE_STATION_LOAD:
        return stations_load(store->database, request->name, request->found, request->past, request->past_count);
    case STORE_STOP: return STATUS_OK;
    default: return store_change(store, request);
    }
}

static bool store_changes(const struct store_request *request)
{
    return request->what != STORE_LIST && request->what != STORE_LOAD && request->what != STORE_STATION_LOAD;
}

static void store_run(void *argument)
{
    struct store *store = argument;
    for (bool running = true; running;) {
        struct store_request *request;
        while (running && queue_pop(&store->requests, &request)) {
            running = request->what != STORE_STOP;
            store->changes += store_changes(request);
            request->status = store_answer(store, request);
            wakeup_raise(&request->done);
        }
        if (store->changes >= STORE_TIDY) {
            database_tidy(store->database);
            store->changes = 0;
        }
        if (running)
            wakeup_wait(&store->asked, UINT64_MAX);
    }
}

static enum status store_ask(struct store *store, struct store_request *request)
{
    wakeup_init(&request->done);
    if (queue_push(&store->requests, &request)) {
        wakeup_raise(&store->asked);
        while (!wakeup_wait(&request->done, UINT64_MAX)) {
        }
    } else {
        request->status = STATUS_FULL;
    }
    wakeup_finish(&request->done);
    return request->status;
}

static void store_free(struct store *store)
{
    wakeup_finish(&store->asked);
    queue_finish(&store->requests);
    database_close(store->database);
    free(store);
}

// path: PATH_MAX bytes.   False when it would be longer.
static bool store_path(const char *directory, char *path)
{
    return snprintf(path, PATH_MAX, "%s/auralis.db", directory) < PATH_MAX;
}

enum status store_open(struct store **store, const char *directory, bool *set_aside)
{
    char path[PATH_MAX];
    if (!store_path(directory, path))
        return STATUS_IO;
    struct store *opened = calloc(1, sizeof *opened);
    if (!opened)
        return STATUS_MEMORY;
    wakeup_init(&opened->asked);
    opened->changes = STORE_TIDY;   // the process before may have left some
    enum status status = queue_init(&opened->requests, sizeof(struct store_request *), STORE_QUEUE);
    if (status == STATUS_OK)
        status = database_open(&opened->database, path, set_aside);
    if (status == STATUS_OK)
        status = thread_start(&opened->thread, "store", THREAD_STORE, store_run, opened);
    if (status != STATUS_OK) {
        store_free(opened);
        return status;
    }
    *store = opened;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    struct store_request request = {.what = STORE_STOP};
    (void)store_ask(store, &request);
    thread_join(&store->thread);
    store_free(store);
}

enum status store_presets(struct store *store, struct store_preset **presets, int *count)
{
    struct store_request request = {.what = STORE_LIST, .listed = presets, .count = count};
    return store_ask(store, &request);
}

enum status store_preset_save(struct store *store, const struct store_preset *preset)
{
    struct store_request request = {.what = STORE_SAVE, .saved = preset};
    return store_ask(store, &request);
}

enum status store_preset_load(struct store *store, const char *name, struct store_preset *preset)
{
    struct store_request request = {.what = STORE_LOAD, .name = name, .loaded = preset};
    return store_ask(store, &request);
}

enum status store_preset_delete(struct store *store, const char *name)
{
    struct store_request request = {.what = STORE_DELETE, .name = name};
    return store_ask(store, &request);
}

enum status store_station_load(struct store *store, const char *name, struct store_station *station,
                               struct control_entry **past, size_t *count)
{
    struct store_request request = {.what = STORE_STATION_LOAD, .name = name, .found = station, .past = past,
                                    .past_count = count};
    return store_ask(store, &request);
}

enum status store_read_station(const char *directory, const char *name, struct store_station *station,
                               struct control_entry **past, size_t *count)
{
    char path[PATH_MAX];
    sqlite3 *database;
    if (!store_path(directory, path))
        return STATUS_NOT_FOUND;
    enum status status = database_open_to_read(&database, path);
    if (status != STATUS_OK)
        return status;
    status = stations_load(database, name, station, past, count);
    database_close(database);
    return status;
}

enum status store_station_begin(struct store *store, const struct store_station *station)
{
    struct store_request request = {.what = STORE_STATION_BEGIN, .station = station};
    return store_ask(store, &request);
}

enum status store_station_keep(struct store *store, const char *name, const struct control_entry *entry)
{
    struct store_request request = {.what = STORE_STATION_KEEP, .name = name, .kept = entry};
    return store_ask(store, &request);
}

enum status store_station_reach(struct store *store, const struct store_station *station)
{
    struct store_request request = {.what = STORE_STATION_REACH, .station = station};
    return store_ask(store, &request);
}
