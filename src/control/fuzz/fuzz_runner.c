// Runs a fuzz target without a fuzzer: every file of a corpus as it is, then changed in reproducible ways.
//   fuzz_runner CORPUS ROUNDS
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { INPUT_MAX = 4096, FILES_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t len;
};

static int load(const char *directory, const char *name, struct input *input)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    input->len = fread(input->bytes, 1, INPUT_MAX, file);
    return fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int load_all(const char *directory, struct input *inputs)
{
    struct dirent **entries;
    int found = scandir(directory, &entries, visible, by_name), loaded = 0;
    for (int i = 0; i < found; i++) {
        if (loaded < FILES_MAX && load(directory, entries[i]->d_name, &inputs[loaded]) == 0)
            loaded++;
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return loaded;
}

// One change: a byte replaced, inserted or removed, a bit flipped, the tail cut, or the tail of another input grafted on.
static void mutate(struct input *input, const struct input *other, uint64_t round, uint64_t step)
{
    static const char tokens[] = "{}[]\",:0123456789.-+eE truefalsn\\u";
    uint32_t at = random_below(round, 1, step, (uint32_t)input->len + 1);
    uint8_t byte = random_below(round, 2, step, 2) ? (uint8_t)tokens[random_below(round, 3, step, sizeof tokens - 1)]
                                                   : (uint8_t)random_below(round, 4, step, 256);
    uint32_t kind = random_below(round, 5, step, 6);
    if (kind == 0 && at < input->len) {
        input->bytes[at] = byte;
    } else if (kind == 1 && input->len < INPUT_MAX) {
        memmove(input->bytes + at + 1, input->bytes + at, input->len - at);
        input->bytes[at] = byte;
        input->len++;
    } else if (kind == 2 && at < input->len) {
        memmove(input->bytes + at, input->bytes + at + 1, input->len - at - 1);
        input->len--;
    } else if (kind == 3 && at < input->len) {
        input->bytes[at] ^= (uint8_t)(1u << random_below(round, 6, step, 8));
    } else if (kind == 4) {
        input->len = at;
    } else if (kind == 5) {
        size_t from = random_below(round, 7, step, (uint32_t)other->len + 1), take = other->len - from;
        take = take < INPUT_MAX - at ? take : INPUT_MAX - at;
        memcpy(input->bytes + at, other->bytes + from, take);
        input->len = at + take;
    }
}

// The target gets an exact copy on the heap, so that a sanitizer sees a read past the end.
static void feed(const struct input *input)
{
    uint8_t *copy = malloc(input->len ? input->len : 1);
    if (!copy)
        abort();
    memcpy(copy, input->bytes, input->len);
    LLVMFuzzerTestOneInput(copy, input->len);
    free(copy);
}

int main(int argc, char **argv)
{
    static struct input inputs[FILES_MAX], changed;
    int count = argc == 3 ? load_all(argv[1], inputs) : 0;
    if (count == 0) {
        fprintf(stderr, "usage: fuzz_runner CORPUS ROUNDS\n");
        return 2;
    }
    for (int i = 0; i < count; i++)
        feed(&inputs[i]);
    uint64_t rounds = strtoull(argv[2], NULL, 10);
    for (uint64_t round = 0; round < rounds; round++) {
        changed = inputs[random_below(round, 8, 0, (uint32_t)count)];
        const struct input *other = &inputs[random_below(round, 9, 0, (uint32_t)count)];
        for (uint64_t step = 0, steps = 1 + random_below(round, 10, 0, 4); step < steps; step++)
            mutate(&changed, other, round, step);
        feed(&changed);
    }
    return 0;
}
