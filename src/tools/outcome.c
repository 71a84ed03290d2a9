#include "tools/outcome.h"

#include <stdio.h>

int outcome_tell(const char *command, enum status status, const struct text *failure)
{
    if (status == STATUS_OK)
        return 0;
    fprintf(stderr, "auralis %s: %s\n", command, failure->len > 0 ? failure->bytes : status_text(status));
    return status == STATUS_INVALID || status == STATUS_UNSUPPORTED ? 2 : 1;
}
