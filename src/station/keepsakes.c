#include "station/keepsakes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "os/file.h"
#include "os/log.h"

#define KEEPSAKES_MAGIC UINT64_C(0x61757261736e6170)

enum { HEAD_BYTES = 4096, PART_ALIGNMENT = 64, MOST_PARTS = 2 };

// Written behind what it tells of, so that it never tells of what is not there.
struct keepsake {
    uint64_t magic, identity, frame, known, log_hash, parts, hash;
};

static size_t slot_bytes(void)
{
    return HEAD_BYTES + MOST_PARTS * programme_part_bytes();
}

static uint64_t slot_offset(int slot)
{
    return (uint64_t)slot * slot_bytes();
}

static bool keepsakes_read_head(const struct keepsakes *keepsakes, int slot, struct keepsake *head)
{
    return file_read_at(keepsakes->descriptor, head, sizeof *head, slot_offset(slot)) &&
           head->magic == KEEPSAKES_MAGIC && head->identity == keepsakes->identity && head->parts >= 1 &&
           head->parts <= MOST_PARTS;
}

static void keepsakes_put(const struct keepsakes *keepsakes)
{
    size_t len = (size_t)keepsakes->parts * programme_part_bytes();
    uint64_t at = slot_offset(keepsakes->slot);
    struct keepsake head = {
        .magic = KEEPSAKES_MAGIC, .identity = keepsakes->identity, .frame = keepsakes->frame,
        .known = keepsakes->known, .log_hash = keepsakes->log_hash, .parts = (uint64_t)keepsakes->parts,
        .hash = hash_bytes(keepsakes->copy, len),
    };
    if (!file_write_at(keepsakes->descriptor, keepsakes->copy, len, at + HEAD_BYTES) ||
        !file_write_at(keepsakes->descriptor, &head, sizeof head, at))
        log_warn("a snapshot could not be written: the next start will take longer");
}

static void keepsakes_run(void *argument)
{
    struct keepsakes *keepsakes = argument;
    while (!atomic_load(&keepsakes->ending)) {
        (void)wakeup_wait(&keepsakes->asked, UINT64_MAX);
        if (!atomic_load(&keepsakes->busy))
            continue;
        keepsakes_put(keepsakes);
        keepsakes->slot = (keepsakes->slot + 1) % KEEPSAKES_SLOTS;
        atomic_store(&keepsakes->busy, false);
    }
}

// The one with the older snapshot, or with none.
static int keepsakes_first_slot(const struct keepsakes *keepsakes)
{
    struct keepsake heads[KEEPSAKES_SLOTS] = {0};
    for (int slot = 0; slot < KEEPSAKES_SLOTS; slot++)
        if (!keepsakes_read_head(keepsakes, slot, &heads[slot]))
            return slot;
    return heads[1].frame < heads[0].frame;
}

static bool keepsakes_open(struct keepsakes *keepsakes, const char *path)
{
    keepsakes->copy = aligned_alloc(PART_ALIGNMENT, MOST_PARTS * programme_part_bytes());
    if (!keepsakes->copy)
        return false;
    // Room that is there now will not be missing later, to this or to what is more important.
    keepsakes->descriptor = file_open_room(path, KEEPSAKES_SLOTS * slot_bytes());
    if (keepsakes->descriptor < 0)
        return false;
    keepsakes->slot = keepsakes_first_slot(keepsakes);
    return thread_start(&keepsakes->writer, "keepsakes", THREAD_BACKGROUND, keepsakes_run, keepsakes) == STATUS_OK;
}

static void keepsakes_close(struct keepsakes *keepsakes)
{
    if (keepsakes->descriptor >= 0)
        close(keepsakes->descriptor);
    keepsakes->descriptor = -1;
    free(keepsakes->copy);
    keepsakes->copy = NULL;
}

