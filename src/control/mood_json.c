#include "control/mood_json.h"

#include <stdio.h>
#include <string.h>

#include "control/json_text.h"
#include "score/scene.h"
#include "score/tuning.h"

// Copies what fits without cutting a UTF-8 character in two.
static void mood_refusal_copy(char *to, size_t cap, const char *from)
{
    size_t len = strlen(from);
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(to, from, len);
    to[len] = '\0';
}

static void mood_refusal_fill(struct mood_refusal *refusal, const char *field, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    mood_refusal_copy(refusal->field, sizeof refusal->field, field);
    mood_refusal_copy(refusal->value, sizeof refusal->value, text ? text : "");
    json_text_free(text);
}

const char *mood_choice(enum mood_kind kind, int place)
{
    if (place < 0)
        return NULL;
    if (kind == MOOD_KIND_SCENE)
        return place < scene_count ? scenes[place].name : NULL;
    if (kind == MOOD_KIND_TUNING)
        return place < tuning_count ? tunings[place].name : NULL;
    if (kind == MOOD_KIND_MODE)
        return place < MODE_COUNT ? mode_name((enum mode)place) : NULL;
    return NULL;
}

static void mood_refusal_choices(enum mood_kind kind, char *constraint, size_t cap)
{
    const char *name;
    size_t len = (size_t)snprintf(constraint, cap, "one of");
    for (int i = 0; (name = mood_choice(kind, i)) && len < cap; i++)
        len += (size_t)snprintf(constraint + len, cap - len, "%s %s", i > 0 ? "," : "", name);
}

static void mood_refusal_rule(const struct mood_parameter *parameter, char *constraint, size_t cap)
{
    switch (parameter->kind) {
    case MOOD_KIND_KEY:
        snprintf(constraint, cap, "a note from A to G, optional # or b, optional \" minor\" or \" major\"");
        return;
    case MOOD_KIND_SCENE:
    case MOOD_KIND_MODE:
    case MOOD_KIND_TUNING:
        mood_refusal_choices(parameter->kind, constraint, cap);
        return;
    case MOOD_KIND_INTEGER:
        snprintf(constraint, cap, "an integer from %.0f to %.0f", parameter->min, parameter->max);
        return;
    case MOOD_KIND_UNIT:
        snprintf(constraint, cap, "a number from %.1f to %.1f", parameter->min, parameter->max);
        return;
    case MOOD_KIND_TOGGLE:
        snprintf(constraint, cap, "true or false");
        return;
    }
}

static bool mood_read_text(const json_t *value, const char **text)
{
    if (!json_is_string(value))
        return false;
    *text = json_string_value(value);
    return strlen(*text) == json_string_length(value);
}

// A field that holds a name's place: an int, or the enum of the modes, which is as wide.
static bool mood_read_choice(enum mood_kind kind, const json_t *value, int *place)
{
    const char *wanted, *name;
    if (!mood_read_text(value, &wanted))
        return false;
    for (int i = 0; (name = mood_choice(kind, i)); i++)
        if (strcmp(name, wanted) == 0) {
            *place = i;
            return true;
        }
    return false;
}

static bool mood_read_integer(const struct mood_parameter *parameter, const json_t *value, int *out)
{
    if (!json_is_integer(value))
        return false;
    json_int_t integer = json_integer_value(value);
    if (integer < (json_int_t)parameter->min || integer > (json_int_t)parameter->max)
        return false;
    *out = (int)integer;
    return true;
}

static bool mood_read_unit(const struct mood_parameter *parameter, const json_t *value, double *out)
{
    if (!json_is_number(value))
        return false;
    double number = json_number_value(value);
    if (!(number >= parameter->min && number <= parameter->max))
        return false;
    *out = number + 0.0;  // a negative zero becomes the common one
    return true;
}

static bool mood_read(const struct mood_parameter *parameter, const json_t *value, struct mood *mood)
{
    void *field = (char *)mood + parameter->offset;
    const char *text;
    switch (parameter->kind) {
    case MOOD_KIND_KEY: return mood_read_text(value, &text) && key_from_text(text, field);
    case MOOD_KIND_SCENE:
    case MOOD_KIND_MODE:
    case MOOD_KIND_TUNING: return mood_read_choice(parameter->kind, value, field);
    case MOOD_KIND_INTEGER: return mood_read_integer(parameter, value, field);
    case MOOD_KIND_UNIT: return mood_read_unit(parameter, value, field);
    case MOOD_KIND_TOGGLE:
        *(bool *)field = json_is_true(value);
        return json_is_boolean(value);
    }
    return false;
}

static bool mood_is_ignored(const char *key, const char *const *ignored)
{
    for (; ignored && *ignored; ignored++)
        if (strcmp(key, *ignored) == 0)
            return true;
    return false;
}

static int mood_find(const char *key)
{
    for (int id = 0; id < MOOD_PARAMETERS; id++)
        if (strcmp(key, mood_parameters[id].name) == 0)
            return id;
    return -1;
}

static enum status mood_read_field(const char *key, const json_t *value, struct mood_patch *patch,
                                   struct mood_refusal *refusal)
{
    int id = mood_find(key);
    if (id >= 0 && mood_read(&mood_parameters[id], value, &patch->values)) {
        patch->set |= UINT32_C(1) << id;
        return STATUS_OK;
    }
    mood_refusal_fill(refusal, key, value);
    if (id < 0)
        snprintf(refusal->constraint, sizeof refusal->constraint, "the name of a parameter");
    else
        mood_refusal_rule(&mood_parameters[id], refusal->constraint, sizeof refusal->constraint);
    return STATUS_INVALID;
}

enum status mood_patch_from_json(const json_t *object, const char *const *ignored, struct mood_patch *patch,
                                 struct mood_refusal *refusal)
{
    struct mood_patch read = {.set = 0, .values = mood_default()};
    const char *key;
    json_t *value;
    int place;
    if (!json_is_object(object)) {
        mood_refusal_fill(refusal, "", object);
        snprintf(refusal->constraint, sizeof refusal->constraint, "an object of parameters");
        return STATUS_INVALID;
    }
    if (mood_read_choice(MOOD_KIND_SCENE, json_object_get(object, "scene"), &place))
        read = scene_patch(&scenes[place]);
    json_object_foreach((json_t *)object, key, value) {
        if (mood_is_ignored(key, ignored))
            continue;
        enum status status = mood_read_field(key, value, &read, refusal);
        if (status != STATUS_OK)
            return status;
    }
    *patch = read;
    return STATUS_OK;
}

json_t *mood_value_to_json(const struct mood *mood, enum mood_id id)
{
    const void *field = (const char *)mood + mood_parameters[id].offset;
    char text[KEY_TEXT_BYTES];
    switch (mood_parameters[id].kind) {
    case MOOD_KIND_KEY: return json_string(key_text(*(const struct key *)field, text));
    case MOOD_KIND_SCENE:
    case MOOD_KIND_MODE:
    case MOOD_KIND_TUNING: return json_string(mood_choice(mood_parameters[id].kind, *(const int *)field));
    case MOOD_KIND_INTEGER: return json_integer(*(const int *)field);
    case MOOD_KIND_UNIT: return json_real(*(const double *)field);
    case MOOD_KIND_TOGGLE: return json_boolean(*(const bool *)field);
    }
    return NULL;
}

json_t *mood_to_json(const struct mood *mood)
{
    json_t *object = json_object();
    for (int id = 0; id < MOOD_PARAMETERS && object; id++) {
        if (json_object_set_new(object, mood_parameters[id].name, mood_value_to_json(mood, (enum mood_id)id)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
