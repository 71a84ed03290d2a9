// Option parsing under any words: it must neither crash, nor read outside, nor take a value that breaks its own rule.
//   Input: words, each closed by a line break.
#include <string.h>

#include "base/check.h"
#include "tools/arguments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
    bool flag;
    int64_t whole;
    uint64_t seed;
    double number;
    const char *text, *choice, *first, *second;
    struct argument_list list;
};

#define AT(field) offsetof(struct target, field)
static const struct argument rows[] = {
    {.name = "first", .kind = ARGUMENT_POSITION, .offset = AT(first), .standard = "a", .help = "one"},
    {.name = "second", .kind = ARGUMENT_POSITION, .offset = AT(second), .standard = "b", .help = "two"},
    {.name = "flag", .kind = ARGUMENT_FLAG, .offset = AT(flag), .help = "flag"},
    {.name = "whole", .kind = ARGUMENT_INTEGER, .offset = AT(whole), .min = -10, .max = 1e15, .help = "integer"},
    {.name = "seed", .kind = ARGUMENT_SEED, .offset = AT(seed), .help = "seed"},
    {.name = "number", .kind = ARGUMENT_NUMBER, .offset = AT(number), .min = -.5, .max = 1e9, .help = "number"},
    {.name = "text", .kind = ARGUMENT_TEXT, .offset = AT(text), .help = "text"},
    {.name = "choice", .kind = ARGUMENT_CHOICE, .offset = AT(choice), .choices = "opus|pcm|v0", .help = "choice"},
    {.name = "list", .kind = ARGUMENT_LIST, .offset = AT(list), .help = "list"},
};
static const struct argument_table table = {"fuzz", "Fuzz.", rows, sizeof rows / sizeof *rows};

enum { WORDS_MAX = 64, BYTES_MAX = 4096, MESSAGE_BYTES = 200 };

static int words_split(char *bytes, char **words)
{
    int count = 0;
    words[count++] = "fuzz";
    for (char *word = strtok(bytes, "\n"); word && count < WORDS_MAX; word = strtok(NULL, "\n"))
        words[count++] = word;
    return count;
}

static void target_check(const struct target *target)
{
    check(target->whole >= -10 && target->whole <= 1000000000000000);
    check(target->number >= -.5 && target->number <= 1e9);
    check(!target->text || *target->text);
    check(!target->choice || argument_choice(target->choice, "opus|pcm|v0"));
    check(target->list.count >= 0 && target->list.count <= ARGUMENT_LIST_MAX);
    check(*target->first && *target->second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char bytes[BYTES_MAX + 1], message[MESSAGE_BYTES];
    char *words[WORDS_MAX + 1] = {NULL};
    size_t len = size < BYTES_MAX ? size : BYTES_MAX;
    if (len > 0)
        memcpy(bytes, data, len);
    bytes[len] = '\0';
    struct target target;
    struct text error = text_on(message, sizeof message);
    int count = words_split(bytes, words);
    enum arguments_result result = arguments_read(&table, count, words, &target, &error);
    check(error.len == strlen(message) && !error.full);
    check((result == ARGUMENTS_BAD) == (error.len > 0));
    target_check(&target);
    return 0;
}
