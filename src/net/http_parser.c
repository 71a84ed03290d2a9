#include "net/http_parser.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http_fields.h"
#include "net/percent.h"

// What a body may take on the wire: chunks of a few bytes each cost several times their content.
enum { HTTP_PARSER_MAX_WIRE_BYTES = 8 * HTTP_MAX_BODY_BYTES };

static int parser_fail(struct http_parser *parser, int status, const char *message, const char *field,
                       const char *constraint)
{
    if (parser->fault.status == 0)
        parser->fault = (struct http_fault){status, message, field, constraint};
    return -1;
}

static int parser_fail_head_size(struct http_parser *parser)
{
    return parser_fail(parser, 431, "The request's head is too large.", "headers", "at most 16384 bytes and 48 lines");
}

static int parser_fail_body_size(struct http_parser *parser)
{
    return parser_fail(parser, 413, "The request's body is too large.", "body", "at most 65536 bytes");
}

static int parser_append(struct http_parser *parser, const char *bytes, size_t len)
{
    if (len > HTTP_MAX_HEAD_BYTES - parser->text_len)
        return parser_fail_head_size(parser);
    memcpy(parser->text + parser->text_len, bytes, len);
    parser->text_len += len;
    return 0;
}

static int parser_close_text(struct http_parser *parser)
{
    return parser_append(parser, "", 1);
}

static int parser_on_url(llhttp_t *llhttp, const char *bytes, size_t len)
{
    struct http_parser *parser = llhttp->data;
    if (len > HTTP_MAX_TARGET_BYTES - parser->target_len)
        return parser_fail(parser, 414, "The request's target is too long.", "target", "at most 4096 bytes");
    parser->target_len += len;
    return parser_append(parser, bytes, len);
}

static int parser_on_url_complete(llhttp_t *llhttp)
{
    return parser_close_text(llhttp->data);
}

static int parser_end_header(struct http_parser *parser)
{
    if (!parser->header_open)
        return 0;
    struct http_request *request = &parser->request;
    const char *start = request->headers[request->header_count].value;
    while (parser->text + parser->text_len > start && strchr(" \t", parser->text[parser->text_len - 1]))
        parser->text_len--;
    parser->header_open = false;
    request->header_count++;
    return parser_close_text(parser);
}

static int parser_begin_header(struct http_parser *parser)
{
    struct http_request *request = &parser->request;
    if (parser_end_header(parser) != 0)
        return -1;
    if (request->header_count == HTTP_MAX_HEADERS)
        return parser_fail_head_size(parser);
    request->headers[request->header_count].name = parser->text + parser->text_len;
    parser->header_open = true;
    parser->value_begun = false;
    return 0;
}

// Fields after the body (trailers) are read over.
static int parser_on_field(llhttp_t *llhttp, const char *bytes, size_t len)
{
    struct http_parser *parser = llhttp->data;
    if (parser->head_done)
        return 0;
    if ((!parser->header_open || parser->value_begun) && parser_begin_header(parser) != 0)
        return -1;
    size_t start = parser->text_len;
    if (parser_append(parser, bytes, len) != 0)
        return -1;
    for (size_t i = start; i < parser->text_len; i++)
        if (parser->text[i] >= 'A' && parser->text[i] <= 'Z')
            parser->text[i] = (char)(parser->text[i] + ('a' - 'A'));
    return 0;
}

static int parser_on_field_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    if (parser->head_done)
        return 0;
    struct http_request *request = &parser->request;
    bool named = parser->header_open && !parser->value_begun &&
                 parser->text + parser->text_len > request->headers[request->header_count].name;
    if (!named)
        return parser_fail(parser, 400, "A header has no name.", "headers", "a name before each value");
    parser->value_begun = true;
    if (parser_close_text(parser) != 0)
        return -1;
    request->headers[request->header_count].value = parser->text + parser->text_len;
    return 0;
}

static int parser_on_value(llhttp_t *llhttp, const char *bytes, size_t len)
{
    struct http_parser *parser = llhttp->data;
    if (parser->head_done)
        return 0;
    return parser_append(parser, bytes, len);
}

static int parser_on_value_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    return parser->head_done ? 0 : parser_end_header(parser);
}

static bool parser_method_known(const char *method)
{
    static const char *const known[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(method, known[i]) == 0)
            return true;
    return false;
}

