// Ranges and previews: what is made apart from what is on air goes out between that.
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stream/rig.h"
#include "wire/message.h"

enum { ROUNDS = 2000, ROUND_MS = 10, ROUND_REAL_MS = 3, STEP_CHUNKS = 3 };

// A rig, and what ranges need; the test itself is who makes them.
struct archive {
    struct rig rig;
    struct tapes *tapes;
    struct errands *errands;
};

// What came to one guest.
struct catch {
    int chunks, prerolls, live;
    uint64_t next_frame;
    char end[32];            // the reason of range_end; empty: it has not come
};

static void archive_begin(struct archive *archive, bool limited)
{
    struct stream_config config = rig_config();
    config.tapes = archive->tapes = tapes_create();
    config.errands = archive->errands = errands_create();
    config.limit_loopback = limited;
    rig_begin(&archive->rig, &config, 0);
    rig_publish(&archive->rig, RIG_LIVE_CHUNK - 10 * CHUNK_FRAMES, 300);
}

static void archive_end(struct archive *archive)
{
    rig_end(&archive->rig);
    errands_destroy(archive->errands);
    tapes_destroy(archive->tapes);
}

static void join(struct archive *archive, struct guest *guest, const char *target)
{
    guest_open(guest, &archive->rig, target, NULL, false);
    json_t *hello = guest_await(guest, "hello");
    assert_int_equal(json_whole(hello, "max_range_frames"), STREAM_RANGE_SECONDS * FRAME_RATE);
    json_decref(hello);
}

static struct tape *take(struct archive *archive, struct errand *errand)
{
    assert_true(errands_take(archive->errands, errand));
    return errand->tape;
}

// As the background would: the chunks say where they are, and that they are aside.
static void make(struct tape *tape, int count)
{
    const struct tape_subject *subject = tape_subject(tape);
    static uint64_t next;
    for (int i = 0; i < count; i++) {
        uint8_t bytes[RIG_CHUNK_BYTES];
        uint16_t packet_bytes[MESSAGE_MAX_PACKETS] = {0};
        if (!tape_chunk(tape, 0))
            next = tape_begin_frame(subject);
        struct chunk *chunk = chunk_create(RIG_CHUNK_BYTES);
        size_t len = rig_chunk(subject->format, next, bytes, packet_bytes);
        chunk->len = (uint32_t)len;
        memcpy(chunk->bytes, bytes, len);
        chunk->bytes[4 + 2] = MESSAGE_ASIDE | (next < subject->first_frame ? MESSAGE_PREROLL : 0);
        tape_append(tape, chunk);
        next += CHUNK_FRAMES;
    }
}

static void make_whole(struct tape *tape)
{
    make(tape, tape_length(tape));
    tape_end(tape);
}

static void catch_binary(struct guest *guest, struct catch *catch)
{
    struct message_header header;
    const uint8_t *payload;
    size_t len;
    assert_true(message_read(guest->bytes, guest->len, &header, &payload, &len));
    if (!(header.flags & MESSAGE_ASIDE)) {
        catch->live++;
        return;
    }
    assert_true(catch->chunks + catch->prerolls == 0 || header.first_frame == catch->next_frame);
    catch->next_frame = header.first_frame + header.frame_count;
    catch->chunks += !(header.flags & MESSAGE_PREROLL);
    catch->prerolls += (header.flags & MESSAGE_PREROLL) != 0;
}

static void catch_text(struct guest *guest, struct catch *catch)
{
    json_t *message = json_loadb((const char *)guest->bytes, guest->len, 0, NULL);
    assert_int_equal(guest->opcode, WEBSOCKET_TEXT);
    if (strcmp(json_text(message, "type"), "range_end") == 0)
        snprintf(catch->end, sizeof catch->end, "%s", json_text(message, "reason"));
    json_decref(message);
}

// Lets time pass, no faster than the server can follow, and reads what comes meanwhile.
static void catch_round(struct archive *archive, struct guest *guest, struct catch *catch)
{
    struct pollfd poll_in = {.fd = guest->fd, .events = POLLIN};
    rig_advance_ms(&archive->rig, ROUND_MS);
    while (!*catch->end && poll(&poll_in, 1, ROUND_REAL_MS) > 0) {
        if (guest_next(guest) == WEBSOCKET_BINARY)
            catch_binary(guest, catch);
        else
            catch_text(guest, catch);
    }
}

