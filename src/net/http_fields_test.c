// Headers, queries and the rules about hosts and origins.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "net/handshake.h"
#include "net/http_fields.h"
#include "net/http_response.h"
#include "net/socket.h"

static struct http_request with(const char *name, const char *value)
{
    struct http_request request = {.method = "GET", .path = "/", .query = "", .header_count = 1};
    request.headers[0].name = name;
    request.headers[0].value = value;
    return request;
}

static void test_tokens(void **state)
{
    struct http_request request = with("connection", "keep-alive ,\tUpgrade");
    assert_true(http_has_token(&request, "connection", "upgrade"));
    assert_true(http_has_token(&request, "connection", "keep-alive"));
    assert_false(http_has_token(&request, "connection", "keep"));
    assert_false(http_has_token(&request, "connection", "upgrades"));
    assert_false(http_has_token(&request, "upgrade", "upgrade"));
    request = with("connection", ", ,,");
    assert_false(http_has_token(&request, "connection", "upgrade"));
}

static bool query(const char *text, const char *name, char *out, size_t cap)
{
    struct http_request request = {.query = text};
    return http_query(&request, name, out, cap);
}

static void test_query(void **state)
{
    char out[8];
    assert_true(query("a=1&station=m%61in&b", "station", out, sizeof out));
    assert_string_equal("main", out);
    assert_true(query("a+b=no&a=x+y%2b", "a", out, sizeof out));
    assert_string_equal("x y+", out);
    assert_true(query("a=1&b", "b", out, sizeof out));
    assert_string_equal("", out);
    assert_true(query("a=&a=2", "a", out, sizeof out));
    assert_string_equal("", out);
    assert_true(query("a=1234567", "a", out, sizeof out));
    static const char *const unreadable[] = {"a=12345678", "a=%4", "a=%00", "a=1%zz"};
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        strcpy(out, "before");
        assert_true(query(unreadable[i], "a", out, sizeof out));
        assert_string_equal("", out);
    }
    strcpy(out, "before");
    assert_false(query("aa=1&", "a", out, sizeof out));
    assert_false(query("", "a", out, sizeof out));
    assert_string_equal("before", out);
}

static void test_json(void **state)
{
    static const struct { const char *type; bool json; } cases[] = {
        {"application/json", true}, {"Application/JSON; charset=utf-8", true}, {"application/json ;x", true},
        {"application/jsonp", false}, {"text/plain", false}, {"", false}, {"text/plain; application/json", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = with("content-type", cases[i].type);
        assert_int_equal(cases[i].json, http_is_json(&request));
    }
    struct http_request request = with("accept", "application/json");
    assert_false(http_is_json(&request));
}

static void test_hosts(void **state)
{
    static const char *const allowed[] = {"music.example.org", NULL};
    static const struct { const char *host; bool good; } cases[] = {
        {"127.0.0.1:8000", true}, {"192.168.1.7", true}, {"[::1]:8000", true}, {"[fe80::1]", true},
        {"localhost", true}, {"LocalHost:1", true}, {"Music.Example.org:8000", true}, {"evil.example.org", false},
        {"localhost.evil.org", false}, {"music.example.org.evil.org", false}, {"", false}, {":80", false},
        {"[::1", false}, {"[localhost]", false}, {"[::1]x", false}, {"127.0.0.1:80x", false}, {"127.0.0.1.", false},
        {"::1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = with("host", cases[i].host);
        if (http_host_allowed(&request, allowed) != cases[i].good)
            fail_msg("%s", cases[i].host);
    }
    struct http_request request = with("host", "music.example.org");
    assert_false(http_host_allowed(&request, NULL));
    request = with("other", "x");
    assert_true(http_host_allowed(&request, NULL));
}

static void test_origins(void **state)
{
    static const char *const allowed[] = {"https://example.org", NULL};
    static const struct { const char *origin; bool good; } cases[] = {
        {"http://me:8000", true}, {"https://ME:8000", true}, {"https://example.org", true},
        {"http://example.org", false}, {"https://example.org.evil", false}, {"http://me", false},
        {"http://me:80000", false}, {"null", false},
        {"", false}, {"file://me:8000", false}, {"xhttp://me:8000", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = with("origin", cases[i].origin);
        request.headers[1].name = "host";
        request.headers[1].value = "me:8000";
        request.header_count = 2;
        if (http_origin_allowed(&request, allowed) != cases[i].good)
            fail_msg("%s", cases[i].origin);
    }
    struct http_request request = with("host", "me");
    assert_true(http_origin_allowed(&request, NULL));
}

static void test_a_secure_request_needs_a_secure_origin(void **state)
{
    static const char *const allowed[] = {"http://listed.example", NULL};
    static const struct { const char *origin; bool plain, secure; } cases[] = {
        {"https://me:8000", true, true}, {"http://me:8000", true, false}, {"HTTP://me:8000", true, false},
        {"http://listed.example", true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = with("origin", cases[i].origin);
        request.headers[1].name = "host";
        request.headers[1].value = "me:8000";
        request.header_count = 2;
        assert_int_equal(cases[i].plain, http_origin_allowed(&request, allowed));
        request.secure = true;
        assert_int_equal(cases[i].secure, http_origin_allowed(&request, allowed));
    }
}

static void test_accept_key(void **state)
{
    char key[HANDSHAKE_ACCEPT_BYTES];
    assert_true(handshake_accept_key("dGhlIHNhbXBsZSBub25jZQ==", key));  // the example of RFC 6455
    assert_string_equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", key);
}

static struct http_peer peer_of(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct http_peer peer;
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        socket_peer((struct sockaddr *)&v4, &peer);
    } else {
        assert_int_equal(1, inet_pton(AF_INET6, text, &v6.sin6_addr));
        socket_peer((struct sockaddr *)&v6, &peer);
    }
    return peer;
}

static void test_peers(void **state)
{
    assert_true(peer_of("127.0.0.1").loopback && peer_of("127.9.9.9").loopback && peer_of("::1").loopback);
    assert_true(peer_of("::ffff:127.0.0.1").loopback);
    assert_false(peer_of("10.0.0.1").loopback || peer_of("::2").loopback || peer_of("fe80::1").loopback);
    assert_true(peer_of("10.0.0.1").key == peer_of("::ffff:10.0.0.1").key);
    assert_true(peer_of("10.0.0.1").key != peer_of("10.0.0.2").key);
    assert_true(peer_of("2001:db8:1:2::1").key == peer_of("2001:db8:1:2:ffff::9").key);
    assert_true(peer_of("2001:db8:1:2::1").key != peer_of("2001:db8:1:3::1").key);
}

static void test_error_never_overflows(void **state)
{
    char evil[4000];
    struct http_response response;
    memset(evil, '"', sizeof evil - 1);
    evil[0] = '\n';
    evil[sizeof evil - 1] = '\0';
    http_response_init(&response, "test/1", 0);
    http_respond_error(&response, 400, "INVALID_PARAMETERS", evil, evil, evil, evil);
    assert_non_null(response.head);
    assert_int_equal(400, response.status);
    free(response.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens), cmocka_unit_test(test_query), cmocka_unit_test(test_json),
        cmocka_unit_test(test_hosts), cmocka_unit_test(test_origins),
        cmocka_unit_test(test_a_secure_request_needs_a_secure_origin), cmocka_unit_test(test_accept_key),
        cmocka_unit_test(test_peers), cmocka_unit_test(test_error_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