static int parser_fail_target(struct http_parser *parser)
{
    return parser_fail(parser, 400, "The request's target is malformed.", "target", "a path with valid escapes");
}

// http://host/path as proxies send it: the host replaces the Host header. It moves to the front, over the scheme, which
// makes room for its closing zero. Returns the rest of the target.
static char *parser_take_authority(struct http_parser *parser, size_t scheme_len)
{
    char *authority = parser->text + scheme_len;
    size_t len = strcspn(authority, "/?");
    if (len == 0 || memchr(authority, '@', len))
        return NULL;
    memmove(parser->text, authority, len);
    parser->text[len] = '\0';
    for (int i = 0; i < parser->request.header_count; i++)
        if (strcmp(parser->request.headers[i].name, "host") == 0)
            parser->request.headers[i].value = parser->text;
    return authority + len;
}

static int parser_read_target(struct http_parser *parser)
{
    struct http_request *request = &parser->request;
    char *target = parser->text;
    if (strncasecmp(target, "http://", 7) == 0)
        target = parser_take_authority(parser, 7);
    else if (strncasecmp(target, "https://", 8) == 0)
        target = parser_take_authority(parser, 8);
    else if (*target != '/')
        target = NULL;
    if (!target || strchr(target, '#'))
        return parser_fail_target(parser);
    char *query = strchr(target, '?');
    if (query)
        *query++ = '\0';
    request->query = query ? query : "";
    request->path = *target ? target : "/";
    if (!percent_valid(request->query, strlen(request->query)) ||
        (*target && !percent_decode(target, strlen(target), false, target, strlen(target) + 1)))
        return parser_fail_target(parser);
    return 0;
}

static int parser_check_version(struct http_parser *parser)
{
    int major = llhttp_get_http_major(&parser->llhttp), minor = llhttp_get_http_minor(&parser->llhttp);
    if (major != 1 || minor > 1)
        return parser_fail(parser, 505, "This version of HTTP is not spoken here.", "version", "1.0 or 1.1");
    parser->http_1_1 = minor == 1;
    int hosts = http_count_headers(&parser->request, "host");
    if (hosts > 1 || (hosts == 0 && parser->http_1_1))
        return parser_fail(parser, 400, "A request needs one Host header.", "host", "exactly one");
    return 0;
}

static int parser_check_body(struct http_parser *parser)
{
    const char *expect = http_header(&parser->request, "expect");
    if (!parser->http_1_1 && http_header(&parser->request, "transfer-encoding"))
        return parser_fail(parser, 400, "HTTP/1.0 knows no transfer encodings.", "transfer-encoding", "absent");
    if ((parser->llhttp.flags & F_CONTENT_LENGTH) && parser->llhttp.content_length > HTTP_MAX_BODY_BYTES)
        return parser_fail_body_size(parser);
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return parser_fail(parser, 417, "This expectation cannot be met.", "expect", "100-continue");
    bool body = (parser->llhttp.flags & F_CHUNKED) || parser->llhttp.content_length > 0;
    parser->wants_continue = expect && parser->http_1_1 && body;
    return 0;
}

static int parser_on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    if (parser_end_header(parser) != 0)
        return -1;
    parser->request.method = llhttp_method_name((llhttp_method_t)llhttp_get_method(llhttp));
    if (!parser_method_known(parser->request.method))
        return parser_fail(parser, 501, "This method is not spoken here.", "method", NULL);
    if (parser_check_version(parser) != 0 || parser_read_target(parser) != 0 || parser_check_body(parser) != 0)
        return -1;
    parser->head_done = true;
    return 0;
}

static int parser_on_body(llhttp_t *llhttp, const char *bytes, size_t len)
{
    struct http_parser *parser = llhttp->data;
    size_t held = parser->request.body_len;
    if (len > HTTP_MAX_BODY_BYTES - held)
        return parser_fail_body_size(parser);
    if (held + len + 1 > parser->body_cap) {
        size_t cap = 2 * (held + len) + 1;
        char *body = realloc(parser->body, cap);
        if (!body)
            return parser_fail(parser, 503, "There is no memory for this request.", "body", NULL);
        parser->body = body;
        parser->body_cap = cap;
        parser->request.body = body;
    }
    memcpy(parser->body + held, bytes, len);
    parser->body[held + len] = '\0';
    parser->request.body_len = held + len;
    return 0;
}

