// Who gets in, and what those are told who do not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "stream/rig.h"

static const char SECRET[] = "a-secret-of-this-test";

static int status_of(struct rig *rig, const char *target, const char *headers)
{
    struct guest guest;
    guest_open(&guest, rig, target, headers, false);
    int status = guest.status;
    guest_end(&guest);
    return status;
}

static void requests_are_judged(void **state)
{
    char longest[65], longer[66], target[128];
    memset(longest, 'a', 64);
    memset(longer, 'a', 65);
    longest[64] = longer[65] = '\0';
    static const struct {
        const char *target, *headers;
        int status;
    } cases[] = {
        {"/ws/v2", NULL, 101},
        {"/ws/v2?station=main&format=pcm", NULL, 101},
        {"/ws/v2?station=other", NULL, 404},
        {"/ws/v2?format=mp3", NULL, 400},
        {"/ws/v2?format=legacy", NULL, 400},
        {"/ws/v2", "Sec-WebSocket-Protocol: auralis-v1\r\n", 400},
        {"/ws/v2", "Origin: http://evil.example\r\n", 403},
        {"/ws/v2", "Origin: https://friend.example\r\n", 101},
        {"/ws/v2/", NULL, 404},
        {"/ws/nothing", NULL, 404},
        {"/ws/stream", NULL, 101},
        {"/ws/audio/me_-9", NULL, 101},
        {"/ws/audio/me?buffer_tier=stable", "Sec-WebSocket-Protocol: auralis-v1\r\n", 101},
        {"/ws/audio/me?buffer_tier=huge", NULL, 400},
        {"/ws/audio/me", "Sec-WebSocket-Protocol: other\r\n", 400},
        {"/ws/audio/me", "Sec-WebSocket-Protocol: other, auralis-v1\r\n", 101},
        {"/ws/audio/", NULL, 400},
        {"/ws/audio/a%20b", NULL, 400},
        {"/ws/audio/a/b", NULL, 400},
        {"/ws/audio/admin", NULL, 400},
        {"/ws/audio/system", NULL, 400},
        {"/ws/audio/test", NULL, 400},
        {"/ws/audio/tester", NULL, 101},
        {"/ws/audio/me?token=a.b.c", NULL, 401},
        {"/ws/audio/me", "Authorization: Bearer a.b.c\r\n", 401},
    };
    struct rig rig;
    struct stream_config config = rig_config();
    config.origins = (const char *const[]){"https://friend.example", NULL};
    rig_begin(&rig, &config, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = status_of(&rig, cases[i].target, cases[i].headers);
        if (status != cases[i].status)
            fail_msg("%s %s: %d", cases[i].target, cases[i].headers ? cases[i].headers : "", status);
    }
    snprintf(target, sizeof target, "/ws/audio/%s", longest);
    assert_int_equal(status_of(&rig, target, NULL), 101);
    snprintf(target, sizeof target, "/ws/audio/%s", longer);
    assert_int_equal(status_of(&rig, target, NULL), 400);
    assert_int_equal(stream_stats(rig.stream)->refused_token, 2);
    assert_int_equal(stream_stats(rig.stream)->refused_full, 0);
    rig_wait(rig_deserted, &rig);
    rig_end(&rig);
}

static void the_chosen_subprotocol_is_told(void **state)
{
    struct rig rig;
    struct guest guest;
    struct stream_config config = rig_config();
    rig_begin(&rig, &config, 0);
    guest_open(&guest, &rig, "/ws/audio/me", "Sec-WebSocket-Protocol: x, auralis-v1\r\n", false);
    assert_non_null(strstr(guest.head, "rotocol: auralis-v1\r\n"));
    guest_end(&guest);
    guest_open(&guest, &rig, "/ws/audio/me", NULL, false);
    assert_null(strstr(guest.head, "auralis-v1"));
    guest_end(&guest);
    rig_end(&rig);
}

static bool none_open(struct rig *rig)
{
    return rig_deserted(rig) && atomic_load(&net_stats(rig->server)->open_connections) == 0;
}

static void at_capacity_there_is_a_503_until_somebody_goes(void **state)
{
    struct rig rig;
    struct guest first, second, third;
    struct stream_config config = rig_config();
    config.max_listeners = 2;
    rig_begin(&rig, &config, 0);
    // Who is refused takes no place.
    for (int i = 0; i < 5; i++)
        assert_int_equal(status_of(&rig, "/ws/audio/admin", NULL), 400);
    for (int round = 0; round < 3; round++) {
        guest_open(&first, &rig, "/ws/v2", NULL, false);
        guest_open(&second, &rig, "/ws/stream", NULL, false);
        assert_int_equal(first.status, 101);
        assert_int_equal(second.status, 101);
        json_decref(guest_json(&first));
        guest_open(&third, &rig, "/ws/audio/me", NULL, false);
        assert_int_equal(third.status, 503);
        assert_non_null(strstr(third.head, "Retry-After: "));
        guest_end(&third);
        // A place that was left is as good as new.
        rig_advance_ms(&rig, 150);
        guest_expect_silence(&first);
        guest_end(&first);
        guest_end(&second);
        rig_wait(none_open, &rig);
    }
    assert_int_equal(stream_stats(rig.stream)->refused_full, 3);
    rig_end(&rig);
}

