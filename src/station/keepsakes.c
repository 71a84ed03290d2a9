#include "station/keepsakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"

#define KEEPSAKES_MAGIC UINT64_C(0x61757261736e6170)

enum { HEAD_BYTES = 4096, PART_ALIGNMENT = 64, MOST_PARTS = 2 };

// Written behind what it tells of, so that it never tells of what is not there.
struct keepsake {
    uint64_t magic, identity, frame, known, parts, sum;
};

static off_t slot_offset(int slot, int part)
{
    size_t slot_bytes = HEAD_BYTES + MOST_PARTS * programme_part_bytes();
    return (off_t)((size_t)slot * slot_bytes + (part < 0 ? 0 : HEAD_BYTES + (size_t)part * programme_part_bytes()));
}

// Of words, which parts are made of.
static uint64_t sum_of(uint64_t sum, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, (const char *)bytes + i, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return sum;
}

static bool write_whole(int descriptor, const void *bytes, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t count = pwrite(descriptor, (const char *)bytes + done, len - done, at + (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

static bool read_whole(int descriptor, void *bytes, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t count = pread(descriptor, (char *)bytes + done, len - done, at + (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

void keepsakes_init(struct keepsakes *keepsakes, const char *path, uint64_t identity)
{
    *keepsakes = (struct keepsakes){.descriptor = -1, .identity = identity};
    if (!path)
        return;
    keepsakes->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (keepsakes->descriptor < 0)
        log_warn("%s cannot be written: the next start will take longer", path);
}

void keepsakes_finish(struct keepsakes *keepsakes)
{
    if (keepsakes->descriptor >= 0)
        close(keepsakes->descriptor);
}

static bool keepsakes_put(const struct keepsakes *keepsakes, int slot, const struct snapshots *snapshots,
                          uint64_t frame, uint64_t known)
{
    size_t bytes = programme_part_bytes();
    struct keepsake head = {KEEPSAKES_MAGIC, keepsakes->identity, frame, known,
                            (uint64_t)snapshots_oldest_cells(snapshots), 0};
    for (int part = 0; part < (int)head.parts; part++) {
        const void *saved = snapshots_oldest_cell(snapshots, part);
        head.sum = sum_of(head.sum, saved, bytes);
        if (!write_whole(keepsakes->descriptor, saved, bytes, slot_offset(slot, part)))
            return false;
    }
    return write_whole(keepsakes->descriptor, &head, sizeof head, slot_offset(slot, -1));
}

void keepsakes_write(struct keepsakes *keepsakes, const struct snapshots *snapshots, uint64_t known)
{
    uint64_t frame;
    if (keepsakes->descriptor < 0 || !snapshots_oldest(snapshots, &frame))
        return;
    if (keepsakes->written && frame < keepsakes->last_frame + KEEPSAKES_APART_FRAMES)
        return;
    int slot = (int)(frame / KEEPSAKES_APART_FRAMES % KEEPSAKES_SLOTS);
    bool good = keepsakes_put(keepsakes, slot, snapshots, frame, known);
    if (!good && !keepsakes->failed)
        log_warn("a snapshot could not be written: the next start will take longer");
    keepsakes->failed = !good;
    keepsakes->written = true;
    keepsakes->last_frame = frame;
}

// All that it does not know takes effect where it has not looked yet.
static bool knows_enough(const struct keepsake *head, const struct mood_log *log)
{
    if (head->known >= log->count)
        return false;
    return head->known + 1 == log->count ||
           head->frame + PROGRAMME_LOOKAHEAD <= log->entries[head->known + 1].at_frame;
}

static bool keepsakes_read_head(const struct keepsakes *keepsakes, int slot, struct keepsake *head)
{
    return read_whole(keepsakes->descriptor, head, sizeof *head, slot_offset(slot, -1)) &&
           head->magic == KEEPSAKES_MAGIC && head->identity == keepsakes->identity && head->parts >= 1 &&
           head->parts <= MOST_PARTS;
}

// All parts, one after the other, if they are whole.
static bool keepsakes_read_parts(const struct keepsakes *keepsakes, int slot, const struct keepsake *head, char *parts)
{
    size_t len = head->parts * programme_part_bytes();
    return read_whole(keepsakes->descriptor, parts, len, slot_offset(slot, 0)) && sum_of(0, parts, len) == head->sum;
}

static bool keepsakes_take(const struct keepsakes *keepsakes, int slot, const struct keepsake *head,
                           struct programme *programme)
{
    char *parts = aligned_alloc(PART_ALIGNMENT, head->parts * programme_part_bytes());
    bool good = parts && keepsakes_read_parts(keepsakes, slot, head, parts);
    for (size_t part = 0; part < head->parts && good; part++)
        programme_restore(programme, (int)part, parts + part * programme_part_bytes());
    free(parts);
    return good && programme_frame(programme) == head->frame;
}

bool keepsakes_restore(struct keepsakes *keepsakes, struct programme *programme, const struct mood_log *log,
                       uint64_t begin, uint64_t frame)
{
    struct keepsake heads[KEEPSAKES_SLOTS];
    bool usable[KEEPSAKES_SLOTS] = {false};
    for (int slot = 0; slot < KEEPSAKES_SLOTS && keepsakes->descriptor >= 0; slot++)
        usable[slot] = keepsakes_read_head(keepsakes, slot, &heads[slot]) && heads[slot].frame >= begin &&
                       heads[slot].frame <= frame && knows_enough(&heads[slot], log);
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
