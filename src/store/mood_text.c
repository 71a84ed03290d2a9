#include "store/mood_text.h"

#include "control/mood_json.h"

char *mood_text(const struct mood *mood)
{
    json_t *object = mood_to_json(mood);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

// Every parameter by itself, so that one that no longer fits does not take the others with it.
static void mood_read(struct mood *mood, const json_t *object)
{
    for (int id = 0; id < MOOD_PARAMETERS; id++) {
        const char *name = mood_parameters[id].name;
        json_t *field = json_object();
        struct mood_patch patch;
        struct mood_refusal refusal;
        if (json_object_set(field, name, json_object_get(object, name)) == 0 &&
            mood_patch_from_json(field, NULL, &patch, &refusal) == STATUS_OK)
            *mood = mood_apply(mood, &patch);
        json_decref(field);
    }
}

bool mood_from_text(const char *text, struct mood *mood)
{
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    bool good = json_is_object(object);
    *mood = mood_default();
    if (good)
        mood_read(mood, object);
    json_decref(object);
    return good;
}
