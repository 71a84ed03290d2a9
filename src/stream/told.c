#include "stream/told.h"

#include "stream/listener.h"

struct told *told_find(const struct listener *listener, enum told_kind kind)
{
    size_t station = (size_t)(listener->station - listener->stream->config.stations);
    return &listener->loop->told[station * TOLD_KINDS + (size_t)kind];
}

void told_write(struct told *told, uint64_t sequence, json_t *message)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    size_t len = message ? json_dumpb(message, told->text, sizeof told->text, flags) : 0;
    json_decref(message);
    told->sequence = sequence;
    told->len = len <= sizeof told->text ? len : 0;
}
