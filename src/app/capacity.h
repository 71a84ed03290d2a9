// How many listeners the limit of open descriptors allows. Pure.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct capacity {
    int listeners;       // at most what was wished for
    int door_sockets;    // at most 2,048
};

// Descriptors that a server with so many loops needs at least.
uint64_t capacity_least_descriptors(int loops);
// descriptors: the limit, at least that.   listeners: how many are wished for.
struct capacity capacity_of(uint64_t descriptors, int loops, int listeners);
