// An answer while it is made, and as the bytes that go out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "net/http.h"

enum { HTTP_RESPONSE_HEADER_BYTES = 4096 };

struct http_response {
    const char *server_name;
    int64_t unix_ns;             // now
    bool head_only;              // to a HEAD request
    bool http_1_1, keep_alive;
    bool answered;
    int status;
    char *head;                  // malloc'ed: head and a copied body; NULL when there was no memory
    size_t head_len;
    const void *body;            // a body that lives for ever
    size_t body_len;
    struct text headers;         // what the handler has added
    char header_bytes[HTTP_RESPONSE_HEADER_BYTES];
};

void http_response_init(struct http_response *response, const char *server_name, int64_t unix_ns);
