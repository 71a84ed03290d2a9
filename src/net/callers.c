#include "net/callers.h"

#include "base/random.h"

void callers_init(struct callers *callers)
{
    for (int i = 0; i < CALLERS_BUCKETS; i++)
        list_init(&callers->buckets[i]);
}

static size_t callers_bucket(uint64_t key)
{
    return random_mix(key) % CALLERS_BUCKETS;
}

void callers_add(struct callers *callers, struct caller *caller, uint64_t key)
{
    caller->key = key;
    list_init(&caller->link);
    list_append(&callers->buckets[callers_bucket(key)], &caller->link);
}

void callers_remove(struct caller *caller)
{
    list_remove(&caller->link);
}

int callers_count(const struct callers *callers, uint64_t key)
{
    const struct list *bucket = &callers->buckets[callers_bucket(key)];
    int count = 0;
    for (const struct list *link = bucket->next; link != bucket; link = link->next)
        count += list_item(link, struct caller, link)->key == key;
    return count;
}
