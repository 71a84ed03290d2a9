#include "control/control.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/frames.h"
#include "base/hook.h"
#include "control/history.h"
#include "control/mood_json.h"
#include "control/warnings.h"

// What one change costs of the credit, in clock time.
#define SEQUENCER_CHANGE_NS (NS_PER_SECOND / CONTROL_PER_SECOND)
#define SEQUENCER_CREDIT_NS (CONTROL_BURST * SEQUENCER_CHANGE_NS)

enum { SEQUENCER_GIVEN = CONTROL_BURST + CONTROL_PER_SECOND };   // no more are given within a second
enum { SEQUENCER_STAMPS = 3 };                                   // of one change

// A change that was given, and to whom.
struct given {
    uint64_t hand, at_ns;
};

struct sequencer {
    const struct clock *clock;
    uint64_t origin_ns, apart_frames;
    atomic_uint_fast64_t guard_frames;
    atomic_uint_fast64_t latest, steered;
    struct hook on_change;
    enum status (*keep)(void *context, const struct control_entry *entry);
    void *keep_context;

    pthread_mutex_t turn;              // held by who makes a change, which may take a while; guards what follows
    uint64_t credit_ns, credited_at_ns;
    struct given given[SEQUENCER_GIVEN];   // a ring
    size_t given_count;                    // ever

    pthread_mutex_t mutex;             // guards what follows, which is changed in one's turn only
    struct mood_log log;               // index = sequence number
    size_t taken;                      // entries that the station has
    struct history history;
};

enum status control_append(struct mood_log *log, const struct control_entry *entry)
{
    return mood_log_copy(log, &(struct mood_entry){.sequence = entry->sequence, .at_frame = entry->at_frame,
                                                   .wake_frame = entry->wake_frame, .mood = entry->mood});
}

// The last steps that there is room for; wakings are none.
static void sequencer_recall_history(struct sequencer *sequencer, const struct control_entry *past, size_t count)
{
    const struct mood_entry *entries = sequencer->log.entries;
    size_t first = count;
    for (int steps = 0; first > 0 && steps < CONTROL_HISTORY; first--)
        steps += entries[first].changed != 0;
    for (size_t i = first; i < count; i++)
        history_add(&sequencer->history, past[i].timestamp_ms, &entries[i].mood, &past[i].mood, CONTROL_USER);
}

// All that was changed before. False when memory is short, or it runs backwards.
static bool sequencer_recall(struct sequencer *sequencer, const struct control_entry *past, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (past[i].sequence != i + 1 || control_append(&sequencer->log, &past[i]) != STATUS_OK)
            return false;
        if (sequencer->log.entries[i + 1].changed != 0)
            atomic_store(&sequencer->steered, past[i].sequence);
    }
    sequencer_recall_history(sequencer, past, count);
    return true;
}

struct sequencer *sequencer_create(const struct control_config *config)
{
    struct sequencer *sequencer = calloc(1, sizeof *sequencer);
    if (!sequencer)
        return NULL;
    if (mood_log_init(&sequencer->log, &config->mood) != STATUS_OK ||
        !sequencer_recall(sequencer, config->past, config->past_count)) {
        mood_log_finish(&sequencer->log);
        free(sequencer);
        return NULL;
    }
    sequencer->keep = config->keep;
    sequencer->keep_context = config->keep_context;
    sequencer->clock = config->clock;
    sequencer->origin_ns = config->origin_ns;
    atomic_init(&sequencer->guard_frames, config->guard_frames);
    sequencer->apart_frames = config->apart_frames;
    sequencer->taken = 1;
    sequencer->credit_ns = SEQUENCER_CREDIT_NS;
    sequencer->credited_at_ns = clock_now_ns(config->clock);
    atomic_init(&sequencer->latest, config->past_count);
    pthread_mutex_init(&sequencer->turn, NULL);
    pthread_mutex_init(&sequencer->mutex, NULL);
    hook_init(&sequencer->on_change);
    return sequencer;
}

void sequencer_destroy(struct sequencer *sequencer)
{
    if (!sequencer)
        return;
    pthread_mutex_destroy(&sequencer->turn);
    pthread_mutex_destroy(&sequencer->mutex);
    hook_finish(&sequencer->on_change);
    mood_log_finish(&sequencer->log);
    free(sequencer);
}

// A sequencer is const for those who only read it; its mutex never is.
static void sequencer_lock(const struct sequencer *sequencer)
{
    pthread_mutex_lock((pthread_mutex_t *)&sequencer->mutex);
}

static void sequencer_unlock(const struct sequencer *sequencer)
{
    pthread_mutex_unlock((pthread_mutex_t *)&sequencer->mutex);
}

