// Limits per address: connections that are open, attempts in a minute, and chunks of ranges in a minute. Any thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

enum admission_kind { ADMISSION_V2, ADMISSION_LEGACY, ADMISSION_RANGES, ADMISSION_KINDS };

struct admission_limits {
    int max_open;                        // per address; 0: no limit
    int max_a_minute[ADMISSION_KINDS];   // per address; 0: no limit
    bool limit_loopback;
};

struct admission;

// max_listeners: how many enter at the same time at most.   NULL when memory is short.
struct admission *admission_create(const struct admission_limits *limits, int max_listeners);
void admission_destroy(struct admission *admission);
// No limit holds for it.
bool admission_exempt(const struct admission *admission, const struct http_peer *peer);
// Counts so many of a kind; a number below zero takes back what was counted just before. False, and none is counted,
// when there would be too many in a minute; *retry_s then says when to come back.
bool admission_count(struct admission *admission, const struct http_peer *peer, enum admission_kind kind, int count,
                     uint64_t now_ns, int *retry_s);
// Counts an open connection. False, and nothing is counted, when its address has too many.
bool admission_enter(struct admission *admission, const struct http_peer *peer);
// For each that entered.
void admission_leave(struct admission *admission, const struct http_peer *peer);
