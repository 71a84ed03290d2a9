// JSON answers of the HTTP interface.
#pragma once
#include <jansson.h>
#include <stdint.h>

#include "app/app.h"
#include "control/mood_json.h"
#include "net/http.h"

// JSON text with the fewest digits that read back as the same numbers: 0.8, not 0.80000000000000004. The caller's, for
// json_text_free. NULL when memory is short.
char *reply_dump(const json_t *object);
// Sends JSON text that is there already; it is copied. NULL (memory was short) becomes a 500.
void reply_body(struct http_response *response, int status, const char *body, size_t len);
// Sends `object` and drops the reference. NULL (memory was short) becomes a 500.
void reply_json(struct http_response *response, int status, json_t *object);
// {"error":{"code","message","timestamp","details":{...}}}; refusal may be NULL (details are then empty).
void reply_error(const struct app *app, struct http_response *response, int status, const char *message,
                 const struct mood_refusal *refusal);
// Answers why a change was not made.   conflict: what STATUS_CONFLICT means here, a sentence.
void reply_change_refused(const struct app *app, struct http_response *response, enum status status,
                          const char *conflict);
// Unix time in milliseconds.
uint64_t reply_timestamp_ms(const struct app *app);
