// HTTP requests from hostile peers. Input: a first byte that says in what pieces the rest arrives.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "net/handshake.h"
#include "net/http_fields.h"
#include "net/http_parser.h"
#include "net/http_response.h"
#include "net/percent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t fuzz_mix(uint64_t digest, const char *text)
{
    return hash_bytes(text, strlen(text)) ^ (digest * 31 + 1);
}

// All that the server does with a request, and what must be true of it.
static uint64_t fuzz_request(const struct http_parser *parser)
{
    const struct http_request *request = &parser->request;
    struct http_response response;
    char value[64];
    check(request->path[0] == '/' && strchr(request->query, '#') == NULL);
    check(request->body[request->body_len] == '\0' && request->body_len <= HTTP_MAX_BODY_BYTES);
    check(percent_valid(request->query, strlen(request->query)));
    uint64_t digest = fuzz_mix(fuzz_mix(fuzz_mix(request->body_len, request->method), request->path), request->query);
    for (int i = 0; i < request->header_count; i++) {
        check(request->headers[i].name[0] != '\0' && !strpbrk(request->headers[i].value, "\r\n"));
        digest = fuzz_mix(fuzz_mix(digest, request->headers[i].name), request->headers[i].value);
    }
    digest += http_query(request, "station", value, sizeof value);
    digest += 2u * http_host_allowed(request, NULL) + 4u * http_origin_allowed(request, NULL);
    digest += 8u * http_is_json(request);
    http_response_init(&response, "fuzz/1", 0);
    if (handshake_wanted(request) && handshake_check(request, parser->http_1_1, &response)) {
        char answer[HANDSHAKE_ANSWER_BYTES];
        digest += handshake_answer(request, &(struct net_accept){0}, "fuzz/1", answer);
    }
    if (!response.answered)
        http_respond_error(&response, 404, "NOT_FOUND", "x", "path", request->path, NULL);
    free(response.head);
    return fuzz_mix(digest, request->body);
}

static uint64_t fuzz_run(const uint8_t *data, size_t size, size_t step)
{
    static struct http_parser parser;
    uint64_t digest = 0;
    size_t used;
    http_parser_init(&parser);
    enum http_parse result = HTTP_PARSE_MORE;
    for (size_t at = 0; at < size && result != HTTP_PARSE_FAILED; at += used) {
        result = http_parser_feed(&parser, (const char *)data + at, size - at < step ? size - at : step, &used);
        check(used <= step && (used > 0 || result != HTTP_PARSE_MORE));
        if (result == HTTP_PARSE_DONE) {
            digest = digest * 31 + fuzz_request(&parser);
            http_parser_reset(&parser);
        }
    }
    if (result == HTTP_PARSE_FAILED) {
        // Of two faults the pieces decide which is seen first, so the status is no part of the digest.
        check(parser.fault.status >= 400 && parser.fault.status <= 505 && parser.fault.message);
        digest = digest * 31 + 1;
    }
    http_parser_finish(&parser);
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
