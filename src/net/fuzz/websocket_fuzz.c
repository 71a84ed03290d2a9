// WebSocket frames from hostile clients. Input: a first byte that says in what pieces the rest arrives.
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "net/receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_MAX_MESSAGE_BYTES = 1024 };

static void fuzz_on_message(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    uint64_t *digest = context;
    check(opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY);
    check(bytes && len <= FUZZ_MAX_MESSAGE_BYTES);
    *digest = *digest * 31 + (hash_bytes(bytes, len) ^ (uint64_t)opcode);
}

static void fuzz_on_ping(void *context, const uint8_t *bytes, size_t len)
{
    uint64_t *digest = context;
    check(bytes && len <= 125);
    *digest = *digest * 31 + (hash_bytes(bytes, len) ^ 9);
}

static const struct receiver_events fuzz_events = {fuzz_on_message, fuzz_on_ping};

// What was heard, and whether it ended well.
static uint64_t fuzz_run(const uint8_t *data, size_t size, size_t step)
{
    struct receiver receiver;
    uint64_t digest = 0;
    int code = 0;
    enum receiver_state state = RECEIVER_OPEN;
    receiver_init(&receiver, FUZZ_MAX_MESSAGE_BYTES, &fuzz_events, &digest);
    for (size_t at = 0; at < size && state == RECEIVER_OPEN; at += step)
        state = receiver_feed(&receiver, data + at, size - at < step ? size - at : step, &code);
    check(state == RECEIVER_OPEN || (code >= 1000 && code <= 4999));
    check(state != RECEIVER_FAILED || code == 1002 || code == 1007 || code == 1009);
    receiver_finish(&receiver);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint64_t whole = fuzz_run(data + 1, size - 1, size);
    check(whole == fuzz_run(data + 1, size - 1, 1u + data[0]));
    return 0;
}
