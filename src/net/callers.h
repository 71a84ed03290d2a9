// How many sockets each address has at the door. Door thread.
#pragma once
#include <stdint.h>

#include "net/list.h"

enum { CALLERS_BUCKETS = 1024 };

// Part of who is counted.
struct caller {
    struct list link;
    uint64_t key;       // of its address, see struct http_peer
};

struct callers {
    struct list buckets[CALLERS_BUCKETS];
};

void callers_init(struct callers *callers);
void callers_add(struct callers *callers, struct caller *caller, uint64_t key);
void callers_remove(struct caller *caller);
int callers_count(const struct callers *callers, uint64_t key);
