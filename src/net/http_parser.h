// Requests from one peer, as bytes that come in any pieces. Knows no socket.
#pragma once
#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"

// What is wrong with a request, as it is answered.
struct http_fault {
    int status;              // 0: nothing
    const char *message, *field, *constraint;
};

struct http_parser {
    llhttp_t llhttp;
    struct http_request request;  // whole once HTTP_PARSE_DONE but for who asks; its texts live in `text` and `body`
    struct http_fault fault;
    bool started, head_done;      // a byte, the whole head of this request has come
    bool wants_continue;          // the peer waits for a 100 before it sends the body
    bool http_1_1, keep_alive;    // valid once the head is done, the request is done
    bool header_open, value_begun;
    bool line_seen, in_line, lines_over;  // of the head, as its bytes come
    size_t text_len, target_len, head_bytes, body_bytes, body_cap;
    char *body;
    char text[HTTP_MAX_HEAD_BYTES + 2];
};

enum http_parse { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_FAILED };

void http_parser_init(struct http_parser *parser);
void http_parser_finish(struct http_parser *parser);
// Makes it ready for the next request. The one before is gone.
void http_parser_reset(struct http_parser *parser);
// Reads on.   used: out, bytes that belong to this request; after HTTP_PARSE_DONE the rest belongs to what follows.
enum http_parse http_parser_feed(struct http_parser *parser, const char *bytes, size_t len, size_t *used);
