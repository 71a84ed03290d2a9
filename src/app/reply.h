// JSON answers of the HTTP interface.
#pragma once
#include <jansson.h>
#include <stdint.h>

#include "app/app.h"
#include "control/mood_json.h"
#include "net/http.h"

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
