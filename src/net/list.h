// Doubly linked ring of items, linked through a member of theirs; the list itself is one more link.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *previous, *next;
};

// The item that holds this link.
#define list_item(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

// An empty list, or an item that is in none.
static inline void list_init(struct list *list)
{
    list->previous = list->next = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_remove(struct list *item)
{
    item->previous->next = item->next;
    item->next->previous = item->previous;
    list_init(item);
}

// Moves the item to the end of the list, from wherever it is.
static inline void list_append(struct list *list, struct list *item)
{
    list_remove(item);
    item->previous = list->previous;
    item->next = list;
    list->previous->next = item;
    list->previous = item;
}
