// What plays and how it is steered.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/reply.h"
#include "app/routes.h"
#include "control/json_text.h"
#include "control/tuning_json.h"
#include "score/scene.h"

// The body as a JSON object; answers 400 and returns NULL when it is none.
static json_t *music_body(const struct route_call *call)
{
    json_error_t error;
    json_t *body = json_loadb(call->request->body, call->request->body_len, JSON_REJECT_DUPLICATES, &error);
    if (body && json_is_object(body))
        return body;
    struct mood_refusal refusal = {.field = "body", .constraint = "a JSON object"};
    snprintf(refusal.value, sizeof refusal.value, "%s", body ? "another type" : error.text);
    reply_error(call->app, call->response, 400, "The body is not a JSON object.", &refusal);
    json_decref(body);
    return NULL;
}

// Answers a change in the shape that existing clients know.
static void music_reply_change(const struct route_call *call, enum status status, const struct control_result *result,
                               const char *conflict)
{
    if (status != STATUS_OK) {
        reply_change_refused(call->app, call->response, status, conflict);
        return;
    }
    json_t *warnings = json_array();
    for (int i = 0; i < result->warning_count; i++)
        json_array_append_new(warnings, json_string(result->warnings[i]));
    reply_json(call->response, 200,
               json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "message", "Parameters updated successfully", "status",
                         "updated", "timestamp", (json_int_t)result->timestamp_ms, "sequence",
                         (json_int_t)result->sequence, "at_frame", (json_int_t)result->at_frame, "parameters",
                         mood_to_json(&result->mood), "warnings", warnings));
}

static void music_control(const struct route_call *call)
{
    json_t *body = music_body(call);
    if (!body)
        return;
    struct mood_patch patch;
    struct mood_refusal refusal;
    struct control_result result;
    if (mood_patch_from_json(body, NULL, &patch, &refusal) != STATUS_OK)
        reply_error(call->app, call->response, 400, "A parameter is not valid; nothing was changed.", &refusal);
    else
        music_reply_change(
            call, sequencer_submit(call->app->sequencer, &patch, CONTROL_USER, call->request->peer.key, &result),
            &result, "");
    json_decref(body);
}

static void music_undo(const struct route_call *call)
{
    struct control_result result;
    music_reply_change(call, sequencer_undo(call->app->sequencer, call->request->peer.key, &result), &result,
                       "There is nothing to undo.");
}

static void music_redo(const struct route_call *call)
{
    struct control_result result;
    music_reply_change(call, sequencer_redo(call->app->sequencer, call->request->peer.key, &result), &result,
                       "There is nothing to redo.");
}

static void music_history(const struct route_call *call)
{
    struct control_change changes[CONTROL_HISTORY];
    int count = sequencer_history(call->app->sequencer, changes);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        const struct control_change *change = &changes[i];
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:o, s:o, s:s}", "timestamp", (json_int_t)change->timestamp_ms, "parameter",
                            mood_parameters[change->parameter].name, "old",
                            mood_value_to_json(&change->before, change->parameter), "new",
                            mood_value_to_json(&change->after, change->parameter), "source",
                            change->source == CONTROL_USER ? "user" : "auto"));
    }
    reply_json(call->response, 200, json_pack("{s:o}", "history", list));
}

static json_t *music_parameter_values(enum mood_kind kind)
{
    static const char *const tonics[] = {"C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"};
    json_t *values = json_array();
    if (kind == MOOD_KIND_KEY)
        for (size_t i = 0; i < sizeof tonics / sizeof *tonics; i++)
            json_array_append_new(values, json_string(tonics[i]));
    const char *name;
    for (int i = 0; (name = mood_choice(kind, i)); i++)
        json_array_append_new(values, json_string(name));
    return values;
}