static const struct mood_entry *sequencer_last(const struct sequencer *sequencer)
{
    return mood_log_latest(&sequencer->log);
}

// The origin may lie before the system's boot, where clock times wrap around: only differences count.
static uint64_t sequencer_live_frame(const struct sequencer *sequencer)
{
    int64_t since = (int64_t)(clock_now_ns(sequencer->clock) - sequencer->origin_ns);
    return since > 0 ? frames_from_ns((uint64_t)since) : 0;
}

static uint64_t sequencer_stamp(const struct sequencer *sequencer)
{
    uint64_t last = sequencer_last(sequencer)->at_frame, next = last + sequencer->apart_frames;
    uint64_t at = frames_round_up(sequencer_live_frame(sequencer) + sequencer_guard_frames(sequencer), PACKET_FRAMES);
    if (at <= last)
        return last;
    return at < next ? next : at;
}

static void sequencer_gain_credit(struct sequencer *sequencer)
{
    uint64_t now = clock_now_ns(sequencer->clock);
    uint64_t gained = now - sequencer->credited_at_ns;
    uint64_t room = SEQUENCER_CREDIT_NS - sequencer->credit_ns;
    sequencer->credit_ns += gained < room ? gained : room;
    sequencer->credited_at_ns = now;
}

static void sequencer_tell(const struct sequencer *sequencer, uint32_t changed, uint64_t timestamp_ms,
                           struct control_result *result)
{
    const struct mood_entry *last = sequencer_last(sequencer);
    *result = (struct control_result){
        .sequence = last->sequence,
        .at_frame = last->at_frame,
        .timestamp_ms = timestamp_ms,
        .changed = changed,
        .mood = last->mood,
    };
    result->warning_count = warnings_of(&result->mood, result->warnings, CONTROL_WARNINGS);
}

// How many changes a hand has had within the last second.
static uint64_t sequencer_given(const struct sequencer *sequencer, uint64_t hand)
{
    size_t kept = sequencer->given_count < SEQUENCER_GIVEN ? sequencer->given_count : SEQUENCER_GIVEN;
    uint64_t count = 0;
    for (size_t i = 0; i < kept; i++) {
        const struct given *given = &sequencer->given[i];
        count += given->hand == hand && sequencer->credited_at_ns - given->at_ns < NS_PER_SECOND;
    }
    return count;
}

static bool sequencer_may_give(struct sequencer *sequencer, uint64_t hand)
{
    sequencer_gain_credit(sequencer);
    return sequencer->credit_ns / SEQUENCER_CHANGE_NS > sequencer_given(sequencer, hand);
}

static void sequencer_give(struct sequencer *sequencer, uint64_t hand)
{
    sequencer->credit_ns -= SEQUENCER_CHANGE_NS;
    sequencer->given[sequencer->given_count++ % SEQUENCER_GIVEN] = (struct given){hand, sequencer->credited_at_ns};
}

// Puts a change that is kept, and for which there is room, behind the last one.
static void sequencer_put(struct sequencer *sequencer, const struct control_entry *entry)
{
    sequencer_lock(sequencer);
    enum status status = control_append(&sequencer->log, entry);
    bool steered = sequencer_last(sequencer)->changed != 0;
    sequencer_unlock(sequencer);
    check(status == STATUS_OK);
    atomic_store(&sequencer->latest, entry->sequence);
    if (steered)
        atomic_store(&sequencer->steered, entry->sequence);
}

static enum status sequencer_make_room(struct sequencer *sequencer)
{
    sequencer_lock(sequencer);
    enum status status = mood_log_reserve(&sequencer->log);
    sequencer_unlock(sequencer);
    return status;
}

// Keeps a change. Where that takes so long that its frame is over by then, it is kept again with a later one, for to
// make another what has been heard a while ago costs a renderer more than it has time for. Once it is kept it is made,
// late if it must be.
static enum status sequencer_keep(struct sequencer *sequencer, struct control_entry *entry)
{
    entry->at_frame = sequencer_stamp(sequencer);
    if (!sequencer->keep)
        return STATUS_OK;
    enum status status = sequencer->keep(sequencer->keep_context, entry);
    for (int tries = 1; tries < SEQUENCER_STAMPS && status == STATUS_OK; tries++) {
        if (entry->at_frame >= sequencer_live_frame(sequencer))
            break;
        struct control_entry later = *entry;
        later.at_frame = sequencer_stamp(sequencer);
        if (sequencer->keep(sequencer->keep_context, &later) == STATUS_OK)
            *entry = later;
    }
    return status;
}

