#include "station/background.h"

#include <stdlib.h>
#include <string.h>

#include "os/log.h"
#include "os/thread.h"
#include "station/encoding.h"
#include "station/framing.h"
#include "timeline/tapes.h"
#include "wire/message.h"

enum { BACKGROUND_ENTRIES = 64 };   // of a log that are copied at once

struct job {
    struct tape *tape;              // NULL: there is none
    struct mood_log log;
    struct program program;
    struct encoding encoding;
    uint64_t next_frame;            // of the chunk that comes next, or of the first one
};

struct background {
    struct background_station *stations;
    const struct backend *backend;
    struct errands *errands;
    struct job jobs[TAPES_MAKING];
    uint8_t *scratch;               // one encoded chunk
    struct wakeup wakeup;
    struct thread thread;
    atomic_bool stopping;
    struct background_stats stats;
};

static void background_raise(void *context)
{
    wakeup_raise(context);
}

// The station's log up to an entry, and of that as much as is needed.
static enum status job_copy_log(struct job *job, const struct sequencer *sequencer, uint64_t known)
{
    struct mood_entry entries[BACKGROUND_ENTRIES];
    enum status status = STATUS_OK;
    for (uint64_t next = 1; next <= known && status == STATUS_OK; next += BACKGROUND_ENTRIES) {
        size_t count = sequencer_entries(sequencer, next, entries, BACKGROUND_ENTRIES);
        for (size_t i = 0; i < count && entries[i].sequence <= known && status == STATUS_OK; i++)
            status = mood_log_adopt(&job->log, &entries[i]);
        mood_log_forget(&job->log, programme_past_frame(job->next_frame));
    }
    return status;
}

static enum status job_learn(struct job *job, const struct background_station *station, const struct errand *errand)
{
    struct mood_entry first;
    if (sequencer_entries(station->sequencer, 0, &first, 1) == 0)
        return STATUS_INVALID;
    enum status status = mood_log_init(&job->log, &first.mood);
    job->log.head = station->head;
    if (status == STATUS_OK)
        status = job_copy_log(job, station->sequencer, errand->known);
    if (status == STATUS_OK && tape_subject(job->tape)->trial)
        status = control_append(&job->log, &errand->change);
    return status;
}

static void job_finish(struct job *job)
{
    encoding_finish(&job->encoding);
    mood_log_finish(&job->log);
    *job = (struct job){0};
}

static enum status job_begin(struct job *job, const struct background *background, const struct errand *errand)
{
    const struct tape_subject *subject = tape_subject(errand->tape);
    const struct background_station *station = &background->stations[subject->station];
    *job = (struct job){.tape = errand->tape, .next_frame = tape_begin_frame(subject),
                        .program = {.seed = station->seed, .log = &job->log}};
    enum status status = job_learn(job, station, errand);
    return status != STATUS_OK ? status
                               : encoding_init(&job->encoding, &job->program, background->backend,
                                               encoders[subject->format], job->next_frame);
}

// A change that is not made has no number: that may be another one's one day.
static uint32_t job_generation(const struct job *job, uint64_t end_frame)
{
    const struct tape_subject *subject = tape_subject(job->tape);
    uint32_t generation = control_generation(&job->log, end_frame);
    return subject->trial && generation > subject->generation ? subject->generation : generation;
}

static enum status job_append(struct job *job, const struct encode_output *output)
{
    const struct tape_subject *subject = tape_subject(job->tape);
    const struct encoder *encoder = encoders[subject->format];
    struct chunk *chunk = chunk_create(framing_bytes(subject->format) - encoder->max_bytes + output->len);
    if (!chunk)
        return STATUS_MEMORY;
    chunk->first_frame = job->next_frame;
    chunk->frame_count = CHUNK_FRAMES;
    chunk->flags = MESSAGE_ASIDE | (job->next_frame < subject->first_frame ? MESSAGE_PREROLL : 0);
    chunk->generation = job_generation(job, job->next_frame + CHUNK_FRAMES);
    framing_fill(chunk, encoder, output);
    tape_append(job->tape, chunk);
    job->next_frame += CHUNK_FRAMES;
    return STATUS_OK;
}

// One step of it.
static enum status job_advance(struct job *job, uint8_t *scratch)
{
    struct encode_output output = {.bytes = scratch};
    bool made;
    enum status status = encoding_step(&job->encoding, &output, &made);
    if (status == STATUS_OK && programme_failed(job->encoding.renderer.programme))
        status = STATUS_IO;
    return status == STATUS_OK && made ? job_append(job, &output) : status;
}

