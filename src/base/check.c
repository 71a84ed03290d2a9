#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "auralis: internal error: %s does not hold (%s:%d)\n", condition, file, line);
    abort();
}
