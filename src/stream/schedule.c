#include "stream/schedule.h"

#include <stddef.h>

static void schedule_list_init(struct schedule_entry *list)
{
    list->next = list->prev = list;
}

static bool schedule_list_empty(const struct schedule_entry *list)
{
    return list->next == list;
}

void schedule_init(struct schedule *schedule, uint64_t now_ns)
{
    for (int i = 0; i < SCHEDULE_SLOTS; i++)
        schedule_list_init(&schedule->slots[i]);
    schedule_list_init(&schedule->ready);
    for (int i = 0; i < SCHEDULE_WORDS; i++)
        schedule->occupied[i] = 0;
    schedule->turn_ms = now_ns / NS_PER_MS;
    schedule->count = 0;
}

static void schedule_append(struct schedule_entry *list, struct schedule_entry *entry)
{
    entry->next = list;
    entry->prev = list->prev;
    list->prev->next = entry;
    list->prev = entry;
}

// Moves all entries of one list behind those of another, untouched: they may be far away from the cache.
static void schedule_list_move(struct schedule_entry *to, struct schedule_entry *from)
{
    if (schedule_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    schedule_list_init(from);
}

// The millisecond in which the entry comes out, within the wheel's reach.
static uint64_t schedule_place(const struct schedule *schedule, uint64_t due_ns)
{
    uint64_t at = due_ns / NS_PER_MS + (due_ns % NS_PER_MS != 0);
    if (at < schedule->turn_ms)
        return schedule->turn_ms;
    uint64_t last = schedule->turn_ms + SCHEDULE_SLOTS - 1;
    return at < last ? at : last;
}

uint64_t schedule_set(struct schedule *schedule, struct schedule_entry *entry, uint64_t now_ns, uint64_t due_ns)
{
    schedule_remove(schedule, entry);
    // An empty wheel has not been turned for as long as it was empty.
    if (schedule->count == 0 && schedule->turn_ms < now_ns / NS_PER_MS)
        schedule->turn_ms = now_ns / NS_PER_MS;
    uint64_t at = schedule_place(schedule, due_ns);
    entry->slot = (int)(at % SCHEDULE_SLOTS);
    entry->due_ns = due_ns;
    schedule_append(&schedule->slots[entry->slot], entry);
    schedule->occupied[entry->slot / 64] |= UINT64_C(1) << (entry->slot % 64);
    schedule->count++;
    return at * NS_PER_MS;
}

void schedule_remove(struct schedule *schedule, struct schedule_entry *entry)
{
    if (!entry->next)
        return;
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    entry->next = entry->prev = NULL;
    schedule->count--;
    // Of an entry that is ready the slot is empty already, or holds others.
    if (schedule_list_empty(&schedule->slots[entry->slot]))
        schedule->occupied[entry->slot / 64] &= ~(UINT64_C(1) << (entry->slot % 64));
}

// Milliseconds from turn_ms to the next slot that holds something; -1 when none does.
static int schedule_distance(const struct schedule *schedule)
{
    int from = (int)(schedule->turn_ms % SCHEDULE_SLOTS);
    for (int i = 0; i <= SCHEDULE_WORDS; i++) {
        int word = (from / 64 + i) % SCHEDULE_WORDS;
        uint64_t bits = schedule->occupied[word];
        if (i == 0)
            bits &= UINT64_MAX << (from % 64);
        if (bits != 0)
            return (word * 64 + __builtin_ctzll(bits) - from + SCHEDULE_SLOTS) % SCHEDULE_SLOTS;
    }
    return -1;
}

// Moves the next slot whose time has come to the ready list. False when there is none.
static bool schedule_turn(struct schedule *schedule, uint64_t now_ns)
{
    uint64_t now_ms = now_ns / NS_PER_MS;
    int distance = schedule_distance(schedule);
    if (distance < 0 || schedule->turn_ms + (uint64_t)distance > now_ms) {
        if (schedule->turn_ms <= now_ms)
            schedule->turn_ms = now_ms + 1;
        return false;
    }
    schedule->turn_ms += (uint64_t)distance + 1;
    int slot = (int)((schedule->turn_ms - 1) % SCHEDULE_SLOTS);
    schedule_list_move(&schedule->ready, &schedule->slots[slot]);
    schedule->occupied[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    return true;
}

struct schedule_entry *schedule_pop(struct schedule *schedule, uint64_t now_ns)
{
    do {
        while (!schedule_list_empty(&schedule->ready)) {
            struct schedule_entry *entry = schedule->ready.next;
            schedule_remove(schedule, entry);
            if (entry->due_ns <= now_ns)
                return entry;
            schedule_set(schedule, entry, now_ns, entry->due_ns);
        }
    } while (schedule_turn(schedule, now_ns));
    return NULL;
}

uint64_t schedule_next_ns(const struct schedule *schedule)
{
    if (!schedule_list_empty(&schedule->ready))
        return 0;
    int distance = schedule_distance(schedule);
    return distance < 0 ? UINT64_MAX : (schedule->turn_ms + (uint64_t)distance) * NS_PER_MS;
}
