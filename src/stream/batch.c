#include "stream/batch.h"

#include "base/check.h"
#include "stream/listener.h"

struct batch batch_begin(struct listener *listener)
{
    return (struct batch){.listener = listener};
}

static void batch_add(struct batch *batch, const void *bytes, size_t len)
{
    check(batch->slice_count < PIN_CHUNKS);
    batch->slices[batch->slice_count++] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    batch->bytes += len;
}

void batch_own(struct batch *batch, const void *bytes, size_t len)
{
    check(batch->shared_from == batch->slice_count);
    batch_add(batch, bytes, len);
    batch->shared_from = batch->slice_count;
}

void batch_shared(struct batch *batch, const void *bytes, size_t len)
{
    batch_add(batch, bytes, len);
}

void batch_pin(struct batch *batch, struct chunk *chunk, uint64_t send_ns)
{
    struct pin *pin = &batch->listener->pin;
    check(pin->count < PIN_CHUNKS);
    pin->chunks[pin->count] = chunk;
    pin->send_ns[pin->count++] = send_ns;
}

// What is pinned has gone out, or the socket has closed.
static void batch_released(void *context)
{
    struct listener *listener = context;
    struct pin *pin = &listener->pin;
    uint64_t now = listener->sending ? pin->since_ns : listener_now_ns(listener);
    for (int i = 0; i < pin->count; i++) {
        if (pin->send_ns[i] != 0 && !listener->closing)
            listener->protocol->accepted(listener, pin->chunks[i]->first_frame, pin->send_ns[i], now);
        chunk_release(pin->chunks[i]);
    }
    pin->count = 0;
    if (listener->gone)
        listener_destroy(listener);
}

static void batch_drop(struct listener *listener)
{
    for (int i = 0; i < listener->pin.count; i++)
        chunk_release(listener->pin.chunks[i]);
    listener->pin.count = 0;
}

bool batch_send(struct batch *batch, uint64_t now_ns)
{
    struct listener *listener = batch->listener;
    listener->pin.since_ns = now_ns;
    listener->sending = true;
    enum connection_sent sent = connection_send(listener->connection, batch->slices, batch->slice_count,
                                                batch->shared_from, batch_released, listener);
    listener->sending = false;
    switch (sent) {
    case CONNECTION_SENT: return true;
    case CONNECTION_PENDING:
        listener->blocked = true;
        listener->progress_ns = now_ns;
        listener->progress_bytes = connection_bytes_sent(listener->connection);
        return true;
    case CONNECTION_BUSY:
        listener->blocked = true;
        batch_drop(listener);
        return false;
    case CONNECTION_GONE: break;
    }
    batch_drop(listener);
    listener->closing = true;
    schedule_remove(&listener->loop->schedule, &listener->entry);
    return false;
}
