// Who asks, behind proxies.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <arpa/inet.h>
#include <string.h>

#include "net/forwarded.h"

static struct forwarded_proxies proxies;

static struct http_peer peer_of(const char *text)
{
    uint8_t address[PEER_ADDRESS_BYTES];
    assert_true(peer_read_address(text, strlen(text), address));
    return peer_at(address);
}

// 10.0.0.0/8, 2001:db8:1::/48 and this machine are trusted.
static int trust(void **state)
{
    static const char *const ranges[] = {"10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1", "::1"};
    proxies.count = sizeof ranges / sizeof *ranges;
    for (int i = 0; i < proxies.count; i++)
        assert_true(peer_read_range(ranges[i], &proxies.ranges[i]));
    return 0;
}

static struct http_request request_from(const char *peer)
{
    return (struct http_request){.peer = peer_of(peer)};
}

static void add(struct http_request *request, const char *name, const char *value)
{
    request->headers[request->header_count].name = name;
    request->headers[request->header_count++].value = value;
}

static bool is(const struct http_request *request, const char *peer)
{
    struct http_peer expected = peer_of(peer);
    return memcmp(request->peer.address, expected.address, sizeof expected.address) == 0 &&
           request->peer.key == expected.key;
}

// expected: NULL stands for the proxy's own address.
static void expect(const char *name, const char *value, const char *expected)
{
    struct http_request request = request_from("10.1.2.3");
    add(&request, name, value);
    forwarded_apply(&proxies, &request);
    if (!is(&request, expected ? expected : "10.1.2.3"))
        fail_msg("%s: %s", name, value);
    assert_false(request.peer.loopback);
}