static json_t *music_parameter(enum mood_id id, const struct mood *defaults)
{
    static const char *const kinds[] = {"key", "scene", "mode", "tuning", "integer", "unit", "toggle"};
    const struct mood_parameter *parameter = &mood_parameters[id];
    return json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:s, s:o, s:o}", "name", parameter->name, "kind",
                     kinds[parameter->kind], "title", parameter->title, "help", parameter->help, "min", parameter->min,
                     "max", parameter->max, "unit", parameter->unit ? parameter->unit : "", "default",
                     mood_value_to_json(defaults, id), "values", music_parameter_values(parameter->kind));
}

static void music_parameters(const struct route_call *call)
{
    struct mood defaults = mood_default();
    json_t *parameters = json_array(), *list = json_array();
    for (int id = 0; id < MOOD_PARAMETERS; id++)
        json_array_append_new(parameters, music_parameter((enum mood_id)id, &defaults));
    for (int i = 0; i < scene_count; i++) {
        struct mood mood = scene_mood(&scenes[i]);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", scenes[i].name, "title", scenes[i].title,
                                              "line", scenes[i].line, "parameters", mood_to_json(&mood)));
    }
    reply_json(call->response, 200, json_pack("{s:o, s:o}", "parameters", parameters, "scenes", list));
}

static void music_stations(const struct route_call *call)
{
    const struct app *app = call->app;
    reply_json(call->response, 200,
               json_pack("{s:[{s:s, s:i, s:I}]}", "stations", "name", APP_STATION, "listeners",
                         stream_listeners(app->stream), "frame", (json_int_t)app_playhead(app)));
}

// Writes `object` but for its last `cut` bytes, and drops the reference. False when memory is short.
static bool music_write(FILE *out, json_t *object, size_t cut)
{
    char *text = object ? reply_dump(object) : NULL;
    json_decref(object);
    bool good = text && fwrite(text, 1, strlen(text) - cut, out) == strlen(text) - cut;
    json_text_free(text);
    return good;
}

// One entry after the other: as a tree the whole of a long log would take twenty times its text.
static bool music_write_log(const struct app *app, FILE *out)
{
    enum { BATCH = 64 };
    struct mood_entry batch[BATCH];
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)app->seed);
    json_t *head = json_pack("{s:s, s:s, s:s, s:i, s:o, s:I, s:I}", "station", APP_STATION, "seed", seed, "version",
                             AURALIS_VERSION, "begin_minute", app->recall.station.head.begin_minute, "scala",
                             tuning_to_json(&app->recall.station.head.scala), "lead_frames",
                             (json_int_t)app->options.lead_frames, "guard_frames",
                             (json_int_t)sequencer_guard_frames(app->sequencer));
    bool good = music_write(out, head, 1) && fputs(",\"entries\":[", out) >= 0;
    for (size_t first = 0, got; (got = sequencer_entries(app->sequencer, first, batch, BATCH)) > 0; first += got)
        for (size_t i = 0; i < got && good; i++) {
            json_t *entry = json_pack("{s:I, s:I, s:I, s:o}", "sequence", (json_int_t)batch[i].sequence, "at_frame",
                                      (json_int_t)batch[i].at_frame, "wake_frame", (json_int_t)batch[i].wake_frame,
                                      "parameters", mood_to_json(&batch[i].mood));
            good = (first + i == 0 || fputc(',', out) != EOF) && music_write(out, entry, 0);
        }
    return good && fputs("]}", out) >= 0;
}

static void music_log(const struct route_call *call)
{
    if (strcmp(call->argument, APP_STATION) != 0) {
        reply_error(call->app, call->response, 404, "There is no station of that name.", NULL);
        return;
    }
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    bool good = out && music_write_log(call->app, out);
    if (out && fclose(out) != 0)
        good = false;
    reply_body(call->response, 200, good ? body : NULL, len);
    free(body);
}

const struct route routes_music[] = {
    {"POST", "/api/control", music_control, true},
    {"GET", "/api/history", music_history, false},
    {"POST", "/api/history/redo", music_redo, true},
    {"POST", "/api/history/undo", music_undo, true},
    {"GET", "/api/parameters", music_parameters, false},
    {"GET", "/api/stations", music_stations, false},
    {"GET", "/api/stations/{name}/log", music_log, true},
    {0},
};
