#include "net/http_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/frames.h"
#include "base/random.h"

enum { RESPONSE_MAX_TEXT_BYTES = 400, RESPONSE_RETRY_MIN_S = 2, RESPONSE_RETRY_SPREAD_S = 10 };

void http_response_init(struct http_response *response, const char *server_name, int64_t unix_ns)
{
    memset(response, 0, offsetof(struct http_response, header_bytes));
    response->server_name = server_name;
    response->unix_ns = unix_ns;
    response->headers = text_on(response->header_bytes, sizeof response->header_bytes);
}

static const char *response_phrase(int status)
{
    static const struct { int status; const char *phrase; } phrases[] = {
        {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"},
        {302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
        {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
        {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"},
        {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
        {413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"}, {417, "Expectation Failed"}, {421, "Misdirected Request"},
        {422, "Unprocessable Content"}, {426, "Upgrade Required"}, {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"}, {501, "Not Implemented"},
        {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

static void response_date(struct text *head, int64_t unix_ns)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc;
    time_t seconds = (time_t)(unix_ns / (int64_t)NS_PER_SECOND);
    gmtime_r(&seconds, &utc);
    text_printf(head, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday], utc.tm_mday,
                months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

static bool response_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void response_write_head(const struct http_response *response, struct text *head, const char *content_type,
                                size_t len)
{
    text_printf(head, "HTTP/1.1 %d %s\r\n", response->status, response_phrase(response->status));
    text_printf(head, "Server: %s\r\n", response->server_name);
    response_date(head, response->unix_ns);
    if (response_has_body(response->status)) {
        if (content_type)
            text_printf(head, "Content-Type: %s\r\n", content_type);
        text_printf(head, "Content-Length: %zu\r\n", len);
    }
    text_add(head, "X-Content-Type-Options: nosniff\r\n");
    text_append(head, response->headers.bytes, response->headers.len);
    if (!response->keep_alive)
        text_add(head, "Connection: close\r\n");
    else if (!response->http_1_1)
        text_add(head, "Connection: keep-alive\r\n");
    text_add(head, "\r\n");
}

static void response_finish(struct http_response *response, int status, const char *content_type, const void *body,
                            size_t len, bool copied)
{
    char bytes[HTTP_RESPONSE_HEADER_BYTES + 1024];
    struct text head = text_on(bytes, sizeof bytes);
    check(!response->answered);
    response->answered = true;
    response->status = status;
    response_write_head(response, &head, content_type, len);
    check(!head.full);
    size_t sent_len = response->head_only || !response_has_body(status) ? 0 : len;
    size_t copied_len = copied ? sent_len : 0;
    response->head = malloc(head.len + copied_len);
    if (!response->head)
        return;
    memcpy(response->head, bytes, head.len);
    if (copied_len > 0)
        memcpy(response->head + head.len, body, copied_len);
    response->head_len = head.len + copied_len;
    response->body = body;
    response->body_len = sent_len - copied_len;
}

void http_respond(struct http_response *response, int status, const char *content_type, const void *body, size_t len)
{
    response_finish(response, status, content_type, body, len, true);
}

void http_respond_static(struct http_response *response, int status, const char *content_type, const void *body,
                         size_t len)
{
    response_finish(response, status, content_type, body, len, false);
}

void http_response_header(struct http_response *response, const char *name, const char *value)
{
    check(!response->answered);
    text_printf(&response->headers, "%s: %s\r\n", name, value);
    check(!response->headers.full);
}

void http_response_retry_after(struct http_response *response, int seconds)
{
    char text[16];
    snprintf(text, sizeof text, "%d", seconds);
    http_response_header(response, "Retry-After", text);
}

int http_retry_s(uint64_t n)
{
    return RESPONSE_RETRY_MIN_S + (int)random_below(0, 0, n, RESPONSE_RETRY_SPREAD_S + 1);
}

// Texts may repeat what a client sent: they are cut, and kept to plain characters, so that the answer always fits and
// is always valid.
static void response_json(struct text *json, const char *key, const char *value)
{
    char plain[RESPONSE_MAX_TEXT_BYTES + 1];
    text_printf(json, "\"%s\":", key);
    if (!value) {
        text_add(json, "null");
        return;
    }
    size_t len = strnlen(value, RESPONSE_MAX_TEXT_BYTES);
    for (size_t i = 0; i < len; i++)
        plain[i] = value[i] >= ' ' && value[i] < 0x7f ? value[i] : '?';
    plain[len] = '\0';
    text_json(json, plain);
}

void http_respond_error(struct http_response *response, int status, const char *code, const char *message,
                        const char *field, const char *value, const char *constraint)
{
    char bytes[4096];
    struct text json = text_on(bytes, sizeof bytes);
    text_add(&json, "{\"error\":{");
    response_json(&json, "code", code);
    text_add(&json, ",");
    response_json(&json, "message", message);
    text_printf(&json, ",\"timestamp\":%lld,\"details\":{", (long long)(response->unix_ns / (int64_t)NS_PER_MS));
    response_json(&json, "field", field);
    text_add(&json, ",");
    response_json(&json, "value", value);
    text_add(&json, ",");
    response_json(&json, "constraint", constraint);
    text_add(&json, "}}}");
    check(!json.full);
    http_respond(response, status, "application/json", json.bytes, json.len);
}
