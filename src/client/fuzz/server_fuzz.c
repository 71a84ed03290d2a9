// What a server says to a client: the answer to its handshake, then frames with texts and audio of every protocol.
// Input: a first byte that says which protocol, and whether what comes is decoded; a second one that says in what
// pieces.
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/frames.h"
#include "client/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_ARRIVES_NS = 1000000, FUZZ_ANSWER_BYTES = 4096 };

// As a crowd's member does it, without its socket.
static bool fuzz_frame(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len)
{
    struct member *member = context;
    const struct dialect *dialect = member->crowd->dialect;
    member->arrival_ns += FUZZ_ARRIVES_NS;
    if (opcode == WEBSOCKET_TEXT)
        return dialect->text(member, bytes, len, member->arrival_ns) && member->state != MEMBER_ENDED;
    return opcode != WEBSOCKET_BINARY || dialect->binary(member, bytes, len, member->arrival_ns);
}

// Reads the answer to a handshake, if there is one. Returns its bytes.
static size_t fuzz_answer(const struct crowd *crowd, const uint8_t *data, size_t size)
{
    char head[FUZZ_ANSWER_BYTES + 1], reason[100];
    struct text failure = text_on(reason, sizeof reason);
    const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
    size_t len = end ? (size_t)(end - data) + 4 : 0;
    if (len == 0 || len > FUZZ_ANSWER_BYTES)
        return 0;
    memcpy(head, data, len);
    head[len] = '\0';
    enum status status = upgrade_read(head, crowd->dialect->subprotocol, &crowd->key, &failure);
    check((status == STATUS_OK) == (failure.len == 0));
    return len;
}

static void fuzz_listen(struct member *member, const uint8_t *data, size_t size, size_t step)
{
    struct crowd *crowd = member->crowd;
    enum status status = STATUS_OK;
    for (size_t at = 0; at < size && status == STATUS_OK; at += step)
        status = frame_reader_feed(&member->reader, data + at, size - at < step ? size - at : step, fuzz_frame, member);
    frame_reader_finish(&member->reader);
    tally_finish(&member->tally, crowd->dialect->first_due_ns(member), &crowd->window, crowd->report);
    check(crowd->report->early <= crowd->report->chunks_received);
    check(strlen(crowd->report->failure) < sizeof crowd->report->failure);
    decoder_destroy(member->decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dialect *const dialects[] = {&dialect_opus, &dialect_pcm, &dialect_v0, &dialect_v1};
    static struct client_report report;
    struct client_config config = {.listeners = 1};
    struct crowd crowd = {.config = &config, .report = &report, .window = {0, 100 * NS_PER_SECOND}};
    if (size < 2)
        return 0;
    memset(&report, 0, sizeof report);
    crowd.dialect = dialects[data[0] % 4];
    clock_init_virtual(&crowd.clock, NS_PER_SECOND, 0);
    upgrade_key_make(&crowd.key);
    struct member member = {.crowd = &crowd, .channel = {.fd = -1}, .state = MEMBER_GREETING, .format = FORMAT_LEGACY};
    member.decoder = data[0] & 4 ? decoder_create() : NULL;
    member.arrival_ns = crowd_now_ns(&crowd);
    tally_begin(&member.tally, crowd.dialect->span, member.arrival_ns);
    size_t head = fuzz_answer(&crowd, data + 2, size - 2);
    fuzz_listen(&member, data + 2 + head, size - 2 - head, 1u + data[1]);
    return 0;
}
