#include "tools/score_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "control/mood_json.h"
#include "control/tuning_json.h"

static enum status score_seed(json_t *root, uint64_t *seed)
{
    json_t *value = json_object_get(root, "seed");
    const char *text = json_string_value(value);
    if (text)
        return argument_seed(text, seed) ? STATUS_OK : STATUS_INVALID;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return STATUS_INVALID;
    *seed = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

// option: "--set " when a command line asks for it, else "".
static enum status score_mood(const json_t *parameters, const char *option, struct mood *mood, struct text *failure)
{
    struct mood_patch patch;
    struct mood_refusal refusal;
    enum status status = mood_patch_from_json(parameters, NULL, &patch, &refusal);
    if (status == STATUS_OK)
        *mood = mood_apply(mood, &patch);
    else
        text_printf(failure, "%s%s: '%s' is not allowed: %s", option, refusal.field, refusal.value,
                    refusal.constraint);
    return status;
}

static enum status score_entry(struct score_file *score, json_t *entry, size_t index, struct text *failure)
{
    json_int_t sequence, at_frame, wake_frame = 0;
    json_t *parameters;
    struct mood mood = index > 0 ? score->log.entries[index - 1].mood : mood_default();
    if (json_unpack(entry, "{s:I, s:I, s:o, s?I}", "sequence", &sequence, "at_frame", &at_frame, "parameters",
                    &parameters, "wake_frame", &wake_frame) != 0 || sequence < 0 || at_frame < 0 || wake_frame < 0 ||
        (index == 0 && (at_frame != 0 || wake_frame != 0))) {
        text_printf(failure, "entry %zu has no proper sequence, at_frame and parameters", index);
        return STATUS_INVALID;
    }
    enum status status = score_mood(parameters, "", &mood, failure);
    if (status != STATUS_OK)
        return status;
    if (index == 0)
        return mood_log_init(&score->log, &mood);
    status = mood_log_copy(&score->log, &(struct mood_entry){.sequence = (uint64_t)sequence, .mood = mood,
                                                             .at_frame = (uint64_t)at_frame,
                                                             .wake_frame = (uint64_t)wake_frame});
    if (status == STATUS_INVALID)
        text_printf(failure, "entry %zu is out of order or off its grid (at_frame 960 frames, wake_frame 4800)", index);
    return status;
}

static enum status score_entries(struct score_file *score, json_t *root, struct text *failure)
{
    json_t *entries = json_object_get(root, "entries"), *entry;
    size_t index;
    if (!json_is_array(entries) || json_array_size(entries) == 0) {
        text_add(failure, "there are no entries");
        return STATUS_INVALID;
    }
    json_array_foreach(entries, index, entry) {
        enum status status = score_entry(score, entry, index, failure);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status score_begin(json_t *root, struct mood_log *log, struct text *failure)
{
    json_t *value = json_object_get(root, "begin_minute");
    json_int_t minute = json_integer_value(value);
    if (!value)
        return STATUS_OK;
    if (!json_is_integer(value) || minute < 0 || minute >= DAY_MINUTES) {
        text_add(failure, "begin_minute is no minute of a day");
        return STATUS_INVALID;
    }
    log->head.begin_minute = (int)minute;
    return STATUS_OK;
}

static enum status score_scala(const json_t *root, struct tuning *scala, struct text *failure)
{
    const json_t *given = json_object_get(root, "scala");
    if (!given || tuning_from_json(given, scala))
        return STATUS_OK;
    text_add(failure, "scala is no tuning of twelve offsets");
    return STATUS_INVALID;
}

enum status score_file_read(struct score_file *score, const char *json, size_t len, struct text *failure)
{
    *score = (struct score_file){0};
    json_error_t error;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        text_printf(failure, "no JSON: %s", error.text);
        return STATUS_INVALID;
    }
    enum status status = score_seed(root, &score->seed);
    if (status != STATUS_OK)
        text_add(failure, "there is no proper seed");
    else
        status = score_entries(score, root, failure);
    score->lead_frames = (uint64_t)json_integer_value(json_object_get(root, "lead_frames"));
    if (status == STATUS_OK)
        status = score_begin(root, &score->log, failure);
    if (status == STATUS_OK)
        status = score_scala(root, &score->log.head.scala, failure);
    json_decref(root);
    if (status != STATUS_OK)
        score_file_finish(score);
    return status;
}

void score_file_finish(struct score_file *score)
{
    if (score->log.entries)
        mood_log_finish(&score->log);
    *score = (struct score_file){0};
}

enum status score_scene(const char *name, const struct scene **scene, struct text *failure)
{
    *scene = scene_find(name);
    if (*scene)
        return STATUS_OK;
    text_printf(failure, "--scene: there is no '%.40s'; there are", name);
    for (int i = 0; i < scene_count; i++)
        text_printf(failure, " %s", scenes[i].name);
    return STATUS_INVALID;
}

// The name as the table has it. NULL when there is none.
static const char *score_parameter(const char *name, size_t len, struct text *failure)
{
    for (int id = 0; id < MOOD_PARAMETERS; id++)
        if (strlen(mood_parameters[id].name) == len && memcmp(mood_parameters[id].name, name, len) == 0)
            return mood_parameters[id].name;
    text_printf(failure, "--set: there is no '%.*s'; there are", len > 40 ? 40 : (int)len, name);
    for (int id = 0; id < MOOD_PARAMETERS; id++)
        text_printf(failure, " %s", mood_parameters[id].name);
    return NULL;
}

static enum status score_add_item(json_t *wish, const char *item, struct text *failure)
{
    size_t len = strcspn(item, "=");
    if (item[len] == '\0') {
        text_printf(failure, "--set: '%.40s' is no NAME=VALUE", item);
        return STATUS_INVALID;
    }
    const char *name = score_parameter(item, len, failure), *text = item + len + 1;
    if (!name)
        return STATUS_INVALID;
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_object_set_new(wish, name, value ? value : json_string(text)) == 0)
        return STATUS_OK;
    text_printf(failure, "--set %s: its value is no UTF-8", name);
    return STATUS_INVALID;
}

enum status score_set(struct mood *mood, const struct argument_list *items, struct text *failure)
{
    json_t *wish = json_object();
    enum status status = STATUS_OK;
    for (int i = 0; i < items->count && status == STATUS_OK; i++)
        status = score_add_item(wish, items->items[i], failure);
    if (status == STATUS_OK)
        status = score_mood(wish, "--set ", mood, failure);
    json_decref(wish);
    return status;
}
