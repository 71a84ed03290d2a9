// Runs a fuzz target without a fuzzer: over each file of a directory, and over mutations of it that are the same in
// every run.   Usage: NAME_fuzz_test DIRECTORY
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"

enum { RUNNER_MAX_BYTES = 65536, RUNNER_MUTATIONS = 4000, RUNNER_SEED = 20240501 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    uint8_t bytes[RUNNER_MAX_BYTES];
    size_t len;
};

static bool sample_read(struct sample *sample, const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    sample->len = fread(sample->bytes, 1, sizeof sample->bytes, file);
    fclose(file);
    return true;
}

static void sample_change(struct sample *sample, uint64_t purpose, uint64_t index)
{
    uint32_t at = random_below(RUNNER_SEED, purpose, 4 * index, (uint32_t)sample->len);
    uint32_t value = random_below(RUNNER_SEED, purpose, 4 * index + 1, 256);
    uint32_t part = 1 + random_below(RUNNER_SEED, purpose, 4 * index + 2, (uint32_t)(sample->len - at));
    switch (random_below(RUNNER_SEED, purpose, 4 * index + 3, 5)) {
    case 0: sample->bytes[at] = (uint8_t)value; break;
    case 1: sample->bytes[at] ^= (uint8_t)(1u << (value & 7)); break;
    case 2: sample->len = at + 1; break;
    case 3:
        memmove(sample->bytes + at, sample->bytes + at + part - 1, sample->len - at - part + 1);
        sample->len -= part - 1;
        break;
    case 4:
        if (sample->len + part <= sizeof sample->bytes) {
            memmove(sample->bytes + at + part, sample->bytes + at, sample->len - at);
            sample->len += part;
        }
        break;
    }
}

static void runner_mutate(const struct sample *original, uint64_t purpose)
{
    static struct sample sample;
    for (uint64_t i = 0; i < RUNNER_MUTATIONS && original->len > 1; i++) {
        sample.len = original->len;
        memcpy(sample.bytes, original->bytes, original->len);
        for (uint64_t change = 0; change <= i % 4; change++)
            sample_change(&sample, purpose, 4 * i + change);
        LLVMFuzzerTestOneInput(sample.bytes, sample.len);
    }
}

static int runner_by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int runner_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    static struct sample sample;
    struct dirent **entries;
    check(argc == 2);
    int count = scandir(argv[1], &entries, runner_is_visible, runner_by_name);
    check(count > 0);
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        bool read = sample_read(&sample, argv[1], entries[i]->d_name);
        if (read) {
            LLVMFuzzerTestOneInput(sample.bytes, sample.len);
            runner_mutate(&sample, (uint64_t)i);
        }
        printf("%sok %d - %s\n", read ? "" : "not ", i + 1, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
