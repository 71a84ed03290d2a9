#include "app/reply.h"

#include <string.h>

#include "base/frames.h"
#include "control/json_text.h"

static const char reply_type[] = "application/json";

char *reply_dump(const json_t *object)
{
    for (size_t digits = 15; digits < 17; digits++) {
        char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(digits));
        json_t *again = text ? json_loads(text, 0, NULL) : NULL;
        bool same = json_equal(object, again);
        json_decref(again);
        if (same)
            return text;
        json_text_free(text);
    }
    return json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
}

void reply_json(struct http_response *response, int status, json_t *object)
{
    char *body = object ? reply_dump(object) : NULL;
    json_decref(object);
    reply_body(response, status, body, body ? strlen(body) : 0);
    json_text_free(body);
}

void reply_body(struct http_response *response, int status, const char *body, size_t len)
{
    http_response_header(response, "Cache-Control", "no-store");
    if (body)
        http_respond(response, status, reply_type, body, len);
    else
        http_respond(response, 500, reply_type, "{}", 2);
}

// The codes that existing clients know, by status.
static const char *reply_error_code(int status)
{
    switch (status) {
    case 404: return "NOT_FOUND";
    case 409: return "CONFLICT";
    case 429: return "RATE_LIMIT_EXCEEDED";
    case 500:
    case 503: return "INTERNAL_ERROR";
    default: return "INVALID_PARAMETERS";
    }
}

uint64_t reply_timestamp_ms(const struct app *app)
{
    return (uint64_t)clock_unix_ns(&app->clock) / NS_PER_MS;
}

// A value that was cut short may end inside a character: it is then told up to there.
static json_t *reply_text(const char *text)
{
    for (size_t len = strlen(text), cut = 0; cut < 4 && cut <= len; cut++) {
        json_t *string = json_stringn(text, len - cut);
        if (string)
            return string;
    }
    return json_string("");
}

void reply_error(const struct app *app, struct http_response *response, int status, const char *message,
                 const struct mood_refusal *refusal)
{
    json_t *details = json_object();
    if (refusal) {
        json_object_set_new(details, "field", reply_text(refusal->field));
        json_object_set_new(details, "value", reply_text(refusal->value));
        json_object_set_new(details, "constraint", reply_text(refusal->constraint));
    }
    reply_json(response, status,
               json_pack("{s:{s:s, s:s, s:I, s:o}}", "error", "code", reply_error_code(status), "message", message,
                         "timestamp", (json_int_t)reply_timestamp_ms(app), "details", details));
}

void reply_change_refused(const struct app *app, struct http_response *response, enum status status,
                          const char *conflict)
{
    if (status == STATUS_CONFLICT) {
        reply_error(app, response, 409, conflict, NULL);
    } else if (status == STATUS_RATE_LIMITED) {
        http_response_retry_after(response, 1);
        reply_error(app, response, 429, "Too many changes; try again in a second.", NULL);
    } else {
        reply_error(app, response, 503, status_text(status), NULL);
    }
}
