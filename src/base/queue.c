#include "base/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static atomic_size_t *queue_ticket(struct queue *queue, size_t index)
{
    return (atomic_size_t *)(void *)(queue->cells + (index & queue->mask) * queue->cell_bytes);
}

enum status queue_init(struct queue *queue, size_t element_bytes, size_t capacity)
{
    check(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    size_t word = sizeof(atomic_size_t);
    *queue = (struct queue){
        .cell_bytes = word + (element_bytes + word - 1) / word * word,
        .element_bytes = element_bytes,
        .mask = capacity - 1,
    };
    queue->cells = malloc(capacity * queue->cell_bytes);
    if (!queue->cells)
        return STATUS_MEMORY;
    for (size_t i = 0; i < capacity; i++)
        atomic_init(queue_ticket(queue, i), i);
    atomic_init(&queue->tail, 0);
    return STATUS_OK;
}

void queue_finish(struct queue *queue)
{
    free(queue->cells);
    queue->cells = NULL;
}

bool queue_push(struct queue *queue, const void *element)
{
    size_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    for (;;) {
        atomic_size_t *ticket = queue_ticket(queue, tail);
        size_t seen = atomic_load_explicit(ticket, memory_order_acquire);
        if (seen == tail) {
            if (!atomic_compare_exchange_weak_explicit(&queue->tail, &tail, tail + 1,
                                                       memory_order_relaxed, memory_order_relaxed))
                continue;
            memcpy(ticket + 1, element, queue->element_bytes);
            atomic_store_explicit(ticket, tail + 1, memory_order_release);
            return true;
        }
        if ((ptrdiff_t)(seen - tail) < 0)
            return false;
        tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    }
}

bool queue_pop(struct queue *queue, void *element)
{
    atomic_size_t *ticket = queue_ticket(queue, queue->head);
    if (atomic_load_explicit(ticket, memory_order_acquire) != queue->head + 1)
        return false;
    memcpy(element, ticket + 1, queue->element_bytes);
    atomic_store_explicit(ticket, queue->head + queue->mask + 1, memory_order_release);
    queue->head++;
    return true;
}