void keepsakes_init(struct keepsakes *keepsakes, const char *path, uint64_t identity)
{
    *keepsakes = (struct keepsakes){.descriptor = -1, .identity = identity};
    wakeup_init(&keepsakes->asked);
    if (!path || keepsakes_open(keepsakes, path))
        return;
    log_warn("%s cannot be written: a start will take longer", path);
    keepsakes_close(keepsakes);
}

void keepsakes_finish(struct keepsakes *keepsakes)
{
    atomic_store(&keepsakes->ending, true);
    wakeup_raise(&keepsakes->asked);
    thread_join(&keepsakes->writer);
    keepsakes_close(keepsakes);
    wakeup_finish(&keepsakes->asked);
}

void keepsakes_write(struct keepsakes *keepsakes, const struct snapshots *snapshots, const struct mood_log *log)
{
    uint64_t frame;
    if (keepsakes->descriptor < 0 || atomic_load(&keepsakes->busy) || !snapshots_oldest(snapshots, &frame))
        return;
    if (keepsakes->any && frame < keepsakes->last_frame + KEEPSAKES_APART_FRAMES)
        return;
    keepsakes->parts = snapshots_oldest_cells(snapshots);
    for (int part = 0; part < keepsakes->parts; part++)
        memcpy(keepsakes->copy + (size_t)part * programme_part_bytes(), snapshots_oldest_cell(snapshots, part),
               programme_part_bytes());
    keepsakes->frame = keepsakes->last_frame = frame;
    keepsakes->known = mood_log_latest(log)->sequence;
    keepsakes->log_hash = mood_log_latest(log)->hash;
    keepsakes->any = true;
    atomic_store(&keepsakes->busy, true);
    wakeup_raise(&keepsakes->asked);
}

// What it knows is what the log says, no waking lies between it and `frame`, and all that it does not know takes effect
// where it has not looked yet.
static bool knows_enough(const struct keepsake *head, const struct mood_log *log, uint64_t frame)
{
    const struct mood_entry *next = mood_log_after(log, head->known);
    const struct mood_entry *last = next ? next - 1 : mood_log_latest(log);
    return last >= log->entries && last->sequence == head->known && last->hash == head->log_hash &&
           last->wake_frame == mood_log_woken(log, frame) &&
           (!next || head->frame + PROGRAMME_LOOKAHEAD <= next->at_frame);
}

// Nothing has been written yet, so the room for copies is free.
static bool keepsakes_take(const struct keepsakes *keepsakes, int slot, const struct keepsake *head,
                           struct programme *programme)
{
    size_t len = head->parts * programme_part_bytes();
    if (!file_read_at(keepsakes->descriptor, keepsakes->copy, len, slot_offset(slot) + HEAD_BYTES) ||
        hash_bytes(keepsakes->copy, len) != head->hash)
        return false;
    for (size_t part = 0; part < head->parts; part++)
        programme_restore(programme, (int)part, keepsakes->copy + part * programme_part_bytes());
    return programme_frame(programme) == head->frame;
}

bool keepsakes_restore(struct keepsakes *keepsakes, struct programme *programme, const struct mood_log *log,
                       uint64_t begin, uint64_t frame)
{
    struct keepsake heads[KEEPSAKES_SLOTS];
    bool usable[KEEPSAKES_SLOTS] = {false};
    for (int slot = 0; slot < KEEPSAKES_SLOTS && keepsakes->descriptor >= 0; slot++)
        usable[slot] = keepsakes_read_head(keepsakes, slot, &heads[slot]) && heads[slot].frame >= begin &&
                       heads[slot].frame <= frame && knows_enough(&heads[slot], log, frame);
    for (int tries = 0; tries < KEEPSAKES_SLOTS; tries++) {
        int latest = -1;
        for (int slot = 0; slot < KEEPSAKES_SLOTS; slot++)
            if (usable[slot] && (latest < 0 || heads[slot].frame > heads[latest].frame))
                latest = slot;
        if (latest < 0)
            return false;
        if (keepsakes_take(keepsakes, latest, &heads[latest], programme))
            return true;
        usable[latest] = false;
    }
    return false;
}
