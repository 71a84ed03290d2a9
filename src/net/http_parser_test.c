// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

#include "net/http_parser.h"

static struct http_parser parser;

static int setup(void **state)
{
    http_parser_init(&parser);
    return 0;
}

static int teardown(void **state)
{
    http_parser_finish(&parser);
    return 0;
}

// The whole text is one request, fed `step` bytes at a time.
static void parse(const char *text, size_t step)
{
    size_t len = strlen(text), used;
    http_parser_reset(&parser);
    for (size_t at = 0; at < len; at += used) {
        size_t part = len - at < step ? len - at : step;
        enum http_parse result = http_parser_feed(&parser, text + at, part, &used);
        assert_int_equal(at + part < len ? HTTP_PARSE_MORE : HTTP_PARSE_DONE, result);
        assert_int_equal(part, used);
    }
}

static int fault(const char *text, size_t len)
{
    size_t used;
    http_parser_reset(&parser);
    enum http_parse result = http_parser_feed(&parser, text, len, &used);
    return result == HTTP_PARSE_FAILED ? parser.fault.status : -(int)result;
}

static int fault_of(const char *text)
{
    return fault(text, strlen(text));
}

static void test_simple(void **state)
{
    parse("GET /a/b%20c%2Fd?x=%31&y HTTP/1.1\r\nHost: h\r\nX-Two:  two words \t\r\nEmpty:\r\n\r\n", 1000);
    const struct http_request *request = &parser.request;
    assert_string_equal("GET", request->method);
    assert_string_equal("/a/b c/d", request->path);
    assert_string_equal("x=%31&y", request->query);
    assert_int_equal(3, request->header_count);
    assert_string_equal("h", http_header(request, "host"));
    assert_string_equal("two words", http_header(request, "x-two"));
    assert_string_equal("", http_header(request, "empty"));
    assert_null(http_header(request, "none"));
    assert_string_equal("", request->body);
    assert_int_equal(0, request->body_len);
    assert_true(parser.keep_alive && parser.http_1_1);
}

static void test_any_pieces(void **state)
{
    static const char text[] = "POST /control HTTP/1.1\r\nHost: some.host:80\r\nContent-Type: application/json\r\n"
                               "Content-Length: 11\r\n\r\n{\"bpm\": 60}";
    for (size_t step = 1; step < sizeof text; step++) {
        parse(text, step);
        assert_string_equal("/control", parser.request.path);
        assert_string_equal("some.host:80", http_header(&parser.request, "host"));
        assert_string_equal("{\"bpm\": 60}", parser.request.body);
        assert_int_equal(11, parser.request.body_len);
        assert_true(http_is_json(&parser.request));
    }
}

static void test_chunked(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5;name=value\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: dropped\r\n\r\n";
    for (size_t step = 1; step < sizeof text; step++) {
        parse(text, step);
        assert_string_equal("hello 0123456789", parser.request.body);
        assert_int_equal(16, parser.request.body_len);
        assert_null(http_header(&parser.request, "trailer"));
    }
}

static void test_pipelined(void **state)
{
    static const char text[] = "\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                               "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                               "\r\nxyGET /3 HTTP/1.0\r\n\r\ntail";
    const char *at = text, *paths[] = {"/1", "/2", "/3"};
    size_t left = sizeof text - 1, used;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(HTTP_PARSE_DONE, http_parser_feed(&parser, at, left, &used));
        assert_string_equal(paths[i], parser.request.path);
        assert_string_equal(i == 1 ? "xy" : "", parser.request.body);
        assert_int_equal(i < 2, parser.keep_alive);
        at += used;
        left -= used;
        http_parser_reset(&parser);
    }
    assert_int_equal(4, left);
}

static void test_continued_lines(void **state)
{
    assert_int_equal(400, fault_of("GET / HTTP/1.1\r\nHost: h\r\nX: a,\r\n b\r\n\r\n"));
    assert_int_equal(400, fault_of("GET / HTTP/1.1\r\nHost: h\r\nX:\r\n\tb\r\n\r\n"));
    assert_int_equal(400, fault_of("GET / HTTP/1.1\r\n Host: h\r\n\r\n"));
    assert_int_equal(400, fault_of("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n i\r\n\r\n"));
    assert_int_equal(400, fault_of("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"));
    parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n\r\n x\n", 100);
    assert_string_equal("\r\n x\n", parser.request.body);
}

static void test_upgrade_leaves_the_rest(void **state)
{
    static const char text[] = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                               "\r\n\x81\x80";
    size_t used;
    assert_int_equal(HTTP_PARSE_DONE, http_parser_feed(&parser, text, sizeof text - 1, &used));
    assert_int_equal(sizeof text - 3, used);
}

