#include "station/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "station/keepsakes.h"
#include "station/programme.h"
#include "station/snapshots.h"

enum { LEAST_PARTS = 4 };   // two snapshots, whatever they hold

enum { STATE_ALIGNMENT = 64, THREAD_NAME_BYTES = 16, BLOCKS = CHUNK_FRAMES / CONTROL_FRAMES, MANY_FAULTS = BLOCKS / 4 };

// A snapshot is taken when the last one is so old, or older while two chains take twice the room: they always cover all
// that is ahead. To copy one costs as much as to render some milliseconds.
#define WORKER_SNAPSHOT_FRAMES ((uint64_t)2 * FRAME_RATE)

#define WORKER_PATIENCE_NS NS_PER_SECOND

struct worker {
    atomic_int references;           // the station's and the thread's own
    atomic_bool busy, leaving, ended;
    atomic_uint progress;
    struct wakeup asked, end;
    struct thread thread;
    struct clock clock;
    pthread_mutex_t done_mutex;      // guards `done`
    struct wakeup *done;             // NULL once it was dismissed

    // The thread's while it is busy, the station's while it is not.
    const struct backend *backend;
    struct mood_log log;
    struct program program;
    struct programme *programme;
    uint64_t ahead_frames;
    struct snapshots snapshots;      // of the programme while all was well, and under the log that is known
    struct keepsakes keepsakes;      // for the process after this one, and of the one before
    uint64_t woken;                  // what it has is of after this waking
    bool begun;                      // it has stood somewhere
    bool stands;                     // the programme can be carried on
    bool failed;                     // the last chunk did
    struct worker_answer answer;
};

// Renders up to a chunk into the answer. False when the renderer failed, or nobody waits any more.
static bool worker_render(struct worker *worker, int frames)
{
    programme_render(worker->programme, &worker->program, worker->backend, worker->answer.chunk, frames);
    atomic_fetch_add(&worker->progress, 1);
    return !programme_failed(worker->programme) && !atomic_load(&worker->leaving);
}

// What it goes back to after a failure it goes back to once: the failure may have begun before it.
static void worker_return(struct worker *worker, uint64_t begin, uint64_t frame)
{
    struct snapshots *snapshots = &worker->snapshots;
    uint64_t at;
    snapshots_forget_after(snapshots, frame);
    if (!snapshots_latest(snapshots, &at) || at < begin) {
        snapshots_forget_all(snapshots);
        bool first = !worker->begun;
        worker->begun = true;
        if (!first || !keepsakes_restore(&worker->keepsakes, worker->programme, &worker->log, begin, frame))
            programme_start(worker->programme, &worker->program, begin);
        return;
    }
    for (int part = 0; part < snapshots_cells(snapshots); part++)
        programme_restore(worker->programme, part, snapshots_cell(snapshots, part));
    if (worker->failed)
        snapshots_forget(snapshots);
}

// If the last one was taken so long before.
static void worker_take_snapshot(struct worker *worker, uint64_t distance)
{
    struct snapshots *snapshots = &worker->snapshots;
    uint64_t frame = programme_frame(worker->programme), last;
    if (snapshots_latest(snapshots, &last) && frame < last + distance)
        return;
    snapshots_add(snapshots, frame, programme_parts(worker->programme));
    for (int part = 0; part < snapshots_cells(snapshots); part++)
        programme_save(worker->programme, part, snapshots_cell(snapshots, part));
}

static uint64_t worker_snapshot_distance(const struct worker *worker)
{
    uint64_t kept = (uint64_t)(worker->snapshots.cap / programme_parts(worker->programme));
    uint64_t apart = worker->ahead_frames / (kept - 1) + CHUNK_FRAMES;
    return apart > WORKER_SNAPSHOT_FRAMES ? apart : WORKER_SNAPSHOT_FRAMES;
}

// A waking begins from silence: nothing of before leads there.
static void worker_follow_waking(struct worker *worker, uint64_t frame)
{
    uint64_t woken = mood_log_woken(&worker->log, frame);
    if (woken == worker->woken)
        return;
    worker->woken = woken;
    worker->stands = false;
    snapshots_forget_all(&worker->snapshots);
}

