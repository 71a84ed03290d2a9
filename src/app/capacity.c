#include "app/capacity.h"

#include "base/check.h"

enum {
    CAPACITY_OWN = 40,          // standard streams, database, lock, files that are read
    CAPACITY_OF_A_LOOP = 8,
    CAPACITY_LEAST_DOOR = 16,
    CAPACITY_MOST_DOOR = 2048,
};

static uint64_t capacity_own(int loops)
{
    return CAPACITY_OWN + (uint64_t)(loops + 1) * CAPACITY_OF_A_LOOP;   // and the door's
}

uint64_t capacity_least_descriptors(int loops)
{
    return capacity_own(loops) + CAPACITY_LEAST_DOOR + 1;
}

struct capacity capacity_of(uint64_t descriptors, int loops, int listeners)
{
    check(descriptors >= capacity_least_descriptors(loops));
    uint64_t rest = descriptors - capacity_own(loops), door = rest / 8;
    door = door < CAPACITY_LEAST_DOOR ? CAPACITY_LEAST_DOOR : door > CAPACITY_MOST_DOOR ? CAPACITY_MOST_DOOR : door;
    rest -= door;
    return (struct capacity){
        .listeners = rest < (uint64_t)listeners ? (int)rest : listeners,
        .door_sockets = (int)door,
    };
}