// Logs a mood that differs from the last one. In one's turn.
static enum status sequencer_log(struct sequencer *sequencer, const struct mood *mood, uint64_t hand,
                                 struct control_result *result)
{
    const struct mood_entry *last = sequencer_last(sequencer);
    uint32_t changed = mood_difference(&last->mood, mood);
    struct control_entry entry = {.sequence = last->sequence + 1, .mood = *mood, .wake_frame = last->wake_frame,
                                  .timestamp_ms = (uint64_t)clock_unix_ns(sequencer->clock) / NS_PER_MS};
    if (!sequencer_may_give(sequencer, hand))
        return STATUS_RATE_LIMITED;
    sequencer_give(sequencer, hand);
    enum status status = sequencer_make_room(sequencer);
    if (status == STATUS_OK)
        status = sequencer_keep(sequencer, &entry);
    if (status != STATUS_OK)
        return status;
    sequencer_put(sequencer, &entry);
    sequencer_tell(sequencer, changed, entry.timestamp_ms, result);
    hook_raise(&sequencer->on_change);
    return STATUS_OK;
}

enum status sequencer_wake(struct sequencer *sequencer, uint64_t wake_frame)
{
    pthread_mutex_lock(&sequencer->turn);
    const struct mood_entry *last = sequencer_last(sequencer);
    struct control_entry entry = {.sequence = last->sequence + 1, .mood = last->mood, .wake_frame = wake_frame,
                                  .at_frame = wake_frame > last->at_frame ? wake_frame : last->at_frame,
                                  .timestamp_ms = (uint64_t)clock_unix_ns(sequencer->clock) / NS_PER_MS};
    check(wake_frame % CHUNK_FRAMES == 0);
    enum status status = wake_frame < last->wake_frame ? STATUS_INVALID : sequencer_make_room(sequencer);
    bool again = wake_frame == last->wake_frame;
    if (status == STATUS_OK && sequencer->keep && !again)
        status = sequencer->keep(sequencer->keep_context, &entry);
    if (status == STATUS_OK && !again)
        sequencer_put(sequencer, &entry);
    pthread_mutex_unlock(&sequencer->turn);
    return status;
}

static bool sequencer_allows(const struct mood_patch *patch, int id)
{
    const struct mood_parameter *parameter = &mood_parameters[id];
    const void *value = (const char *)&patch->values + parameter->offset;
    if (parameter->kind == MOOD_KIND_UNIT) {
        double unit = *(const double *)value;
        return unit >= parameter->min && unit <= parameter->max;
    }
    if (parameter->kind == MOOD_KIND_INTEGER) {
        int integer = *(const int *)value;
        return integer >= parameter->min && integer <= parameter->max;
    }
    if (parameter->kind == MOOD_KIND_SCENE || parameter->kind == MOOD_KIND_MODE || parameter->kind == MOOD_KIND_TUNING)
        return mood_choice(parameter->kind, *(const int *)value) != NULL;
    if (parameter->kind == MOOD_KIND_TOGGLE)
        return true;
    const struct key *key = value;
    return key->letter < 7 && abs(key->accidental) <= 1 && key->quality <= KEY_MAJOR;
}

static bool sequencer_allows_all(const struct mood_patch *patch)
{
    for (int id = 0; id < MOOD_PARAMETERS; id++)
        if (patch->set >> id & 1 && !sequencer_allows(patch, id))
            return false;
    return patch->set >> MOOD_PARAMETERS == 0;
}

enum status sequencer_submit(struct sequencer *sequencer, const struct mood_patch *patch, enum control_source source,
                             uint64_t hand, struct control_result *result)
{
    if (!sequencer_allows_all(patch))
        return STATUS_INVALID;
    enum status status = STATUS_OK;
    pthread_mutex_lock(&sequencer->turn);
    struct mood before = sequencer_last(sequencer)->mood;
    struct mood after = mood_apply(&before, patch);
    bool alters = mood_difference(&before, &after) != 0;
    if (alters)
        status = sequencer_log(sequencer, &after, hand, result);
    else
        sequencer_tell(sequencer, 0, (uint64_t)clock_unix_ns(sequencer->clock) / NS_PER_MS, result);
    if (alters && status == STATUS_OK) {
        sequencer_lock(sequencer);
        history_add(&sequencer->history, result->timestamp_ms, &before, &after, source);
        sequencer_unlock(sequencer);
    }
    pthread_mutex_unlock(&sequencer->turn);
    return status;
}

