// A token bucket on clock time.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tokens {
    double have;
    uint64_t at_ns;          // when `have` was true
    double capacity, per_second;
};

struct tokens tokens_full(double capacity, double per_second, uint64_t now_ns);
// Takes one. False when there is none; *at_ns is then when there will be.
bool tokens_take(struct tokens *tokens, uint64_t now_ns, uint64_t *at_ns);
