#include "app/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/reserve.h"

// A value takes some 75 bytes for each of the text: 64 KiB of a request, 4 KiB of a message.
enum { JSON_MEMORY_BYTES = 16 << 20 };

// The library's functions get no context.
static struct reserve json_reserve;

static void *json_memory_take(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory)
        memory = reserve_take(&json_reserve, bytes);
    return memory;
}

static void json_memory_give(void *memory)
{
    if (reserve_owns(&json_reserve, memory))
        reserve_give(&json_reserve, memory);
    else
        free(memory);
}

enum status json_memory_claim(void)
{
    enum status status = reserve_init(&json_reserve, JSON_MEMORY_BYTES);
    if (status == STATUS_OK)
        json_set_alloc_funcs(json_memory_take, json_memory_give);
    return status;
}