// Where carrying on would take longer than beginning anew, it begins anew. Who goes back may do so again, to the same
// place or a little further on.
static bool worker_stand_at(struct worker *worker, uint64_t frame)
{
    worker_follow_waking(worker, frame);
    uint64_t begin = programme_begin_frame(&worker->program, frame), at = programme_frame(worker->programme);
    bool returns = !worker->stands || at > frame || at < begin;
    if (returns)
        worker_return(worker, begin, frame);
    while ((at = programme_frame(worker->programme)) < frame)
        if (!worker_render(worker, frame - at < CHUNK_FRAMES ? (int)(frame - at) : CHUNK_FRAMES))
            return false;
    if (returns && !worker->failed)
        worker_take_snapshot(worker, CHUNK_FRAMES);
    return true;
}

static bool samples_finite(const float *samples, int count)
{
    uint32_t bad = 0;
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, samples + i, sizeof bits);
        bad |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !bad;
}

static enum render_failure worker_make_chunk(struct worker *worker)
{
    struct worker_answer *answer = &worker->answer;
    if (!worker_stand_at(worker, answer->first_frame))
        return RENDER_ERROR;
    uint64_t faults = programme_faults(worker->programme), begin_ns = clock_now_ns(&worker->clock);
    if (!worker_render(worker, CHUNK_FRAMES))
        return RENDER_ERROR;
    answer->took_ns = clock_now_ns(&worker->clock) - begin_ns;
    answer->faults = programme_faults(worker->programme) - faults;
    answer->servo_db = programme_servo_db(worker->programme);
    bool good = samples_finite(answer->chunk, CHUNK_FRAMES * CHANNELS) && answer->faults < MANY_FAULTS;
    return good ? RENDER_GOOD : RENDER_NONFINITE;
}

static void worker_raise_done(struct worker *worker)
{
    pthread_mutex_lock(&worker->done_mutex);
    atomic_store(&worker->busy, false);
    if (worker->done)
        wakeup_raise(worker->done);
    pthread_mutex_unlock(&worker->done_mutex);
}

// Whoever is the last to need it frees it.
static void worker_release(struct worker *worker)
{
    if (atomic_fetch_sub(&worker->references, 1) > 1)
        return;
    wakeup_finish(&worker->asked);
    wakeup_finish(&worker->end);
    pthread_mutex_destroy(&worker->done_mutex);
    mood_log_finish(&worker->log);
    snapshots_finish(&worker->snapshots);
    keepsakes_finish(&worker->keepsakes);
    free(worker->programme);
    free(worker);
}

static void worker_run(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load(&worker->leaving)) {
        if (!atomic_load(&worker->busy)) {
            (void)wakeup_wait(&worker->asked, UINT64_MAX);
            continue;
        }
        worker->answer.failure = worker_make_chunk(worker);
        worker->stands = worker->answer.failure == RENDER_GOOD;
        worker->failed = !worker->stands;
        if (worker->stands)
            worker_take_snapshot(worker, worker_snapshot_distance(worker));
        if (worker->stands && !atomic_load(&worker->leaving))
            keepsakes_write(&worker->keepsakes, &worker->snapshots, &worker->log);
        worker_raise_done(worker);
    }
    atomic_store(&worker->ended, true);
    wakeup_raise(&worker->end);
    worker_release(worker);
}

// One snapshot before what is ahead, one of the last return, and those between.
static int worker_parts(uint64_t ahead_frames)
{
    int parts = 2 + (int)(ahead_frames / WORKER_SNAPSHOT_FRAMES);
    return parts > LEAST_PARTS ? parts : LEAST_PARTS;
}

static enum status worker_claim(struct worker *worker, const struct worker_config *config)
{
    enum status status = mood_log_init(&worker->log, config->mood);
    worker->log.head = config->head;
    worker->programme = aligned_alloc(STATE_ALIGNMENT, programme_bytes());
    if (status == STATUS_OK)
        status = snapshots_init(&worker->snapshots, worker_parts(config->ahead_frames), programme_part_bytes());
    if (status != STATUS_OK || !worker->programme)
        return status != STATUS_OK ? status : STATUS_MEMORY;
    memset(worker->programme, 0, programme_bytes());
    return STATUS_OK;
}

