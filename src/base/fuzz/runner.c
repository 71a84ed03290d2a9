// Runs a fuzz target without a fuzzer: every file of a corpus as it is, then changed in reproducible ways.
// Every fuzz target is linked with it for the test run.   usage: NAME CORPUS ROUNDS
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { INPUT_MAX = 20480, FILES_MAX = 64 };

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

static void copy(struct input *to, const struct input *from)
{
    memcpy(to->bytes, from->bytes, from->len);
    to->len = from->len;
}

// Overwrites from `at` on with the end of another input.
static void graft(struct input *input, uint32_t at, const struct input *other, uint32_t from)
{
    size_t take = other->len - from, room = INPUT_MAX - at;
    take = take < room ? take : room;
    memcpy(input->bytes + at, other->bytes + from, take);
    input->len = at + take;
}

// Says again what stands before `at`, up to `most` bytes of it.
static void repeat(struct input *input, uint32_t at, uint32_t most)
{
    size_t part = at < most ? at : most;
    if (input->len + part > INPUT_MAX)
        return;
    memmove(input->bytes + at + part, input->bytes + at, input->len - at);
    memcpy(input->bytes + at, input->bytes + at - part, part);
    input->len += part;
}

// One change: a byte replaced, inserted or removed, a bit flipped, the tail cut, the tail of another input grafted on,
// or a part said twice.
static void mutate(struct input *input, const struct input *other, uint64_t round, uint64_t step)
{
    static const char tokens[] = "{}[]\",:0123456789.-+eE truefalsn\\u\r\n\t/%?&=;";
    uint32_t at = random_below(round, 1, step, (uint32_t)input->len + 1);
    uint8_t byte = random_below(round, 2, step, 2) ? (uint8_t)tokens[random_below(round, 3, step, sizeof tokens - 1)]
                                                   : (uint8_t)random_below(round, 4, step, 256);
    uint32_t kind = random_below(round, 5, step, 7);
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
        graft(input, at, other, random_below(round, 7, step, (uint32_t)other->len + 1));
    } else if (kind == 6) {
        repeat(input, at, 1 + random_below(round, 11, step, 1024));
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
        fprintf(stderr, "usage: %s CORPUS ROUNDS\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < count; i++)
        feed(&inputs[i]);
    uint64_t rounds = strtoull(argv[2], NULL, 10);
    for (uint64_t round = 0; round < rounds; round++) {
        copy(&changed, &inputs[random_below(round, 8, 0, (uint32_t)count)]);
        const struct input *other = &inputs[random_below(round, 9, 0, (uint32_t)count)];
        for (uint64_t step = 0, steps = 1 + random_below(round, 10, 0, 4); step < steps; step++)
            mutate(&changed, other, round, step);
        feed(&changed);
    }
    return 0;
}
