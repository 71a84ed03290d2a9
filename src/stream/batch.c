#include "stream/batch.h"

#include "base/check.h"
#include "stream/listener.h"

// The arrays are filled as they are used; clearing them would cost more than most batches.
void batch_begin(struct batch *batch, struct listener *listener)
{
    batch->listener = listener;
    batch->slice_count = batch->shared_from = batch->chunks.count = 0;
    batch->bytes = 0;
}

static void batch_add(struct batch *batch, const void *bytes, size_t len)
{
    check(batch->slice_count < BATCH_CHUNKS);
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

void batch_chunk(struct batch *batch, struct chunk *chunk, uint64_t send_ns)
{
    struct batch_chunks *chunks = &batch->chunks;
    check(chunks->count < BATCH_CHUNKS);
    chunks->chunks[chunks->count] = chunk;
    chunks->first_frame[chunks->count] = chunk->first_frame;
    chunks->send_ns[chunks->count++] = send_ns;
}

static void batch_accepted(struct listener *listener, const struct batch_chunks *chunks, uint64_t now_ns)
{
    for (int i = 0; i < chunks->count; i++)
        if (chunks->send_ns[i] != 0 && !listener->closing)
            listener->protocol->accepted(listener, chunks->first_frame[i], chunks->send_ns[i], now_ns);
}

static void batch_release(struct pin *pin)
{
    for (int i = 0; i < pin->sent.count && !pin->copied; i++)
        chunk_release(pin->sent.chunks[i]);
    pin->copied = true;
}

void batch_let_go(struct listener *listener)
{
    struct pin *pin = &listener->pin;
    if (pin->sent.count > 0 && !pin->copied && connection_keep(listener->connection))
        batch_release(pin);
}

// What is pinned has gone out, or the socket has closed.
static void batch_released(void *context, bool sent)
{
    struct listener *listener = context;
    if (sent)
        batch_accepted(listener, &listener->pin.sent, listener_now_ns(listener));
    batch_release(&listener->pin);
    listener->pin.sent.count = 0;
    listener_release(listener);
}

static void batch_keep(const struct batch *batch, uint64_t now_ns)
{
    struct pin *pin = &batch->listener->pin;
    for (int i = 0; i < batch->chunks.count; i++) {
        chunk_retain(batch->chunks.chunks[i]);
        pin->sent.chunks[i] = batch->chunks.chunks[i];
        pin->sent.first_frame[i] = batch->chunks.first_frame[i];
        pin->sent.send_ns[i] = batch->chunks.send_ns[i];
    }
    pin->sent.count = batch->chunks.count;
    pin->since_ns = now_ns;
    pin->copied = false;
}

static void batch_block(struct listener *listener, uint64_t now_ns)
{
    listener->blocked = true;
    listener->pressed_ns = now_ns;
}

bool batch_send(struct batch *batch, uint64_t now_ns)
{
    struct listener *listener = batch->listener;
    switch (connection_send(listener->connection, batch->slices, batch->slice_count, batch->shared_from,
                            batch_released, listener)) {
    case CONNECTION_SENT:
        batch_accepted(listener, &batch->chunks, now_ns);
        return true;
    case CONNECTION_PENDING:
        batch_keep(batch, now_ns);
        batch_block(listener, now_ns);
        return true;
    case CONNECTION_BUSY:
        batch_block(listener, now_ns);
        return false;
    case CONNECTION_GONE: break;
    }
    listener->closing = true;
    listener_rest(listener);
    return false;
}
