// One HTTP request and its answer, as handlers see them.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_MAX_HEADERS = 48, HTTP_MAX_HEAD_BYTES = 16384, HTTP_MAX_BODY_BYTES = 65536, HTTP_MAX_TARGET_BYTES = 4096 };

// A peer, for limits per address: IPv4, or the /64 of an IPv6 address.
struct http_peer {
    uint8_t address[16];   // IPv4 as IPv4-mapped
    uint64_t key;          // equal for addresses that share a limit
    bool loopback;
};

struct http_request {
    const char *method;          // "GET"
    const char *path;            // percent-decoded, without the query; always begins with "/"
    const char *query;           // raw, without "?"; "" when there is none
    struct { const char *name, *value; } headers[HTTP_MAX_HEADERS];  // names in lower case
    int header_count;
    const char *body;            // closed by a zero
    size_t body_len;
    struct http_peer peer;       // who asks, behind trusted proxies too
    bool secure;                 // by https, or wss
};

// Value of a header (name in lower case), NULL when absent.
const char *http_header(const struct http_request *request, const char *name);
// Percent-decoded value of a query parameter into out; "" when it is malformed or does not fit, so that what cannot be
// read is never taken for what was not said. False, and out untouched, when it is absent.
bool http_query(const struct http_request *request, const char *name, char *out, size_t cap);
// The Host header names this machine: a literal address, "localhost", or one of the allowed names (NULL-terminated, may
// be NULL). Guards against rebound DNS names; no browser leaves it out, so a request without one (HTTP/1.0) is allowed.
bool http_host_allowed(const struct http_request *request, const char *const *allowed);
// The Origin header is absent, the request's own origin (https for a secure request), or listed ("https://example.org",
// NULL-terminated, may be NULL); more than one is never allowed.
bool http_origin_allowed(const struct http_request *request, const char *const *allowed);
// Some header says that a proxy stands between.
bool http_is_forwarded(const struct http_request *request);
// Content-Type is application/json, parameters allowed.
bool http_is_json(const struct http_request *request);

struct http_response;

// Answers. Body is copied unless static_body. Call once.
void http_respond(struct http_response *response, int status, const char *content_type, const void *body, size_t len);
// As above; the body lives for ever (embedded files) and is not copied.
void http_respond_static(struct http_response *response, int status, const char *content_type, const void *body,
                         size_t len);
// Adds a header line; before http_respond. Values are literals or free of line breaks.
void http_response_header(struct http_response *response, const char *name, const char *value);
// Adds a Retry-After header; before http_respond.   seconds: 1 or more.
void http_response_retry_after(struct http_response *response, int seconds);
// When those who are refused together are to come back, in seconds: 2 to 12, so spread that they don't come together.
//   n: counts them.
int http_retry_s(uint64_t n);
// The error shape of all answers: {"error":{"code","message","timestamp" (unix ms),"details":{"field","value",
// "constraint"}}}. field, value, constraint: NULL becomes null. Of each text 400 bytes are told, what is
// not plain ASCII as "?".
void http_respond_error(struct http_response *response, int status, const char *code, const char *message,
                        const char *field, const char *value, const char *constraint);
