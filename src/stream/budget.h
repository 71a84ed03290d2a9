// The burst budget of one loop: how many chunks beyond the steady schedule it sends in a second, and to whom first. So
// steady chunks of those who listen never wait behind bursts of those who come. One thread; knows no clock.
//
// The first second of anybody goes first, that of one who comes back before that of a newcomer. Then comes what those
// who listen have been owed since they fell behind; then refills, of these the one that has the least left. Of equals
// the first to come is first.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
    // A chunk of Opus costs a loop some 3 us over loopback (`auralis bench fanout`), so this takes at most an eighth of
    // its time, and a thousand newcomers a second, each with a lead of ten seconds to be filled, fill it within
    // twenty.
    BUDGET_CHUNKS_PER_SECOND = 40000,
    BUDGET_AT_ONCE = 100,
    BUDGET_RANKS = 64,
};

enum budget_kind { BUDGET_RETURNS, BUDGET_COMES, BUDGET_DEBTS, BUDGET_REFILLS };

// Part of who waits. All zero: does not wait.
struct budget_entry {
    struct budget_entry *next, *prev;
    int rank;                // 0 is first
    int chunks;              // how many it waits for, and gets together
};

struct budget {
    struct budget_entry waiting[BUDGET_RANKS];
    uint64_t occupied;       // bit n: somebody of rank n waits
    uint64_t chunks_per_second;
    uint64_t full_ns;        // when as many chunks as may go at once will be there; they come evenly
};

// chunks_per_second: 0 for the default.
void budget_init(struct budget *budget, uint64_t chunks_per_second);
// lead_ns: what a client has left; counts for refills.
int budget_rank(enum budget_kind kind, int64_t lead_ns);
// Takes 1 .. BUDGET_AT_ONCE chunks now, when they are there and nobody goes before. Else the entry waits for them, or
// goes on doing so with its new rank and number, and this is false.
bool budget_take(struct budget *budget, struct budget_entry *entry, int rank, int chunks, uint64_t now_ns);
// Harmless when it does not wait.
void budget_remove(struct budget *budget, struct budget_entry *entry);
// The next who gets its chunks now; it does not wait any more. NULL: nobody.
struct budget_entry *budget_pop(struct budget *budget, uint64_t now_ns);
// When to pop; UINT64_MAX when nobody waits.
uint64_t budget_next_ns(const struct budget *budget);