// A chunk that says it is too long is not waited for.
static int parser_on_chunk_header(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    bool fits = llhttp->content_length <= HTTP_MAX_BODY_BYTES - parser->request.body_len;
    return fits ? 0 : parser_fail_body_size(parser);
}

static int parser_on_message_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->keep_alive = llhttp_should_keep_alive(llhttp);
    return HPE_PAUSED;
}

static const llhttp_settings_t parser_settings = {
    .on_url = parser_on_url,
    .on_url_complete = parser_on_url_complete,
    .on_header_field = parser_on_field,
    .on_header_field_complete = parser_on_field_complete,
    .on_header_value = parser_on_value,
    .on_header_value_complete = parser_on_value_complete,
    .on_headers_complete = parser_on_headers_complete,
    .on_chunk_header = parser_on_chunk_header,
    .on_body = parser_on_body,
    .on_message_complete = parser_on_message_complete,
};

void http_parser_reset(struct http_parser *parser)
{
    free(parser->body);
    memset(parser, 0, offsetof(struct http_parser, text));
    parser->request.body = "";
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &parser_settings);
    parser->llhttp.data = parser;
}

void http_parser_init(struct http_parser *parser)
{
    parser->body = NULL;
    http_parser_reset(parser);
}

void http_parser_finish(struct http_parser *parser)
{
    free(parser->body);
    parser->body = NULL;
}

static bool parser_is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

// A word that is no method we know is refused as such; anything else in its place is no HTTP.
static void parser_explain(struct http_parser *parser, llhttp_errno_t error, const char *at, const char *end)
{
    if (error == HPE_INVALID_METHOD && at && at < end && parser_is_letter(*at))
        parser_fail(parser, 501, "This method is not spoken here.", "method", NULL);
    else if (error == HPE_INVALID_VERSION || error == HPE_PAUSED_H2_UPGRADE)
        parser_fail(parser, 505, "This version of HTTP is not spoken here.", "version", "1.0 or 1.1");
    else
        parser_fail(parser, 400, "The request is malformed.", "request", llhttp_get_error_reason(&parser->llhttp));
}

static size_t parser_room(const struct http_parser *parser)
{
    return parser->head_done ? HTTP_PARSER_MAX_WIRE_BYTES - parser->body_bytes
                             : HTTP_MAX_HEAD_BYTES - parser->head_bytes;
}

// A line of the head that begins with a blank continues the one before: nobody sends that any more, and llhttp joins
// the two without a space (RFC 9112, section 5.2).
static bool parser_sees_fold(struct http_parser *parser, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && !parser->lines_over; i++) {
        if (bytes[i] == '\n') {
            parser->lines_over = parser->line_seen && !parser->in_line;
            parser->in_line = false;
        } else if (bytes[i] != '\r') {
            if (parser->line_seen && !parser->in_line && (bytes[i] == ' ' || bytes[i] == '\t'))
                return true;
            parser->in_line = parser->line_seen = true;
        }
    }
    return false;
}

static enum http_parse parser_step(struct http_parser *parser, const char *bytes, size_t len, size_t *used)
{
    if (parser_sees_fold(parser, bytes, len)) {
        parser_fail(parser, 400, "A header is continued on a further line.", "headers", "one line each");
        return HTTP_PARSE_FAILED;
    }
    size_t *count = parser->head_done ? &parser->body_bytes : &parser->head_bytes;
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, bytes, len);
    *used = len;
    *count += len;
    if (error == HPE_OK)
        return HTTP_PARSE_MORE;
    const char *at = llhttp_get_error_pos(&parser->llhttp);
    if (error == HPE_PAUSED) {
        *used = (size_t)(at - bytes);
        return HTTP_PARSE_DONE;
    }
    parser_explain(parser, error, at, bytes + len);
    return HTTP_PARSE_FAILED;
}

enum http_parse http_parser_feed(struct http_parser *parser, const char *bytes, size_t len, size_t *used)
{
    enum http_parse result = HTTP_PARSE_MORE;
    parser->started |= len > 0;
    for (*used = 0; *used < len && result == HTTP_PARSE_MORE;) {
        size_t step = len - *used, room = parser_room(parser);
        if (room == 0) {
            (void)(parser->head_done ? parser_fail_body_size(parser) : parser_fail_head_size(parser));
            return HTTP_PARSE_FAILED;
        }
        if (step > room)
            step = room;
        result = parser_step(parser, bytes + *used, step, &step);
        *used += step;
    }
    return result;
}