static void the_last_stranger_is_believed(void **state)
{
    static const struct { const char *value, *expected; } cases[] = {
        {"192.0.2.1", "192.0.2.1"}, {"192.0.2.1, 192.0.2.2", "192.0.2.2"}, {"192.0.2.1, 10.9.9.9", "192.0.2.1"},
        {"192.0.2.1 ,\t10.9.9.9,10.8.8.8 ", "192.0.2.1"}, {"10.9.9.9, 10.8.8.8", "10.9.9.9"},
        {"192.0.2.1, 2001:db8:1:2::3", "192.0.2.1"}, {"2001:db8:2::1, ::ffff:10.1.1.1", "2001:db8:2::1"},
        {"[2001:db8:2::1]", "2001:db8:2::1"}, {"[2001:db8:2::1]:4711", "2001:db8:2::1"},
        {"192.0.2.1:4711", "192.0.2.1"}, {"garbage \" here, 192.0.2.1", "192.0.2.1"}, {",192.0.2.1,,", "192.0.2.1"},
        {"127.0.0.1", "127.0.0.1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect("x-forwarded-for", cases[i].value, cases[i].expected);
}

static void malformed_addresses_are_not_believed(void **state)
{
    static const char *const values[] = {
        "unknown", "192.0.2.256", "192.0.2.1, garbage", "192.0.2.1, garbage, 10.1.1.1", "192.0.2.1:", "192.0.2.1:x",
        "192.0.2.1:123456", "[192.0.2.1]", "[2001:db8::1", "[2001:db8::1]x", "[2001:db8::1]:", "[]", "[:]",
        "2001:db8::1%eth0", "192.0.2.1 192.0.2.2", "192.0.2.1;192.0.2.2", "\"192.0.2.1\"",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999", "0x7f.1", "1.2.3"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect("x-forwarded-for", values[i], NULL);
}

static void rfc_7239_is_read(void **state)
{
    static const struct { const char *value, *expected; } cases[] = {
        {"for=192.0.2.1", "192.0.2.1"}, {"For=\"192.0.2.1:4711\"", "192.0.2.1"},
        {"for=192.0.2.1;proto=http;by=203.0.113.43", "192.0.2.1"},
        {"for=192.0.2.43, for=198.51.100.17", "198.51.100.17"}, {"for=192.0.2.43,for=10.0.0.1", "192.0.2.43"},
        {"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"}, {"by=10.0.0.1;for=192.0.2.1", "192.0.2.1"},
        {"proto=https; for=192.0.2.1 ; by=x", "192.0.2.1"}, {"for=192.0.2.1;", "192.0.2.1"},
        {";for=192.0.2.1", "192.0.2.1"}, {"for=\"192.0\\.2.1\"", "192.0.2.1"},
        {"for=\"a,b;c\", for=192.0.2.1", "192.0.2.1"}, {"for=_hidden, for=192.0.2.1", "192.0.2.1"},
        {"host=\"x, for=1.1.1.1\";for=192.0.2.1", "192.0.2.1"},
        {"for=_hidden", NULL}, {"for=unknown", NULL}, {"for=192.0.2.1, for=_hidden", NULL}, {"for=", NULL},
        {"for", NULL}, {"=", NULL}, {"192.0.2.1", NULL}, {"for=\"192.0.2.1", NULL}, {"for=\"192.0.2.1\\", NULL},
        {"proto=https", NULL}, {"for=192.0.2.1;for=192.0.2.2", NULL}, {"for=192.0.2.1 for=192.0.2.2", NULL},
        {"for=\"192.0.2.1\"x", NULL}, {"for = 192.0.2.1", NULL}, {"for=\", for=192.0.2.1", NULL},
        {"forx=192.0.2.1", NULL}, {"for=[2001:db8::1]", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect("forwarded", cases[i].value, cases[i].expected);
}

static void several_headers_are_one_list(void **state)
{
    struct http_request request = request_from("10.1.2.3");
    add(&request, "x-forwarded-for", "192.0.2.1, nonsense");
    add(&request, "x-forwarded-for", "192.0.2.2");
    add(&request, "x-forwarded-for", "10.1.1.1");
    forwarded_apply(&proxies, &request);
    assert_true(is(&request, "192.0.2.2"));
    request = request_from("10.1.2.3");
    add(&request, "forwarded", "for=\"");
    add(&request, "forwarded", "for=192.0.2.2");
    forwarded_apply(&proxies, &request);
    assert_true(is(&request, "192.0.2.2"));
}

static void two_stories_must_agree(void **state)
{
    struct http_request request = request_from("10.1.2.3");
    add(&request, "forwarded", "for=192.0.2.1;proto=https");
    add(&request, "x-forwarded-for", "192.0.2.1");
    forwarded_apply(&proxies, &request);
    assert_true(is(&request, "192.0.2.1") && request.secure);
    static const char *const others[] = {"192.0.2.2", "garbage"};
    for (int i = 0; i < 2; i++) {
        request = request_from("10.1.2.3");
        add(&request, "forwarded", "for=192.0.2.1;proto=https");
        add(&request, "x-forwarded-for", others[i]);
        forwarded_apply(&proxies, &request);
        assert_true(is(&request, "10.1.2.3") && !request.secure);
    }
}

static void strangers_are_not_believed(void **state)
{
    struct http_request request = request_from("192.0.2.9");
    add(&request, "forwarded", "for=127.0.0.1;proto=https");
    add(&request, "x-forwarded-for", "127.0.0.1");
    add(&request, "x-forwarded-proto", "https");
    forwarded_apply(&proxies, &request);
    assert_true(is(&request, "192.0.2.9") && !request.secure);
    request.secure = true;
    request.headers[2].value = "http";
    forwarded_apply(&proxies, &request);
    assert_true(request.secure);
    proxies.count = 0;
    request = request_from("127.0.0.1");
    add(&request, "x-forwarded-for", "192.0.2.1");
    forwarded_apply(&proxies, &request);
    assert_true(is(&request, "127.0.0.1") && request.peer.loopback);
}

static void who_comes_through_a_proxy_is_not_on_loopback(void **state)
{
    static const char *const values[] = {"127.0.0.1", "garbage", "192.0.2.1", "::1"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct http_request request = request_from("127.0.0.1");
        add(&request, "x-forwarded-for", values[i]);
        forwarded_apply(&proxies, &request);
        assert_false(request.peer.loopback);
    }
    struct http_request direct = request_from("127.0.0.1");
    forwarded_apply(&proxies, &direct);
    assert_true(direct.peer.loopback);
}

static void the_scheme_is_what_the_client_used(void **state)
{
    static const struct { const char *forwarded, *proto; bool before, after; } cases[] = {
        {NULL, "https", false, true}, {NULL, "HTTPS", false, true}, {NULL, "wss", false, true},
        {NULL, "http", true, false}, {NULL, "ws", true, false}, {NULL, "http, https", false, true},
        {NULL, "gopher", true, true}, {NULL, "", false, false}, {NULL, NULL, true, true},
        {"for=192.0.2.1;proto=https, for=10.0.0.9;proto=http", NULL, false, true},
        {"for=192.0.2.1, for=10.0.0.9;proto=https", NULL, false, false},
        {"for=192.0.2.1;proto=https", "http", false, false}, {"for=192.0.2.1;proto=https", "https", false, true},
        {"for=192.0.2.1", "https", false, true}, {"for=garbage!;proto=https", "https", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = request_from("10.1.2.3");
        request.secure = cases[i].before;
        if (cases[i].forwarded)
            add(&request, "forwarded", cases[i].forwarded);
        if (cases[i].proto)
            add(&request, "x-forwarded-proto", cases[i].proto);
        forwarded_apply(&proxies, &request);
        if (request.secure != cases[i].after)
            fail_msg("case %zu", i);
    }
}

static void ranges_are_read(void **state)
{
    static const struct { const char *range, *in, *out; } cases[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.2"}, {"192.0.2.1/32", "::ffff:192.0.2.1", "192.0.2.0"},
        {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"}, {"10.1.2.3/9", "10.127.0.0", "10.128.0.0"},
        {"0.0.0.0/0", "203.0.113.1", "2001:db8::1"}, {"::/0", "2001:db8::1", NULL}, {"::1", "::1", "::2"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"}, {"fe80::/10", "febf::1", "fec0::1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer_range range;
        assert_true(peer_read_range(cases[i].range, &range));
        if (!peer_in_range(&range, peer_of(cases[i].in).address) ||
            (cases[i].out && peer_in_range(&range, peer_of(cases[i].out).address)))
            fail_msg("%s", cases[i].range);
    }
    static const char *const bad[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "::1/x", "host",
                                      "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/0008", "[::1]", "10.0.0.0/8/8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct peer_range range;
        if (peer_read_range(bad[i], &range))
            fail_msg("%s", bad[i]);
    }
}

static void proxies_are_noticed(void **state)
{
    struct http_request request = request_from("192.0.2.1");
    add(&request, "host", "me");
    assert_false(http_is_forwarded(&request));
    add(&request, "via", "1.1 proxy");
    assert_true(http_is_forwarded(&request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, trust)
        TEST(the_last_stranger_is_believed), TEST(malformed_addresses_are_not_believed), TEST(rfc_7239_is_read),
        TEST(several_headers_are_one_list), TEST(two_stories_must_agree), TEST(strangers_are_not_believed),
        TEST(who_comes_through_a_proxy_is_not_on_loopback), TEST(the_scheme_is_what_the_client_used),
        TEST(ranges_are_read), TEST(proxies_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