static void test_target_forms(void **state)
{
    parse("GET http://other:8080/x?y HTTP/1.1\r\nHost: h\r\n\r\n", 9);
    assert_string_equal("/x", parser.request.path);
    assert_string_equal("y", parser.request.query);
    assert_string_equal("other:8080", http_header(&parser.request, "host"));
    parse("GET HTTPS://other HTTP/1.1\r\nHost: h\r\n\r\n", 9);
    assert_string_equal("/", parser.request.path);
    parse("GET http://other?q=1 HTTP/1.1\r\nHost: h\r\n\r\n", 9);
    assert_string_equal("/", parser.request.path);
    assert_string_equal("q=1", parser.request.query);
    assert_int_equal(400, fault_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(400, fault_of("GET http://me@other/ HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(400, fault_of("GET /#part HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(400, fault_of("GET ftp://x/ HTTP/1.1\r\nHost: h\r\n\r\n"));
}

static void test_bad_escapes(void **state)
{
    static const char *const targets[] = {"/%", "/%4", "/%zz", "/%00", "/x?a=%", "/x?%0", "/x?a=%00"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char text[100] = "GET ";
        strcat(strcat(text, targets[i]), " HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(400, fault_of(text));
    }
}

static void test_methods_and_versions(void **state)
{
    assert_int_equal(501, fault_of("BREW / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(501, fault_of("GETX / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(501, fault_of("get / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(501, fault_of("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(501, fault_of("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(400, fault("\x16\x03\x01\x02", 4));
    assert_int_equal(505, fault_of("GET / HTTP/2.0\r\nHost: h\r\n\r\n"));
    assert_int_equal(505, fault_of("GET / HTTP/1.2\r\nHost: h\r\n\r\n"));
    assert_int_equal(505, fault_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 100);
    assert_true(parser.keep_alive && !parser.http_1_1);
}

static void test_malformed(void **state)
{
    static const char *const texts[] = {
        "GET  HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1x\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (fault_of(texts[i]) != 400)
            fail_msg("%d for %s", fault_of(texts[i]), texts[i]);
    assert_int_equal(400, fault("GET / HTTP/1.1\r\nHost: h\0i\r\n\r\n", 29));
    assert_int_equal(400, fault("GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n", 31));
}

// text, `count` times c, end.
static int fault_of_long(const char *start, char c, size_t count, const char *end)
{
    char *text = malloc(strlen(start) + count + strlen(end) + 1);
    strcpy(text, start);
    memset(text + strlen(start), c, count);
    strcpy(text + strlen(start) + count, end);
    int status = fault_of(text);
    free(text);
    return status;
}

static void test_limits_of_the_head(void **state)
{
    assert_int_equal(-HTTP_PARSE_DONE, fault_of_long("GET /", 'a', 4095, " HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(414, fault_of_long("GET /", 'a', 4096, " HTTP/1.1\r\nHost: h\r\n\r\n"));
    size_t around = strlen("GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n");
    assert_int_equal(-HTTP_PARSE_DONE,
                     fault_of_long("GET / HTTP/1.1\r\nHost: h\r\nX: ", 'a', HTTP_MAX_HEAD_BYTES - around, "\r\n\r\n"));
    assert_int_equal(431, fault_of_long("GET / HTTP/1.1\r\nHost: h\r\nX: ", 'a', HTTP_MAX_HEAD_BYTES - around + 1,
                                        "\r\n\r\n"));
    assert_int_equal(431, fault_of_long("GET / HTTP/1.1\r\nHost: h\r\nX: ", 'a', 100000, ""));
    assert_int_equal(431, fault_of_long("GET / HTTP/1.1\r\nHost: h\r\n", 'a', 100000, ": b\r\n\r\n"));
}

static void test_long_target_in_pieces(void **state)
{
    size_t used;
    char piece[100];
    memset(piece, 'a', sizeof piece);
    assert_int_equal(HTTP_PARSE_MORE, http_parser_feed(&parser, "GET /", 5, &used));
    for (int i = 0; i < 40; i++)
        assert_int_equal(HTTP_PARSE_MORE, http_parser_feed(&parser, piece, sizeof piece, &used));
    assert_int_equal(HTTP_PARSE_FAILED, http_parser_feed(&parser, piece, sizeof piece, &used));
    assert_int_equal(414, parser.fault.status);
}

static void test_limit_of_headers(void **state)
{
    char text[2000] = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 1; i < HTTP_MAX_HEADERS; i++)
        strcat(text, "X: y\r\n");
    size_t len = strlen(text);
    strcat(text, "\r\n");
    assert_int_equal(-HTTP_PARSE_DONE, fault_of(text));
    assert_int_equal(HTTP_MAX_HEADERS, parser.request.header_count);
    strcpy(text + len, "X: y\r\n\r\n");
    assert_int_equal(431, fault_of(text));
}

static void test_limits_of_the_body(void **state)
{
    assert_int_equal(413, fault_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n"));
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n";
    assert_int_equal(-HTTP_PARSE_DONE, fault_of_long(head, 'a', HTTP_MAX_BODY_BYTES, ""));
    assert_int_equal(HTTP_MAX_BODY_BYTES, strlen(parser.request.body));
    static const char chunks[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n";
    assert_int_equal(413, fault_of_long(chunks, 'a', HTTP_MAX_BODY_BYTES + 1, "\r\n0\r\n\r\n"));
    assert_int_equal(413, fault_of(chunks));
    static const char endless[] =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
    assert_int_equal(413, fault_of(endless));
    static const char second[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n10000\r\n";
    assert_int_equal(413, fault_of(second));
    static const char extended[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a=";
    assert_int_equal(413, fault_of_long(extended, 'a', 1000000, "\r\na\r\n0\r\n\r\n"));
}

static void test_expect(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n";
    assert_int_equal(-HTTP_PARSE_MORE, fault_of(head));
    assert_true(parser.head_done && parser.wants_continue);
    assert_int_equal(417, fault_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: more\r\n\r\n"));
    assert_int_equal(-HTTP_PARSE_DONE, fault_of("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n"));
    assert_false(parser.wants_continue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_simple, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chunked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_continued_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_leaves_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_methods_and_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_of_the_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_target_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_of_the_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expect, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
