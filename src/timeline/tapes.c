#include "timeline/tapes.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"

enum { TAPE_HEADS_BYTES = 64 };   // of a chunk, beside what its bit rate says

struct tape {
    struct tapes *tapes;
    struct tape *newer, *older;      // by when it was asked for last
    struct tape_subject subject;
    uint64_t asker;
    atomic_int readers;              // changed with the mutex held, as what follows
    bool making;
    size_t bytes;                    // that it holds; while it is made: or will hold
    int length;
    atomic_int made;                 // chunks, and
    atomic_int state;                // enum tape_state; behind the chunk that made it whole
    struct chunk *chunks[];
};

struct tapes {
    pthread_mutex_t mutex;           // held for some comparisons
    struct tape *newest, *oldest;
    struct tape *gone;               // a list by `older`: to be freed once the mutex is not held any more
    int making;
    size_t bytes, idle_bytes;        // of all; of those that nobody reads
};

struct tapes *tapes_create(void)
{
    struct tapes *tapes = calloc(1, sizeof *tapes);
    if (tapes)
        pthread_mutex_init(&tapes->mutex, NULL);
    return tapes;
}

static void tapes_unlink(struct tapes *tapes, struct tape *tape)
{
    *(tape->newer ? &tape->newer->older : &tapes->newest) = tape->older;
    *(tape->older ? &tape->older->newer : &tapes->oldest) = tape->newer;
}

static void tapes_link(struct tapes *tapes, struct tape *tape)
{
    tape->newer = NULL;
    tape->older = tapes->newest;
    *(tape->older ? &tape->older->newer : &tapes->oldest) = tape;
    tapes->newest = tape;
}

// Nobody reads it, nobody makes it.
static void tapes_drop(struct tapes *tapes, struct tape *tape)
{
    tapes_unlink(tapes, tape);
    tapes->bytes -= tape->bytes;
    tape->older = tapes->gone;
    tapes->gone = tape;
}

static void tape_free(struct tape *tape)
{
    for (int i = 0; i < atomic_load(&tape->made); i++)
        chunk_release(tape->chunks[i]);
    free(tape);
}

static void tapes_lock(struct tapes *tapes)
{
    pthread_mutex_lock(&tapes->mutex);
}

// To free a tape takes a while.
static void tapes_unlock(struct tapes *tapes)
{
    struct tape *gone = tapes->gone;
    tapes->gone = NULL;
    pthread_mutex_unlock(&tapes->mutex);
    for (struct tape *older; gone; gone = older) {
        older = gone->older;
        tape_free(gone);
    }
}

static bool tape_idle(const struct tape *tape)
{
    return atomic_load(&tape->readers) == 0 && !tape->making;
}

// Drops those that nobody has asked for longest, until they and all take no more than that.
static void tapes_shrink(struct tapes *tapes, size_t idle_bytes, size_t bytes)
{
    for (struct tape *tape = tapes->oldest, *newer; tape; tape = newer) {
        newer = tape->newer;
        if (!tape_idle(tape) || (tapes->idle_bytes <= idle_bytes && tapes->bytes <= bytes))
            continue;
        tapes->idle_bytes -= tape->bytes;
        tapes_drop(tapes, tape);
    }
}

void tapes_destroy(struct tapes *tapes)
{
    if (!tapes)
        return;
    tapes_lock(tapes);
    tapes_shrink(tapes, 0, 0);
    tapes_unlock(tapes);
    check(!tapes->newest);
    pthread_mutex_destroy(&tapes->mutex);
    free(tapes);
}

static bool tape_is_of(const struct tape *tape, const struct tape_subject *subject)
{
    const struct tape_subject *own = &tape->subject;
    return own->station == subject->station && own->format == subject->format &&
           own->first_frame == subject->first_frame && own->end_frame == subject->end_frame &&
           own->generation == subject->generation && own->woken_frame == subject->woken_frame && !own->trial &&
           !subject->trial && atomic_load(&tape->state) != TAPE_BROKEN;
}

static struct tape *tapes_find(struct tapes *tapes, const struct tape_subject *subject)
{
    struct tape *tape = tapes->newest;
    while (tape && !tape_is_of(tape, subject))
        tape = tape->older;
    return tape;
}

static size_t tape_expected_bytes(const struct tape_subject *subject, int length)
{
    return (size_t)length * (sizeof(struct chunk) + TAPE_HEADS_BYTES + format_chunk_bytes(subject->format));
}

static bool tapes_may_begin(const struct tapes *tapes, uint64_t asker)
{
    int own = 0;
    for (const struct tape *tape = tapes->newest; tape && asker != 0; tape = tape->older)
        own += tape->making && tape->asker == asker;
    return tapes->making < TAPES_MAKING && own < TAPES_MAKING_FOR_ONE;
}