static void catch_all(struct archive *archive, struct guest *guest, struct catch *catch)
{
    for (int i = 0; i < ROUNDS && !*catch->end; i++)
        catch_round(archive, guest, catch);
    assert_true(*catch->end);
}

static void a_range_comes_between_what_is_on_air(void **state)
{
    static const enum format formats[] = {FORMAT_OPUS, FORMAT_OPUS_64, FORMAT_PCM};
    static const char *const wishes[] = {
        "{\"type\":\"range\",\"id\":\"a\",\"from_frame\":480100,\"frames\":143900}",
        "{\"type\":\"range\",\"id\":\"a\",\"from_frame\":480000,\"frames\":144000,\"bitrate\":64000}",
        "{\"type\":\"range\",\"id\":\"a\",\"from_frame\":484799,\"frames\":139201,\"format\":\"pcm\"}"};
    for (int i = 0; i < 3; i++) {
        struct archive archive;
        struct guest guest;
        struct errand errand;
        struct catch catch = {0};
        archive_begin(&archive, false);
        join(&archive, &guest, "/ws/v2");
        guest_say(&guest, wishes[i]);
        json_t *answer = guest_await(&guest, "range");
        assert_string_equal(json_text(answer, "id"), "a");
        assert_int_equal(json_whole(answer, "from_frame"), 480000);
        assert_int_equal(json_whole(answer, "to_frame"), 624000);
        assert_int_equal(json_whole(answer, "bitrate"), format_bitrate(formats[i]));
        assert_int_equal(json_whole(answer, "decoder_delay_frames"), formats[i] == FORMAT_PCM ? 0 : 312);
        json_decref(answer);
        struct tape *tape = take(&archive, &errand);
        assert_int_equal(tape_subject(tape)->format, formats[i]);
        assert_false(tape_subject(tape)->trial);
        int length = tape_length(tape);
        for (int made = 0; made < length; made += STEP_CHUNKS) {
            make(tape, length - made < STEP_CHUNKS ? length - made : STEP_CHUNKS);
            catch_round(&archive, &guest, &catch);
        }
        tape_end(tape);
        catch_all(&archive, &guest, &catch);
        assert_string_equal(catch.end, "done");
        assert_int_equal(catch.chunks, 30);
        assert_int_equal(catch.prerolls, formats[i] == FORMAT_PCM ? 0 : 4);
        assert_true(catch.live > 5);
        assert_int_equal(stream_stats(archive.rig.stream)->underruns + stream_stats(archive.rig.stream)->skips, 0);
        guest_end(&guest);
        archive_end(&archive);
    }
}

// Ten times as fast as it is heard, and no faster.
static void a_range_has_its_pace(void **state)
{
    struct archive archive;
    struct guest guest;
    struct errand errand;
    struct catch catch = {0};
    archive_begin(&archive, false);
    join(&archive, &guest, "/ws/v2");
    guest_say(&guest, "{\"type\":\"pause\"}");
    guest_say(&guest, "{\"type\":\"range\",\"from_frame\":0,\"frames\":1440000,\"format\":\"opus\"}");
    json_decref(guest_await(&guest, "range"));
    make_whole(take(&archive, &errand));
    uint64_t begin_ns = clock_now_ns(&archive.rig.clock);
    catch_all(&archive, &guest, &catch);
    assert_int_equal(catch.chunks, 300);
    assert_in_range((clock_now_ns(&archive.rig.clock) - begin_ns) / NS_PER_MS, 2950, 4500);
    guest_end(&guest);
    archive_end(&archive);
}

static void a_preview_tells_what_would_be(void **state)
{
    struct archive archive;
    struct guest guest;
    struct errand errand;
    struct catch catch = {0};
    archive_begin(&archive, false);
    join(&archive, &guest, "/ws/v2?format=pcm");
    guest_say(&guest, "{\"type\":\"preview\",\"id\":\"p\",\"frames\":48000,\"parameters\":{\"bpm\":99}}");
    json_t *answer = guest_await(&guest, "preview");
    uint64_t at = (uint64_t)json_whole(answer, "at_frame");
    assert_int_equal(json_whole(json_object_get(answer, "parameters"), "bpm"), 99);
    assert_int_equal(json_whole(answer, "from_frame"), frames_round_down(control_heard_from(at), CHUNK_FRAMES));
    assert_true(at >= RIG_LIVE_FRAME + 9600);
    json_decref(answer);
    struct tape *tape = take(&archive, &errand);
    assert_true(tape_subject(tape)->trial);
    make_whole(tape);
    assert_int_equal(errand.change.at_frame, at);
    assert_int_equal(errand.change.mood.bpm, 99);
    catch_all(&archive, &guest, &catch);
    assert_in_range(catch.chunks, 10, 11);
    assert_int_equal(sequencer_latest(archive.rig.station.sequencer), 0);
    guest_say(&guest, "{\"type\":\"preview\",\"id\":\"q\",\"frames\":48000,\"parameters\":{\"bpm\":1}}");
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "code"), "INVALID_PARAMETERS");
    assert_string_equal(json_text(error, "field"), "bpm");
    assert_string_equal(json_text(error, "id"), "q");
    json_decref(error);
    guest_end(&guest);
    archive_end(&archive);
}

