#include "control/tuning_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

json_t *tuning_to_json(const struct tuning *tuning)
{
    json_t *offsets = json_array();
    for (int i = 0; i < TUNING_CLASSES; i++)
        json_array_append_new(offsets, json_real(tuning->offset_cents[i]));
    return json_pack("{s:s, s:o}", "title", tuning->title, "offset_cents", offsets);
}

bool tuning_from_json(const json_t *object, struct tuning *tuning)
{
    const json_t *offsets = json_object_get(object, "offset_cents");
    const char *title = json_string_value(json_object_get(object, "title"));
    struct tuning read = *tuning;
    if (!title || json_array_size(offsets) != TUNING_CLASSES)
        return false;
    for (size_t i = 0; i < TUNING_CLASSES; i++) {
        const json_t *offset = json_array_get(offsets, i);
        if (!json_is_number(offset) || !(fabs(json_number_value(offset)) <= TUNING_MOST_CENTS))
            return false;
        read.offset_cents[i] = json_number_value(offset);
    }
    memset(read.title, 0, sizeof read.title);   // tunings are compared as a whole
    snprintf(read.title, sizeof read.title, "%s", title);
    if (read.offset_cents[0] != 0)
        return false;
    *tuning = read;
    return true;
}