static enum status worker_start(struct worker *worker, const char *station)
{
    char name[THREAD_NAME_BYTES];
    snprintf(name, sizeof name, "%.8s-render", station);
    return thread_start(&worker->thread, name, THREAD_RENDER, worker_run, worker);
}

enum status worker_create(struct worker **created, const struct worker_config *config)
{
    *created = NULL;
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return STATUS_MEMORY;
    atomic_init(&worker->references, 2);
    worker->done = config->done;
    worker->backend = config->backend;
    worker->ahead_frames = config->ahead_frames;
    worker->program = (struct program){.seed = config->seed, .log = &worker->log};
    clock_init(&worker->clock, 1);
    wakeup_init(&worker->asked);
    wakeup_init(&worker->end);
    pthread_mutex_init(&worker->done_mutex, NULL);
    keepsakes_init(&worker->keepsakes, config->keepsakes, config->identity);
    enum status status = worker_claim(worker, config);
    if (status == STATUS_OK)
        status = worker_start(worker, config->name);
    if (status == STATUS_OK) {
        *created = worker;
        return STATUS_OK;
    }
    atomic_store(&worker->references, 1);
    worker_release(worker);
    return status;
}

// What it made of the log is what it would make of it now only as long as it looked at nothing that is new.
static void worker_unlearn(struct worker *worker, uint64_t at_frame)
{
    uint64_t known = at_frame > PROGRAMME_LOOKAHEAD ? at_frame - PROGRAMME_LOOKAHEAD : 0;
    snapshots_forget_after(&worker->snapshots, known);
    worker->stands &= programme_frame(worker->programme) <= known;
}

static enum status worker_learn(struct worker *worker, const struct mood_log *log)
{
    enum status status = STATUS_OK;
    const struct mood_entry *entry;
    while (status == STATUS_OK && (entry = mood_log_after(log, mood_log_latest(&worker->log)->sequence))) {
        worker_unlearn(worker, entry->at_frame);
        status = mood_log_adopt(&worker->log, entry);
    }
    return status;
}

enum status worker_ask(struct worker *worker, const struct mood_log *log, uint64_t first_frame)
{
    enum status status = worker_learn(worker, log);
    if (status != STATUS_OK)
        return status;
    uint64_t furthest_back = first_frame > worker->ahead_frames ? first_frame - worker->ahead_frames : 0;
    mood_log_forget(&worker->log, programme_past_frame(furthest_back));
    worker->answer.first_frame = first_frame;
    atomic_store(&worker->busy, true);
    wakeup_raise(&worker->asked);
    return STATUS_OK;
}

bool worker_busy(const struct worker *worker)
{
    return atomic_load(&worker->busy);
}

const struct worker_answer *worker_answer(const struct worker *worker)
{
    return &worker->answer;
}

unsigned worker_progress(const struct worker *worker)
{
    return atomic_load(&worker->progress);
}

void worker_dismiss(struct worker *worker)
{
    pthread_mutex_lock(&worker->done_mutex);
    worker->done = NULL;
    pthread_mutex_unlock(&worker->done_mutex);
    atomic_store(&worker->leaving, true);
    wakeup_raise(&worker->asked);
}

bool worker_ended(const struct worker *worker)
{
    return atomic_load(&worker->ended);
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    worker_dismiss(worker);
    if (worker_ended(worker) || wakeup_wait(&worker->end, WORKER_PATIENCE_NS))
        thread_join(&worker->thread);
    else
        thread_detach(&worker->thread);
    worker_release(worker);
}

size_t worker_snapshot_bytes(uint64_t ahead_frames)
{
    return (size_t)worker_parts(ahead_frames) * programme_part_bytes();
}

size_t worker_bytes(uint64_t ahead_frames)
{
    return sizeof(struct worker) + programme_bytes() + worker_snapshot_bytes(ahead_frames);
}
