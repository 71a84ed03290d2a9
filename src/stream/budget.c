#include "stream/budget.h"

#include <stddef.h>

#include "base/frames.h"

// A refill's rank falls by one for so much that is left.
#define BUDGET_RANK_NS (200 * NS_PER_MS)

void budget_init(struct budget *budget, uint64_t chunks_per_second)
{
    *budget = (struct budget){.chunks_per_second = BUDGET_CHUNKS_PER_SECOND};
    if (chunks_per_second > 0)
        budget->chunks_per_second = chunks_per_second;
    for (int i = 0; i < BUDGET_RANKS; i++)
        budget->waiting[i].next = budget->waiting[i].prev = &budget->waiting[i];
}

int budget_rank(enum budget_kind kind, int64_t lead_ns)
{
    if (kind != BUDGET_REFILLS)
        return kind;
    int64_t step = lead_ns < 0 ? 0 : lead_ns / (int64_t)BUDGET_RANK_NS;
    return step < BUDGET_RANKS - 1 - BUDGET_REFILLS ? BUDGET_REFILLS + (int)step : BUDGET_RANKS - 1;
}

static uint64_t budget_cost_ns(const struct budget *budget, int chunks)
{
    return (uint64_t)chunks * NS_PER_SECOND / budget->chunks_per_second;
}

// When so many chunks are there.
static uint64_t budget_ready_ns(const struct budget *budget, int chunks)
{
    uint64_t spare_ns = budget_cost_ns(budget, BUDGET_AT_ONCE - chunks);
    return budget->full_ns > spare_ns ? budget->full_ns - spare_ns : 0;
}

static bool budget_pay(struct budget *budget, int chunks, uint64_t now_ns)
{
    if (budget_ready_ns(budget, chunks) > now_ns)
        return false;
    budget->full_ns = (budget->full_ns > now_ns ? budget->full_ns : now_ns) + budget_cost_ns(budget, chunks);
    return true;
}

static void budget_wait(struct budget *budget, struct budget_entry *entry, int rank)
{
    struct budget_entry *list = &budget->waiting[rank];
    entry->rank = rank;
    entry->next = list;
    entry->prev = list->prev;
    list->prev->next = entry;
    list->prev = entry;
    budget->occupied |= UINT64_C(1) << rank;
}

bool budget_take(struct budget *budget, struct budget_entry *entry, int rank, int chunks, uint64_t now_ns)
{
    bool waits = entry->next;
    entry->chunks = chunks;
    if (waits && entry->rank == rank)
        return false;
    budget_remove(budget, entry);
    bool others_first = budget->occupied & (UINT64_MAX >> (BUDGET_RANKS - 1 - rank));
    if (!others_first && budget_pay(budget, chunks, now_ns))
        return true;
    budget_wait(budget, entry, rank);
    return false;
}

void budget_remove(struct budget *budget, struct budget_entry *entry)
{
    if (!entry->next)
        return;
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    entry->next = entry->prev = NULL;
    struct budget_entry *list = &budget->waiting[entry->rank];
    if (list->next == list)
        budget->occupied &= ~(UINT64_C(1) << entry->rank);
}

static struct budget_entry *budget_first(const struct budget *budget)
{
    return budget->occupied == 0 ? NULL : budget->waiting[__builtin_ctzll(budget->occupied)].next;
}

struct budget_entry *budget_pop(struct budget *budget, uint64_t now_ns)
{
    struct budget_entry *first = budget_first(budget);
    if (!first || !budget_pay(budget, first->chunks, now_ns))
        return NULL;
    budget_remove(budget, first);
    return first;
}

uint64_t budget_next_ns(const struct budget *budget)
{
    const struct budget_entry *first = budget_first(budget);
    return first ? budget_ready_ns(budget, first->chunks) : UINT64_MAX;
}
