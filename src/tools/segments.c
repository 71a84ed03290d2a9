#include "tools/segments.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "os/thread.h"
#include "station/renderer.h"

enum { FRONT_CHUNKS_MAX = 100, CHUNK_SAMPLES = CHUNK_FRAMES * CHANNELS };

// A rendered chunk that waits for its turn.
struct piece {
    struct piece *next;
    float sound[CHUNK_SAMPLES];
};

struct segment {
    uint64_t from, to;
    struct piece *first, *last;
    int waiting;             // pieces
};

// All but `job` is guarded by `mutex`.
struct segments {
    const struct segments_job *job;
    struct segment *list;
    int count;
    int taken;               // segments that a worker has begun
    int front;               // segment that is being delivered
    bool stop;
    enum status status;
    pthread_mutex_t mutex;
    pthread_cond_t moved;    // something above has changed
};

static uint64_t segment_cut_after(uint64_t frame)
{
    uint64_t fade = PROGRAMME_FADE_FRAMES, epoch = PROGRAMME_EPOCH_FRAMES;
    uint64_t next = frame < fade ? 1 : (frame - fade) / epoch + 1;
    return next * epoch + fade;
}

static bool segments_list(struct segments *segments)
{
    const struct segments_job *job = segments->job;
    size_t most = (size_t)((job->end_frame - job->first_frame) / PROGRAMME_EPOCH_FRAMES) + 2;
    segments->list = calloc(most, sizeof *segments->list);
    if (!segments->list)
        return false;
    for (uint64_t at = job->first_frame; at < job->end_frame;) {
        uint64_t cut = segment_cut_after(at);
        uint64_t to = cut < job->end_frame ? cut : job->end_frame;
        segments->list[segments->count++] = (struct segment){.from = at, .to = to};
        at = to;
    }
    return true;
}

// The next segment to render; none is begun further ahead of the front than there are threads. NULL: no more.
static struct segment *segments_take(struct segments *segments)
{
    struct segment *segment = NULL;
    pthread_mutex_lock(&segments->mutex);
    while (!segments->stop && segments->taken < segments->count &&
           segments->taken >= segments->front + segments->job->threads)
        pthread_cond_wait(&segments->moved, &segments->mutex);
    if (!segments->stop && segments->taken < segments->count)
        segment = &segments->list[segments->taken++];
    pthread_mutex_unlock(&segments->mutex);
    return segment;
}

// Hands a piece over. The front segment waits while enough of it lies ready; the others only wait for their turn, so
// they go on. False to stop.
static bool segments_put(struct segments *segments, struct segment *segment, struct piece *piece)
{
    pthread_mutex_lock(&segments->mutex);
    while (!segments->stop && segment == &segments->list[segments->front] && segment->waiting >= FRONT_CHUNKS_MAX)
        pthread_cond_wait(&segments->moved, &segments->mutex);
    bool go_on = !segments->stop;
    if (go_on) {
        if (segment->last)
            segment->last->next = piece;
        else
            segment->first = piece;
        segment->last = piece;
        segment->waiting++;
        pthread_cond_broadcast(&segments->moved);
    }
    pthread_mutex_unlock(&segments->mutex);
    if (!go_on)
        free(piece);
    return go_on;
}

static void segments_stop(struct segments *segments, enum status status)
{
    pthread_mutex_lock(&segments->mutex);
    segments->stop = true;
    if (segments->status == STATUS_OK)
        segments->status = status;
    pthread_cond_broadcast(&segments->moved);
    pthread_mutex_unlock(&segments->mutex);
}

static enum status segment_render(struct segments *segments, struct segment *segment)
{
    const struct segments_job *job = segments->job;
    struct renderer renderer;
    enum status status = renderer_init(&renderer, job->program, job->backend, segment->from, job->block_frames);
    bool go_on = status == STATUS_OK;
    while (go_on && renderer.next_frame < segment->to) {
        struct piece *piece = malloc(sizeof *piece);
        if (!piece) {
            status = STATUS_MEMORY;
            break;
        }
        piece->next = NULL;
        renderer_chunk(&renderer, piece->sound);
        go_on = segments_put(segments, segment, piece);
    }
    renderer_finish(&renderer);
    return status;
}

static void segments_work(void *argument)
{
    struct segments *segments = argument;
    struct segment *segment;
    while ((segment = segments_take(segments))) {
        enum status status = segment_render(segments, segment);
        if (status != STATUS_OK)
            segments_stop(segments, status);
    }
}

// The next piece of the front segment. NULL when rendering was stopped.
static struct piece *segments_get(struct segments *segments)
{
    pthread_mutex_lock(&segments->mutex);
    struct segment *front = &segments->list[segments->front];
    while (!segments->stop && !front->first)
        pthread_cond_wait(&segments->moved, &segments->mutex);
    struct piece *piece = segments->stop ? NULL : front->first;
    if (piece) {
        front->first = piece->next;
        front->last = front->first ? front->last : NULL;
        front->waiting--;
        pthread_cond_broadcast(&segments->moved);
    }
    pthread_mutex_unlock(&segments->mutex);
    return piece;
}

static void segments_next(struct segments *segments)
{
    pthread_mutex_lock(&segments->mutex);
    segments->front++;
    pthread_cond_broadcast(&segments->moved);
    pthread_mutex_unlock(&segments->mutex);
}

static void segments_deliver(struct segments *segments, segments_sink *sink, void *context)
{
    uint64_t at = segments->job->first_frame;
    struct piece *piece;
    while (at < segments->job->end_frame && (piece = segments_get(segments))) {
        enum status status = sink(context, at, piece->sound);
        free(piece);
        at += CHUNK_FRAMES;
        if (status != STATUS_OK) {
            segments_stop(segments, status);
            return;
        }
        if (at == segments->list[segments->front].to && at < segments->job->end_frame)
            segments_next(segments);
    }
}

static void segments_run(struct segments *segments, struct thread *threads, segments_sink *sink, void *context)
{
    int started = 0;
    while (started < segments->job->threads &&
           thread_start(&threads[started], "render", THREAD_BACKGROUND, segments_work, segments) == STATUS_OK)
        started++;
    if (started == 0)
        segments_stop(segments, STATUS_MEMORY);
    else
        segments_deliver(segments, sink, context);
    segments_stop(segments, STATUS_OK);
    for (int i = 0; i < started; i++)
        thread_join(&threads[i]);
}

static void segments_free(struct segments *segments)
{
    for (int i = 0; i < segments->count; i++) {
        for (struct piece *piece = segments->list[i].first, *next; piece; piece = next) {
            next = piece->next;
            free(piece);
        }
    }
    free(segments->list);
}

enum status segments_render(const struct segments_job *job, segments_sink *sink, void *context)
{
    struct segments segments = {.job = job, .mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    struct thread *threads = calloc((size_t)job->threads, sizeof *threads);
    if (threads && segments_list(&segments))
        segments_run(&segments, threads, sink, context);
    else
        segments.status = STATUS_MEMORY;
    segments_free(&segments);
    free(threads);
    return segments.status;
}
