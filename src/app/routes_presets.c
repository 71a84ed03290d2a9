// Presets: moods that were given a name.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/reply.h"
#include "app/routes.h"
#include "base/frames.h"

static json_t *preset_json(const struct store_preset *preset)
{
    char date[32];
    struct tm utc;
    time_t seconds = (time_t)preset->created_unix;
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_pack("{s:s, s:o, s:s}", "name", preset->name, "parameter_values", mood_to_json(&preset->mood),
                     "creation_date", date);
}

static void preset_reply_fault(const struct route_call *call, enum status status)
{
    if (status == STATUS_NOT_FOUND)
        reply_error(call->app, call->response, 404, "There is no preset of that name.", NULL);
    else if (status == STATUS_CONFLICT)
        reply_error(call->app, call->response, 409, "A preset of that name is there already.", NULL);
    else if (status == STATUS_FULL)
        reply_error(call->app, call->response, 409, "There are as many presets as can be kept; delete one.", NULL);
    else
        reply_error(call->app, call->response, 503, "The presets cannot be reached right now.", NULL);
}

static void presets_list(const struct route_call *call)
{
    struct store_preset *presets = NULL;
    int count = 0;
    enum status status = store_presets(call->app->store, &presets, &count);
    if (status != STATUS_OK) {
        preset_reply_fault(call, status);
        return;
    }
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, preset_json(&presets[i]));
    free(presets);
    reply_json(call->response, 200, json_pack("{s:o}", "presets", list));
}

// Reads {"name": "..."} and nothing else. Answers 400 itself.
static bool preset_read_name(const struct route_call *call, char *name)
{
    json_error_t error;
    const char *text = NULL;
    size_t len = 0;
    json_t *body = json_loadb(call->request->body, call->request->body_len, JSON_REJECT_DUPLICATES, &error);
    bool good = body && json_unpack_ex(body, &error, JSON_STRICT, "{s:s%}", "name", &text, &len) == 0 && len > 0 &&
                len < STORE_PRESET_NAME_BYTES;
    if (good)
        memcpy(name, text, len + 1);
    json_decref(body);
    if (!good) {
        struct mood_refusal refusal = {.field = "name", .constraint = "a text of 1 to 50 characters, and nothing else"};
        reply_error(call->app, call->response, 400, "A preset needs a name.", &refusal);
    }
    return good;
}

static void presets_save(const struct route_call *call)
{
    struct store_preset preset = {
        .created_unix = clock_unix_ns(&call->app->clock) / (int64_t)NS_PER_SECOND,
        .mood = sequencer_mood(call->app->sequencer),
    };
    if (!preset_read_name(call, preset.name))
        return;
    enum status status = store_preset_save(call->app->store, &preset);
    if (status == STATUS_INVALID) {
        struct mood_refusal refusal = {.field = "name", .constraint = "1 to 50 printable characters"};
        snprintf(refusal.value, sizeof refusal.value, "%s", preset.name);
        reply_error(call->app, call->response, 400, "That name cannot be used.", &refusal);
    } else if (status != STATUS_OK) {
        preset_reply_fault(call, status);
    } else {
        reply_json(call->response, 201,
                   json_pack("{s:s, s:o}", "message", "Preset saved", "preset", preset_json(&preset)));
    }
}

static void presets_delete(const struct route_call *call)
{
    enum status status = store_preset_delete(call->app->store, call->argument);
    if (status != STATUS_OK)
        preset_reply_fault(call, status);
    else
        reply_json(call->response, 200, json_pack("{s:s}", "message", "Preset deleted"));
}

static void presets_load(const struct route_call *call)
{
    struct store_preset preset;
    enum status status = store_preset_load(call->app->store, call->argument, &preset);
    if (status != STATUS_OK) {
        preset_reply_fault(call, status);
        return;
    }
    struct mood_patch patch = {.set = (1u << MOOD_PARAMETERS) - 1, .values = preset.mood};
    struct control_result result;
    status = sequencer_submit(call->app->sequencer, &patch, CONTROL_USER, call->request->peer.key, &result);
    if (status != STATUS_OK)
        reply_change_refused(call->app, call->response, status, "");
    else
        reply_json(call->response, 200,
                   json_pack("{s:s, s:o}", "message", "Preset loaded", "parameters", mood_to_json(&result.mood)));
}

const struct route routes_presets[] = {
    {"GET", "/api/presets", presets_list, true},
    {"POST", "/api/presets", presets_save, true},
    {"DELETE", "/api/presets/{name}", presets_delete, true},
    {"POST", "/api/presets/{name}/load", presets_load, true},
    {0},
};