static void background_end(struct background *background, struct job *job, atomic_uint_fast64_t *count)
{
    job_finish(job);
    atomic_fetch_sub(&background->stats.under_way, 1);
    atomic_fetch_add(count, 1);
}

static void background_fail(struct background *background, struct job *job, enum status status)
{
    const struct tape_subject *subject = tape_subject(job->tape);
    log_warn("frames %llu to %llu could not be rendered again: %s", (unsigned long long)subject->first_frame,
             (unsigned long long)subject->end_frame, status_text(status));
    tape_end(job->tape);
    background_end(background, job, &background->stats.failed);
}

// A step of one that is under way.
static void background_advance(struct background *background, struct job *job)
{
    struct background_stats *stats = &background->stats;
    if (tape_end_unwanted(job->tape)) {
        background_end(background, job, &stats->abandoned);
        return;
    }
    enum status status = job_advance(job, background->scratch);
    if (status != STATUS_OK) {
        background_fail(background, job, status);
    } else if (tape_state(job->tape) == TAPE_WHOLE) {
        tape_end(job->tape);
        background_end(background, job, &stats->done);
    }
}

// No more tapes are made at the same time than there are jobs.
static void background_begin(struct background *background, struct job *job)
{
    struct errand errand;
    if (!errands_take(background->errands, &errand))
        return;
    atomic_fetch_add(&background->stats.under_way, 1);
    enum status status = job_begin(job, background, &errand);
    if (status != STATUS_OK)
        background_fail(background, job, status);
}

// Returns whether anything is under way.
static bool background_round(struct background *background)
{
    bool any = false;
    for (int i = 0; i < TAPES_MAKING; i++) {
        struct job *job = &background->jobs[i];
        if (!job->tape)
            background_begin(background, job);
        if (job->tape)
            background_advance(background, job);
        any |= job->tape != NULL;
    }
    return any;
}

static void background_run(void *argument)
{
    struct background *background = argument;
    while (!atomic_load(&background->stopping))
        if (!background_round(background))
            (void)wakeup_wait(&background->wakeup, UINT64_MAX);
}

static size_t background_scratch_bytes(void)
{
    size_t most = 0;
    for (int i = 0; i < FORMAT_COUNT; i++)
        most = encoders[i]->max_bytes > most ? encoders[i]->max_bytes : most;
    return most;
}

static enum status background_claim(struct background *background, const struct background_config *config)
{
    size_t bytes = (size_t)config->station_count * sizeof *background->stations;
    background->stations = malloc(bytes);
    background->scratch = malloc(background_scratch_bytes());
    if (!background->stations || !background->scratch)
        return STATUS_MEMORY;
    memcpy(background->stations, config->stations, bytes);
    return STATUS_OK;
}

enum status background_create(struct background **created, const struct background_config *config)
{
    struct background *background = calloc(1, sizeof *background);
    if (!background)
        return STATUS_MEMORY;
    background->backend = config->backend;
    background->errands = config->errands;
    wakeup_init(&background->wakeup);
    enum status status = background_claim(background, config);
    if (status == STATUS_OK)
        status = thread_start(&background->thread, "background", THREAD_BACKGROUND, background_run, background);
    if (status != STATUS_OK) {
        background_destroy(background);
        return status;
    }
    errands_on_ask(config->errands, background_raise, &background->wakeup);
    wakeup_raise(&background->wakeup);
    *created = background;
    return STATUS_OK;
}

// Errands that are under way, and those that were not begun.
static void background_end_all(struct background *background)
{
    struct errand errand;
    for (int i = 0; i < TAPES_MAKING; i++) {
        struct job *job = &background->jobs[i];
        if (!job->tape)
            continue;
        tape_end(job->tape);
        background_end(background, job, &background->stats.abandoned);
    }
    while (errands_take(background->errands, &errand))
        tape_end(errand.tape);
}

void background_destroy(struct background *background)
{
    if (!background)
        return;
    errands_on_ask(background->errands, NULL, NULL);
    atomic_store(&background->stopping, true);
    wakeup_raise(&background->wakeup);
    thread_join(&background->thread);
    background_end_all(background);
    wakeup_finish(&background->wakeup);
    free(background->stations);
    free(background->scratch);
    free(background);
}

const struct background_stats *background_stats(const struct background *background)
{
    return &background->stats;
}
