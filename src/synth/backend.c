// Which levels there are and which this machine can run.
#include "synth/backend.h"

#include <stddef.h>
#include <string.h>

#include "synth/levels.h"

bool scalar_available(void)
{
    return true;
}

#if defined(__x86_64__)
static const struct backend *const levels[] = {&backend_scalar, &backend_sse2, &backend_avx2, &backend_avx512, NULL};

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
static const struct backend *const levels[] = {&backend_scalar, &backend_neon, NULL};

bool neon_available(void)
{
    return true;
}
#else
static const struct backend *const levels[] = {&backend_scalar, NULL};
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
