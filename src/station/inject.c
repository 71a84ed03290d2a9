#include "station/inject.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "os/thread.h"
#include "synth/synth.h"

enum fault_kind { FAULT_ERROR, FAULT_NAN, FAULT_STALL };

static const char *const fault_names[] = {
    [FAULT_ERROR] = "render-error@", [FAULT_NAN] = "render-nan@", [FAULT_STALL] = "render-stall@"};
enum { FAULT_KINDS = sizeof fault_names / sizeof *fault_names };

#define LONGEST_STALL_S 86400.0

struct fault {
    enum fault_kind kind;
    uint64_t frame;          // it is met in the block around it
    uint64_t stall_ns;
    atomic_int left;         // times
};

struct injection {
    struct backend table;    // first: what renders is given back as this
    const struct backend *real;
    struct fault faults[INJECTION_FAULTS];
    int count;
    atomic_bool over;
};

// Looks at the end of it from time to time: more than one thread may stall.
static void stall(const struct injection *injection, uint64_t ns)
{
    struct wakeup nobody;
    wakeup_init(&nobody);
    for (uint64_t left = ns; left > 0 && !atomic_load(&injection->over);) {
        uint64_t step = left < 10 * NS_PER_MS ? left : 10 * NS_PER_MS;
        (void)wakeup_wait(&nobody, step);
        left -= step;
    }
    wakeup_finish(&nobody);
}

static bool injected_render_block(const struct backend *backend, void *state, float *out)
{
    struct injection *injection = (struct injection *)(uintptr_t)backend;
    uint64_t frame = synth_input_frame(state);
    bool good = injection->real->render_block(injection->real, state, out);
    for (int i = 0; i < injection->count; i++) {
        struct fault *fault = &injection->faults[i];
        if (fault->frame < frame || fault->frame >= frame + CONTROL_FRAMES || atomic_fetch_sub(&fault->left, 1) <= 0)
            continue;
        if (fault->kind == FAULT_STALL)
            stall(injection, fault->stall_ns);
        if (fault->kind == FAULT_NAN)
            out[0] = NAN;
        good = good && fault->kind != FAULT_ERROR;
    }
    return good;
}

enum status injection_create(struct injection **created, const struct backend *real)
{
    struct injection *injection = calloc(1, sizeof *injection);
    if (!injection)
        return STATUS_MEMORY;
    injection->real = real;
    injection->table = *real;
    injection->table.render_block = injected_render_block;
    *created = injection;
    return STATUS_OK;
}

// A number from 0 on with `end` behind it; what comes after that through *rest.
static bool read_number(const char *text, char end, double most, double *number, const char **rest)
{
    char *after;
    *number = strtod(text, &after);
    *rest = after + 1;
    return after != text && *text != '-' && *text != '+' && *after == end && *number >= 0 && *number <= most;
}

// How often, or for how long.
static bool read_amount(const char *text, double *amount)
{
    const char *rest;
    *amount = LONGEST_STALL_S;
    return strcmp(text, "forever") == 0 || read_number(text, '\0', LONGEST_STALL_S, amount, &rest);
}

enum status injection_add(struct injection *injection, const char *text)
{
    double at_s, amount;
    const char *rest;
    int kind = 0;
    while (kind < FAULT_KINDS && strncmp(text, fault_names[kind], strlen(fault_names[kind])) != 0)
        kind++;
    if (kind == FAULT_KINDS || !read_number(text + strlen(fault_names[kind]), '+', 1e9, &at_s, &rest) ||
        !read_amount(rest, &amount))
        return STATUS_INVALID;
    if (injection->count == INJECTION_FAULTS)
        return STATUS_FULL;
    struct fault *fault = &injection->faults[injection->count++];
    fault->kind = (enum fault_kind)kind;
    fault->frame = (uint64_t)(at_s * FRAME_RATE);
    fault->stall_ns = (uint64_t)(amount * (double)NS_PER_SECOND);
    atomic_init(&fault->left, kind == FAULT_STALL ? 1 : (int)amount);
    return STATUS_OK;
}

const struct backend *injection_backend(struct injection *injection)
{
    return &injection->table;
}

void injection_end(struct injection *injection)
{
    atomic_store(&injection->over, true);
}

void injection_destroy(struct injection *injection)
{
    free(injection);
}
