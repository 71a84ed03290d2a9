#include "client/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void urls_are_taken_apart(void **state)
{
    static const struct { const char *text, *host, *port, *target; bool secure; } good[] = {
        {"http://localhost:8080", "localhost", "8080", "", false},
        {"ws://a.b/ws/v2?station=x", "a.b", "80", "/ws/v2?station=x", false},
        {"http://[::1]:9/", "::1", "9", "/", false},
        {"ws://[fe80::1]", "fe80::1", "80", "", false},
        {"http://h:65535", "h", "65535", "", false},
        {"https://h/x", "h", "443", "/x", true},
        {"wss://[::1]:8443", "::1", "8443", "", true},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct url url;
        assert_true(url_read(good[i].text, &url));
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.port, good[i].port);
        assert_string_equal(url.target, good[i].target);
        assert_int_equal(url.secure, good[i].secure);
    }
}

static void bad_urls_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "localhost", "ftp://x", "https:/x", "http://", "http://:80", "http://h:", "http://h:0", "http://h:65536",
        "http://h:8a", "http://h:123456", "http://[::1", "http://[::1]x", "http://h\r\nX: y", "http://h/a b",
        "http://u@h/", "http://h?x=y", "http://h/#f",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct url url;
        assert_false(url_read(bad[i], &url));
    }
}

static void the_key_of_the_rfc_gives_its_answer(void **state)
{
    struct upgrade_key key = {.key = "dGhlIHNhbXBsZSBub25jZQ=="};
    upgrade_key_accept(&key);
    assert_string_equal(key.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    struct upgrade_key other;
    upgrade_key_make(&other);
    assert_int_equal(strlen(other.key), 24);
    assert_int_equal(strlen(other.accept), 28);
    assert_string_not_equal(other.key, key.key);
}

static void the_request_is_whole(void **state)
{
    struct upgrade_key key = {.key = "dGhlIHNhbXBsZSBub25jZQ=="};
    struct url url;
    char bytes[512];
    struct text text = text_on(bytes, sizeof bytes);
    assert_true(url_read("ws://[::1]:99", &url));
    upgrade_write(&url, "/ws/v2?format=pcm", "auralis-v2", &key, &text);
    assert_string_equal(bytes, "GET /ws/v2?format=pcm HTTP/1.1\r\nHost: [::1]:99\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                               "Sec-WebSocket-Protocol: auralis-v2\r\n\r\n");
}

#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define LONG_TEN "abcdefghij"
#define LONG_FIFTY LONG_TEN LONG_TEN LONG_TEN LONG_TEN LONG_TEN
#define LONG_LINE LONG_FIFTY LONG_FIFTY LONG_FIFTY LONG_FIFTY
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

static enum status read_answer(const char *head, const char *subprotocol, const char **why)
{
    static char words[160];
    struct upgrade_key key = {.key = "dGhlIHNhbXBsZSBub25jZQ=="};
    upgrade_key_accept(&key);
    struct text failure = text_on(words, sizeof words);
    *why = words;
    return upgrade_read(head, subprotocol, &key, &failure);
}

static void answers_are_checked(void **state)
{
    const char *why;
    assert_int_equal(read_answer(SWITCH ACCEPT "\r\n", NULL, &why), STATUS_OK);
    assert_int_equal(read_answer(SWITCH ACCEPT "sec-websocket-protocol:  auralis-v2 \r\n\r\n", "auralis-v2", &why),
                     STATUS_OK);
    assert_int_equal(read_answer(SWITCH ACCEPT "\r\n", "auralis-v2", &why), STATUS_INVALID);
    assert_int_equal(read_answer(SWITCH ACCEPT "Sec-WebSocket-Protocol: x\r\n\r\n", NULL, &why), STATUS_INVALID);
    assert_int_equal(read_answer(SWITCH "\r\n", NULL, &why), STATUS_INVALID);
    assert_int_equal(read_answer(SWITCH "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n", NULL, &why),
                     STATUS_INVALID);
    assert_int_equal(read_answer("HTTP/1.1 101 X\r\n" ACCEPT "\r\n", NULL, &why), STATUS_INVALID);
    assert_int_equal(read_answer("HTTP/1.1 503 Service Unavailable\r\n\r\n", NULL, &why), STATUS_CLOSED);
    assert_string_equal(why, "refused: 503 Service Unavailable");
    assert_int_equal(read_answer("HTTP/1.1 503 " LONG_LINE "\r\n\r\n", NULL, &why), STATUS_CLOSED);
    assert_memory_equal(why, "refused: 503 abc", 16);
    assert_int_equal(read_answer("SSH-2.0-x\r\n\r\n", NULL, &why), STATUS_INVALID);
    assert_int_equal(read_answer("HTTP/1.", NULL, &why), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart), cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(the_key_of_the_rfc_gives_its_answer), cmocka_unit_test(the_request_is_whole),
        cmocka_unit_test(answers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