static void expect_error(struct guest *guest, const char *code)
{
    json_t *error = guest_await(guest, "error");
    assert_string_equal(json_text(error, "code"), code);
    json_decref(error);
}

static void a_listener_has_one_at_a_time(void **state)
{
    static const char *const wish = "{\"type\":\"range\",\"from_frame\":48000,\"frames\":48000}";
    struct archive archive;
    struct guest guest;
    struct errand errand;
    struct catch catch = {0};
    archive_begin(&archive, false);
    join(&archive, &guest, "/ws/v2");
    guest_say(&guest, wish);
    json_decref(guest_await(&guest, "range"));
    guest_say(&guest, wish);
    expect_error(&guest, "BUSY");
    struct tape *tape = take(&archive, &errand);
    make(tape, 3);
    guest_say(&guest, "{\"type\":\"cancel\"}");
    catch_all(&archive, &guest, &catch);
    assert_string_equal(catch.end, "cancelled");
    assert_true(tape_end_unwanted(tape));
    assert_int_equal(tapes_bytes(archive.tapes), 0);
    guest_say(&guest, wish);
    json_decref(guest_await(&guest, "range"));
    tape_end(take(&archive, &errand));
    catch = (struct catch){0};
    catch_all(&archive, &guest, &catch);
    assert_string_equal(catch.end, "failed");
    guest_end(&guest);
    archive_end(&archive);
}

// Made once, sent to each from the beginning.
static void who_asks_for_the_same_shares_it(void **state)
{
    enum { GUESTS = 10 };
    struct archive archive;
    struct guest guests[GUESTS];
    struct errand errand, none;
    archive_begin(&archive, false);
    for (int i = 0; i < GUESTS; i++) {
        join(&archive, &guests[i], "/ws/v2");
        guest_say(&guests[i], "{\"type\":\"range\",\"from_frame\":48000,\"frames\":48000}");
        json_decref(guest_await(&guests[i], "range"));
        if (i == GUESTS / 2)
            make_whole(take(&archive, &errand));
    }
    assert_false(errands_take(archive.errands, &none));
    for (int i = 0; i < GUESTS; i++) {
        struct catch catch = {0};
        catch_all(&archive, &guests[i], &catch);
        assert_int_equal(catch.chunks, 10);
        guest_end(&guests[i]);
    }
    assert_int_equal(stream_stats(archive.rig.stream)->ranges, GUESTS);
    archive_end(&archive);
}

static void a_server_makes_so_many_at_once(void **state)
{
    struct archive archive;
    struct guest guests[TAPES_MAKING + 1];
    struct errand errand;
    char wish[96];
    archive_begin(&archive, false);
    for (int i = 0; i <= TAPES_MAKING; i++) {
        snprintf(wish, sizeof wish, "{\"type\":\"range\",\"from_frame\":%d,\"frames\":48000}", 48000 * i);
        join(&archive, &guests[i], "/ws/v2");
        guest_say(&guests[i], wish);
        if (i < TAPES_MAKING)
            json_decref(guest_await(&guests[i], "range"));
    }
    json_t *error = guest_await(&guests[TAPES_MAKING], "error");
    assert_string_equal(json_text(error, "code"), "BUSY");
    assert_int_equal(json_whole(error, "retry_ms"), 1000);
    json_decref(error);
    make_whole(take(&archive, &errand));
    stream_refuse(archive.rig.stream, true);   // memory is short
    guest_say(&guests[TAPES_MAKING], wish);
    expect_error(&guests[TAPES_MAKING], "BUSY");
    stream_refuse(archive.rig.stream, false);
    guest_say(&guests[TAPES_MAKING], wish);
    json_decref(guest_await(&guests[TAPES_MAKING], "range"));
    for (int i = 0; i <= TAPES_MAKING; i++)
        guest_end(&guests[i]);
    rig_wait(rig_deserted, &archive.rig);
    while (errands_take(archive.errands, &errand))
        assert_true(tape_end_unwanted(errand.tape));
    archive_end(&archive);
}

