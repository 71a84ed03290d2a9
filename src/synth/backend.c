// Which levels there are and which this machine can run.
#include "synth/backend.h"

#include <stddef.h>
#include <string.h>

#include "synth/levels.h"

static const struct backend *const levels[] = {
#define LEVEL(level) &backend_##level,
    SYNTH_LEVELS(LEVEL) NULL
#undef LEVEL
};

bool scalar_available(void)
{
    return true;
}

#if defined(__x86_64__)
bool sse2_available(void)
{
    return __builtin_cpu_supports("sse2");
}

bool avx2_available(void)
{
    return __builtin_cpu_supports("avx2");
}

bool avx512_available(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#elif defined(__aarch64__)
bool neon_available(void)
{
    return true;
}
#endif

const struct backend *const *backend_list(void)
{
    return levels;
}

const struct backend *backend_best(void)
{
    const struct backend *best = levels[0];
    for (int n = 1; levels[n]; n++)
        if (levels[n]->available())
            best = levels[n];
    return best;
}

const struct backend *backend_find(const char *name)
{
    for (int n = 0; levels[n]; n++)
        if (strcmp(levels[n]->name, name) == 0 && levels[n]->available())
            return levels[n];
    return NULL;
}
