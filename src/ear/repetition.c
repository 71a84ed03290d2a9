#include "ear/repetition.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/random.h"

// Where a run begins, and a number that runs of the same pitches share.
struct run {
    uint64_t pitches;
    size_t first;
};

static uint64_t run_pitches(const struct repetition_note *notes, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = random_mix(sum ^ (uint64_t)(uint32_t)notes[i].pitch);
    return sum;
}

static int by_pitches(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->pitches != y->pitches)
        return x->pitches < y->pitches ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static bool run_is_same(const struct repetition_note *a, const struct repetition_note *b, size_t length,
                        uint64_t tolerance_frames)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t x = a[i].at_frame - a->at_frame, y = b[i].at_frame - b->at_frame;
        if (a[i].pitch != b[i].pitch || (x > y ? x - y : y - x) > tolerance_frames)
            return false;
    }
    return true;
}

static bool runs_search(const struct repetition_note *notes, const struct run *runs, size_t count, size_t length,
                        uint64_t tolerance_frames, struct repetition *found)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count && runs[k].pitches == runs[i].pitches; k++)
            if (run_is_same(notes + runs[i].first, notes + runs[k].first, length, tolerance_frames)) {
                *found = (struct repetition){runs[i].first, runs[k].first};
                return true;
            }
    return false;
}

int repetition_find(const struct repetition_note *notes, size_t count, size_t length, uint64_t tolerance_frames,
                    struct repetition *found)
{
    if (count < length)
        return 0;
    size_t run_count = count - length + 1;
    struct run *runs = malloc(run_count * sizeof *runs);
    if (!runs)
        return -1;
    for (size_t i = 0; i < run_count; i++)
        runs[i] = (struct run){run_pitches(notes + i, length), i};
    qsort(runs, run_count, sizeof *runs, by_pitches);
    bool is_found = runs_search(notes, runs, run_count, length, tolerance_frames, found);
    free(runs);
    return is_found;
}
