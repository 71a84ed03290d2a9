// What clients say, protocol by protocol, to a server on loopback: whatever it is, the server answers in JSON and
// goes on, or ends the connection. Input: a first byte that says which protocol; then messages, one a line.
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "stream/rig.h"
#include "wire/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_INPUTS_A_SERVER = 64, FUZZ_CHUNKS = 30, FUZZ_CHUNK_BYTES = 16 };

// Ranges and previews that were asked for: some are made, as far as they are short, some break off.
static void fuzz_make(struct errands *errands)
{
    struct errand errand;
    while (errands_take(errands, &errand)) {
        for (int i = tape_length(errand.tape) % FUZZ_CHUNKS; i > 0; i--) {
            struct chunk *chunk = chunk_create(FUZZ_CHUNK_BYTES);
            check(chunk);
            chunk->len = (uint32_t)websocket_write_head(chunk->bytes, WEBSOCKET_BINARY, 1);
            chunk->bytes[chunk->len++] = 2;
            tape_append(errand.tape, chunk);
        }
        tape_end(errand.tape);
    }
}

// A server for some inputs, then another one: none keeps a long log of controls.
static struct rig *fuzz_rig(void)
{
    static struct rig rig;
    static struct stream_config config;
    static unsigned inputs;
    if (config.errands)
        fuzz_make(config.errands);
    if (inputs++ % FUZZ_INPUTS_A_SERVER != 0)
        return &rig;
    if (rig.server) {
        rig_end(&rig);
        errands_destroy(config.errands);
        tapes_destroy(config.tapes);
    }
    config = rig_config();
    config.tapes = tapes_create();
    config.errands = errands_create();
    rig_begin(&rig, &config, 0);
    rig_publish(&rig, RIG_LIVE_CHUNK - FUZZ_CHUNKS / 2 * CHUNK_FRAMES, FUZZ_CHUNKS);
    return &rig;
}

static void fuzz_say(struct guest *guest, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    while (data < end) {
        const uint8_t *line_end = memchr(data, '\n', (size_t)(end - data));
        size_t len = (size_t)((line_end ? line_end : end) - data);
        guest_send(guest, WEBSOCKET_TEXT, data, len);
        data += len + 1;
    }
}

// Reads until all has been answered, or the connection has ended.
static void fuzz_hear(struct guest *guest)
{
    int opcode;
    guest_send(guest, WEBSOCKET_PING, "all", 3);
    errno = 0;
    while ((opcode = guest_next(guest)) == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY) {
        if (opcode == WEBSOCKET_BINARY)
            continue;
        json_t *message = json_loadb((const char *)guest->bytes, guest->len, JSON_REJECT_DUPLICATES, NULL);
        check(json_is_string(json_object_get(message, "type")));
        json_decref(message);
    }
    check(errno != EAGAIN);
    check(opcode == -1 || opcode == WEBSOCKET_CLOSE || (opcode == WEBSOCKET_PONG && guest->len == 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const targets[] = {"/ws/v2", "/ws/v2?format=pcm", "/ws/audio/fuzz", "/ws/stream"};
    struct guest guest;
    if (size == 0)
        return 0;
    guest_open(&guest, fuzz_rig(), targets[data[0] % (sizeof targets / sizeof *targets)], NULL, false);
    check(guest.status == 101);
    fuzz_say(&guest, data + 1, size - 1);
    fuzz_hear(&guest);
    guest_end(&guest);
    return 0;
}