enum status sequencer_try(const struct sequencer *sequencer, const struct mood_patch *patch,
                          struct control_entry *entry)
{
    if (!sequencer_allows_all(patch))
        return STATUS_INVALID;
    sequencer_lock(sequencer);
    const struct mood_entry *last = sequencer_last(sequencer);
    *entry = (struct control_entry){.sequence = last->sequence + 1, .at_frame = sequencer_stamp(sequencer),
                                    .timestamp_ms = (uint64_t)clock_unix_ns(sequencer->clock) / NS_PER_MS,
                                    .mood = mood_apply(&last->mood, patch), .wake_frame = last->wake_frame};
    sequencer_unlock(sequencer);
    return STATUS_OK;
}

static enum status sequencer_step(struct sequencer *sequencer, uint64_t hand, bool back, struct control_result *result)
{
    enum status status = STATUS_CONFLICT;
    pthread_mutex_lock(&sequencer->turn);
    struct history *history = &sequencer->history;
    int applied = back ? history_back(history) : history_forward(history);
    if (applied >= 0) {
        const struct mood *mood = back ? &history->changes[applied].before : &history->changes[applied - 1].after;
        status = sequencer_log(sequencer, mood, hand, result);
    }
    if (status == STATUS_OK) {
        sequencer_lock(sequencer);
        history->applied = applied;
        sequencer_unlock(sequencer);
    }
    pthread_mutex_unlock(&sequencer->turn);
    return status;
}

enum status sequencer_undo(struct sequencer *sequencer, uint64_t hand, struct control_result *result)
{
    return sequencer_step(sequencer, hand, true, result);
}

enum status sequencer_redo(struct sequencer *sequencer, uint64_t hand, struct control_result *result)
{
    return sequencer_step(sequencer, hand, false, result);
}

struct mood sequencer_mood(const struct sequencer *sequencer)
{
    sequencer_lock(sequencer);
    struct mood mood = sequencer_last(sequencer)->mood;
    sequencer_unlock(sequencer);
    return mood;
}

uint64_t sequencer_latest(const struct sequencer *sequencer)
{
    return atomic_load(&sequencer->latest);
}

uint64_t sequencer_steered(const struct sequencer *sequencer)
{
    return atomic_load(&sequencer->steered);
}

uint64_t sequencer_in_force(const struct sequencer *sequencer, uint64_t frame)
{
    sequencer_lock(sequencer);
    uint64_t sequence = mood_log_at(&sequencer->log, frame)->sequence;
    sequencer_unlock(sequencer);
    return sequence;
}

struct control_view sequencer_view(const struct sequencer *sequencer, uint64_t end_frame)
{
    sequencer_lock(sequencer);
    const struct mood_log *log = &sequencer->log;
    struct control_view view = {.known = mood_log_latest(log)->sequence,
                                .generation = control_generation(log, end_frame),
                                .woken_frame = mood_log_woken(log, end_frame - 1)};
    sequencer_unlock(sequencer);
    return view;
}

uint64_t sequencer_guard_frames(const struct sequencer *sequencer)
{
    return atomic_load(&sequencer->guard_frames);
}

void sequencer_set_guard(struct sequencer *sequencer, uint64_t frames)
{
    atomic_store(&sequencer->guard_frames, frames);
}

uint64_t sequencer_apart_frames(const struct sequencer *sequencer)
{
    return sequencer->apart_frames;
}

size_t sequencer_entries(const struct sequencer *sequencer, size_t first, struct mood_entry *out, size_t cap)
{
    sequencer_lock(sequencer);
    size_t count = first < sequencer->log.count ? sequencer->log.count - first : 0;
    count = count < cap ? count : cap;
    if (count > 0)
        memcpy(out, sequencer->log.entries + first, count * sizeof *out);
    sequencer_unlock(sequencer);
    return count;
}

int sequencer_history(const struct sequencer *sequencer, struct control_change *out)
{
    sequencer_lock(sequencer);
    int count = sequencer->history.applied;
    memcpy(out, sequencer->history.changes, (size_t)count * sizeof *out);
    sequencer_unlock(sequencer);
    return count;
}

enum status sequencer_take(struct sequencer *sequencer, struct mood_log *log)
{
    enum status status = STATUS_OK;
    sequencer_lock(sequencer);
    const struct mood_log *own = &sequencer->log;
    while (status == STATUS_OK && sequencer->taken < own->count) {
        const struct mood_entry *entry = &own->entries[sequencer->taken];
        status = mood_log_copy(log, entry);
        sequencer->taken += status == STATUS_OK;
    }
    sequencer_unlock(sequencer);
    return status;
}

void sequencer_on_change(struct sequencer *sequencer, void (*raise)(void *context), void *context)
{
    hook_set(&sequencer->on_change, raise, context);
}