static void an_address_may_have_so_many_open(void **state)
{
    struct rig rig;
    struct guest guests[3];
    struct stream_config config = rig_config();
    config.max_per_address = 2;
    config.limit_loopback = true;
    rig_begin(&rig, &config, 0);
    for (int i = 0; i < 3; i++)
        guest_open(&guests[i], &rig, "/ws/v2", NULL, false);
    assert_int_equal(guests[1].status, 101);
    assert_int_equal(guests[2].status, 429);
    assert_non_null(strstr(guests[2].head, "Retry-After: "));
    assert_int_equal(stream_stats(rig.stream)->refused_address, 1);
    for (int i = 0; i < 3; i++)
        guest_end(&guests[i]);
    rig_wait(none_open, &rig);
    assert_int_equal(status_of(&rig, "/ws/v2", NULL), 101);
    rig_end(&rig);
}

static void an_address_may_try_so_often(void **state)
{
    struct rig rig;
    struct stream_config config = rig_config();
    config.max_attempts_v2 = 4;
    config.max_attempts_legacy = 2;
    config.limit_loopback = true;
    rig_begin(&rig, &config, 0);
    assert_int_equal(status_of(&rig, "/ws/audio/admin", NULL), 400);
    assert_int_equal(status_of(&rig, "/ws/audio/me", NULL), 101);
    assert_int_equal(status_of(&rig, "/ws/stream", NULL), 429);
    for (int i = 0; i < 4; i++)
        assert_int_equal(status_of(&rig, "/ws/v2", NULL), 101);
    struct guest guest;
    rig_advance_ms(&rig, 20000);
    guest_open(&guest, &rig, "/ws/v2", NULL, false);
    assert_int_equal(guest.status, 429);
    assert_non_null(strstr(guest.head, "Retry-After: 40\r\n"));
    guest_end(&guest);
    rig_advance_ms(&rig, 40000);
    assert_int_equal(status_of(&rig, "/ws/v2", NULL), 101);
    assert_int_equal(status_of(&rig, "/ws/stream", NULL), 101);
    assert_int_equal(stream_stats(rig.stream)->refused_attempts, 2);
    rig_end(&rig);
}

static void encode(const void *bytes, size_t len, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    for (; *out && *out != '='; out++)
        *out = *out == '+' ? '-' : *out == '/' ? '_' : *out;
    *out = '\0';
}

static void sign(const char *subject, int64_t expires, char *token)
{
    char claims[128];
    unsigned char signature[EVP_MAX_MD_SIZE];
    unsigned len;
    encode("{\"alg\":\"HS256\"}", 15, token);
    strcat(token, ".");
    encode(claims, (size_t)sprintf(claims, "{\"sub\":\"%s\",\"exp\":%lld}", subject, (long long)expires),
           token + strlen(token));
    HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET), (const unsigned char *)token, strlen(token), signature, &len);
    strcat(token, ".");
    encode(signature, len, token + strlen(token));
}

static void tokens_are_checked(void **state)
{
    char token[512], text[700];
    struct rig rig;
    struct stream_config config = rig_config();
    config.jwt_secret = SECRET;
    rig_begin(&rig, &config, 0);
    int64_t now = RIG_UNIX_NS / 1000000000;
    sign("me", now + 10, token);
    snprintf(text, sizeof text, "/ws/audio/me?buffer_tier=stable&token=%s", token);
    assert_int_equal(status_of(&rig, text, NULL), 101);
    snprintf(text, sizeof text, "/ws/audio/you?token=%s", token);
    assert_int_equal(status_of(&rig, text, NULL), 401);
    snprintf(text, sizeof text, "Authorization: Bearer %s\r\n", token);
    assert_int_equal(status_of(&rig, "/ws/audio/me", text), 101);
    rig_advance_ms(&rig, 10000);
    assert_int_equal(status_of(&rig, "/ws/audio/me", text), 401);
    assert_int_equal(status_of(&rig, "/ws/audio/me", NULL), 101);
    snprintf(text, sizeof text, "/ws/audio/me?token=");
    assert_int_equal(status_of(&rig, text, NULL), 401);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_judged),
        cmocka_unit_test(the_chosen_subprotocol_is_told),
        cmocka_unit_test(at_capacity_there_is_a_503_until_somebody_goes),
        cmocka_unit_test(an_address_may_have_so_many_open),
        cmocka_unit_test(an_address_may_try_so_often),
        cmocka_unit_test(tokens_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