static enum status tapes_begin(struct tapes *tapes, const struct tape_subject *subject, uint64_t asker,
                               struct tape **begun)
{
    int length = (int)((subject->end_frame - tape_begin_frame(subject)) / CHUNK_FRAMES);
    size_t bytes = tape_expected_bytes(subject, length);
    if (!tapes_may_begin(tapes, asker) || bytes > TAPES_BYTES)
        return STATUS_FULL;
    tapes_shrink(tapes, SIZE_MAX, TAPES_BYTES - bytes);
    if (tapes->bytes > TAPES_BYTES - bytes)
        return STATUS_FULL;
    struct tape *tape = calloc(1, sizeof *tape + (size_t)length * sizeof(struct chunk *));
    if (!tape)
        return STATUS_MEMORY;
    tape->tapes = tapes;
    tape->subject = *subject;
    tape->asker = asker;
    tape->making = true;
    tape->bytes = bytes;
    tape->length = length;
    tapes->bytes += bytes;
    tapes->making++;
    tapes_link(tapes, tape);
    *begun = tape;
    return STATUS_OK;
}

enum status tapes_take(struct tapes *tapes, const struct tape_subject *subject, uint64_t asker, struct tape **taken,
                       bool *blank)
{
    check(subject->first_frame < subject->end_frame && subject->first_frame % CHUNK_FRAMES == 0 &&
          subject->end_frame % CHUNK_FRAMES == 0);
    enum status status = STATUS_OK;
    tapes_lock(tapes);
    struct tape *tape = tapes_find(tapes, subject);
    *blank = !tape;
    if (!tape) {
        status = tapes_begin(tapes, subject, asker, &tape);
    } else {
        tapes_unlink(tapes, tape);
        tapes_link(tapes, tape);
        if (tape_idle(tape))
            tapes->idle_bytes -= tape->bytes;
    }
    if (status == STATUS_OK) {
        atomic_fetch_add(&tape->readers, 1);
        *taken = tape;
    }
    tapes_unlock(tapes);
    return status;
}

size_t tapes_bytes(struct tapes *tapes)
{
    tapes_lock(tapes);
    size_t bytes = tapes->bytes;
    tapes_unlock(tapes);
    return bytes;
}

const struct tape_subject *tape_subject(const struct tape *tape)
{
    return &tape->subject;
}

int tape_length(const struct tape *tape)
{
    return tape->length;
}

struct chunk *tape_chunk(const struct tape *tape, int n)
{
    return n < atomic_load(&tape->made) ? tape->chunks[n] : NULL;
}

enum tape_state tape_state(const struct tape *tape)
{
    return (enum tape_state)atomic_load(&tape->state);
}

// What nobody can ask for again goes at once, and what would leave no room for any other.
static void tapes_let_go(struct tapes *tapes, struct tape *tape)
{
    if (!tape_idle(tape))
        return;
    if (tape->subject.trial || atomic_load(&tape->state) == TAPE_BROKEN || tape->bytes > TAPES_IDLE_BYTES) {
        tapes_drop(tapes, tape);
        return;
    }
    tapes->idle_bytes += tape->bytes;
    tapes_shrink(tapes, TAPES_IDLE_BYTES, SIZE_MAX);
}

void tape_release(struct tape *tape)
{
    struct tapes *tapes = tape->tapes;
    tapes_lock(tapes);
    check(atomic_fetch_sub(&tape->readers, 1) > 0);
    tapes_let_go(tapes, tape);
    tapes_unlock(tapes);
}

void tape_append(struct tape *tape, struct chunk *chunk)
{
    int made = atomic_load(&tape->made);
    check(made < tape->length);
    tape->chunks[made] = chunk;
    atomic_store(&tape->made, made + 1);
    if (made + 1 == tape->length)
        atomic_store(&tape->state, TAPE_WHOLE);
}

static size_t tape_made_bytes(const struct tape *tape)
{
    size_t bytes = 0;
    for (int i = 0; i < atomic_load(&tape->made); i++)
        bytes += sizeof(struct chunk) + tape->chunks[i]->len;
    return bytes;
}

// With the mutex held.
static void tapes_end(struct tapes *tapes, struct tape *tape)
{
    if (atomic_load(&tape->state) == TAPE_MAKING)
        atomic_store(&tape->state, TAPE_BROKEN);
    size_t bytes = tape_made_bytes(tape);
    tapes->bytes = tapes->bytes - tape->bytes + bytes;
    tape->bytes = bytes;
    tape->making = false;
    tapes->making--;
    tapes_let_go(tapes, tape);
}

void tape_end(struct tape *tape)
{
    struct tapes *tapes = tape->tapes;
    tapes_lock(tapes);
    tapes_end(tapes, tape);
    tapes_unlock(tapes);
}

bool tape_end_unwanted(struct tape *tape)
{
    struct tapes *tapes = tape->tapes;
    if (atomic_load(&tape->readers) > 0)
        return false;
    tapes_lock(tapes);
    bool unwanted = atomic_load(&tape->readers) == 0;
    if (unwanted)
        tapes_end(tapes, tape);
    tapes_unlock(tapes);
    return unwanted;
}
