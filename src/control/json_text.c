#include "control/json_text.h"

#include <jansson.h>

void json_text_free(char *text)
{
    json_free_t give;
    json_get_alloc_funcs(NULL, &give);
    if (text)
        give(text);
}
