#include "net/outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

bool outgoing_empty(const struct outgoing *outgoing)
{
    return outgoing->texts.len == 0 && !outgoing->release && outgoing->close_at == outgoing->close_len;
}

bool outgoing_raw(struct outgoing *outgoing, const struct iovec *slices, int slice_count)
{
    return ring_write(&outgoing->texts, slices, slice_count);
}

void outgoing_share(struct outgoing *outgoing, const struct iovec *slices, int slice_count, int own_count,
                    void (*release)(void *pin, bool sent), void *pin)
{
    check(slice_count <= OUTGOING_MAX_SLICES && !outgoing->release && release);
    memcpy(outgoing->shared, slices, (size_t)slice_count * sizeof *slices);
    outgoing->shared_at = 0;
    outgoing->shared_count = slice_count;
    outgoing->own_count = own_count;
    outgoing->under_way = false;
    outgoing->release = release;
    outgoing->pin = pin;
}

static size_t outgoing_slices_bytes(const struct outgoing *outgoing, int end)
{
    size_t len = 0;
    for (int i = outgoing->shared_at; i < end; i++)
        len += outgoing->shared[i].iov_len;
    return len;
}

// Copies the slices below `end`.
static bool outgoing_keep(struct outgoing *outgoing, int end)
{
    size_t len = outgoing_slices_bytes(outgoing, end);
    if (len == 0)
        return true;
    uint8_t *copy = malloc(len), *at = copy;
    if (!copy)
        return false;
    for (int i = outgoing->shared_at; i < end; i++) {
        memcpy(at, outgoing->shared[i].iov_base, outgoing->shared[i].iov_len);
        outgoing->shared[i].iov_base = at;
        at += outgoing->shared[i].iov_len;
    }
    free(outgoing->own);
    outgoing->own = copy;
    return true;
}

bool outgoing_keep_own(struct outgoing *outgoing)
{
    return outgoing_keep(outgoing, outgoing->own_count);
}

bool outgoing_keep_all(struct outgoing *outgoing)
{
    return outgoing_keep(outgoing, outgoing->shared_count);
}

size_t outgoing_bytes(const struct outgoing *outgoing)
{
    return outgoing->texts.len + outgoing_slices_bytes(outgoing, outgoing->shared_count) +
           (size_t)(outgoing->close_len - outgoing->close_at);
}

void outgoing_unshare(struct outgoing *outgoing)
{
    free(outgoing->own);
    outgoing->own = NULL;
    outgoing->release = NULL;
    outgoing->under_way = false;
    outgoing->shared_at = outgoing->shared_count = 0;
}

static void outgoing_release(struct outgoing *outgoing, bool sent)
{
    void (*release)(void *pin, bool sent) = outgoing->release;
    void *pin = outgoing->pin;
    outgoing_unshare(outgoing);
    if (release)
        release(pin, sent);
}

void outgoing_drop_unbegun(struct outgoing *outgoing)
{
    if (!outgoing->under_way)
        outgoing_release(outgoing, false);
}

void outgoing_close(struct outgoing *outgoing, int code, const char *reason)
{
    size_t reason_len = reason ? strnlen(reason, 123) : 0;
    size_t len = code == 1005 ? 0 : 2 + reason_len;
    uint8_t *at = outgoing->close_frame;
    at += websocket_write_head(at, WEBSOCKET_CLOSE, len);
    if (len > 0) {
        *at++ = (uint8_t)(code >> 8);
        *at++ = (uint8_t)code;
        if (reason_len > 0)
            memcpy(at, reason, reason_len);
    }
    outgoing->close_at = 0;
    outgoing->close_len = (uint8_t)(2 + len);
}

static int outgoing_gather_shared(const struct outgoing *outgoing, struct iovec *spans)
{
    int count = outgoing->shared_count - outgoing->shared_at;
    memcpy(spans, outgoing->shared + outgoing->shared_at, (size_t)count * sizeof *spans);
    return count;
}

int outgoing_gather(const struct outgoing *outgoing, struct iovec spans[OUTGOING_MAX_SPANS])
{
    int count = 0;
    if (outgoing->under_way)
        count += outgoing_gather_shared(outgoing, spans);
    count += ring_spans(&outgoing->texts, spans + count);
    if (!outgoing->under_way)
        count += outgoing_gather_shared(outgoing, spans + count);
    size_t close_len = (size_t)(outgoing->close_len - outgoing->close_at);
    if (close_len > 0)
        spans[count++] = (struct iovec){
            .iov_base = (void *)(uintptr_t)(outgoing->close_frame + outgoing->close_at), .iov_len = close_len};
    return count;
}

static size_t outgoing_sent_shared(struct outgoing *outgoing, size_t len)
{
    size_t taken = 0;
    while (outgoing->shared_at < outgoing->shared_count) {
        struct iovec *slice = &outgoing->shared[outgoing->shared_at];
        size_t part = len - taken < slice->iov_len ? len - taken : slice->iov_len;
        slice->iov_base = (uint8_t *)slice->iov_base + part;
        slice->iov_len -= part;
        taken += part;
        if (slice->iov_len > 0)
            break;
        outgoing->shared_at++;
    }
    if (taken > 0)
        outgoing->under_way = true;
    if (outgoing->release && outgoing->shared_at == outgoing->shared_count)
        outgoing_release(outgoing, true);
    return taken;
}

void outgoing_sent(struct outgoing *outgoing, size_t len)
{
    bool shared_first = outgoing->under_way;
    if (shared_first)
        len -= outgoing_sent_shared(outgoing, len);
    len -= ring_take(&outgoing->texts, len);
    if (!shared_first && outgoing->texts.len == 0)
        len -= outgoing_sent_shared(outgoing, len);
    outgoing->close_at = (uint8_t)(outgoing->close_at + len);
}

void outgoing_finish(struct outgoing *outgoing)
{
    outgoing_release(outgoing, false);
    ring_finish(&outgoing->texts);
}