static void an_address_has_two_minutes_a_minute(void **state)
{
    struct archive archive;
    struct guest guest;
    struct errand errand;
    archive_begin(&archive, true);
    join(&archive, &guest, "/ws/v2");
    for (int i = 0; i < 2; i++) {
        struct catch catch = {0};
        guest_say(&guest, "{\"type\":\"range\",\"from_frame\":0,\"frames\":2640000,\"bitrate\":32000}");
        json_decref(guest_await(&guest, "range"));
        if (i == 0)
            make_whole(take(&archive, &errand));
        guest_say(&guest, "{\"type\":\"cancel\"}");
        catch_all(&archive, &guest, &catch);
    }
    guest_say(&guest, "{\"type\":\"range\",\"from_frame\":0,\"frames\":1}");
    json_t *error = guest_await(&guest, "error");
    assert_string_equal(json_text(error, "code"), "RATE_LIMIT_EXCEEDED");
    assert_in_range(json_whole(error, "retry_ms"), 50000, 60000);
    json_decref(error);
    assert_int_equal(stream_stats(archive.rig.stream)->refused_ranges, 1);
    guest_end(&guest);
    archive_end(&archive);
}

// Whoever reads late: what is said of a range comes behind all that belongs to it, and before what belongs to the next.
static void an_end_is_behind_all_that_was_sent(void **state)
{
    static const char *const formats[] = {"pcm", "opus"};
    for (int i = 0; i < 20; i++) {
        struct archive archive;
        struct guest guest;
        struct errand errand;
        char wish[128];
        bool cancelled = i % 4 > 1;
        archive_begin(&archive, false);
        guest_open(&guest, &archive.rig, "/ws/v2?format=pcm", NULL, true);
        json_decref(guest_await(&guest, "hello"));
        guest_say(&guest, "{\"type\":\"pause\"}");
        snprintf(wish, sizeof wish, "{\"type\":\"range\",\"from_frame\":48000,\"frames\":%d,\"format\":\"%s\"}",
                 4800 * (1 + 3 * i), formats[i % 2]);
        guest_say(&guest, wish);
        json_decref(guest_await(&guest, "range"));
        struct tape *tape = take(&archive, &errand);
        int length = tape_length(tape), got = 0;
        make_whole(tape);
        for (int round = 0; round < 20; round++) {
            rig_advance_ms(&archive.rig, 20);
            usleep(2000);
        }
        if (cancelled)
            guest_say(&guest, "{\"type\":\"cancel\"}");
        for (bool end = false; !end;) {
            struct pollfd poll_in = {.fd = guest.fd, .events = POLLIN};
            while (poll(&poll_in, 1, ROUND_REAL_MS) == 0)
                rig_advance_ms(&archive.rig, 20);
            if (guest_next(&guest) == WEBSOCKET_BINARY) {
                got += (guest.bytes[2] & MESSAGE_ASIDE) != 0;
                continue;
            }
            end = strstr((char *)guest.bytes, "range_end") != NULL;
        }
        assert_true(cancelled ? got <= length : got == length);
        rig_advance_ms(&archive.rig, 100);
        guest_say(&guest, "{\"type\":\"ping\",\"t0\":1}");
        while (guest_next(&guest) == WEBSOCKET_TEXT && !strstr((char *)guest.bytes, "pong")) {
        }
        assert_int_equal(guest.opcode, WEBSOCKET_TEXT);   // nothing of it comes any more
        guest_end(&guest);
        archive_end(&archive);
    }
}

// Who reads a message every three seconds keeps it from others for too long.
static void who_is_too_slow_is_told_so(void **state)
{
    struct archive archive;
    struct guest guest;
    struct errand errand;
    struct catch catch = {0};
    archive_begin(&archive, false);
    guest_open(&guest, &archive.rig, "/ws/v2?format=pcm", NULL, true);
    json_decref(guest_await(&guest, "hello"));
    guest_say(&guest, "{\"type\":\"pause\"}");
    guest_say(&guest, "{\"type\":\"range\",\"from_frame\":48000,\"frames\":144000}");
    json_decref(guest_await(&guest, "range"));
    make_whole(take(&archive, &errand));
    for (int ms = 0; !*catch.end; ms += 50) {
        struct pollfd poll_in = {.fd = guest.fd, .events = POLLIN};
        rig_advance_ms(&archive.rig, 50);
        usleep(500);
        if (ms % 3000 != 0 || poll(&poll_in, 1, ROUND_REAL_MS) == 0)
            continue;
        if (guest_next(&guest) == WEBSOCKET_BINARY)
            catch_binary(&guest, &catch);
        else
            catch_text(&guest, &catch);
    }
    assert_string_equal(catch.end, "slow");
    assert_true(catch.chunks > 5 && catch.chunks < 30);
    guest_end(&guest);
    archive_end(&archive);
}

static void nonsense_is_refused(void **state)
{
    static const char *const invalid[] = {"{\"type\":\"range\",\"from_frame\":0,\"frames\":0}",
                                          "{\"type\":\"range\",\"from_frame\":0,\"frames\":5760001}",
                                          "{\"type\":\"range\",\"from_frame\":0,\"frames\":-1}"};
    static const char *const malformed[] = {"{\"type\":\"range\",\"from_frame\":0}",
                                            "{\"type\":\"range\",\"frames\":4800}",
                                            "{\"type\":\"range\",\"from_frame\":-1,\"frames\":4800}",
                                            "{\"type\":\"range\",\"from_frame\":1.5,\"frames\":4800}",
                                            "{\"type\":\"range\",\"from_frame\":9223372036854775807,\"frames\":1}",
                                            "{\"type\":\"range\",\"from_frame\":0,\"frames\":1,\"format\":\"mp3\"}",
                                            "{\"type\":\"range\",\"from_frame\":0,\"frames\":1,\"id\":7}",
                                            "{\"type\":\"preview\",\"frames\":4800}"};
    struct archive archive;
    struct guest guest;
    struct errand errand;
    archive_begin(&archive, false);
    join(&archive, &guest, "/ws/v2");
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        guest_say(&guest, invalid[i]);
        expect_error(&guest, "INVALID_PARAMETERS");
    }
    guest_end(&guest);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        join(&archive, &guest, "/ws/v2");
        guest_say(&guest, malformed[i]);
        expect_error(&guest, "INVALID_MESSAGE");
        guest_end(&guest);
    }
    assert_false(errands_take(archive.errands, &errand));
    archive_end(&archive);
}

// One who goes, and one whose server goes.
static void who_goes_leaves_nothing(void **state)
{
    struct archive archive;
    struct guest guest, other;
    struct errand errand;
    archive_begin(&archive, false);
    join(&archive, &guest, "/ws/v2");
    guest_say(&guest, "{\"type\":\"range\",\"id\":\"x\",\"from_frame\":48000,\"frames\":48000}");
    json_decref(guest_await(&guest, "range"));
    struct tape *tape = take(&archive, &errand);
    make(tape, 2);
    guest_end(&guest);
    rig_wait(rig_deserted, &archive.rig);
    assert_true(tape_end_unwanted(tape));
    join(&archive, &other, "/ws/v2");
    guest_say(&other, "{\"type\":\"range\",\"id\":\"x\",\"from_frame\":48000,\"frames\":48000}");
    json_decref(guest_await(&other, "range"));
    make_whole(take(&archive, &errand));
    archive_end(&archive);
    guest_end(&other);
}

static void a_server_without_a_background_makes_none(void **state)
{
    struct rig rig;
    struct guest guest;
    rig_begin_usual(&rig);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    json_t *hello = guest_await(&guest, "hello");
    assert_int_equal(json_whole(hello, "max_range_frames"), 0);
    json_decref(hello);
    guest_say(&guest, "{\"type\":\"range\",\"from_frame\":0,\"frames\":48000}");
    expect_error(&guest, "INTERNAL_ERROR");
    guest_end(&guest);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_comes_between_what_is_on_air),
        cmocka_unit_test(a_range_has_its_pace),
        cmocka_unit_test(a_preview_tells_what_would_be),
        cmocka_unit_test(a_listener_has_one_at_a_time),
        cmocka_unit_test(who_asks_for_the_same_shares_it),
        cmocka_unit_test(a_server_makes_so_many_at_once),
        cmocka_unit_test(an_address_has_two_minutes_a_minute),
        cmocka_unit_test(an_end_is_behind_all_that_was_sent),
        cmocka_unit_test(who_is_too_slow_is_told_so),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(who_goes_leaves_nothing),
        cmocka_unit_test(a_server_without_a_background_makes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
